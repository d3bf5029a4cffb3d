/**
 * Takes records out of a batch.
 *
 * Invariants: base offset, last offset, producer, sequences, leader epoch, timestamp type and codec of a batch stay, whatever goes out of it, and so do
 * offsets and timestamps of what is left; a batch that loses nothing is left byte for byte, unless it gets a delete horizon: then its base timestamp is
 * the horizon and the records' timestamps are relative to that. Message sets of magic 0 and 1 become batches of magic 2.
 * Source: MemoryRecords.filterTo of Apache Kafka; KIP-534.
 */
import { type CompressionCodec, compress } from '../wire/compression/codec.ts';
import { exactBaseTimestampOf, exactDelta, exactMaxTimestampOf, exactTimestampsAt, newestOf } from '../wire/exact-timestamps.ts';
import { exactLegacyTimestampsOf } from '../wire/legacy-message-set.ts';
import { NO_TIMESTAMP, type RecordBatch } from '../wire/record-batch.ts';
import { assembleBatch, type BatchHeader, packRecord, repackRecord } from '../wire/record-batch-builder.ts';
import { recordBytesOf, recordsOf } from '../wire/record.ts';
import { RecordCursor } from '../wire/record-cursor.ts';
import { Writer } from '../wire/writer.ts';

/** What becomes of the batch when no record is left in it. */
export type EmptyBatch = 'dropped' | 'kept';

export interface BatchFilter {
  readonly whenEmpty: EmptyBatch;
  /** A marker whose transaction has no batches any more gets a horizon, as tombstones do. */
  readonly needsHorizon: boolean;
  /** What tombstones and markers that have no horizon yet get; undefined: none, they are kept for ever. */
  readonly horizonMs: number | undefined;
  /** Largest record that is believed, in bytes. */
  readonly maxRecordBytes: number;
  /** The key is `bytes[keyFrom, keyTo)`, none when `keyTo` is less than `keyFrom`. */
  retains(offset: number, bytes: Buffer, keyFrom: number, keyTo: number, hasValue: boolean): boolean;
}

/** What a batch may unpack to: as much as a buffer holds. */
const MAX_UNPACKED_BYTES = 0x7fff_ffff;

/** Retained records of a batch of magic 2, by where they stand. */
interface Retained {
  /** Position and timestamp delta of each, one after the other. */
  readonly facts: number[];
  readonly hasTombstone: boolean;
}

/** The bytes to be kept; undefined when nothing is. DecodeError when the batch cannot be read. */
export function filterBatch(batch: RecordBatch, filter: BatchFilter): Buffer | undefined {
  if (batch.magic < 2) return convert(batch, filter);
  const section = batch.count === 0 ? Buffer.alloc(0) : recordBytesOf(batch, MAX_UNPACKED_BYTES);
  const { facts, hasTombstone } = retainedOf(batch, section, filter);
  const count = facts.length / 2;
  if (count === 0) return filter.whenEmpty === 'kept' ? emptied(batch) : undefined;
  const setsHorizon = (hasTombstone || filter.needsHorizon) && batch.deleteHorizonMs === undefined;
  const horizonMs = setsHorizon ? filter.horizonMs : batch.deleteHorizonMs;
  if (count === batch.count && horizonMs === batch.deleteHorizonMs) return batch.bytes;
  return rebuilt(batch, section, facts, horizonMs);
}

function retainedOf(batch: RecordBatch, section: Buffer, filter: BatchFilter): Retained {
  const { count, baseOffset } = batch;
  const cursor = new RecordCursor();
  cursor.open(section, 0, section.length, 'whole', filter.maxRecordBytes);
  const facts: number[] = [];
  let hasTombstone = false;
  for (let i = 0; i < count; i++) {
    cursor.next();
    const hasValue = cursor.valueLength >= 0;
    const { keyPosition } = cursor;
    const offset = baseOffset + cursor.offsetDelta;
    if (!filter.retains(offset, section, keyPosition, keyPosition + cursor.keyLength, hasValue)) continue;
    facts.push(cursor.position, cursor.timestampDelta);
    if (!hasValue) hasTombstone = true;
  }
  return { facts, hasTombstone };
}

/** All of the header that stays. */
const keptOf = (batch: RecordBatch): Omit<BatchHeader, 'count' | 'baseTimestamp' | 'maxTimestamp'> => ({
  baseOffset: batch.baseOffset,
  lastOffsetDelta: batch.lastOffsetDelta,
  partitionLeaderEpoch: batch.partitionLeaderEpoch,
  producerId: batch.producerId,
  producerEpoch: batch.producerEpoch,
  baseSequence: batch.baseSequence,
  transactional: batch.isTransactional,
  control: batch.isControl,
  timestampType: batch.timestampType,
});

const emptied = (batch: RecordBatch): Buffer =>
  assembleBatch(Buffer.alloc(0), {
    ...keptOf(batch),
    count: 0,
    baseTimestamp: NO_TIMESTAMP,
    maxTimestamp: isHeld(batch.maxTimestamp) ? batch.maxTimestamp : exactMaxTimestampOf(batch),
  });

const isHeld = (timestamp: number): boolean => Number.isSafeInteger(timestamp);

function rebuilt(batch: RecordBatch, section: Buffer, facts: readonly number[], horizonMs: number | undefined): Buffer {
  const codec = batch.codec as CompressionCodec;
  const appendTime = batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : undefined;
  const oldBase = batch.baseTimestamp;
  const baseTimestamp = horizonMs ?? appendTime ?? oldBase + (facts[1] ?? 0);
  let maxTimestamp = NO_TIMESTAMP;
  const w = new Writer(section.length + 64);
  for (let i = 0; i < facts.length; i += 2) {
    const delta = facts[i + 1] as number;
    const timestamp = appendTime ?? oldBase + delta;
    if (!isHeld(delta) || !isHeld(timestamp) || !isHeld(oldBase)) return rebuiltExactly(batch, section, facts, horizonMs);
    checkTimestamp(batch, timestamp);
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    repackRecord(w, section, facts[i] as number, timestamp - baseTimestamp);
  }
  const plain = w.concat();
  return assembleBatch(codec === 0 ? plain : compress(codec, plain), {
    ...keptOf(batch),
    codec,
    count: facts.length / 2,
    baseTimestamp,
    maxTimestamp: batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : maxTimestamp,
    deleteHorizon: horizonMs !== undefined,
  });
}

/** As `rebuilt`, where a number does not hold the timestamps. */
function rebuiltExactly(batch: RecordBatch, section: Buffer, facts: readonly number[], horizonMs: number | undefined): Buffer {
  const codec = batch.codec as CompressionCodec;
  const positions = facts.filter((_fact, index) => index % 2 === 0);
  const timestamps = exactTimestampsAt(batch, section, positions);
  for (const timestamp of timestamps) checkTimestamp(batch, timestamp);
  const isAppendTime = batch.timestampType === 'LogAppendTime';
  const oldHorizonMs = batch.deleteHorizonMs === undefined ? undefined : exactBaseTimestampOf(batch);
  const newHorizonMs = horizonMs === undefined ? undefined : BigInt(horizonMs);
  const baseTimestamp = oldHorizonMs ?? newHorizonMs ?? timestamps[0] ?? -1n;
  const w = new Writer(section.length + 64);
  for (const [index, position] of positions.entries()) {
    repackRecord(w, section, position, exactDelta(timestamps[index] ?? -1n, baseTimestamp));
  }
  const plain = w.concat();
  return assembleBatch(codec === 0 ? plain : compress(codec, plain), {
    ...keptOf(batch),
    codec,
    count: positions.length,
    baseTimestamp,
    maxTimestamp: isAppendTime ? exactMaxTimestampOf(batch) : newestOf(timestamps),
    deleteHorizon: horizonMs !== undefined,
  });
}

/** What lies before 1970, except for the sign of none, nobody writes anew: Apache Kafka does not either. */
function checkTimestamp(batch: RecordBatch, timestamp: number | bigint): void {
  if (timestamp >= NO_TIMESTAMP) return;
  throw new Error(
    `the batch at offset ${batch.baseOffset} has a record with timestamp ${timestamp}, which cannot be written anew`,
  );
}

/** A message set of an older format: its records, with the offsets and timestamps they have, in a batch of magic 2. */
function convert(batch: RecordBatch, filter: BatchFilter): Buffer | undefined {
  const all = recordsOf(batch, MAX_UNPACKED_BYTES);
  const isExact = all.every(({ timestamp }) => isHeld(timestamp));
  const timestamps = isExact ? all.map(({ timestamp }) => BigInt(timestamp)) : exactLegacyTimestampsOf(batch, MAX_UNPACKED_BYTES);
  const records = all.flatMap((record, index) => {
    const { offset, key, value } = record;
    const isRetained = filter.retains(offset, key ?? batch.buffer, 0, key?.length ?? -1, value !== null);
    return isRetained ? [{ ...record, exact: timestamps[index] ?? -1n }] : [];
  });
  const first = records[0];
  const last = records.at(-1);
  if (first === undefined || last === undefined) return undefined;
  for (const { exact } of records) checkTimestamp(batch, exact);
  const codec = batch.codec as CompressionCodec;
  const isAppendTime = batch.magic === 1 && batch.timestampType === 'LogAppendTime';
  const horizonMs = records.some(({ value }) => value === null) ? filter.horizonMs : undefined;
  const baseTimestamp = horizonMs === undefined ? first.exact : BigInt(horizonMs);
  const w = new Writer();
  for (const record of records) packRecord(w, record, record.offset - first.offset, exactDelta(record.exact, baseTimestamp));
  const plain = w.concat();
  return assembleBatch(codec === 0 ? plain : compress(codec, plain), {
    baseOffset: first.offset,
    lastOffsetDelta: last.offset - first.offset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    timestampType: isAppendTime ? 'LogAppendTime' : 'CreateTime',
    codec,
    count: records.length,
    baseTimestamp,
    // With LogAppendTime all have that of the set.
    maxTimestamp: newestOf(records.map(({ exact }) => exact)),
    deleteHorizon: horizonMs !== undefined,
  });
}
