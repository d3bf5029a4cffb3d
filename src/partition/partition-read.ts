/**
 * What one fetch gets of one partition, and what one fetch gets of many under its limits.
 *
 * Invariants: the first partition that has records gives at least one whole batch, whatever the limits say, so that a consumer always gets on
 * (KIP-74); after that no limit is passed. Nothing is awaited unless records come from a file.
 */
import { CorruptBatch } from '../log/corrupt-batch.ts';
import type { LogRead, ReadBound } from '../log/log-contract.ts';
import { OffsetOutOfRange } from '../log/offset-out-of-range.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { FetchResponsePartitionDataDraft } from '../wire/generated/fetch.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import { StorageFailure } from '../world/files.ts';
import type { FetchedData, FetchedPartition } from './fetch-sessions.ts';
import type { Partition } from './partition.ts';

export const NO_RECORDS = Buffer.alloc(0);

/** Who reads, and what they may see. */
export interface Reader {
  /** Below 0: a consumer. */
  readonly replicaId: number;
  readonly upTo: ReadBound;
}

export interface ReadLimits {
  readonly maxBytes: number;
  /** One whole batch even where it is larger than `maxBytes`. */
  readonly minOneBatch: boolean;
}

/** A partition as a fetch finds it: here, or the error that says why not. */
export type Found = Partition | ErrorCode;

type Data = FetchResponsePartitionDataDraft;

/** Reads all of `partitions` in their order, `maxBytes` together. */
export function readPartitions(
  partitions: readonly FetchedPartition[],
  find: (partition: FetchedPartition) => Found,
  reader: Reader,
  maxBytes: number,
): FetchedData[] | Promise<FetchedData[]> {
  const results: FetchedData[] = [];
  let left = maxBytes;
  let minOneBatch = true;
  const take = (result: FetchedData): void => {
    results.push(result);
    if (result.sizeInBytes === 0) return;
    minOneBatch = false;
    left = Math.max(0, left - result.sizeInBytes);
  };
  const readOne = (partition: FetchedPartition): FetchedData | Promise<FetchedData> =>
    readPartition(partition, find(partition), reader, { maxBytes: Math.min(partition.maxBytes, left), minOneBatch });
  const readRest = async (first: Promise<FetchedData>, from: number): Promise<FetchedData[]> => {
    take(await first);
    for (const partition of partitions.slice(from)) take(await readOne(partition));
    return results;
  };
  for (const [index, partition] of partitions.entries()) {
    const result = readOne(partition);
    if (result instanceof Promise) return readRest(result, index + 1);
    take(result);
  }
  return results;
}

export function readPartition(
  wanted: FetchedPartition,
  found: Found,
  reader: Reader,
  limits: ReadLimits,
): FetchedData | Promise<FetchedData> {
  if (typeof found === 'number') return failed(wanted, found);
  const error = errorOfRead(wanted, found, reader);
  if (error !== ErrorCode.NONE) return failed(wanted, error);
  const { log } = found;
  const { fetchOffset } = wanted;
  if (fetchOffset < log.logStartOffset) return failed(wanted, ErrorCode.OFFSET_OUT_OF_RANGE);
  if (wanted.lastFetchedEpoch >= 0) {
    const { leaderEpoch, endOffset } = log.endOffsetForEpoch(wanted.lastFetchedEpoch);
    if (leaderEpoch < 0 || endOffset < 0) return failed(wanted, ErrorCode.OFFSET_OUT_OF_RANGE);
    if (leaderEpoch < wanted.lastFetchedEpoch || endOffset < fetchOffset) {
      return diverged(wanted, found, leaderEpoch, endOffset);
    }
  }
  if (fetchOffset > log.logEndOffset) return failed(wanted, ErrorCode.OFFSET_OUT_OF_RANGE);
  if (fetchOffset >= readableEnd(found, reader) || (limits.maxBytes <= 0 && !limits.minOneBatch))
    return given(wanted, found, reader, undefined);
  try {
    const read = log.read(fetchOffset, { ...limits, upTo: reader.upTo });
    if (!(read instanceof Promise)) return given(wanted, found, reader, read);
    return read.then(
      (later) => given(wanted, found, reader, later),
      // The partition was moved to another directory meanwhile, and the old files are gone.
      (reason: unknown) =>
        found.log === log ? failed(wanted, errorOfFailure(reason)) : readPartition(wanted, found, reader, limits),
    );
  } catch (reason) {
    return failed(wanted, errorOfFailure(reason));
  }
}

/** Where what `reader` may see ends. */
export function readableEnd(partition: Partition, reader: Reader): number {
  const { log } = partition;
  if (reader.upTo === 'logEnd') return log.writtenOffset;
  return reader.upTo === 'highWatermark' ? log.highWatermark : log.lastStableOffset;
}

function errorOfRead(wanted: FetchedPartition, found: Partition, reader: Reader): ErrorCode {
  if (found.failure !== ErrorCode.NONE) return found.failure;
  if (wanted.topicId !== ZERO_UUID && wanted.topicId !== found.topicId) return ErrorCode.INCONSISTENT_TOPIC_ID;
  const error = found.checkLeader(wanted.currentLeaderEpoch);
  if (error !== ErrorCode.NONE || reader.replicaId < 0) return error;
  return wanted.currentLeaderEpoch < 0 ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_LEADER_EPOCH;
}

function errorOfFailure(reason: unknown): ErrorCode {
  if (reason instanceof OffsetOutOfRange) return ErrorCode.OFFSET_OUT_OF_RANGE;
  if (reason instanceof CorruptBatch) return ErrorCode.CORRUPT_MESSAGE;
  if (reason instanceof StorageFailure) return ErrorCode.KAFKA_STORAGE_ERROR;
  throw reason;
}

/** The answer for a partition that cannot be read. */
export function failed(partition: FetchedPartition, errorCode: ErrorCode): FetchedData {
  return {
    partition,
    data: {
      partitionIndex: partition.index,
      errorCode,
      highWatermark: -1,
      logStartOffset: -1,
      abortedTransactions: null,
      records: NO_RECORDS,
    },
    sizeInBytes: 0,
  };
}

function given(wanted: FetchedPartition, found: Partition, reader: Reader, read: LogRead | undefined): FetchedData {
  const { log } = found;
  const data: Data = {
    partitionIndex: wanted.index,
    errorCode: ErrorCode.NONE,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    // Kafka forgets to look for them where the first batch does not fit.
    abortedTransactions:
      reader.upTo === 'lastStable' && read?.sizeInBytes !== 0 ? (read?.abortedTransactions ?? NO_TRANSACTIONS) : null,
    records: read?.records ?? NO_RECORDS,
  };
  return { partition: wanted, data, sizeInBytes: read?.sizeInBytes ?? 0 };
}

const NO_TRANSACTIONS: readonly never[] = [];

function diverged(wanted: FetchedPartition, { log }: Partition, epoch: number, endOffset: number): FetchedData {
  const data: Data = {
    partitionIndex: wanted.index,
    errorCode: ErrorCode.NONE,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    divergingEpoch: { epoch, endOffset },
    abortedTransactions: null,
    records: NO_RECORDS,
  };
  return { partition: wanted, data, sizeInBytes: 0 };
}
