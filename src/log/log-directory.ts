/**
 * One data directory: whose it is, what it knew when it was last stopped, its partitions, and what is done for them from time to time.
 *
 * Invariants: `.kafka_cleanshutdown` is removed before anything else is touched, and is the last thing written by a clean stop; of a partition there
 * is one Log; a checkpoint file is only ever replaced whole. Nothing lies in the directory that Apache Kafka does not know.
 * Source: LogManager of Apache Kafka; KIP-858 (directory ids), KIP-966 (broker epoch in the clean shutdown file).
 */
import { CLUSTER_METADATA_TOPIC } from '../wire/topic-name.ts';
import { type Files, StorageFailure } from '../world/files.ts';
import { Checkpoints } from './checkpoints.ts';
import { takeCleanShutdown, writeCleanShutdown } from './clean-shutdown.ts';
import { DirectoryLogs } from './directory-logs.ts';
import { startUpkeep } from './directory-upkeep.ts';
import { FileHandles } from './file-handles.ts';
import { Jobs } from './jobs.ts';
import type { LogConfig } from './log-config.ts';
import { DEFAULT_LIVE_SETTINGS, type LiveSettings, type LogDirectoryOptions } from './log-directory-options.ts';
import { LogOpener } from './log-opener.ts';
import type { Log } from './log.ts';
import { type MetaProperties, readMetaProperties, settleIdentity } from './meta-properties.ts';
import { METADATA_DIRECTORY, METADATA_TOPIC_ID } from './metadata-topic.ts';
import { directoryName, futureName, retiredName } from './partition-directory-name.ts';
import { partitionFolders } from './partition-folders.ts';
import { type ConfigOf, openPartitions } from './partition-loading.ts';
import { TailMemory } from './tail-memory.ts';

/** Held by who has the directory, as by Apache Kafka. */
export const LOCK_FILE = '.lock';
const CLOSED_AT_ONCE = 8;

export class LogDirectory {
  readonly path: string;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
  /** Whether it was stopped cleanly the last time. */
  readonly cleanShutdown: boolean;
  /** Epoch in .kafka_cleanshutdown; -1 when it was not there or did not say. */
  readonly previousBrokerEpoch: number;
  /** It keeps what it has and gets no new partitions (KIP-1066). */
  isCordoned = false;
  private readonly o: LogDirectoryOptions;
  private readonly handles: FileHandles;
  private readonly unlock: () => void;
  private readonly all: DirectoryLogs;
  private readonly checkpoints: Checkpoints;
  private live: LiveSettings;
  private readonly jobs: Jobs;
  private currentFailure: StorageFailure | undefined;
  /** Every log that was there has been opened: what the note of a clean stop has to rest on. */
  private allOpened = false;
  private stopped = false;

  private constructor(
    o: LogDirectoryOptions,
    meta: MetaProperties,
    unlock: () => void,
    shutdown: number | undefined,
    failure?: StorageFailure,
  ) {
    this.currentFailure = failure;
    this.o = o;
    this.path = o.path;
    this.live = o.live ?? DEFAULT_LIVE_SETTINGS;
    this.clusterId = meta.clusterId;
    this.nodeId = meta.nodeId;
    this.directoryId = meta.directoryId;
    this.unlock = unlock;
    this.cleanShutdown = shutdown !== undefined;
    this.previousBrokerEpoch = shutdown ?? -1;
    this.handles = new FileHandles(o.files);
    this.jobs = new Jobs({
      clock: o.clock,
      isStopped: () => this.currentFailure !== undefined,
      onFailure: (error) => this.failWith(error),
    });
    this.checkpoints = new Checkpoints({
      readable: failure === undefined,
      files: o.files,
      path: o.path,
      logs: () => this.all.ofReplicas(),
      guarded: (run) => this.guarded(run),
    });
    const opener = new LogOpener({
      directory: o,
      handles: this.handles,
      checkpoints: this.checkpoints,
      onFailure: (broken) => this.fail(broken),
      onTruncated: (topic, partition, offset) => this.onLogTruncated(topic, partition, offset),
      live: () => this.live,
    });
    this.all = new DirectoryLogs(opener, o.tailMemory ?? new TailMemory());
  }

  /** meta.properties of a directory; undefined when it was never formatted. */
  static readMetaProperties(files: Files, path: string): MetaProperties | undefined {
    return files.stat(path) === undefined ? undefined : readMetaProperties(files, path);
  }

  /**
   * Locks, checks or writes meta.properties, takes note of .kafka_cleanshutdown and removes it, reads the checkpoints. Opens no log yet.
   * Rejects with an Error that names the directory when it is in use or belongs to another node or cluster.
   */
  static async open(o: LogDirectoryOptions): Promise<LogDirectory> {
    const { files, path } = o;
    files.makeDirectory(path);
    const unlock = await files.lock(`${path}/${LOCK_FILE}`);
    if (unlock === undefined) {
      throw new Error(
        `the data directory ${path} is in use by another broker (${LOCK_FILE} is locked); stop it or name another directory`,
      );
    }
    try {
      const meta = await settleIdentity(files, path, o.identity, o.clock.now());
      const shutdown = await takeCleanShutdown(files, path);
      return new LogDirectory(o, meta, unlock, shutdown);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /** A directory that could not be opened: it has failed already. `identity` of the options is what is known of it. */
  static offline(o: LogDirectoryOptions, failure: StorageFailure): LogDirectory {
    return new LogDirectory(o, o.identity, () => undefined, undefined, failure);
  }

  get failure(): StorageFailure | undefined {
    return this.currentFailure;
  }

  /** `__cluster_metadata-0`, opened before the others (made when missing); not in the checkpoint files and always scanned, as Kafka does. */
  async openMetadataLog(config: LogConfig): Promise<Log> {
    const metadata = { topic: CLUSTER_METADATA_TOPIC, partition: 0, topicId: METADATA_TOPIC_ID };
    const wasThere = this.o.files.stat(`${this.path}/${METADATA_DIRECTORY}`) !== undefined;
    const log = await this.all.open({ ...metadata, config, cleanShutdown: false });
    log.setHighWatermark(log.logStartOffset);
    // A process that was killed may have made it and left its name to the operating system.
    if (wasThere) await this.o.files.syncDirectory(this.path);
    return log;
  }

  /**
   * Opens every partition found, and every copy that was being moved here. `configOf` gives the config of the topic with this id, or undefined: then
   * the partition is of no topic that exists, and its directory is renamed to `-stray`. A directory that names no topic, as a power cut may leave it, is
   * given the id of the topic of its name. Starts what is done from time to time. A disk that fails takes the directory offline.
   */
  openLogs(configOf: ConfigOf, topicIdOf: (topic: string) => string | undefined = () => undefined): Promise<void> {
    const { o, jobs, checkpoints, cleanShutdown, all } = this;
    return this.guarded(async () => {
      const retireLater = (path: string): void => this.removeLater(path, this.live.directoryDeleteDelayMs);
      await openPartitions({ o, jobs, logs: all, cleanShutdown, retireLater }, configOf, topicIdOf);
      this.allOpened = true;
      startUpkeep({ o, jobs, logs: all, checkpoints });
    });
  }

  /** A new, empty partition; the one there is, when there is one. */
  create(topic: string, partition: number, topicId: string, config: LogConfig): Promise<Log> {
    const { cleanShutdown } = this;
    return this.guarded(() => this.all.open({ topic, partition, topicId, config, cleanShutdown }));
  }

  /** An empty copy that will take the place of the partition's log in another directory. */
  createFuture(topic: string, partition: number, topicId: string, config: LogConfig): Promise<Log> {
    const name = futureName(topic, partition, this.o.random);
    return this.guarded(async () => {
      const copy = await this.all.openCopy({ topic, partition, topicId, config, cleanShutdown: true }, name);
      // What the file says of the partition is of a log that was here before.
      if (this.checkpoints.recoveryPoints.has(directoryName(topic, partition))) await this.checkpoint();
      return copy;
    });
  }

  /** The copy is the partition's log from now on, under the name it has: at once. `settle` gives it the other. */
  adopt(copy: Log): void {
    this.all.adopt(copy);
  }

  /** Gives an adopted copy the name of a partition's log. Nothing happens when it has been given up meanwhile. */
  settle(log: Log): Promise<void> {
    return this.guarded(async () => {
      while (log.leaderEpochs.isSaving) await log.leaderEpochs.saved();
      if (this.get(log.topic, log.partition) !== log) return;
      log.rename(`${this.path}/${directoryName(log.topic, log.partition)}`);
      await this.o.files.syncDirectory(this.path);
    });
  }

  /** The log is not the partition's any more, nor a copy of it. Its files are still there: see `retire`. */
  release(log: Log): void {
    this.all.release(log);
  }

  /** Releases it and renames its directory to `-delete`; removed after log.segment.delete.delay.ms. */
  async retire(log: Log): Promise<void> {
    this.removeLater(await this.giveUp(log, 'delete'), this.live.directoryDeleteDelayMs);
  }

  /** Releases it and renames its directory to `-stray`, where it stays. */
  async setAside(log: Log): Promise<void> {
    await this.giveUp(log, 'stray');
  }

  private async giveUp(log: Log, state: 'delete' | 'stray'): Promise<string> {
    this.release(log);
    this.checkpoints.noteGone(directoryName(log.topic, log.partition));
    await log.close({ clean: false });
    if (this.get(log.topic, log.partition) === undefined) await this.checkpoints.setCleanedOffset(log, undefined);
    const path = `${this.path}/${retiredName(log.topic, log.partition, state, this.o.random)}`;
    await this.guarded(async () => {
      this.o.files.rename(log.directory, path);
      await this.o.files.syncDirectory(this.path);
    });
    return path;
  }

  /** Retires the partition's log, and its copy where there is one. Nothing happens when there is no such partition. */
  async delete(topic: string, partition: number): Promise<void> {
    const log = await this.all.opened(topic, partition);
    for (const one of [log, this.future(topic, partition)]) if (one !== undefined) await this.retire(one);
  }

  future(topic: string, partition: number): Log | undefined {
    return this.all.copies.get(topic, partition);
  }

  futures(): Iterable<Log> {
    return this.all.copies.values();
  }

  /** How many partitions' logs and copies there are, or are being made. */
  get partitionCount(): number {
    return this.all.replicaCount;
  }

  get(topic: string, partition: number): Log | undefined {
    return this.all.get(topic, partition);
  }

  logs(): Iterable<Log> {
    return this.all.values();
  }

  /** All but the metadata log, which knows no checkpoints and is cut at its snapshots. */
  partitionLogs(): Iterable<Log> {
    return this.all.ofPartitions();
  }

  space(): { readonly totalBytes: number; readonly usableBytes: number } {
    return this.o.files.space(this.path);
  }

  private removeLater(path: string, delayMs: number): void {
    this.jobs.later(delayMs, () => {
      try {
        this.o.files.removeDirectory(path);
      } catch (error) {
        this.failWith(error);
      }
    });
  }

  /** From now on, for what is open and what will be. */
  configure(live: LiveSettings): void {
    this.live = live;
    for (const { producerState } of this.all.list()) {
      producerState.expirationMs = live.producerIdExpirationMs;
      producerState.verifiesTransactions = live.verifiesTransactions;
    }
  }

  /** The logs that are compacted. */
  *compactedLogs(): Iterable<Log> {
    for (const log of this.partitionLogs()) {
      // A copy that has just taken its log's place is still to be renamed.
      const isSettled = log.directory === `${this.path}/${directoryName(log.topic, log.partition)}`;
      if (isSettled && log.config.cleanupPolicy.includes('compact')) yield log;
    }
  }

  /** What was read by compaction and is gone has to be read again, whatever comes in its place. */
  private onLogTruncated(topic: string, partition: number, offset: number): void {
    const log = this.get(topic, partition);
    if (log === undefined || (this.cleanedOffset(log) ?? 0) <= offset) return;
    this.setCleanedOffset(log, offset).catch((error: unknown) => this.failWith(error));
  }

  /** Up to where compaction has read the log; undefined when it never has. */
  cleanedOffset(log: Log): number | undefined {
    return this.checkpoints.cleanedOffset(log);
  }

  setCleanedOffset(log: Log, offset: number): Promise<void> {
    return this.checkpoints.setCleanedOffset(log, offset);
  }

  /** Writes the checkpoint files now. */
  checkpoint(): Promise<void> {
    return this.checkpoints.saveAll();
  }

  private async guarded<T>(run: () => Promise<T>): Promise<T> {
    if (this.currentFailure !== undefined) throw this.currentFailure;
    try {
      return await run();
    } catch (error) {
      if (error instanceof StorageFailure) this.fail(error);
      throw error;
    }
  }

  private failWith(error: unknown): void {
    if (!(error instanceof StorageFailure)) throw error;
    this.fail(error);
  }

  /** The disk is not to be trusted any more: every log of the directory stops. */
  private fail(failure: StorageFailure): void {
    if (this.currentFailure !== undefined) return;
    this.currentFailure = failure;
    for (const log of this.all.list()) if (log.failure === undefined) log.fail(failure);
    this.o.onFailure?.(failure);
  }

  /** Clean: logs closed, checkpoints written, .kafka_cleanshutdown last. Not clean: everything dropped, as by a crash. */
  async stop(o: { readonly clean: boolean; readonly brokerEpoch: number }): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.jobs.stop();
    await this.all.settled();
    const clean = o.clean && this.currentFailure === undefined;
    try {
      const logs = this.all.list();
      while (logs.length > 0) await Promise.all(logs.splice(0, CLOSED_AT_ONCE).map((log) => log.close({ clean })));
      await this.checkpoints.settled();
      if (clean && this.isWhole()) await this.leaveCleanly(o.brokerEpoch);
    } finally {
      this.handles.close();
      this.unlock();
    }
  }

  /** What lies in the directory is known to be sound: the note of a clean stop may be left. */
  private isWhole(): boolean {
    return this.allOpened || this.cleanShutdown || partitionFolders(this.o.files, this.path).length === 0;
  }

  private async leaveCleanly(brokerEpoch: number): Promise<void> {
    const { files } = this.o;
    await this.checkpoint();
    await this.checkpoints.saveCleanerFile();
    await writeCleanShutdown(files, this.path, brokerEpoch);
    files.remove(`${this.path}/${LOCK_FILE}`);
  }
}
