/** What is given to a log and what comes back. */
import type { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';
import type { Files, StorageFailure } from '../world/files.ts';
import type { Random } from '../world/random.ts';
import type { FileHandles } from './file-handles.ts';
import type { LogConfig } from './log-config.ts';
import type { AppendOrigin, RecordError } from './validator-contract.ts';
import type { TailMemory } from './tail-memory.ts';
import type { VerificationGuard } from './verification.ts';

export interface LogOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  /** The partition's own directory, such as `data/orders-0`; made when missing. */
  readonly directory: string;
  readonly topic: string;
  readonly partition: number;
  /** Null: taken from partition.metadata, where there is one. */
  readonly topicId: string | null;
  /** The plain files in the directory, where the caller has just looked and `topicId` is what partition.metadata says. */
  readonly names?: readonly string[];
  readonly config: LogConfig;
  /** First offset not known to be synced; from recovery-point-offset-checkpoint. Default 0. */
  readonly recoveryPoint?: number;
  /** From log-start-offset-checkpoint. Default 0. */
  readonly logStartOffset?: number;
  /** True: nothing is scanned where the indexes look sound. Default false. */
  readonly cleanShutdown?: boolean;
  /** producer.id.expiration.ms; default a day. */
  readonly producerIdExpirationMs?: number;
  /** transaction.partition.verification.enable; default true. */
  readonly verifiesTransactions?: boolean | undefined;
  /** Shared by all logs of a broker. */
  readonly tailMemory?: TailMemory;
  /** Shared by all logs of a broker. */
  readonly handles?: FileHandles;
  /** Called once, when the disk failed: the log then refuses everything. */
  readonly onFailure?: (failure: StorageFailure) => void;
  /** Called after each truncation, with the offset from which on records are gone. */
  readonly onTruncated?: (topic: string, partition: number, offset: number) => void;
}

export type AppendResult =
  | {
      readonly ok: true;
      readonly firstOffset: number;
      readonly lastOffset: number;
      /** -1 where the topic keeps the producer's timestamps. */
      readonly logAppendTimeMs: number;
      readonly logStartOffset: number;
      /** The batch is in the log already; the offsets are those of then. */
      readonly duplicate: boolean;
    }
  | {
      readonly ok: false;
      readonly error: ErrorCode;
      readonly message: string | null;
      readonly recordErrors: readonly RecordError[];
    };

export interface AppendOptions {
  /** Written into the batches; with origin 'replication' they keep the one they have. */
  readonly leaderEpoch: number;
  readonly origin: AppendOrigin;
  /** From `startVerification`, once the transaction coordinator has confirmed that this partition is part of the transaction (KIP-890). */
  readonly verificationGuard?: VerificationGuard | undefined;
  /** transaction.version that end markers are checked by. Default 0. */
  readonly transactionVersion?: number | undefined;
}

export type ReadBound = 'logEnd' | 'highWatermark' | 'lastStable';

export interface LogRead {
  /** Whole batches. */
  readonly records: Buffer | readonly Buffer[];
  readonly sizeInBytes: number;
  /** One past the last offset in `records`; the offset asked for when there are none. */
  readonly nextOffset: number;
  /** Only with upTo 'lastStable'. */
  readonly abortedTransactions?: readonly { readonly producerId: number; readonly firstOffset: number }[];
}

export interface ReadOptions {
  readonly maxBytes: number;
  /** The first batch comes even when it alone is larger than `maxBytes`. */
  readonly minOneBatch: boolean;
  readonly upTo: ReadBound;
}
