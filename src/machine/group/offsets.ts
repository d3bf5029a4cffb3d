/** OffsetCommit, OffsetFetch and OffsetDelete: what a group has consumed (KIP-447 stable reads, KIP-496 deletion, KIP-848 errors). */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { OffsetCommitRequest, OffsetCommitRequestOffsetCommitRequestPartition } from '../../wire/generated/offset-commit.ts';
import type { OffsetDeleteRequest } from '../../wire/generated/offset-delete.ts';
import type {
  OffsetFetchRequestOffsetFetchRequestGroup,
  OffsetFetchResponseOffsetFetchResponsePartitionsDraft,
} from '../../wire/generated/offset-fetch.ts';
import { ZERO_UUID } from '../../wire/uuid.ts';
import { type ClassicGroup, checkMember, isSubscribedToTopic } from './classic-group.ts';
import type { GroupInput } from './input.ts';
import { type StoredForeignGroup, hasOpenTransaction, openTransactionsOf } from './lasting.ts';
import { type StoredOffset, offsetRecord, offsetTombstone } from './record.ts';
import { CONSUMER_PROTOCOL_TYPE } from './subscription.ts';
import { type FoundGroup, type Turn, findGroup, refuse, renewSession, reply } from './turn.ts';

/** From this version on OffsetCommit may answer GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH (KIP-848). */
const NEW_ERRORS_FROM_VERSION = 9;
const NO_RETENTION_TIME = -1n;
const NO_OFFSET = -1n;

type CommitInput = Extract<GroupInput, { kind: 'commit' }>;

export function commit(turn: Turn, requestId: number, input: CommitInput): void {
  const { request } = input;
  const found = findGroup(turn, request.groupId);
  const error = checkCommit(found, input);
  if (error !== ErrorCode.NONE) return refuse(turn, requestId, error);
  if (found?.type === 'classic') keepAlive(turn, found.group, request.memberId);
  const topics = request.topics.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map((partition) => ({
      partitionIndex: partition.partitionIndex,
      errorCode: commitOne(turn, request, topic, partition),
    })),
  }));
  reply(turn, requestId, { kind: 'commit', response: { topics } });
}

/** A commit shows that its member is there, as a heartbeat does. */
function keepAlive(turn: Turn, group: ClassicGroup, memberId: string): void {
  const member = group.members.get(memberId);
  if (member !== undefined) renewSession(turn, group.groupId, memberId, member.sessionTimeoutMs);
}

function commitOne(
  turn: Turn,
  request: OffsetCommitRequest,
  topic: { readonly name: string; readonly topicId: string },
  partition: OffsetCommitRequestOffsetCommitRequestPartition,
): ErrorCode {
  const metadata = partition.committedMetadata ?? '';
  if (metadata.length > turn.config.offsetMetadataMaxBytes) return ErrorCode.OFFSET_METADATA_TOO_LARGE;
  const { timeMs } = turn.now;
  const offset: Omit<StoredOffset, 'recordOffset'> = {
    committedOffset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    metadata,
    commitTimestampMs: timeMs,
    expireTimestampMs:
      request.retentionTimeMs === NO_RETENTION_TIME ? null : BigInt.asIntN(64, BigInt(timeMs) + request.retentionTimeMs),
    topicId: topic.topicId,
  };
  turn.records.push(offsetRecord(request.groupId, topic.name, partition.partitionIndex, offset));
  return ErrorCode.NONE;
}

function checkCommit(found: FoundGroup | undefined, input: CommitInput): ErrorCode {
  const { request, client } = input;
  if (found === undefined) {
    // Without a generation it is someone who manages no group: a tool, or a consumer that assigns partitions itself.
    if (request.generationIdOrMemberEpoch < 0) return ErrorCode.NONE;
    return client.apiVersion >= NEW_ERRORS_FROM_VERSION ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION;
  }
  return found.type === 'classic' ? checkClassicCommit(found.group, request) : checkForeignCommit(found.group, input);
}

function checkClassicCommit(group: ClassicGroup, request: OffsetCommitRequest): ErrorCode {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request;
  const isEmpty = group.phase.state === 'Empty';
  if (generation < 0 && isEmpty) return ErrorCode.NONE;
  if (generation < 0 && memberId === '' && groupInstanceId === null) return ErrorCode.UNKNOWN_MEMBER_ID;
  const error = checkMember(group, memberId, groupInstanceId);
  if (error !== ErrorCode.NONE) return error;
  if (generation !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  return group.phase.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

function checkForeignCommit(group: StoredForeignGroup, input: CommitInput): ErrorCode {
  const { request, client } = input;
  if (group.type === 'share') return ErrorCode.GROUP_ID_NOT_FOUND;
  if (request.generationIdOrMemberEpoch < 0 && group.memberEpochs.size === 0) return ErrorCode.NONE;
  const epoch = group.memberEpochs.get(request.memberId);
  if (epoch === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  if (client.apiVersion < NEW_ERRORS_FROM_VERSION) return ErrorCode.UNSUPPORTED_VERSION;
  return epoch === request.generationIdOrMemberEpoch ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH;
}

export function fetch(
  turn: Turn,
  requestId: number,
  asked: OffsetFetchRequestOffsetFetchRequestGroup,
  requireStable: boolean,
): void {
  const { groupId } = asked;
  const found = findGroup(turn, groupId);
  const error = found?.type === 'foreign' ? checkForeignFetch(found.group, asked) : ErrorCode.NONE;
  if (error !== ErrorCode.NONE) return refuse(turn, requestId, error);
  const offsets = turn.lasting.offsets.ofGroup(groupId);
  const unstable = requireStable ? openTransactionsOf(turn.lasting, groupId) : undefined;
  const topics = asked.topics ?? allTopics(offsets);
  const response = topics.map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex): OffsetFetchResponseOffsetFetchResponsePartitionsDraft => {
      if (unstable?.get(name)?.has(partitionIndex)) return noOffset(partitionIndex, ErrorCode.UNSTABLE_OFFSET_COMMIT);
      const offset = offsets?.get(name)?.get(partitionIndex);
      if (offset === undefined || isOfOtherTopic(offset, topicId)) return noOffset(partitionIndex, ErrorCode.NONE);
      const { committedOffset, leaderEpoch: committedLeaderEpoch, metadata } = offset;
      return { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode: ErrorCode.NONE };
    }),
  }));
  reply(turn, requestId, { kind: 'fetch', response: { groupId, topics: response, errorCode: ErrorCode.NONE } });
}

function allTopics(
  offsets: ReadonlyMap<string, ReadonlyMap<number, StoredOffset>> | undefined,
): readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: readonly number[] }[] {
  return [...(offsets ?? [])].map(([name, partitions]) => ({
    name,
    topicId: ZERO_UUID,
    partitionIndexes: [...partitions.keys()],
  }));
}

function noOffset(partitionIndex: number, errorCode: ErrorCode): OffsetFetchResponseOffsetFetchResponsePartitionsDraft {
  return { partitionIndex, committedOffset: NO_OFFSET, committedLeaderEpoch: -1, metadata: '', errorCode };
}

/** The topic has been deleted and made again since the commit. */
function isOfOtherTopic(offset: StoredOffset, topicId: string): boolean {
  return offset.topicId !== ZERO_UUID && topicId !== ZERO_UUID && offset.topicId !== topicId;
}

/** Members of a consumer group say who they are; tools do not. */
function checkForeignFetch(group: StoredForeignGroup, asked: OffsetFetchRequestOffsetFetchRequestGroup): ErrorCode {
  if (group.type === 'share' || (asked.memberId === null && asked.memberEpoch < 0)) return ErrorCode.NONE;
  const epoch = group.memberEpochs.get(asked.memberId ?? '');
  if (epoch === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  return epoch === asked.memberEpoch ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH;
}

export function deleteOffsets(turn: Turn, requestId: number, request: OffsetDeleteRequest): void {
  const { groupId } = request;
  const found = findGroup(turn, groupId);
  if (found === undefined || (found.type === 'foreign' && found.group.type === 'share')) {
    return refuse(turn, requestId, ErrorCode.GROUP_ID_NOT_FOUND);
  }
  if (found.type === 'classic' && found.group.phase.state !== 'Empty' && found.group.protocolType !== CONSUMER_PROTOCOL_TYPE) {
    return refuse(turn, requestId, ErrorCode.NON_EMPTY_GROUP);
  }
  const topics = request.topics.map((topic) => {
    const errorCode = isSubscribed(found, topic.name) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE;
    const partitions = topic.partitions.map(({ partitionIndex }) => {
      if (errorCode === ErrorCode.NONE && hasOffset(turn, groupId, topic.name, partitionIndex)) {
        turn.records.push(offsetTombstone(groupId, topic.name, partitionIndex));
      }
      return { partitionIndex, errorCode };
    });
    return { name: topic.name, partitions };
  });
  reply(turn, requestId, { kind: 'deleteOffsets', response: { errorCode: ErrorCode.NONE, topics } });
}

/** The subscriptions of other groups' members are not read here: while there are members, any topic may be among them. */
function isSubscribed(found: FoundGroup, topic: string): boolean {
  return found.type === 'classic' ? isSubscribedToTopic(found.group, topic) : found.group.memberEpochs.size > 0;
}

function hasOffset(turn: Turn, groupId: string, topic: string, partition: number): boolean {
  return (
    turn.lasting.offsets.get(groupId, topic, partition) !== undefined ||
    hasOpenTransaction(turn.lasting, groupId, topic, partition)
  );
}
