/**
 * Records as objects: for state that is rebuilt from a log, for tools and for tests. Produce and fetch never come here (see
 * record-cursor.ts).
 *
 * Invariants: keys and values are views over the batch, or over its unpacked bytes; a batch is read whole or DecodeError is raised.
 */
import { decompress } from './compression/codec.ts';
import { DecodeError } from './decode-error.ts';
import { legacyRecordsOf } from './legacy-message-set.ts';
import { RECORDS_AT, type RecordBatch } from './record-batch.ts';
import { RecordCursor } from './record-cursor.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface KafkaRecord {
  readonly offset: number;
  /** Milliseconds since 1970; -1 when there is none. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** What one batch may unpack to unless the caller says otherwise. */
export const DEFAULT_MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

/** The record section of a batch of magic 2, unpacked when it is compressed (DecodeError beyond `maxBytes`). */
export function recordBytesOf(batch: RecordBatch, maxBytes: number): Buffer {
  const bytes = batch.buffer.subarray(batch.position + RECORDS_AT, batch.position + batch.sizeInBytes);
  return batch.codec === 0 ? bytes : decompress(batch.codec, bytes, maxBytes);
}

const NO_HEADERS: readonly RecordHeader[] = [];

/** All records of a batch of any magic. `maxBytes` bounds what a compressed one unpacks to. */
export function recordsOf(batch: RecordBatch, maxBytes = DEFAULT_MAX_UNPACKED_BYTES): KafkaRecord[] {
  if (batch.magic < 2) return legacyRecordsOf(batch, maxBytes);
  return batch.count === 0 ? [] : recordsOfPlain(batch, recordBytesOf(batch, maxBytes));
}

/** The records of a batch of magic 2 whose record section is already unpacked. */
export function recordsOfPlain(batch: RecordBatch, section: Buffer): KafkaRecord[] {
  const { count, baseOffset, baseTimestamp } = batch;
  if (count < 0) throw new DecodeError(`record count ${count}`, batch.position);
  const cursor = new RecordCursor();
  cursor.open(section);
  const appendTime = batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : undefined;
  const records: KafkaRecord[] = [];
  for (let i = 0; i < count; i++) {
    cursor.next();
    records.push({
      offset: baseOffset + cursor.offsetDelta,
      timestamp: appendTime ?? baseTimestamp + cursor.timestampDelta,
      key: cursor.key,
      value: cursor.value,
      headers: cursor.headerCount === 0 ? NO_HEADERS : cursor.headers(),
    });
  }
  if (!cursor.atEnd) throw new DecodeError(`bytes left after the ${count} records that the batch declares`, batch.position);
  return records;
}
