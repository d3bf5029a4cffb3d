/** DescribeGroups, ListGroups, DeleteGroups, and what passes by itself: offsets of deleted topics, offsets and groups that no one needs any more. */
import type { DeleteGroupsResponseDeletableGroupResultDraft } from '../../wire/generated/delete-groups.ts';
import type { DescribeGroupsResponseDescribedGroupDraft } from '../../wire/generated/describe-groups.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { ListGroupsRequest, ListGroupsResponseListedGroupDraft } from '../../wire/generated/list-groups.ts';
import { ZERO_UUID } from '../../wire/uuid.ts';
import { type ClassicGroup, isSubscribedToTopic, metadataOf } from './classic-group.ts';
import { foreignTombstones, openTransactionsOf } from './lasting.ts';
import { type StoredOffset, groupRecord, offsetTombstone } from './record.ts';
import { CONSUMER_PROTOCOL_TYPE } from './subscription.ts';
import type { GroupState } from './transitions.ts';
import { type FoundGroup, type Turn, findGroup, reply } from './turn.ts';

/** From this version on a missing group is an error (KIP-1043); before, it is described as Dead. */
const NOT_FOUND_FROM_VERSION = 6;

export function describe(turn: Turn, requestId: number, groupIds: readonly string[], apiVersion: number): void {
  reply(turn, requestId, { kind: 'describe', groups: groupIds.map((groupId) => describeOne(turn, groupId, apiVersion)) });
}

function describeOne(turn: Turn, groupId: string, apiVersion: number): DescribeGroupsResponseDescribedGroupDraft {
  const found = findGroup(turn, groupId);
  if (found?.type === 'classic') return describeClassic(found.group);
  const dead: DescribeGroupsResponseDescribedGroupDraft = {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: 'Dead' satisfies GroupState,
    protocolType: '',
    protocolData: '',
    members: [],
  };
  if (apiVersion < NOT_FOUND_FROM_VERSION) return dead;
  const errorMessage = found === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a classic group.`;
  return { ...dead, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage };
}

/** The chosen protocol and the members' metadata are shown only of a stable group. */
function describeClassic(group: ClassicGroup): DescribeGroupsResponseDescribedGroupDraft {
  const isStable = group.phase.state === 'Stable';
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.groupId,
    groupState: group.phase.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocol ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataOf(member, group.protocol) : Buffer.alloc(0),
      memberAssignment: member.assignment,
    })),
  };
}

export function list(turn: Turn, requestId: number, request: ListGroupsRequest): void {
  const states = new Set(request.statesFilter.map((state) => state.toLowerCase().trim()));
  const types = new Set(request.typesFilter.map((type) => type.toLowerCase()));
  const groups: ListGroupsResponseListedGroupDraft[] = [];
  for (const groupId of turn.lasting.groups.keys()) {
    const found = findGroup(turn, groupId);
    if (found === undefined) continue;
    const listed = listedGroup(groupId, found);
    if (states.size > 0 && !states.has(listed.groupState.toLowerCase())) continue;
    if (types.size > 0 && !types.has(listed.groupType.toLowerCase())) continue;
    groups.push(listed);
  }
  reply(turn, requestId, { kind: 'list', groups });
}

/** Of groups of other protocols it is known only whether they have members. */
function listedGroup(groupId: string, found: FoundGroup) {
  if (found.type === 'classic') {
    const { group } = found;
    return { groupId, protocolType: group.protocolType ?? '', groupState: group.phase.state, groupType: found.type };
  }
  const { type, memberEpochs } = found.group;
  return { groupId, protocolType: type, groupState: memberEpochs.size === 0 ? 'Empty' : 'Stable', groupType: type };
}

export function deleteGroups(turn: Turn, requestId: number, groupIds: readonly string[]): void {
  const results = groupIds.map((groupId): DeleteGroupsResponseDeletableGroupResultDraft => {
    const found = findGroup(turn, groupId);
    if (found === undefined) return { groupId, errorCode: ErrorCode.GROUP_ID_NOT_FOUND };
    if (!isEmpty(found)) return { groupId, errorCode: ErrorCode.NON_EMPTY_GROUP };
    for (const [topic, partitions] of offsetsOf(turn, groupId)) {
      for (const partition of partitions) turn.records.push(offsetTombstone(groupId, topic, partition));
    }
    removeGroup(turn, groupId, found);
    return { groupId, errorCode: ErrorCode.NONE };
  });
  reply(turn, requestId, { kind: 'deleteGroups', results });
}

function isEmpty(found: FoundGroup): boolean {
  return found.type === 'classic' ? found.group.phase.state === 'Empty' : found.group.memberEpochs.size === 0;
}

function removeGroup(turn: Turn, groupId: string, found: FoundGroup): void {
  if (found.type === 'classic') turn.records.push(groupRecord(groupId, null));
  else turn.records.push(...foreignTombstones(found.group));
}

/** Partitions with an offset, be it in an open transaction. */
function offsetsOf(turn: Turn, groupId: string): ReadonlyMap<string, ReadonlySet<number>> {
  const all = new Map<string, Set<number>>();
  for (const source of [turn.lasting.offsets.ofGroup(groupId) ?? [], openTransactionsOf(turn.lasting, groupId)]) {
    for (const [topic, partitions] of source) {
      const known = all.get(topic) ?? new Set();
      all.set(topic, known);
      for (const partition of partitions.keys()) known.add(partition);
    }
  }
  return all;
}

/** A commit that knows the topic's id stands for that topic alone; one that does not, for any of the name. */
export function topicsDeleted(
  turn: Turn,
  requestId: number,
  topics: readonly { readonly name: string; readonly id: string }[],
): void {
  for (const offsets of [turn.lasting.offsets, ...turn.lasting.openTransactions.values()]) {
    for (const groupId of offsets.groupIds()) {
      for (const { name, id } of topics) {
        for (const [partition, offset] of offsets.ofGroup(groupId)?.get(name) ?? []) {
          if (offset.topicId === ZERO_UUID || offset.topicId === id) turn.records.push(offsetTombstone(groupId, name, partition));
        }
      }
    }
  }
  reply(turn, requestId, { kind: 'topicsDeleted' });
}

/** Offsets past their retention go, and with its last offset an empty group (KIP-211). */
export function expire(turn: Turn): void {
  turn.passing.alarms.set('expiry', turn.now.monotonicMs + turn.config.offsetsRetentionCheckIntervalMs, { kind: 'expiry' });
  for (const groupId of turn.lasting.groups.keys()) {
    const found = findGroup(turn, groupId);
    if (found === undefined || (found.type === 'foreign' && found.group.type !== 'consumer')) continue;
    if (expireOffsets(turn, groupId, found) && isEmpty(found)) removeGroup(turn, groupId, found);
  }
}

/** True when no offset is left. */
function expireOffsets(turn: Turn, groupId: string, found: FoundGroup): boolean {
  const open = openTransactionsOf(turn.lasting, groupId);
  const offsets = turn.lasting.offsets.ofGroup(groupId);
  if (offsets === undefined) return open.size === 0;
  const retainedSince = retentionBase(found);
  if (retainedSince === null) return false;
  let all = true;
  for (const [topic, partitions] of offsets) {
    const isKept = found.type === 'classic' && isSubscribedToTopic(found.group, topic);
    for (const [partition, offset] of partitions) {
      if (isKept || open.get(topic)?.has(partition) || !isExpired(turn, offset, retainedSince(offset))) all = false;
      else turn.records.push(offsetTombstone(groupId, topic, partition));
    }
  }
  return all && open.size === 0;
}

/** From when on the retention of an offset counts; null when nothing of the group expires now. */
function retentionBase(found: FoundGroup): ((offset: StoredOffset) => number) | null {
  const sinceCommit = (offset: StoredOffset): number => offset.commitTimestampMs;
  if (found.type === 'foreign') return found.group.memberEpochs.size === 0 ? sinceCommit : null;
  const { group } = found;
  if (group.protocolType === null) return sinceCommit;
  if (group.phase.state === 'Empty') return (offset) => group.stateTimeMs ?? offset.commitTimestampMs;
  const knowsTopics = group.protocolType === CONSUMER_PROTOCOL_TYPE && group.subscribedTopics !== null;
  return knowsTopics && group.phase.state === 'Stable' ? sinceCommit : null;
}

function isExpired(turn: Turn, offset: StoredOffset, sinceMs: number): boolean {
  const { timeMs } = turn.now;
  return offset.expireTimestampMs === null
    ? timeMs - sinceMs >= turn.config.offsetsRetentionMs
    : BigInt(timeMs) >= offset.expireTimestampMs;
}
