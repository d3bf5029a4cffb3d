/**
 * The check of the records of one batch: each is read once, unpacked where the batch is compressed.
 *
 * Invariants: nothing is allocated per record but what is told of those that are refused, and of those the first MAX_LISTED_ERRORS are told, where Kafka
 * tells all. A batch that unpacks to more than DEFAULT_MAX_UNPACKED_BYTES is refused; Kafka reads it as a stream.
 * Source: LogValidator of Apache Kafka; KIP-32, KIP-467 (record errors), KIP-937 (bounds of timestamps).
 */
import { decompress } from '../wire/compression/codec.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { BASE_TIMESTAMP_AT, MAX_TIMESTAMP_AT, NO_TIMESTAMP, RECORDS_AT, type RecordBatch } from '../wire/record-batch.ts';
import { DEFAULT_MAX_UNPACKED_BYTES } from '../wire/record.ts';
import { RecordCursor } from '../wire/record-cursor.ts';
import { type RecordError, Rejected, type ValidationOptions } from './validator-contract.ts';

const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;
const RECORD_ERRORS_IN_MESSAGE = 3;
/** So many errors of one batch are listed; a compressed megabyte can hold thirty million. All are counted. */
const MAX_LISTED_ERRORS = 10_000;

const int64At = (batch: RecordBatch, at: number): bigint => batch.buffer.readBigInt64BE(batch.position + at);

export interface CheckedRecords {
  readonly maxTimestamp: number;
  /** Whether the records' offsets are 0, 1, 2 and so on. */
  readonly contiguous: boolean;
  readonly errorCount: number;
  /** The first of them. */
  readonly recordErrors: readonly RecordError[];
  readonly invalidTimestamp: boolean;
  /** The records, unpacked. */
  readonly plain: Buffer;
}

/** What cannot be read is INVALID_RECORD. Throws Rejected; what is wrong with single records is returned. */
export function checkRecords(batch: RecordBatch, inPlace: boolean, o: ValidationOptions): CheckedRecords {
  const cursor = new RecordCursor();
  const compressed = batch.codec !== 0;
  let plain = batch.buffer;
  if (compressed) {
    plain = unpack(batch, inPlace);
    cursor.open(plain, 0, plain.length, inPlace ? 'skim' : 'whole', o.config.maxDecompressedMessageBytes);
  } else {
    cursor.open(plain, batch.position + RECORDS_AT, batch.position + batch.sizeInBytes);
  }
  try {
    return walk(batch, cursor, plain, o);
  } catch (e) {
    if (e instanceof DecodeError)
      throw new Rejected(ErrorCode.INVALID_RECORD, `${e.message} of the records for ${o.topicPartition}`);
    throw e;
  }
}

/** What is only looked at need not be kept. */
function unpack(batch: RecordBatch, transient: boolean): Buffer {
  try {
    const packed = batch.buffer.subarray(batch.position + RECORDS_AT, batch.position + batch.sizeInBytes);
    return decompress(batch.codec, packed, DEFAULT_MAX_UNPACKED_BYTES, { transient });
  } catch (e) {
    if (e instanceof DecodeError)
      throw new Rejected(ErrorCode.UNKNOWN_SERVER_ERROR, `Failed to decompress record stream: ${e.message}`);
    throw e;
  }
}

function walk(batch: RecordBatch, cursor: RecordCursor, plain: Buffer, o: ValidationOptions): CheckedRecords {
  const { count, baseOffset, baseTimestamp } = batch;
  if (count < 0) throw new DecodeError(`record count ${count}`, 0);
  const { config, nowMs } = o;
  const { messageTimestampBeforeMaxMs: before, messageTimestampAfterMaxMs: after } = config;
  const compacted = config.cleanupPolicy.includes('compact');
  const keyless = compacted ? `Compacted topic cannot accept message without key in topic partition ${o.topicPartition}` : '';
  const keepsTimestamps = config.messageTimestampType === 'CreateTime';
  const appendTime = batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : undefined;
  let maxTimestamp = NO_TIMESTAMP;
  let contiguous = true;
  let invalidTimestamp = false;
  let errorCount = 0;
  const recordErrors: RecordError[] = [];
  for (let i = 0; i < count; i++) {
    cursor.next();
    const timestamp = appendTime ?? baseTimestamp + cursor.timestampDelta;
    let message: string | undefined;
    if (compacted && cursor.keyLength < 0) {
      message = keyless;
    } else if (keepsTimestamps && timestamp !== NO_TIMESTAMP) {
      const age = nowMs - timestamp;
      // Age is within 2^53 of now exactly when the timestamp is held exactly, as far as its two parts are.
      if (age > before || -age > after || !Number.isSafeInteger(timestamp) || !Number.isSafeInteger(cursor.timestampDelta)) {
        message = errorCount < MAX_LISTED_ERRORS ? outOfRange(batch, cursor, appendTime !== undefined, o) : '';
        invalidTimestamp = true;
      }
    } else if (appendTime !== undefined) {
      message = errorCount < MAX_LISTED_ERRORS ? ownAppendTime(batch, cursor) : '';
      invalidTimestamp = true;
    }
    if (message !== undefined) {
      if (errorCount++ < MAX_LISTED_ERRORS) recordErrors.push({ batchIndex: i, message });
    }
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    if (baseOffset + cursor.offsetDelta !== i) contiguous = false;
  }
  if (count > 0 && !cursor.atEnd) throw new DecodeError(`bytes left after the ${count} records that the batch declares`, 0);
  return { maxTimestamp, contiguous, errorCount, recordErrors, invalidTimestamp, plain };
}

function outOfRange(batch: RecordBatch, cursor: RecordCursor, appendTime: boolean, o: ValidationOptions): string {
  const base = int64At(batch, appendTime ? MAX_TIMESTAMP_AT : BASE_TIMESTAMP_AT);
  const timestamp = appendTime ? base : BigInt.asIntN(64, base + cursor.exactTimestampDelta());
  const { messageTimestampBeforeMaxMs: before, messageTimestampAfterMaxMs: after } = o.config;
  const earliest = BigInt.asIntN(64, BigInt(o.nowMs) - int64Of(before));
  const latest = BigInt.asIntN(64, BigInt(o.nowMs) + int64Of(after));
  return (
    `Timestamp ${timestamp} of message with offset ${batch.baseOffset + cursor.offsetDelta} is out of range. ` +
    `The timestamp should be within [${earliest}, ${latest}]`
  );
}

/** A config's value, in which the largest number stands for the largest long. */
const int64Of = (value: number): bigint => (value >= Number.MAX_SAFE_INTEGER ? MAX_INT64 : BigInt(value));

function ownAppendTime(batch: RecordBatch, cursor: RecordCursor): string {
  const kind = batch.codec === 0 ? 'DefaultRecord' : 'PartialDefaultRecord';
  const key = kind === 'DefaultRecord' ? Math.max(0, cursor.keyLength) : cursor.keyLength;
  const value = kind === 'DefaultRecord' ? Math.max(0, cursor.valueLength) : cursor.valueLength;
  const record = `${kind}(offset=${batch.baseOffset + cursor.offsetDelta}, timestamp=${int64At(batch, MAX_TIMESTAMP_AT)}, key=${key} bytes, value=${value} bytes)`;
  return `Invalid timestamp type in message ${record}. Producer should not set timestamp type to LogAppendTime.`;
}

/** What is told of the batch whose records have errors. */
export function rejectedRecords({ errorCount, recordErrors, invalidTimestamp }: CheckedRecords): Rejected {
  if (invalidTimestamp) {
    return new Rejected(
      ErrorCode.INVALID_TIMESTAMP,
      'One or more records have been rejected due to invalid timestamp',
      recordErrors,
    );
  }
  const shown = recordErrors
    .slice(0, RECORD_ERRORS_IN_MESSAGE)
    .map(({ batchIndex, message }) => `RecordError(batchIndex=${batchIndex}, message='${message}')`);
  return new Rejected(
    ErrorCode.INVALID_RECORD,
    `One or more records have been rejected due to ${errorCount} record errors in total, ` +
      `and only showing the first three errors at most: [${shown.join(', ')}]`,
    recordErrors,
  );
}
