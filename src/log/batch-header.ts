/**
 * The few header fields that the log needs of every batch, read by position, for all three formats (magic 0, 1 and 2), without an object per batch.
 *
 * Callers have checked that a whole header is there. Layout: DefaultRecordBatch and LegacyRecord of Apache Kafka.
 */
import { readInt64 } from '../wire/int64.ts';
import { LOG_OVERHEAD, RECORDS_AT } from '../wire/record-batch.ts';

/** Header of a batch of magic 2. */
export const BATCH_OVERHEAD = RECORDS_AT;
/** Smallest counted length that any format allows: a message of magic 0 with null key and value. */
const SMALLEST_LENGTH = 14;
/** Bytes that have to be there before size and magic may be asked for, which say whether all is there that the other getters need. */
export const SHORTEST_BATCH = LOG_OVERHEAD + SMALLEST_LENGTH;

/** Bytes of the whole batch, or -1 when the length field is impossible. */
export function batchSizeAt(bytes: Buffer, position: number): number {
  const length = bytes.readInt32BE(position + 8);
  const least = magicAt(bytes, position) >= 2 ? BATCH_OVERHEAD - LOG_OVERHEAD : SMALLEST_LENGTH;
  return length < least ? -1 : LOG_OVERHEAD + length;
}

export const magicAt = (bytes: Buffer, position: number): number => bytes.readInt8(position + 16);

export const baseOffsetAt = (bytes: Buffer, position: number): number => readInt64(bytes, position);

/** In the older formats the one offset of a set is its last one. */
export function lastOffsetAt(bytes: Buffer, position: number): number {
  const offset = readInt64(bytes, position);
  return magicAt(bytes, position) >= 2 ? offset + bytes.readInt32BE(position + 23) : offset;
}

export function maxTimestampAt(bytes: Buffer, position: number): number {
  const magic = magicAt(bytes, position);
  return magic >= 2 ? readInt64(bytes, position + 35) : magic === 1 ? readInt64(bytes, position + 18) : -1;
}

/** Position of the first batch in [from, to) that ends at or after `offset`; `to` when there is none. Batches in the range are whole. */
export function positionOfOffset(bytes: Buffer, from: number, to: number, offset: number): number {
  let position = from;
  while (position < to && lastOffsetAt(bytes, position) < offset) position += LOG_OVERHEAD + bytes.readInt32BE(position + 8);
  return position;
}

/** End of the last batch that lies wholly in [from, to). */
export function endOfWholeBatches(bytes: Buffer, from: number, to: number): number {
  let position = from;
  while (to - position >= SHORTEST_BATCH) {
    const size = batchSizeAt(bytes, position);
    if (size < 0 || position + size > to) break;
    position += size;
  }
  return position;
}
