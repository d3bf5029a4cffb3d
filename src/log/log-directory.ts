/**
 * One data directory. (Surface first; the bodies follow.)
 */
import type { Clock } from '../world/clock.ts';
import type { Files, StorageFailure } from '../world/files.ts';
import type { Random } from '../world/random.ts';
import type { LogConfig } from './log-config.ts';
import type { Log } from './log.ts';

/** meta.properties, version 1. */
export interface MetaProperties {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
}

export interface LogDirectoryOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly path: string;
  /** What meta.properties gets where there is none yet; where there is one, the node id has to agree. */
  readonly identity: MetaProperties;
  readonly flushSchedulerIntervalMs?: number;
  readonly flushOffsetCheckpointIntervalMs?: number;
  readonly flushStartOffsetCheckpointIntervalMs?: number;
  readonly retentionCheckIntervalMs?: number;
  readonly producerIdExpirationMs?: number;
  /** Once, when the disk failed; all logs of the directory refuse everything from then on. */
  readonly onFailure?: (failure: StorageFailure) => void;
}

export declare class LogDirectory {
  private constructor();
  /** meta.properties of a directory; undefined when it was never formatted. */
  static readMetaProperties(files: Files, path: string): MetaProperties | undefined;
  /** Locks, checks or writes meta.properties, takes note of .kafka_cleanshutdown and removes it, reads the checkpoints. Opens no log yet. */
  static open(o: LogDirectoryOptions): Promise<LogDirectory>;

  readonly path: string;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
  readonly cleanShutdown: boolean;
  /** Epoch in .kafka_cleanshutdown; -1 when it was not there. */
  readonly previousBrokerEpoch: number;
  readonly failure: StorageFailure | undefined;

  /** `__cluster_metadata-0`, opened (made when missing) before the others; not in the checkpoint files, always scanned, as Kafka does. */
  openMetadataLog(config: LogConfig): Promise<Log>;
  /**
   * Opens every partition found. `configOf` gives the config of the topic with this id, or undefined: then the partition is of no topic
   * that exists, and its directory is renamed to `-stray`.
   */
  openLogs(configOf: (topic: string, partition: number, topicId: string | null) => LogConfig | undefined): Promise<void>;
  /** A new, empty partition; the one there is, when there is one. */
  create(topic: string, partition: number, topicId: string, config: LogConfig): Promise<Log>;
  /** Renames to `-delete`; removed after file.delete.delay.ms. */
  delete(topic: string, partition: number): Promise<void>;
  get(topic: string, partition: number): Log | undefined;
  logs(): Iterable<Log>;
  space(): { readonly totalBytes: number; readonly usableBytes: number };
  /** Clean: logs closed, checkpoints written, .kafka_cleanshutdown last. Not clean: everything dropped, as by a crash. */
  stop(o: { readonly clean: boolean; readonly brokerEpoch: number }): Promise<void>;
}
