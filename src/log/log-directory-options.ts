/** What a data directory is given. */
import type { Clock } from '../world/clock.ts';
import type { Files, StorageFailure } from '../world/files.ts';
import type { Random } from '../world/random.ts';
import type { MetaProperties } from './meta-properties.ts';
import type { TailMemory } from './tail-memory.ts';

/** What may change while the directory is open. */
export interface LiveSettings {
  /** producer.id.expiration.ms */
  readonly producerIdExpirationMs: number;
  /** log.segment.delete.delay.ms: how long the directory of a deleted partition stays. Its segments go by their topic's file.delete.delay.ms. */
  readonly directoryDeleteDelayMs: number;
  /** transaction.partition.verification.enable */
  readonly verifiesTransactions: boolean;
}

export const DEFAULT_LIVE_SETTINGS: LiveSettings = {
  producerIdExpirationMs: 86_400_000,
  directoryDeleteDelayMs: 60_000,
  verifiesTransactions: true,
};

export interface LogDirectoryOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly path: string;
  /** What meta.properties gets where there is none yet; where there is one, cluster id and node id have to agree. */
  readonly identity: MetaProperties;
  /** log.flush.scheduler.interval.ms: how often flush.ms is looked at; default never. */
  readonly flushSchedulerIntervalMs?: number;
  /** log.flush.offset.checkpoint.interval.ms */
  readonly flushOffsetCheckpointIntervalMs?: number;
  /** log.flush.start.offset.checkpoint.interval.ms */
  readonly flushStartOffsetCheckpointIntervalMs?: number;
  /** replica.high.watermark.checkpoint.interval.ms */
  readonly highWatermarkCheckpointIntervalMs?: number;
  /** log.retention.check.interval.ms */
  readonly retentionCheckIntervalMs?: number;
  /** As they are at opening; `LogDirectory.configure` changes them. */
  readonly live?: LiveSettings;
  /** producer.id.expiration.check.interval.ms */
  readonly producerIdExpirationCheckIntervalMs?: number;
  /** Shared by all directories of a broker. */
  readonly tailMemory?: TailMemory;
  /** Once, when the disk failed; all logs of the directory refuse everything from then on. */
  readonly onFailure?: (failure: StorageFailure) => void;
}
