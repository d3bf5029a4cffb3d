/**
 * The records of `__consumer_offsets` as values, and those that the group machine writes, in the versions that Kafka 4.4 writes.
 * Source: README of the protocol data; KIP-211 for what expires when, KIP-848 for the kinds that are only kept here.
 */
import type { GroupRecord } from '../../wire/coordinator-record.ts';
import type { GroupMetadataValue } from '../../wire/generated/records/group-metadata.ts';
import { ZERO_UUID } from '../../wire/uuid.ts';

export type { GroupRecord };

/** A committed offset, as the log has it. */
export interface StoredOffset {
  readonly committedOffset: bigint;
  /** -1 when unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** Only from requests before version 5 that name a retention. */
  readonly expireTimestampMs: bigint | null;
  /** The zero uuid when unknown. */
  readonly topicId: string;
  /** Of the record itself: the later of two commits to one partition wins, transactional or not. */
  readonly recordOffset: number;
}

const NO_TIMESTAMP = -1n;
const GROUP_METADATA_VALUE_VERSION = 3;
const OFFSET_COMMIT_VALUE_VERSION = 4;
const OFFSET_COMMIT_VALUE_VERSION_WITH_EXPIRY = 1;

/** The version in which the value is written. */
export function valueVersion(record: GroupRecord): number {
  if (record.kind === 'GroupMetadata') return GROUP_METADATA_VALUE_VERSION;
  if (record.kind !== 'OffsetCommit') return 0;
  const expires = record.value !== null && record.value.expireTimestamp !== NO_TIMESTAMP;
  return expires ? OFFSET_COMMIT_VALUE_VERSION_WITH_EXPIRY : OFFSET_COMMIT_VALUE_VERSION;
}

export function groupRecord(groupId: string, value: GroupMetadataValue | null): GroupRecord {
  return { kind: 'GroupMetadata', key: { group: groupId }, value };
}

/** The record of a commit. With an expiry of its own it is written in version 1, which has neither leader epoch nor topic id. */
export function offsetRecord(
  groupId: string,
  topic: string,
  partition: number,
  stored: Omit<StoredOffset, 'recordOffset'>,
): GroupRecord {
  const expires = stored.expireTimestampMs !== null;
  return {
    kind: 'OffsetCommit',
    key: { group: groupId, topic, partition },
    value: {
      offset: stored.committedOffset,
      leaderEpoch: expires ? -1 : stored.leaderEpoch,
      metadata: stored.metadata,
      commitTimestamp: BigInt(stored.commitTimestampMs),
      expireTimestamp: stored.expireTimestampMs ?? NO_TIMESTAMP,
      topicId: expires ? ZERO_UUID : stored.topicId,
    },
  };
}

export function offsetTombstone(groupId: string, topic: string, partition: number): GroupRecord {
  return { kind: 'OffsetCommit', key: { group: groupId, topic, partition }, value: null };
}
