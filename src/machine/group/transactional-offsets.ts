/**
 * TxnOffsetCommit: offsets that count once the producer's transaction is committed (KIP-98, KIP-447 for the group's part in it). The records are
 * those of any commit, in batches of the transaction.
 */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { TxnOffsetCommitRequest } from '../../wire/generated/txn-offset-commit.ts';
import { type ClassicGroup, checkMember } from './classic-group.ts';
import type { StoredForeignGroup } from './lasting.ts';
import { offsetRecord } from './record.ts';
import { type FoundGroup, type Turn, findGroup, refuse, reply } from './turn.ts';

/** From this version on the client knows GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH. */
const NEW_ERRORS_FROM_VERSION = 6;

export function commitInTransaction(turn: Turn, requestId: number, request: TxnOffsetCommitRequest, apiVersion: number): void {
  const error = checkCommit(findGroup(turn, request.groupId), request, apiVersion);
  if (error !== ErrorCode.NONE) return refuse(turn, requestId, error);
  const topics = request.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
      const metadata = committedMetadata ?? '';
      if (metadata.length > turn.config.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE };
      }
      const offset = {
        committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata,
        commitTimestampMs: turn.now.timeMs,
        expireTimestampMs: null,
        topicId,
      };
      turn.records.push(offsetRecord(request.groupId, name, partitionIndex, offset));
      return { partitionIndex, errorCode: ErrorCode.NONE };
    }),
  }));
  reply(turn, requestId, { kind: 'commitInTransaction', response: { throttleTimeMs: 0, topics } });
}

function checkCommit(found: FoundGroup | undefined, request: TxnOffsetCommitRequest, apiVersion: number): ErrorCode {
  if (found === undefined) {
    if (request.generationIdOrMemberEpoch < 0) return ErrorCode.NONE;
    return apiVersion >= NEW_ERRORS_FROM_VERSION ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION;
  }
  return found.type === 'classic' ? checkClassic(found.group, request) : checkForeign(found.group, request, apiVersion);
}

/** A producer that does not say whose offsets they are is trusted: before version 3 it could not. A rebalance does not keep it from committing. */
function checkClassic(group: ClassicGroup, request: TxnOffsetCommitRequest): ErrorCode {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request;
  if (generation < 0 && group.phase.state === 'Empty') return ErrorCode.NONE;
  if (isAnonymous(request)) return ErrorCode.NONE;
  const error = checkMember(group, memberId, groupInstanceId);
  if (error !== ErrorCode.NONE) return error;
  return generation === group.generation ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
}

function checkForeign(group: StoredForeignGroup, request: TxnOffsetCommitRequest, apiVersion: number): ErrorCode {
  const isNew = apiVersion >= NEW_ERRORS_FROM_VERSION;
  if (group.type === 'share') return isNew ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION;
  if (request.generationIdOrMemberEpoch < 0 && group.memberEpochs.size === 0) return ErrorCode.NONE;
  if (isAnonymous(request)) return ErrorCode.NONE;
  const epoch = group.memberEpochs.get(request.memberId);
  if (epoch === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  if (epoch === request.generationIdOrMemberEpoch) return ErrorCode.NONE;
  return isNew ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.ILLEGAL_GENERATION;
}

function isAnonymous({ memberId, groupInstanceId, generationIdOrMemberEpoch }: TxnOffsetCommitRequest): boolean {
  return generationIdOrMemberEpoch < 0 && memberId === '' && groupInstanceId === null;
}
