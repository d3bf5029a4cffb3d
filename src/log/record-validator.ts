/** Validation of what is appended to a log. */
import { ErrorCode } from '../wire/generated/errors.ts';
import { RecordBatch } from '../wire/record-batch.ts';
import type { LogConfig } from './log-config.ts';

/** Who appends: a client, this broker's coordinators, the quorum's leader, or a follower's fetcher. */
export type AppendOrigin = 'client' | 'coordinator' | 'raft' | 'replication';

export interface RecordError {
  readonly batchIndex: number;
  readonly message: string | null;
}

export interface Validated {
  readonly ok: true;
  /** The input, patched in place, or new bytes where it had to be rebuilt. */
  readonly records: Buffer;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  /** Offset that Kafka reports for `maxTimestamp`: the last one of the batch that has it. */
  readonly offsetOfMaxTimestamp: number;
  /** -1 when the topic keeps the producer's timestamps. */
  readonly logAppendTimeMs: number;
}

export interface Invalid {
  readonly ok: false;
  readonly error: ErrorCode;
  readonly message: string | null;
  readonly recordErrors: readonly RecordError[];
}

export interface ValidationOptions {
  readonly config: LogConfig;
  readonly nowMs: number;
  readonly origin: AppendOrigin;
  /** `topic-index`, for messages. */
  readonly topicPartition: string;
  /** `max.message.bytes` does not bind the broker's own topics. */
  readonly ignoreRecordSize?: boolean;
  readonly firstOffset: number;
  readonly partitionLeaderEpoch: number;
}

export function validateRecords(records: Buffer, o: ValidationOptions): Validated | Invalid {
  const batch = new RecordBatch(records);
  if (!batch.isValid) return { ok: false, error: ErrorCode.CORRUPT_MESSAGE, message: null, recordErrors: [] };
  const { count } = batch;
  batch.setBaseOffset(o.firstOffset);
  batch.setPartitionLeaderEpoch(o.partitionLeaderEpoch);
  const lastOffset = o.firstOffset + count - 1;
  return {
    ok: true,
    records,
    firstOffset: o.firstOffset,
    lastOffset,
    maxTimestamp: batch.maxTimestamp,
    offsetOfMaxTimestamp: lastOffset,
    logAppendTimeMs: -1,
  };
}
