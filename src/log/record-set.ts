/**
 * What the headers of a record set say: the set that is sent to one partition, of which a client sends one batch and a replica many.
 *
 * Invariants: bytes are read and nothing is changed; a torn batch at the end counts as none; checks, their order and their texts are those of Apache
 * Kafka's UnifiedLog.analyzeAndValidateRecords.
 */
import { ZSTD } from '../wire/compression/codec.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { NO_TIMESTAMP, RecordBatch, sizeOfBatchAt } from '../wire/record-batch.ts';
import { type AppendOrigin, Rejected, type ValidationOptions } from './validator-contract.ts';

/** A log gives offsets to what clients and coordinators append, and takes those of others. */
const assignsOffsets = (origin: AppendOrigin): boolean => origin === 'client' || origin === 'coordinator';

export interface RecordSet {
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

/** Throws Rejected. */
export function readRecordSet(records: Buffer, o: ValidationOptions): RecordSet {
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
      `The baseOffset of the record batch in the append to ${o.topicPartition} should be 0, but it is ${batch.buffer.readBigInt64BE(batch.position)}`,
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
