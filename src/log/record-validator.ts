/**
 * Decides what may be appended to a log, and makes of it what will be: offsets and leader epoch patched into the bytes, timestamps
 * settled, codec changed where the topic asks for one.
 *
 * Invariants: an uncompressed batch is read once and nothing is allocated per record; a batch that is refused is not changed; what is
 * accepted has a right checksum and right offsets. Order of the checks, error codes and what clients are told are those of Apache
 * Kafka's UnifiedLog.analyzeAndValidateRecords (record-set.ts) and LogValidator (record-check.ts and below). Two refusals beside those of
 * record-check.ts are this broker's own: timestamps and producer ids beyond 2^53, which it could not hold exactly.
 * Source: KIP-32, KIP-98.
 */
import type { CompressionCodec } from '../wire/compression/codec.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { BASE_TIMESTAMP_AT, NO_TIMESTAMP, PRODUCER_ID_AT, RecordBatch } from '../wire/record-batch.ts';
import type { LogConfig } from './log-config.ts';
import { type CheckedRecords, checkRecords, rejectedRecords } from './record-check.ts';
import { rebuildBatch } from './record-rebuild.ts';
import { readRecordSet, type RecordSet } from './record-set.ts';
import { type Invalid, Rejected, type Validated, type ValidationOptions } from './validator-contract.ts';

const int64At = (batch: RecordBatch, at: number): bigint => batch.buffer.readBigInt64BE(batch.position + at);

/**
 * Validates `records`, the record set of one partition, and settles them for an append at `firstOffset`. The bytes are changed in place;
 * a caller that wants to keep them passes a copy.
 */
export function validateRecords(records: Buffer, o: ValidationOptions): Validated | Invalid {
  try {
    const set = readRecordSet(records, o);
    if (set.first === undefined) return nothingToAppend(o);
    if (o.origin === 'raft' || o.origin === 'replication') return withGivenOffsets(records, set, o);
    return withAssignedOffsets(records, set, set.first, o);
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

/** A replica takes offsets as they are. */
function withGivenOffsets(records: Buffer, set: RecordSet, o: ValidationOptions): Validated {
  const first = set.first as RecordBatch;
  const firstOffset = first.magic >= 2 ? first.baseOffset : first.lastOffset;
  if (firstOffset < o.firstOffset) {
    throw new Rejected(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      `Unexpected offset in append to ${o.topicPartition}. First offset ${firstOffset} is less than the next offset ${o.firstOffset}.`,
    );
  }
  const { lastOffset, maxTimestamp, offsetOfMaxTimestamp, validBytes } = set;
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

function withAssignedOffsets(records: Buffer, set: RecordSet, batch: RecordBatch, o: ValidationOptions): Validated {
  if (batch.magic < 2)
    throw new Rejected(ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, `Record batch of magic ${batch.magic} in ${o.topicPartition}`);
  if (set.batchCount > 1) throw new Rejected(ErrorCode.INVALID_RECORD, 'Compressed outer record has more than one batch');
  checkBatch(batch, o);
  const targetCodec = targetCodecOf(o.config, set.sourceCodec);
  const inPlace = set.sourceCodec === targetCodec || (set.sourceCodec === 0 && batch.isControl);
  const checked = checkRecords(batch, inPlace, o);
  if (checked.errorCount > 0) throw rejectedRecords(checked);
  if (inPlace && set.sourceCodec !== 0 && !checked.contiguous) {
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
  if (inPlace) checkFitsSegment(set.validBytes, o);
  const settled = inPlace ? settle(batch, checked.maxTimestamp, o) : rebuild(batch, checked, targetCodec, o);
  const whole = settled === batch ? trimmed(records, set.validBytes) : settled.buffer;
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
