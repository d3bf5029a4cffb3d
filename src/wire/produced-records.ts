/** What a Produce request may carry at all, before anybody asks which partition it is for. Source: ProduceRequest.validateRecords, KIP-110. */
import { ZSTD } from './compression/codec.ts';
import { DecodeError } from './decode-error.ts';
import { ErrorCode } from './generated/errors.ts';
import { RecordBatch, RECORDS_AT, sizeOfBatchAt } from './record-batch.ts';

/** Why a record set cannot be part of a Produce request at all. */
export interface ProduceRejection {
  readonly error: ErrorCode;
  /** What the client is told beside the code. */
  readonly message: string | null;
  /** Kafka gives up the request, and all of its partitions get this answer: a first batch that cannot be framed, or a partition's codec that it cannot name. */
  readonly ofWholeRequest: boolean;
  /** For this broker's own log; never empty. */
  readonly reason: string;
}

/**
 * One batch of magic 2, and zstd only from version 7 on. Below 7, where Kafka asks for the codec here, one that does not exist fails the request.
 * A torn second batch counts as none.
 */
export function checkProducedRecords(records: Buffer | null, apiVersion: number): ProduceRejection | undefined {
  const reject = (error: ErrorCode, what: string): ProduceRejection => {
    return { error, message: null, ofWholeRequest: false, reason: `Produce requests with version ${apiVersion} ${what}` };
  };
  let first = true;
  try {
    const size = records === null ? undefined : sizeOfBatchAt(records, 0);
    if (records === null || size === undefined)
      return reject(ErrorCode.INVALID_RECORD, 'must have at least one record batch per partition');
    const batch = new RecordBatch(records);
    if (batch.magic !== 2)
      return reject(ErrorCode.INVALID_RECORD, 'are only allowed to contain record batches with magic version 2');
    if (size < RECORDS_AT) return reject(ErrorCode.CORRUPT_MESSAGE, `hold a batch of ${size} bytes, less than its header`);
    if (apiVersion < 7 && batch.codec > ZSTD) {
      const reason = `compression type ${batch.codec} does not exist`;
      return { error: ErrorCode.UNKNOWN_SERVER_ERROR, message: null, ofWholeRequest: true, reason };
    }
    if (apiVersion < 7 && batch.codec === ZSTD) {
      return reject(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, 'are not allowed to use ZStandard compression');
    }
    first = false;
    if (sizeOfBatchAt(records, size) === undefined) return undefined;
    return reject(ErrorCode.INVALID_RECORD, 'are only allowed to contain exactly one record batch per partition');
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    const message = e.message.replace(/ at byte \d+$/, '');
    return { error: ErrorCode.CORRUPT_MESSAGE, message: first ? message : null, ofWholeRequest: first, reason: message };
  }
}
