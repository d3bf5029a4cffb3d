/**
 * Timestamps beyond 2^53, which a number rounds: int64s, as Apache Kafka has them, for the few batches that hold such. Its brokers take them where
 * message.timestamp.after.max.ms allows it.
 *
 * Invariant: sums wrap around as Java's longs do.
 */
import { BASE_TIMESTAMP_AT, MAX_TIMESTAMP_AT, type RecordBatch } from './record-batch.ts';
import { RecordCursor } from './record-cursor.ts';

const int64 = (value: bigint): bigint => BigInt.asIntN(64, value);

export const exactBaseTimestampOf = ({ buffer, position }: RecordBatch): bigint =>
  buffer.readBigInt64BE(position + BASE_TIMESTAMP_AT);

export const exactMaxTimestampOf = ({ buffer, position }: RecordBatch): bigint =>
  buffer.readBigInt64BE(position + MAX_TIMESTAMP_AT);

/** Of the records at `positions` in `section`, the unpacked records of a batch of magic 2. */
export function exactTimestampsAt(batch: RecordBatch, section: Buffer, positions: readonly number[]): bigint[] {
  if (batch.timestampType === 'LogAppendTime') return positions.map(() => exactMaxTimestampOf(batch));
  const baseTimestamp = exactBaseTimestampOf(batch);
  const cursor = new RecordCursor();
  return positions.map((position) => {
    cursor.open(section, position);
    cursor.next();
    return int64(baseTimestamp + cursor.exactTimestampDelta());
  });
}

/** A number where that holds it. */
export function exactDelta(timestamp: bigint, baseTimestamp: bigint): number | bigint {
  const delta = int64(timestamp - baseTimestamp);
  return Number.isSafeInteger(Number(delta)) ? Number(delta) : delta;
}

/** -1 when there are none. */
export const newestOf = (timestamps: readonly bigint[]): bigint =>
  timestamps.reduce((most, timestamp) => (timestamp > most ? timestamp : most), -1n);
