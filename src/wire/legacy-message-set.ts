/**
 * Messages of magic 0 and 1, as clients before 0.11 wrote them and old logs hold them. Read only: nothing in this project writes them.
 *
 * Invariants: a compressed message holds a set of uncompressed messages of its own magic and nothing deeper; checksums of inner
 * messages are checked, since the outer one covers only the packed bytes. Offsets inside a wrapper of magic 0 are absolute, those of
 * magic 1 relative to the wrapper, whose own offset is that of its last message (KIP-31). Timestamps are KIP-32's.
 */
import { decompress, LZ4 } from './compression/codec.ts';
import { DecodeError } from './decode-error.ts';
import { batchesOf, type RecordBatch } from './record-batch.ts';

const TIMESTAMP_AT = 18;
const KEY_AT = 18;
const TIMESTAMP_BYTES = 8;

/** A KafkaRecord without what these formats do not have. */
export interface LegacyRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly never[];
}

interface Message {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

function fieldAt(batch: RecordBatch, at: number, end: number): { value: Buffer | null; end: number } {
  if (end - at < 4) throw new DecodeError('message ends within a length', at);
  const length = batch.buffer.readInt32BE(at);
  const start = at + 4;
  if (length < 0) return { value: null, end: start };
  if (length > end - start) throw new DecodeError(`field of ${length} bytes, ${end - start} left in the message`, at);
  return { value: batch.buffer.subarray(start, start + length), end: start + length };
}

function messageOf(batch: RecordBatch): Message {
  const end = batch.position + batch.sizeInBytes;
  const key = fieldAt(batch, batch.position + KEY_AT + (batch.magic === 1 ? TIMESTAMP_BYTES : 0), end);
  const value = fieldAt(batch, key.end, end);
  if (value.end !== end) throw new DecodeError(`${end - value.end} bytes left after the message`, value.end);
  return { key: key.value, value: value.value };
}

function recordOf(batch: RecordBatch, offset: number, timestamp: number): LegacyRecord {
  const { key, value } = messageOf(batch);
  return { offset, timestamp, key, value, headers: [] };
}

/** The messages of a batch of magic 0 or 1: itself, or what it wraps. `maxBytes` bounds what a wrapper unpacks to. */
export function legacyRecordsOf(batch: RecordBatch, maxBytes: number): LegacyRecord[] {
  if (batch.codec === 0) return [recordOf(batch, batch.baseOffset, batch.maxTimestamp)];
  const { inner, last } = unpacked(batch, maxBytes);
  const shift = batch.magic === 1 ? batch.baseOffset - last.baseOffset : 0;
  return inner.map((message) => innerRecord(message, batch, shift));
}

/** Timestamps of the messages of a batch of magic 1, exact where those of its records are rounded (see exact-timestamps.ts). */
export function exactLegacyTimestampsOf(batch: RecordBatch, maxBytes: number): bigint[] {
  const exact = ({ buffer, position }: RecordBatch): bigint => buffer.readBigInt64BE(position + TIMESTAMP_AT);
  if (batch.codec === 0) return [exact(batch)];
  const isAppendTime = batch.timestampType === 'LogAppendTime';
  return unpacked(batch, maxBytes).inner.map((message) => exact(isAppendTime ? batch : message));
}

function unpacked(batch: RecordBatch, maxBytes: number): { readonly inner: readonly RecordBatch[]; readonly last: RecordBatch } {
  const wrapped = messageOf(batch).value;
  if (wrapped === null) throw new DecodeError('compressed message without a value', batch.position);
  const brokenChecksum = batch.codec === LZ4 && batch.magic === 0;
  const inner = batchesOf(decompress(batch.codec, wrapped, maxBytes, { ignoreHeaderChecksum: brokenChecksum }));
  const last = inner.at(-1);
  if (last === undefined) throw new DecodeError('compressed message holds no messages', batch.position);
  return { inner, last };
}

function innerRecord(message: RecordBatch, wrapper: RecordBatch, shift: number): LegacyRecord {
  if (message.magic !== wrapper.magic)
    throw new DecodeError(`message of magic ${message.magic} in one of ${wrapper.magic}`, message.position);
  if (message.codec !== 0) throw new DecodeError('compressed message in a compressed message', message.position);
  if (!message.isValid) throw new DecodeError(`message with checksum ${message.crc} is corrupt`, message.position);
  const appendTime = wrapper.magic === 1 && wrapper.timestampType === 'LogAppendTime';
  return recordOf(message, message.baseOffset + shift, appendTime ? wrapper.maxTimestamp : message.maxTimestamp);
}
