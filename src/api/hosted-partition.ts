/** A partition by its name, as handlers other than the two on the hot path look for it. */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, Partition } from './context.ts';

/** The partition when it is on this broker and usable; otherwise why not. */
export function hostedPartition(topic: string, index: number, context: Context): Partition | ErrorCode {
  const partition = context.partitions.find(topic, index);
  if (partition !== undefined) return partition.failure === ErrorCode.NONE ? partition : partition.failure;
  return context.image.partition(topic, index) === undefined
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.NOT_LEADER_OR_FOLLOWER;
}
