/**
 * What the log of one partition of `__consumer_offsets` can rebuild: groups as they were last stored, committed offsets, and offsets of open
 * transactions. Changes through `applyRecord` and `applyTransactionEnd` alone, live and in a replay.
 *
 * Groups of the newer protocols (KIP-848, KIP-932, KIP-1071) are kept aside: their ids, members and epochs, and the keys of their records, so that
 * their offsets can be read, an empty one can be removed, and nothing of them is lost.
 */
import type { GroupMetadataValue } from '../../wire/generated/records/group-metadata.ts';
import type { OffsetCommitValue } from '../../wire/generated/records/offset-commit.ts';
import { ZERO_UUID } from '../../wire/uuid.ts';
import type { RecordPlace } from '../machine.ts';
import type { GroupRecord, StoredOffset } from './record.ts';
import { StoredOffsets } from './stored-offsets.ts';

export type ForeignType = 'consumer' | 'share' | 'streams';

export interface StoredClassicGroup {
  readonly type: 'classic';
  /** Null for a group that is known by its offsets only: no member has ever joined it. */
  readonly value: GroupMetadataValue | null;
}

export interface StoredForeignGroup {
  readonly type: ForeignType;
  /** Epoch by member id. */
  readonly memberEpochs: ReadonlyMap<string, number>;
  /** Records of this group that have no tombstone yet, by kind and key. */
  readonly records: ReadonlyMap<string, GroupRecord>;
}

interface MutableForeignGroup extends StoredForeignGroup {
  readonly memberEpochs: Map<string, number>;
  readonly records: Map<string, GroupRecord>;
}

export interface LastingState {
  readonly groups: Map<string, StoredClassicGroup | MutableForeignGroup>;
  readonly offsets: StoredOffsets;
  /** Offsets of transactions that have not ended, by producer id. */
  readonly openTransactions: Map<number, StoredOffsets>;
}

export function emptyLastingState(): LastingState {
  return { groups: new Map(), offsets: new StoredOffsets(), openTransactions: new Map() };
}

export function applyRecord(state: LastingState, record: GroupRecord, place: RecordPlace): void {
  switch (record.kind) {
    case 'GroupMetadata': {
      const groupId = record.key.group;
      if (record.value === null) state.groups.delete(groupId);
      else state.groups.set(groupId, { type: 'classic', value: record.value });
      return;
    }
    case 'OffsetCommit':
      return applyOffset(state, record.key, record.value, place);
    case 'LegacyOffsetCommit': {
      const value = record.value;
      const converted = value && { ...value, leaderEpoch: -1, expireTimestamp: -1n, topicId: ZERO_UUID };
      return applyOffset(state, record.key, converted, place);
    }
    default:
      return applyForeign(state, record);
  }
}

/** Moves the offsets of a committed transaction to the others, or forgets them. A commit made later outside of it stays. */
export function applyTransactionEnd(state: LastingState, producerId: number, committed: boolean): void {
  const pending = state.openTransactions.get(producerId);
  if (pending === undefined) return;
  state.openTransactions.delete(producerId);
  if (!committed) return;
  for (const { groupId, topic, partition, offset } of pending.all()) {
    const existing = state.offsets.get(groupId, topic, partition);
    if (existing === undefined || offset.recordOffset > existing.recordOffset)
      state.offsets.put(groupId, topic, partition, offset);
  }
}

export function hasOpenTransaction(state: LastingState, groupId: string, topic: string, partition: number): boolean {
  for (const pending of state.openTransactions.values()) {
    if (pending.get(groupId, topic, partition) !== undefined) return true;
  }
  return false;
}

/** Topics and partitions with offsets of open transactions in this group. */
export function openTransactionsOf(state: LastingState, groupId: string): ReadonlyMap<string, ReadonlySet<number>> {
  const topics = new Map<string, Set<number>>();
  for (const pending of state.openTransactions.values()) {
    for (const [topic, partitions] of pending.ofGroup(groupId) ?? []) {
      const open = topics.get(topic) ?? new Set();
      topics.set(topic, open);
      for (const partition of partitions.keys()) open.add(partition);
    }
  }
  return topics;
}

interface OffsetKey {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

function applyOffset(state: LastingState, key: OffsetKey, value: OffsetCommitValue | null, place: RecordPlace): void {
  if (value === null) {
    state.offsets.remove(key.group, key.topic, key.partition);
    for (const pending of state.openTransactions.values()) pending.remove(key.group, key.topic, key.partition);
    return;
  }
  if (!state.groups.has(key.group)) state.groups.set(key.group, { type: 'classic', value: null });
  let target = state.offsets;
  if (place.producerId >= 0) {
    target = state.openTransactions.get(place.producerId) ?? new StoredOffsets();
    state.openTransactions.set(place.producerId, target);
  }
  target.put(key.group, key.topic, key.partition, storedOffset(value, place));
}

function storedOffset(value: OffsetCommitValue, place: RecordPlace): StoredOffset {
  return {
    committedOffset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestampMs: Number(value.commitTimestamp),
    expireTimestampMs: value.expireTimestamp === -1n ? null : value.expireTimestamp,
    topicId: value.topicId,
    recordOffset: place.offset,
  };
}

type ForeignRecord = Exclude<GroupRecord, { kind: 'GroupMetadata' | 'OffsetCommit' | 'LegacyOffsetCommit' }>;

function foreignType(kind: ForeignRecord['kind']): ForeignType {
  if (kind.startsWith('ConsumerGroup')) return 'consumer';
  return kind.startsWith('ShareGroup') ? 'share' : 'streams';
}

function applyForeign(state: LastingState, record: ForeignRecord): void {
  const type = foreignType(record.kind);
  const groupId = record.key.groupId;
  const existing = state.groups.get(groupId);
  if (record.value === null) {
    if (existing === undefined || existing.type === 'classic') return;
    if (isWholeGroup(record)) state.groups.delete(groupId);
    else forgetForeign(existing, record);
    return;
  }
  let group: MutableForeignGroup;
  if (existing === undefined || existing.type === 'classic') {
    group = { type, memberEpochs: new Map(), records: new Map() };
    state.groups.set(groupId, group);
  } else group = existing;
  group.records.set(recordKey(record), record);
  const memberId = memberOf(record);
  if (memberId === undefined) return;
  const epoch = 'memberEpoch' in record.value ? record.value.memberEpoch : (group.memberEpochs.get(memberId) ?? 0);
  group.memberEpochs.set(memberId, epoch);
}

function isWholeGroup(record: ForeignRecord): boolean {
  return (
    record.kind === 'ConsumerGroupMetadata' || record.kind === 'ShareGroupMetadata' || record.kind === 'StreamsGroupMetadata'
  );
}

/** The member that exists as long as this record does. */
function memberOf(record: ForeignRecord): string | undefined {
  switch (record.kind) {
    case 'ConsumerGroupMemberMetadata':
    case 'ConsumerGroupCurrentMemberAssignment':
    case 'ShareGroupMemberMetadata':
    case 'ShareGroupCurrentMemberAssignment':
    case 'StreamsGroupMemberMetadata':
    case 'StreamsGroupCurrentMemberAssignment':
      return record.key.memberId;
    default:
      return undefined;
  }
}

function forgetForeign(group: MutableForeignGroup, record: ForeignRecord): void {
  group.records.delete(recordKey(record));
  if (record.kind.endsWith('MemberMetadata')) {
    const memberId = memberOf(record);
    if (memberId !== undefined) group.memberEpochs.delete(memberId);
  }
}

function recordKey(record: ForeignRecord): string {
  return `${record.kind} ${JSON.stringify(record.key)}`;
}

/** Tombstones for all that is kept of a group, its own record last. */
export function foreignTombstones(group: StoredForeignGroup): GroupRecord[] {
  const own: GroupRecord[] = [];
  const others: GroupRecord[] = [];
  for (const record of group.records.values()) {
    (isWholeGroup(record as ForeignRecord) ? own : others).push({ ...record, value: null });
  }
  return [...others, ...own];
}
