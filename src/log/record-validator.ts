/**
 * Decides what may be appended to a log, and makes of it what will be: offsets and leader epoch patched into the bytes, timestamps
 * settled, codec changed where the topic asks for one.
 *
 * Invariants: an uncompressed batch is read once and nothing is allocated per record; a batch that is refused is not changed; what is
 * accepted has a right checksum and right offsets. Order of the checks, error codes and what clients are told are those of Apache
 * Kafka's UnifiedLog.analyzeAndValidateRecords and LogValidator. Three refusals are this broker's own: timestamps and producer ids beyond
 * 2^53, which it could not hold exactly, and batches that unpack to more than MAX_UNPACKED_BYTES, which Kafka would read as a stream. Of a batch's
 * record errors the first MAX_LISTED_ERRORS are told, where Kafka tells all.
 * Source: KIP-32, KIP-98, KIP-467 (record errors), KIP-937 (bounds of timestamps).
 */
import { type CompressionCodec, decompress, ZSTD } from '../wire/compression/codec.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import {
  BASE_TIMESTAMP_AT,
  MAX_TIMESTAMP_AT,
  NO_TIMESTAMP,
  PRODUCER_ID_AT,
  RECORDS_AT,
  RecordBatch,
  sizeOfBatchAt,
} from '../wire/record-batch.ts';
import { RecordCursor } from '../wire/record-cursor.ts';
import type { LogConfig } from './log-config.ts';
import { rebuildBatch } from './record-rebuild.ts';

/** Who appends: a client, this broker's coordinators, the quorum's leader, or a follower's fetcher. */
export type AppendOrigin = 'client' | 'coordinator' | 'raft' | 'replication';

export interface RecordError {
  /** Which record of the batch, from 0. */
  readonly batchIndex: number;
  readonly message: string | null;
}

export interface Validated {
  readonly ok: true;
  /** The input, patched in place and without a torn tail; new bytes where it had to be rebuilt. Empty when there was no whole batch. */
  readonly records: Buffer;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** -1 when no record has one. */
  readonly maxTimestamp: number;
  /** Offset that the time index gets for `maxTimestamp`: the last one of the batch that has it. */
  readonly offsetOfMaxTimestamp: number;
  /** -1 when the topic keeps the producer's timestamps. */
  readonly logAppendTimeMs: number;
}

export interface Invalid {
  readonly ok: false;
  readonly error: ErrorCode;
  /** What the client is told beside the code: Kafka tells only what is wrong with single records. */
  readonly message: string | null;
  readonly recordErrors: readonly RecordError[];
  /** For this broker's own log; never empty. */
  readonly reason: string;
}

export interface ValidationOptions {
  readonly config: LogConfig;
  readonly nowMs: number;
  readonly origin: AppendOrigin;
  /** As in `orders-0`; part of the messages. */
  readonly topicPartition: string;
  /** The log's end: the first record gets it, or must not be below it where offsets are given ('raft', 'replication'). */
  readonly firstOffset: number;
  readonly partitionLeaderEpoch: number;
}

/** Most that the records of one compressed batch may unpack to. */
export const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;
const RECORD_ERRORS_IN_MESSAGE = 3;
/** So many errors of one batch are listed; a compressed megabyte can hold thirty million. All are counted. */
const MAX_LISTED_ERRORS = 10_000;

/** Ends a validation; caught in `validateRecords` and made a value there. */
class Rejected extends Error {
  readonly error: ErrorCode;
  readonly recordErrors: readonly RecordError[];

  constructor(error: ErrorCode, message: string, recordErrors: readonly RecordError[] = []) {
    super(message);
    this.error = error;
    this.recordErrors = recordErrors;
  }
}

const int64At = (batch: RecordBatch, at: number): bigint => batch.buffer.readBigInt64BE(batch.position + at);

/**
 * Validates `records`, the record set of one partition, and settles them for an append at `firstOffset`. The bytes are changed in place;
 * a caller that wants to keep them passes a copy.
 */
export function validateRecords(records: Buffer, o: ValidationOptions): Validated | Invalid {
  try {
    const analyzed = analyze(records, o);
    if (analyzed.first === undefined) return nothingToAppend(o);
    if (o.origin === 'raft' || o.origin === 'replication') return withGivenOffsets(records, analyzed, o);
    return withAssignedOffsets(records, analyzed, analyzed.first, o);
  } catch (e) {
    if (!(e instanceof Rejected)) throw e;
    const told = e.recordErrors.length > 0 ? e.message : null;
    return { ok: false, error: e.error, message: told, recordErrors: e.recordErrors, reason: e.message };
  }
}

function nothingToAppend(o: ValidationOptions): Validated {
  return {
    ok: true,
    records: Buffer.alloc(0),
    firstOffset: o.firstOffset,
    lastOffset: o.firstOffset - 1,
    maxTimestamp: NO_TIMESTAMP,
    offsetOfMaxTimestamp: -1,
    logAppendTimeMs: NO_TIMESTAMP,
  };
}

interface Analyzed {
  readonly first: RecordBatch | undefined;
  readonly batchCount: number;
  /** Of what is to be appended: whole batches, none of a later leader. */
  readonly validBytes: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly offsetOfMaxTimestamp: number;
  /** Codec of the last compressed batch; there is only one batch where it matters. */
  readonly sourceCodec: number;
}

/** Everything that is known from the batches' headers. */
function analyze(records: Buffer, o: ValidationOptions): Analyzed {
  let first: RecordBatch | undefined;
  let position = 0;
  let validBytes = 0;
  let batchCount = 0;
  let lastOffset = -1;
  let maxTimestamp = NO_TIMESTAMP;
  let offsetOfMaxTimestamp = -1;
  let sourceCodec = 0;
  for (;;) {
    const size = batchSize(records, position);
    if (size === undefined) break;
    const batch = new RecordBatch(records, position);
    position += size;
    if (o.origin === 'replication' && batch.partitionLeaderEpoch > o.partitionLeaderEpoch) break;
    checkHeader(batch, size, o);
    const batchLastOffset = batch.lastOffset;
    if (!assignsOffsets(o.origin) && batchLastOffset <= lastOffset) throw outOfOrder(batchLastOffset, lastOffset, o);
    first ??= batch;
    lastOffset = batchLastOffset;
    validBytes += size;
    batchCount++;
    if (batch.codec !== 0) sourceCodec = batch.codec;
    const timestamp = batch.maxTimestamp;
    if (timestamp > maxTimestamp) {
      maxTimestamp = timestamp;
      offsetOfMaxTimestamp = batchLastOffset;
    }
  }
  return { first, batchCount, validBytes, lastOffset, maxTimestamp, offsetOfMaxTimestamp, sourceCodec };
}

const assignsOffsets = (origin: AppendOrigin): boolean => origin === 'client' || origin === 'coordinator';

function outOfOrder(offset: number, previous: number, o: ValidationOptions): Rejected {
  return new Rejected(
    ErrorCode.UNKNOWN_SERVER_ERROR,
    `Out of order offsets found in append to ${o.topicPartition}: ${offset} after ${previous}`,
  );
}

function batchSize(records: Buffer, position: number): number | undefined {
  try {
    return sizeOfBatchAt(records, position);
  } catch (e) {
    if (e instanceof DecodeError) throw new Rejected(ErrorCode.CORRUPT_MESSAGE, e.message);
    throw e;
  }
}

function checkHeader(batch: RecordBatch, size: number, o: ValidationOptions): void {
  if (o.origin === 'raft' && batch.partitionLeaderEpoch !== o.partitionLeaderEpoch) {
    throw new Rejected(
      ErrorCode.INVALID_RECORD,
      `Append from Raft leader did not set the batch epoch correctly, expected ${o.partitionLeaderEpoch} but the batch has ${batch.partitionLeaderEpoch}`,
    );
  }
  if (batch.magic >= 2 && o.origin === 'client' && batch.baseOffset !== 0) {
    throw new Rejected(
      ErrorCode.INVALID_RECORD,
      `The baseOffset of the record batch in the append to ${o.topicPartition} should be 0, but it is ${int64At(batch, 0)}`,
    );
  }
  if (o.origin !== 'replication' && size > o.config.maxMessageBytes) {
    throw new Rejected(
      ErrorCode.MESSAGE_TOO_LARGE,
      `The record batch size in the append to ${o.topicPartition} is ${size} bytes which exceeds the maximum configured value of ${o.config.maxMessageBytes}).`,
    );
  }
  if (!batch.isValid) {
    throw new Rejected(
      ErrorCode.CORRUPT_MESSAGE,
      `Record is corrupt (stored crc = ${batch.crc}) in topic partition ${o.topicPartition}.`,
    );
  }
  if (batch.codec > ZSTD) throw new Rejected(ErrorCode.UNKNOWN_SERVER_ERROR, `Unknown compression type id: ${batch.codec}`);
}

/** A replica takes offsets as they are. */
function withGivenOffsets(records: Buffer, analyzed: Analyzed, o: ValidationOptions): Validated {
  const first = analyzed.first as RecordBatch;
  const firstOffset = first.magic >= 2 ? first.baseOffset : first.lastOffset;
  if (firstOffset < o.firstOffset) {
    throw new Rejected(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      `Unexpected offset in append to ${o.topicPartition}. First offset ${firstOffset} is less than the next offset ${o.firstOffset}.`,
    );
  }
  const { lastOffset, maxTimestamp, offsetOfMaxTimestamp, validBytes } = analyzed;
  const whole = trimmed(records, validBytes);
  checkFitsSegment(validBytes, o);
  return { ok: true, records: whole, firstOffset, lastOffset, maxTimestamp, offsetOfMaxTimestamp, logAppendTimeMs: NO_TIMESTAMP };
}

function checkFitsSegment(size: number, o: ValidationOptions): void {
  const { segmentBytes } = o.config;
  if (size <= segmentBytes) return;
  throw new Rejected(
    ErrorCode.RECORD_LIST_TOO_LARGE,
    `Message batch size is ${size} bytes in append to partition ${o.topicPartition}, which exceeds the maximum configured segment size of ${segmentBytes}.`,
  );
}

const trimmed = (records: Buffer, validBytes: number): Buffer =>
  validBytes === records.length ? records : records.subarray(0, validBytes);

function withAssignedOffsets(records: Buffer, analyzed: Analyzed, batch: RecordBatch, o: ValidationOptions): Validated {
  if (batch.magic < 2)
    throw new Rejected(ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, `Record batch of magic ${batch.magic} in ${o.topicPartition}`);
  if (analyzed.batchCount > 1) throw new Rejected(ErrorCode.INVALID_RECORD, 'Compressed outer record has more than one batch');
  checkBatch(batch, o);
  const targetCodec = targetCodecOf(o.config, analyzed.sourceCodec);
  const inPlace = analyzed.sourceCodec === targetCodec || (analyzed.sourceCodec === 0 && batch.isControl);
  const checked = checkRecords(batch, inPlace, o);
  if (checked.errorCount > 0) throw rejectedRecords(checked);
  if (inPlace && analyzed.sourceCodec !== 0 && !checked.contiguous) {
    throw new Rejected(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      `Offsets of the compressed records for ${o.topicPartition} are not 0, 1, 2 and so on`,
    );
  }
  if (!inPlace && !Number.isSafeInteger(batch.baseTimestamp)) {
    throw new Rejected(
      ErrorCode.INVALID_TIMESTAMP,
      `Base timestamp ${int64At(batch, BASE_TIMESTAMP_AT)} in ${o.topicPartition} is beyond 2^53`,
    );
  }
  if (inPlace) checkFitsSegment(analyzed.validBytes, o);
  const settled = inPlace ? settle(batch, checked.maxTimestamp, o) : rebuild(batch, checked, targetCodec, o);
  const whole = settled === batch ? trimmed(records, analyzed.validBytes) : settled.buffer;
  const appendTime = o.config.messageTimestampType === 'LogAppendTime';
  const lastOffset = settled.lastOffset;
  return {
    ok: true,
    records: whole,
    firstOffset: o.firstOffset,
    lastOffset,
    maxTimestamp: appendTime ? o.nowMs : checked.maxTimestamp,
    offsetOfMaxTimestamp: lastOffset,
    logAppendTimeMs: appendTime ? o.nowMs : NO_TIMESTAMP,
  };
}

function targetCodecOf(config: LogConfig, sourceCodec: number): number {
  switch (config.compressionType) {
    case 'producer':
      return sourceCodec;
    case 'uncompressed':
      return 0;
    case 'gzip':
      return 1;
    case 'snappy':
      return 2;
    case 'lz4':
      return 3;
    case 'zstd':
      return 4;
  }
}

/** What a batch header may say: clients are asked everything, this broker's coordinators only what the rest relies on. */
function checkBatch(batch: RecordBatch, o: ValidationOptions): void {
  if (!Number.isSafeInteger(batch.producerId)) {
    throw new Rejected(
      ErrorCode.INVALID_RECORD,
      `Producer id ${int64At(batch, PRODUCER_ID_AT)} in ${o.topicPartition} is beyond 2^53`,
    );
  }
  const reject = (message: string): never => {
    throw new Rejected(ErrorCode.INVALID_RECORD, `${message} topic partition ${o.topicPartition}`);
  };
  const { baseOffset, lastOffset, count } = batch;
  const countFromOffsets = lastOffset - baseOffset + 1;
  if (o.origin === 'client' && countFromOffsets <= 0)
    reject(`Batch has an invalid offset range: [${baseOffset}, ${lastOffset}] in`);
  if (count <= 0) reject(`Invalid reported count for record batch: ${count} in`);
  if (o.origin !== 'client') return;
  if (countFromOffsets !== count)
    reject(`Inconsistent batch offset range [${baseOffset}, ${lastOffset}] and count of records ${count} in`);
  if (batch.isControl) reject('Clients are not allowed to write control records in');
  if (batch.producerId > -1 && batch.baseSequence < 0) {
    reject(`Invalid sequence number ${batch.baseSequence} in record batch with producerId ${batch.producerId} in`);
  }
}

interface CheckedRecords {
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

/** Reads every record once. DecodeErrors of the records themselves become INVALID_RECORD. */
function checkRecords(batch: RecordBatch, inPlace: boolean, o: ValidationOptions): CheckedRecords {
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
    return decompress(batch.codec, packed, MAX_UNPACKED_BYTES, { transient });
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

function rejectedRecords({ errorCount, recordErrors, invalidTimestamp }: CheckedRecords): Rejected {
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

/** Patches the batch where it lies; the checksum is recomputed only when the timestamps' fields change. */
function settle(batch: RecordBatch, maxTimestamp: number, o: ValidationOptions): RecordBatch {
  const { config, nowMs } = o;
  batch.setBaseOffset(o.firstOffset + batch.count - 1 - batch.lastOffsetDelta);
  batch.setPartitionLeaderEpoch(o.partitionLeaderEpoch);
  batch.setMaxTimestamp(config.messageTimestampType, config.messageTimestampType === 'LogAppendTime' ? nowMs : maxTimestamp);
  return batch;
}

function rebuild(batch: RecordBatch, checked: CheckedRecords, codec: number, o: ValidationOptions): RecordBatch {
  const { config } = o;
  const { compressionType } = config;
  const leveled = compressionType === 'gzip' || compressionType === 'lz4' || compressionType === 'zstd';
  const bytes = rebuildBatch(batch, checked.plain, {
    codec: codec as CompressionCodec,
    level: leveled ? config.compressionLevels[compressionType] : undefined,
    baseOffset: o.firstOffset,
    partitionLeaderEpoch: o.partitionLeaderEpoch,
    contiguous: checked.contiguous,
    maxTimestamp: checked.maxTimestamp,
    logAppendTimeMs: config.messageTimestampType === 'LogAppendTime' ? o.nowMs : undefined,
  });
  if (bytes.length > config.maxMessageBytes) {
    throw new Rejected(
      ErrorCode.MESSAGE_TOO_LARGE,
      `Message batch size is ${bytes.length} bytes in append to partition ${o.topicPartition} which exceeds the maximum configured size of ${config.maxMessageBytes}.`,
    );
  }
  checkFitsSegment(bytes.length, o);
  return new RecordBatch(bytes);
}
