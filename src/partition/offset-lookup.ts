/** Which offset stands for a timestamp, or for one of the special ones of ListOffsets. */
import type { TimestampedOffset } from '../log/log.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Partition } from './partition.ts';

export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
/** KIP-734 */
export const MAX_TIMESTAMP = -3;
/** KIP-405; without tiered storage, the earliest. */
export const EARLIEST_LOCAL_TIMESTAMP = -4;
/** KIP-1005 */
export const LATEST_TIERED_TIMESTAMP = -5;
/** KIP-1023 */
export const EARLIEST_PENDING_UPLOAD_TIMESTAMP = -6;

export type LookedUp = { readonly error: ErrorCode } | TimestampedOffset;

/** There is no such record: an answer, not an error. */
const NOWHERE: TimestampedOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 };

/** `seen`: up to where the asker sees; 'logEnd' for anyone but a client. */
export function lookUpOffset(
  partition: Partition,
  timestamp: number,
  seen: 'logEnd' | 'highWatermark' | 'lastStable',
): LookedUp | Promise<LookedUp> {
  const { log } = partition;
  const notYet = seen !== 'logEnd' && partition.epochStartOffset > log.highWatermark;
  switch (timestamp) {
    case LATEST_TIMESTAMP:
      if (notYet) return { error: ErrorCode.OFFSET_NOT_AVAILABLE };
      return { offset: endOf(partition, seen), timestamp: -1, leaderEpoch: partition.leaderEpoch };
    case EARLIEST_TIMESTAMP:
    case EARLIEST_LOCAL_TIMESTAMP:
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: epochOfStart(partition) };
    case LATEST_TIERED_TIMESTAMP:
    case EARLIEST_PENDING_UPLOAD_TIMESTAMP:
      return NOWHERE;
    default:
      return search(partition, timestamp, endOf(partition, seen), notYet);
  }
}

async function search(partition: Partition, timestamp: number, end: number, notYet: boolean): Promise<LookedUp> {
  const { log } = partition;
  const found = await (timestamp === MAX_TIMESTAMP ? log.offsetOfMaxTimestamp() : log.offsetForTimestamp(timestamp));
  if (found !== undefined && found.offset < end) return found;
  return notYet ? { error: ErrorCode.OFFSET_NOT_AVAILABLE } : NOWHERE;
}

function endOf(partition: Partition, seen: 'logEnd' | 'highWatermark' | 'lastStable'): number {
  const { log } = partition;
  if (seen === 'logEnd') return log.logEndOffset;
  return seen === 'highWatermark' ? log.highWatermark : log.lastStableOffset;
}

/** The epoch of the first record, where the epochs go back that far. */
function epochOfStart(partition: Partition): number {
  const { earliest } = partition.log.leaderEpochs;
  return earliest !== undefined && earliest.startOffset <= partition.log.logStartOffset ? earliest.epoch : -1;
}
