/** Which offset stands for a timestamp, or for one of the special ones of ListOffsets. */
import { CorruptBatch } from '../log/corrupt-batch.ts';
import type { Log } from '../log/log.ts';
import type { ReadBound } from '../log/log-contract.ts';
import type { TimestampedOffset } from '../log/log-reader.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import {
  EARLIEST_LOCAL_TIMESTAMP,
  EARLIEST_PENDING_UPLOAD_TIMESTAMP,
  EARLIEST_TIMESTAMP,
  LATEST_TIERED_TIMESTAMP,
  LATEST_TIMESTAMP,
  MAX_TIMESTAMP,
} from '../wire/list-offsets-timestamp.ts';
import { StorageFailure } from '../world/files.ts';

/** A partition, as far as this goes. */
export interface LedLog {
  readonly log: Log;
  readonly leaderEpoch: number;
  readonly epochStartOffset: number;
}

export type LookedUp = { readonly error: ErrorCode } | TimestampedOffset;

/** There is no such record: an answer, not an error. */
const NOWHERE: TimestampedOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 };

/** `seen`: up to where the asker sees; 'logEnd' for anyone but a client. */
export function lookUpOffset(partition: LedLog, timestamp: number, seen: ReadBound): LookedUp | Promise<LookedUp> {
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

async function search(partition: LedLog, timestamp: number, end: number, notYet: boolean): Promise<LookedUp> {
  const { log } = partition;
  let found: TimestampedOffset | undefined;
  try {
    found = await (timestamp === MAX_TIMESTAMP ? log.offsetOfMaxTimestamp() : log.offsetForTimestamp(timestamp));
  } catch (failure) {
    // The partition was moved to another directory meanwhile, and the old files are gone.
    if (partition.log !== log) return search(partition, timestamp, end, notYet);
    // The search looks into records on the disk, which may be damaged.
    if (failure instanceof DecodeError || failure instanceof CorruptBatch) return { error: ErrorCode.CORRUPT_MESSAGE };
    if (failure instanceof StorageFailure) return { error: ErrorCode.KAFKA_STORAGE_ERROR };
    throw failure;
  }
  if (found !== undefined && found.offset < end) return found;
  return notYet ? { error: ErrorCode.OFFSET_NOT_AVAILABLE } : NOWHERE;
}

function endOf(partition: LedLog, seen: ReadBound): number {
  const { log } = partition;
  if (seen === 'logEnd') return log.logEndOffset;
  return seen === 'highWatermark' ? log.highWatermark : log.lastStableOffset;
}

/** The epoch of the first record, where the epochs go back that far. */
function epochOfStart(partition: LedLog): number {
  const { earliest } = partition.log.leaderEpochs;
  return earliest !== undefined && earliest.startOffset <= partition.log.logStartOffset ? earliest.epoch : -1;
}
