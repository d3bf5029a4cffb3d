/** What is given to the validation of a record set and what comes back. */
import type { ErrorCode } from '../wire/generated/errors.ts';
import type { LogConfig } from './log-config.ts';

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

/** Ends a validation: thrown by its rooms, made an `Invalid` by `validateRecords`. */
export class Rejected extends Error {
  readonly error: ErrorCode;
  readonly recordErrors: readonly RecordError[];

  constructor(error: ErrorCode, message: string, recordErrors: readonly RecordError[] = []) {
    super(message);
    this.error = error;
    this.recordErrors = recordErrors;
  }
}
