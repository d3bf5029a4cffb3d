/**
 * Takes records out of a batch.
 *
 * Invariants: base offset, last offset, producer, sequences, leader epoch, timestamp type and codec of a batch stay, whatever goes out of it, and so do
 * offsets and timestamps of what is left; a batch that loses nothing is left byte for byte, unless it gets a delete horizon: then its base timestamp is
 * the horizon and the records' timestamps are relative to that. Message sets of magic 0 and 1 become batches of magic 2.
 * Source: MemoryRecords.filterTo of Apache Kafka; KIP-534.
 */
import { type CompressionCodec, compress } from '../wire/compression/codec.ts';
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
  /** Position and timestamp of each, one after the other. */
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
  const { count, baseOffset, baseTimestamp } = batch;
  const appendTime = batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : undefined;
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
    facts.push(cursor.position, appendTime ?? baseTimestamp + cursor.timestampDelta);
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
  assembleBatch(Buffer.alloc(0), { ...keptOf(batch), count: 0, baseTimestamp: NO_TIMESTAMP, maxTimestamp: batch.maxTimestamp });

function rebuilt(batch: RecordBatch, section: Buffer, facts: readonly number[], horizonMs: number | undefined): Buffer {
  const codec = batch.codec as CompressionCodec;
  const baseTimestamp = horizonMs ?? facts[1] ?? NO_TIMESTAMP;
  let maxTimestamp = NO_TIMESTAMP;
  const w = new Writer(section.length + 64);
  for (let i = 0; i < facts.length; i += 2) {
    const timestamp = facts[i + 1] as number;
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

function checkTimestamp(batch: RecordBatch, timestamp: number): void {
  if (timestamp >= NO_TIMESTAMP && Number.isSafeInteger(timestamp)) return;
  throw new Error(
    `the batch at offset ${batch.baseOffset} has a record with timestamp ${timestamp}, which cannot be written anew`,
  );
}

/** A message set of an older format: its records, with the offsets and timestamps they have, in a batch of magic 2. */
function convert(batch: RecordBatch, filter: BatchFilter): Buffer | undefined {
  const records = recordsOf(batch, MAX_UNPACKED_BYTES).filter(({ offset, key, value }) =>
    filter.retains(offset, key ?? batch.buffer, 0, key?.length ?? -1, value !== null),
  );
  const first = records[0];
  const last = records.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const codec = batch.codec as CompressionCodec;
  const isAppendTime = batch.magic === 1 && batch.timestampType === 'LogAppendTime';
  const horizonMs = records.some(({ value }) => value === null) ? filter.horizonMs : undefined;
  const baseTimestamp = horizonMs ?? first.timestamp;
  const w = new Writer();
  for (const record of records) packRecord(w, record, record.offset - first.offset, record.timestamp - baseTimestamp);
  const plain = w.concat();
  const newest = records.reduce((most, { timestamp }) => Math.max(most, timestamp), NO_TIMESTAMP);
  return assembleBatch(codec === 0 ? plain : compress(codec, plain), {
    baseOffset: first.offset,
    lastOffsetDelta: last.offset - first.offset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    timestampType: isAppendTime ? 'LogAppendTime' : 'CreateTime',
    codec,
    count: records.length,
    baseTimestamp,
    maxTimestamp: isAppendTime ? batch.maxTimestamp : newest,
    deleteHorizon: horizonMs !== undefined,
  });
}
