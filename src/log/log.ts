/**
 * One partition on one disk. (Surface first; the bodies follow.)
 */
import type { ErrorCode } from '../wire/generated/errors.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import type { Clock } from '../world/clock.ts';
import type { Files, StorageFailure } from '../world/files.ts';
import type { Random } from '../world/random.ts';
import type { LogConfig } from './log-config.ts';
import type { AppendOrigin } from './record-validator.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { ProducerState } from './producer-state.ts';

export interface LogOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  /** The partition's own directory, such as `data/orders-0`; made when missing. */
  readonly directory: string;
  readonly topic: string;
  readonly partition: number;
  /** Null: taken from partition.metadata, which then has to exist for the log to have an id. */
  readonly topicId: string | null;
  readonly config: LogConfig;
  /** First offset not known to be synced; from recovery-point-offset-checkpoint. Default 0. */
  readonly recoveryPoint?: number;
  /** From log-start-offset-checkpoint. Default 0. */
  readonly logStartOffset?: number;
  /** True: nothing is scanned where the indexes look sound. Default false. */
  readonly cleanShutdown?: boolean;
  /** producer.id.expiration.ms; default a day. */
  readonly producerIdExpirationMs?: number;
  /** Called once, when the disk failed: the log then refuses everything. */
  readonly onFailure?: (failure: StorageFailure) => void;
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
      readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string | null }[];
    };

export type ReadBound = 'logEnd' | 'highWatermark' | 'lastStable';

export interface LogRead {
  /** Whole batches, except that the last may be cut at maxBytes, as in Kafka. */
  readonly records: Buffer | readonly Buffer[];
  readonly sizeInBytes: number;
  /** Only with upTo 'lastStable'. */
  readonly abortedTransactions?: readonly { readonly producerId: number; readonly firstOffset: number }[];
}

export interface TimestampedOffset {
  readonly offset: number;
  readonly timestamp: number;
  /** -1 when unknown. */
  readonly leaderEpoch: number;
}

export declare class Log {
  private constructor();
  static open(o: LogOptions): Promise<Log>;

  readonly topic: string;
  readonly partition: number;
  readonly topicId: string | null;
  readonly directory: string;
  readonly config: LogConfig;
  /** Set once the disk has failed. */
  readonly failure: StorageFailure | undefined;

  readonly logStartOffset: number;
  /** One past the last offset given out, written or not. */
  readonly logEndOffset: number;
  /** One past the last offset written (and synced, where flush.messages asks for it): what may be acknowledged, and what readers see at most. */
  readonly writtenOffset: number;
  readonly highWatermark: number;
  /** First offset of the oldest open transaction, at most the high watermark. */
  readonly lastStableOffset: number;
  /** All before it is synced. */
  readonly recoveryPoint: number;
  readonly leaderEpochs: LeaderEpochs;
  readonly producerState: ProducerState;
  readonly sizeInBytes: number;
  readonly segmentCount: number;

  append(records: Buffer, o: { readonly leaderEpoch: number; readonly origin: AppendOrigin }): AppendResult;
  /** The listener runs after each move of writtenOffset, and once with the failure when the disk fails. */
  onWritten(listener: (failure?: StorageFailure) => void): void;
  /** Moves the high watermark, within [logStartOffset, logEndOffset]. */
  setHighWatermark(offset: number): void;
  /** Throws OffsetOutOfRange. Empty when offset is at the bound. */
  read(
    offset: number,
    o: { readonly maxBytes: number; readonly minOneBatch: boolean; readonly upTo: ReadBound },
  ): LogRead | Promise<LogRead>;
  /** Writes what is queued and syncs up to the end as it is now. Rejects with StorageFailure. */
  flush(): Promise<void>;

  /** The first record with this timestamp or a later one; undefined when there is none. */
  offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined>;
  /** The first record with the greatest timestamp. */
  offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined>;
  /** KIP-101/279: the largest epoch at or below `epoch` and where it ends; {-1, -1} when unknown. */
  endOffsetForEpoch(epoch: number): { readonly leaderEpoch: number; readonly endOffset: number };

  /** DeleteRecords: nothing before `offset` is served any more. Throws OffsetOutOfRange above the high watermark. */
  advanceLogStartOffset(offset: number): void;
  truncateTo(offset: number): Promise<void>;
  /** Empties the log and lets it go on at `offset`. */
  truncateFullyAndStartAt(offset: number): Promise<void>;
  /** Retention by size, time and log start; returns how many segments went. */
  deleteOldSegments(): number;
  roll(): void;
  updateConfig(config: LogConfig): void;
  /** All batches from `from` (default: the log start), in order, up to what is written. */
  batches(from?: number): AsyncIterable<RecordBatch>;
  /** Clean: what a clean shutdown leaves (trimmed indexes, snapshot). Not clean: handles are dropped, as by a crash. */
  close(o: { readonly clean: boolean }): Promise<void>;
}
