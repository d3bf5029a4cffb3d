/**
 * OffsetForLeaderEpoch, versions 2 to 4 (KIP-101, KIP-320): where the log of an epoch ends, for consumers and followers that look for where
 * theirs diverged. Only the leader answers. An epoch of which nothing is known: epoch -1, offset -1, no error.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  OffsetForLeaderEpochRequestOffsetForLeaderPartition,
  OffsetForLeaderEpochResponseEpochEndOffsetDraft,
} from '../wire/generated/offset-for-leader-epoch.ts';
import type { Context, Handler } from './context.ts';
import { hostedPartition } from './hosted-partition.ts';

export const offsetForLeaderEpoch: Handler<'offsetForLeaderEpoch'> = (request, context) => ({
  topics: request.topics.map(({ partitions, topic }) => ({
    topic,
    partitions: partitions.map((wanted) => endOffset(topic, wanted, context)),
  })),
});

function endOffset(
  topic: string,
  wanted: OffsetForLeaderEpochRequestOffsetForLeaderPartition,
  context: Context,
): OffsetForLeaderEpochResponseEpochEndOffsetDraft {
  const { partition: index } = wanted;
  const partition = hostedPartition(topic, index, context);
  if (typeof partition === 'number') return { partition: index, errorCode: partition };
  const errorCode = partition.checkLeader(wanted.currentLeaderEpoch);
  if (errorCode !== ErrorCode.NONE) return { partition: index, errorCode };
  return { partition: index, errorCode, ...partition.log.endOffsetForEpoch(wanted.leaderEpoch) };
}
