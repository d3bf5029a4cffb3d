/**
 * Writes record batches of magic 2: what the broker itself appends (metadata, group and transaction state, markers), recompressed
 * batches, and the batches of tests.
 *
 * Invariants: offsets within a batch are contiguous from its base offset; record timestamps are relative to the first one's; the
 * checksum is that of what is returned. Byte for byte what Kafka's producer writes for the same input, uncompressed.
 * Source: protocol guide, "Record Batch".
 */
import { type CompressionCodec, compress } from './compression/codec.ts';
import { crc32c } from './crc32c.ts';
import { writeInt64 } from './int64.ts';
import * as layout from './record-batch.ts';
import type { RecordHeader } from './record.ts';
import { Writer } from './writer.ts';

export interface RecordDraft {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since 1970; -1 for none. */
  readonly timestamp: number;
  readonly headers?: readonly RecordHeader[];
}

export interface BatchDraft {
  readonly baseOffset: number;
  readonly partitionLeaderEpoch: number;
  readonly records: readonly RecordDraft[];
  readonly codec?: CompressionCodec;
  /** Of the codec; its default when left out. */
  readonly level?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  readonly timestampType?: layout.TimestampType;
  /** With LogAppendTime: the time that all records get. */
  readonly maxTimestamp?: number;
}

/** What surrounds the record section of a batch. */
export interface BatchHeader extends Omit<BatchDraft, 'records' | 'level' | 'maxTimestamp'> {
  readonly lastOffsetDelta: number;
  readonly count: number;
  /** A bigint where a number does not hold it. */
  readonly baseTimestamp: number | bigint;
  readonly maxTimestamp: number | bigint;
  /** `baseTimestamp` says until when tombstones and markers of the batch are kept (KIP-534). */
  readonly deleteHorizon?: boolean;
}

/** One batch. An Error when there are no records: an empty batch is only what compaction leaves. */
export function buildBatch(draft: BatchDraft): Buffer {
  const { records } = draft;
  const first = records[0];
  if (first === undefined) throw new Error(`a batch at offset ${draft.baseOffset} needs at least one record`);
  let maxTimestamp = first.timestamp;
  for (const record of records) if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp;
  return assembleBatch(packRecords(records, first.timestamp, draft.codec ?? 0, draft.level), {
    ...draft,
    lastOffsetDelta: records.length - 1,
    count: records.length,
    baseTimestamp: first.timestamp,
    maxTimestamp: draft.maxTimestamp ?? maxTimestamp,
  });
}

function packRecords(records: readonly RecordDraft[], baseTimestamp: number, codec: CompressionCodec, level?: number): Buffer {
  const w = new Writer();
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as RecordDraft;
    packRecord(w, record, i, record.timestamp - baseTimestamp);
  }
  const plain = w.concat();
  return codec === 0 ? plain : compress(codec, plain, level);
}

/** A header in front of a record section that is already packed. */
export function assembleBatch(records: Buffer, header: BatchHeader): Buffer {
  const batch = Buffer.allocUnsafe(layout.RECORDS_AT + records.length);
  writeInt64(batch, header.baseOffset, layout.BASE_OFFSET_AT);
  batch.writeInt32BE(batch.length - layout.LOG_OVERHEAD, layout.LENGTH_AT);
  batch.writeInt32BE(header.partitionLeaderEpoch, layout.PARTITION_LEADER_EPOCH_AT);
  batch.writeInt8(2, layout.MAGIC_AT);
  batch.writeUInt16BE(attributesOf(header), layout.ATTRIBUTES_AT);
  batch.writeInt32BE(header.lastOffsetDelta, layout.LAST_OFFSET_DELTA_AT);
  writeTimestamp(batch, header.baseTimestamp, layout.BASE_TIMESTAMP_AT);
  writeTimestamp(batch, header.maxTimestamp, layout.MAX_TIMESTAMP_AT);
  writeInt64(batch, header.producerId ?? layout.NO_PRODUCER_ID, layout.PRODUCER_ID_AT);
  batch.writeInt16BE(header.producerEpoch ?? layout.NO_PRODUCER_EPOCH, layout.PRODUCER_EPOCH_AT);
  batch.writeInt32BE(header.baseSequence ?? layout.NO_SEQUENCE, layout.BASE_SEQUENCE_AT);
  batch.writeInt32BE(header.count, layout.RECORD_COUNT_AT);
  records.copy(batch, layout.RECORDS_AT);
  batch.writeUInt32BE(crc32c(batch, layout.ATTRIBUTES_AT), layout.CRC_AT);
  return batch;
}

function writeTimestamp(batch: Buffer, timestamp: number | bigint, at: number): void {
  if (typeof timestamp === 'bigint') batch.writeBigInt64BE(timestamp, at);
  else writeInt64(batch, timestamp, at);
}

function attributesOf(header: BatchHeader): number {
  return (
    (header.codec ?? 0) |
    (header.timestampType === 'LogAppendTime' ? layout.TIMESTAMP_TYPE_BIT : 0) |
    (header.transactional ? layout.TRANSACTIONAL_BIT : 0) |
    (header.control ? layout.CONTROL_BIT : 0) |
    (header.deleteHorizon ? layout.DELETE_HORIZON_BIT : 0)
  );
}

function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x20_0000 ? 3 : zigzag < 0x1000_0000 ? 4 : 5;
}

function varlongBytes(value: number | bigint): number {
  if (typeof value === 'bigint') {
    let bytes = 1;
    for (let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)) >> 7n; rest > 0n; rest >>= 7n) bytes++;
    return bytes;
  }
  let rest = value < 0 ? -value - 1 : value;
  let bytes = 1;
  while (rest >= 64) {
    rest = Math.floor(rest / 128);
    bytes++;
  }
  return bytes;
}

function fieldBytes(value: Buffer | null): number {
  return value === null ? 1 : varintBytes(value.length) + value.length;
}

function bodyBytes(record: RecordDraft, offsetDelta: number, timestampDelta: number | bigint): number {
  const headers = record.headers ?? [];
  let size = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta) + fieldBytes(record.key) + fieldBytes(record.value);
  size += varintBytes(headers.length);
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key);
    size += varintBytes(keyBytes) + keyBytes + fieldBytes(value);
  }
  return size;
}

function writeField(w: Writer, value: Buffer | null): void {
  if (value === null) {
    w.varint(-1);
    return;
  }
  w.varint(value.length);
  w.raw(value);
}

function writeTimestampDelta(w: Writer, timestampDelta: number | bigint): void {
  if (typeof timestampDelta === 'number' && timestampDelta >= -0x4000_0000 && timestampDelta < 0x4000_0000)
    w.varint(timestampDelta);
  else w.varlong(BigInt(timestampDelta));
}

/** The record that stands at `position` of a record section, sound as it is, with another timestamp delta. */
export function repackRecord(w: Writer, section: Buffer, position: number, timestampDelta: number | bigint): void {
  const attributes = endOfVarint(section, position);
  const rest = endOfVarint(section, attributes + 1);
  const end = attributes + sizeAt(section, position);
  w.varint(1 + varlongBytes(timestampDelta) + end - rest);
  w.int8(0);
  writeTimestampDelta(w, timestampDelta);
  w.raw(section.subarray(rest, end));
}

function endOfVarint(bytes: Buffer, position: number): number {
  let at = position;
  while ((bytes[at] as number) >= 0x80) at++;
  return at + 1;
}

/** What the size field of a record says. */
function sizeAt(bytes: Buffer, position: number): number {
  let zigzag = 0;
  for (let at = position, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at] as number;
    zigzag |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (zigzag >>> 1) ^ -(zigzag & 1);
  }
}

/** Appends one record to a record section. */
export function packRecord(w: Writer, record: RecordDraft, offsetDelta: number, timestampDelta: number | bigint): void {
  w.varint(bodyBytes(record, offsetDelta, timestampDelta));
  w.int8(0);
  writeTimestampDelta(w, timestampDelta);
  w.varint(offsetDelta);
  writeField(w, record.key);
  writeField(w, record.value);
  const headers = record.headers ?? [];
  w.varint(headers.length);
  for (const { key, value } of headers) {
    writeField(w, Buffer.from(key));
    writeField(w, value);
  }
}
