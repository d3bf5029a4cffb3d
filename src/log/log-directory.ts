/**
 * One data directory: whose it is, what it knew when it was last stopped, its partitions, and what is done for them from time to time.
 *
 * Invariants: `.kafka_cleanshutdown` is removed before anything else is touched, and is the last thing written by a clean stop; of a partition there
 * is one Log; a checkpoint file is only ever replaced whole. Nothing lies in the directory that Apache Kafka does not know.
 * Source: LogManager of Apache Kafka; KIP-858 (directory ids), KIP-966 (broker epoch in the clean shutdown file).
 */
import type { Clock, Timer } from '../world/clock.ts';
import { type Files, StorageFailure } from '../world/files.ts';
import type { Random } from '../world/random.ts';
import { formatOffsetCheckpoint, type PartitionOffset, readOffsetCheckpoint } from './checkpoint-file.ts';
import { FileHandles } from './file-handles.ts';
import type { LogConfig } from './log-config.ts';
import { Log } from './log.ts';
import { formatMetaProperties, META_PROPERTIES_FILE, type MetaProperties, readMetaProperties } from './meta-properties.ts';
import { parseDirectoryName, retiredName } from './partition-directory-name.ts';
import { readPartitionMetadata } from './partition-metadata.ts';
import type { TailMemory } from './tail-memory.ts';

export const METADATA_TOPIC = '__cluster_metadata';
const METADATA_DIRECTORY = `${METADATA_TOPIC}-0`;
/** Of the metadata topic, the same in every cluster. */
const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';
const LOCK_FILE = '.lock';
const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint';
const LOG_START_FILE = 'log-start-offset-checkpoint';
const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint';
const CLEANER_FILE = 'cleaner-offset-checkpoint';
/** Kept by Apache Kafka's tiered storage; no partition. */
const REMOTE_INDEX_CACHE = 'remote-log-index-cache';

const FIRST_RETENTION_CHECK_MS = 30_000;
/** How long opening or cleaning may hold the event loop before others get a turn. */
const SLICE_MS = 20;
const OPENED_AT_ONCE = 8;

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
  /** producer.id.expiration.ms */
  readonly producerIdExpirationMs?: number;
  /** producer.id.expiration.check.interval.ms */
  readonly producerIdExpirationCheckIntervalMs?: number;
  /** Shared by all directories of a broker. */
  readonly tailMemory?: TailMemory;
  /** Once, when the disk failed; all logs of the directory refuse everything from then on. */
  readonly onFailure?: (failure: StorageFailure) => void;
}

const keyOf = (topic: string, partition: number): string => `${topic}-${partition}`;

export class LogDirectory {
  readonly path: string;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
  /** Whether it was stopped cleanly the last time. */
  readonly cleanShutdown: boolean;
  /** Epoch in .kafka_cleanshutdown; -1 when it was not there or did not say. */
  readonly previousBrokerEpoch: number;
  private readonly o: LogDirectoryOptions;
  private readonly handles: FileHandles;
  private readonly unlock: () => void;
  private readonly all = new Map<string, Log>();
  private readonly opening = new Map<string, Promise<Log>>();
  private readonly recoveryPoints: ReadonlyMap<string, number>;
  private readonly logStarts: ReadonlyMap<string, number>;
  private readonly highWatermarks: ReadonlyMap<string, number>;
  private readonly timers = new Set<Timer>();
  /** What each checkpoint file holds, so that what has not changed is not written. */
  private readonly written = new Map<string, string>();
  private saving: Promise<void> = Promise.resolve();
  private currentFailure: StorageFailure | undefined;
  private stopped = false;

  private constructor(o: LogDirectoryOptions, meta: MetaProperties, unlock: () => void, shutdown: number | undefined) {
    this.o = o;
    this.path = o.path;
    this.clusterId = meta.clusterId;
    this.nodeId = meta.nodeId;
    this.directoryId = meta.directoryId;
    this.unlock = unlock;
    this.cleanShutdown = shutdown !== undefined;
    this.previousBrokerEpoch = shutdown ?? -1;
    this.handles = new FileHandles(o.files);
    this.recoveryPoints = readOffsetCheckpoint(o.files, `${o.path}/${RECOVERY_POINT_FILE}`);
    this.logStarts = readOffsetCheckpoint(o.files, `${o.path}/${LOG_START_FILE}`);
    this.highWatermarks = readOffsetCheckpoint(o.files, `${o.path}/${HIGH_WATERMARK_FILE}`);
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
      const meta = await settleIdentity(o);
      const shutdown = takeCleanShutdown(files, path);
      // If the note came back after a power cut, torn logs would be taken for clean ones.
      if (shutdown !== undefined) await files.syncDirectory(path);
      return new LogDirectory(o, meta, unlock, shutdown);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  get failure(): StorageFailure | undefined {
    return this.currentFailure;
  }

  /** `__cluster_metadata-0`, opened before the others (made when missing); not in the checkpoint files and always scanned, as Kafka does. */
  async openMetadataLog(config: LogConfig): Promise<Log> {
    const log = await this.openLog(METADATA_TOPIC, 0, METADATA_TOPIC_ID, config, { cleanShutdown: false });
    log.setHighWatermark(log.logStartOffset);
    return log;
  }

  /**
   * Opens every partition found. `configOf` gives the config of the topic with this id, or undefined: then the partition is of no topic that exists,
   * and its directory is renamed to `-stray`. Starts what is done from time to time.
   */
  async openLogs(configOf: (topic: string, partition: number, topicId: string | null) => LogConfig | undefined): Promise<void> {
    const { files, clock } = this.o;
    const found = this.listPartitions();
    const pending: Promise<unknown>[] = [];
    let sliceStart = clock.monotonic();
    for (const { topic, partition, name } of found) {
      const topicId = readPartitionMetadata(files, `${this.path}/${name}`) ?? null;
      const config = configOf(topic, partition, topicId);
      if (config === undefined) {
        files.rename(`${this.path}/${name}`, `${this.path}/${retiredName(topic, partition, 'stray', this.o.random)}`);
        continue;
      }
      const opening = this.openLog(topic, partition, topicId, config, { cleanShutdown: this.cleanShutdown });
      // Waited for below; one that fails before that must not count as a failure that nobody looks at.
      opening.catch(() => undefined);
      pending.push(opening);
      if (pending.length >= OPENED_AT_ONCE) await Promise.all(pending.splice(0));
      if (clock.monotonic() - sliceStart < SLICE_MS) continue;
      await new Promise<void>((resolve) => clock.endOfTurn(resolve));
      sliceStart = clock.monotonic();
    }
    await Promise.all(pending);
    this.startJobs();
  }

  /** Live partitions' directories. Leftovers of deletions are scheduled for removal; strays and moves are left alone. */
  private listPartitions(): { topic: string; partition: number; name: string }[] {
    const found: { topic: string; partition: number; name: string }[] = [];
    for (const { name, directory } of this.o.files.list(this.path)) {
      if (!directory || name === METADATA_DIRECTORY || name === REMOTE_INDEX_CACHE) continue;
      const parsed = parseDirectoryName(name);
      if (parsed === undefined) {
        throw new Error(
          `${this.path}/${name} is not in the form of topic-partition; a data directory may hold nothing but Kafka's topic data`,
        );
      }
      if (parsed.state === 'live') found.push({ topic: parsed.topic, partition: parsed.partition, name });
      if (parsed.state === 'delete') this.removeLater(`${this.path}/${name}`, 0);
    }
    return found;
  }

  private openLog(
    topic: string,
    partition: number,
    topicId: string | null,
    config: LogConfig,
    { cleanShutdown }: { readonly cleanShutdown: boolean },
  ): Promise<Log> {
    const key = keyOf(topic, partition);
    const known = this.all.get(key);
    if (known !== undefined) return Promise.resolve(known);
    let opening = this.opening.get(key);
    if (opening === undefined) {
      opening = this.openOnce(topic, partition, topicId, config, cleanShutdown).finally(() => this.opening.delete(key));
      this.opening.set(key, opening);
    }
    return opening;
  }

  private async openOnce(
    topic: string,
    partition: number,
    topicId: string | null,
    config: LogConfig,
    cleanShutdown: boolean,
  ): Promise<Log> {
    const { o } = this;
    const key = keyOf(topic, partition);
    const isNew = o.files.stat(`${this.path}/${key}`) === undefined;
    const log = await Log.open({
      files: o.files,
      clock: o.clock,
      random: o.random,
      directory: `${this.path}/${key}`,
      topic,
      partition,
      topicId,
      config,
      recoveryPoint: isNew ? 0 : (this.recoveryPoints.get(key) ?? 0),
      logStartOffset: isNew ? 0 : (this.logStarts.get(key) ?? 0),
      cleanShutdown: cleanShutdown || isNew,
      handles: this.handles,
      ...(o.producerIdExpirationMs === undefined ? {} : { producerIdExpirationMs: o.producerIdExpirationMs }),
      ...(o.tailMemory === undefined ? {} : { tailMemory: o.tailMemory }),
      onFailure: (failure) => this.fail(failure),
    });
    if (!isNew) log.setHighWatermark(this.highWatermarks.get(key) ?? log.logStartOffset);
    this.all.set(key, log);
    return log;
  }

  /** A new, empty partition; the one there is, when there is one. */
  create(topic: string, partition: number, topicId: string, config: LogConfig): Promise<Log> {
    return this.guarded(() => this.openLog(topic, partition, topicId, config, { cleanShutdown: this.cleanShutdown }));
  }

  /** Renames to `-delete`; removed after file.delete.delay.ms. Nothing happens when there is no such partition. */
  async delete(topic: string, partition: number): Promise<void> {
    const key = keyOf(topic, partition);
    await this.opening.get(key);
    const log = this.all.get(key);
    if (log === undefined) return;
    this.all.delete(key);
    await log.close({ clean: false });
    const retired = `${this.path}/${retiredName(topic, partition, 'delete', this.o.random)}`;
    await this.guarded(async () => {
      this.o.files.rename(log.directory, retired);
      await this.o.files.syncDirectory(this.path);
    });
    this.removeLater(retired, log.config.fileDeleteDelayMs);
  }

  get(topic: string, partition: number): Log | undefined {
    return this.all.get(keyOf(topic, partition));
  }

  logs(): Iterable<Log> {
    return this.all.values();
  }

  space(): { readonly totalBytes: number; readonly usableBytes: number } {
    return this.o.files.space(this.path);
  }

  private removeLater(path: string, delayMs: number): void {
    this.later(delayMs, () => {
      try {
        this.o.files.removeDirectory(path);
      } catch (error) {
        this.failWith(error);
      }
    });
  }

  private later(delayMs: number, run: () => void): void {
    // A job that a stop has overtaken plans no next time.
    if (this.stopped) return;
    const timer = this.o.clock.after(delayMs, () => {
      this.timers.delete(timer);
      if (!this.stopped && this.currentFailure === undefined) run();
    });
    this.timers.add(timer);
  }

  private startJobs(): void {
    const { o } = this;
    const never = Number.MAX_SAFE_INTEGER;
    this.repeat(o.flushOffsetCheckpointIntervalMs ?? 60_000, () => this.saveRecoveryPoints());
    this.repeat(o.flushStartOffsetCheckpointIntervalMs ?? 60_000, () => this.saveLogStarts());
    this.repeat(o.highWatermarkCheckpointIntervalMs ?? 5_000, () => this.saveHighWatermarks());
    this.repeat(o.flushSchedulerIntervalMs ?? never, () => this.flushDue());
    this.repeat(o.producerIdExpirationCheckIntervalMs ?? 600_000, () => this.inSlices((log) => log.removeExpiredProducers()));
    this.repeat(o.retentionCheckIntervalMs ?? 300_000, () => this.deleteOldSegments(), FIRST_RETENTION_CHECK_MS);
  }

  private repeat(intervalMs: number, run: () => Promise<void>, firstMs: number = intervalMs): void {
    if (intervalMs >= Number.MAX_SAFE_INTEGER) return;
    const again = (): void => {
      run().then(
        () => this.later(intervalMs, again),
        (error: unknown) => this.failWith(error),
      );
    };
    this.later(firstMs, again);
  }

  private async inSlices(run: (log: Log) => void): Promise<void> {
    const { clock } = this.o;
    let sliceStart = clock.monotonic();
    const logs = [...this.all.values()];
    for (const log of logs) {
      if (this.stopped || this.currentFailure !== undefined) return;
      run(log);
      if (clock.monotonic() - sliceStart < SLICE_MS) continue;
      await new Promise<void>((resolve) => clock.endOfTurn(resolve));
      sliceStart = clock.monotonic();
    }
  }

  /** Retention, for every log but the metadata log, which is cut at its snapshots. */
  deleteOldSegments(): Promise<void> {
    return this.inSlices((log) => {
      if (log.topic !== METADATA_TOPIC && this.all.has(keyOf(log.topic, log.partition))) log.deleteOldSegments();
    });
  }

  /** flush.ms: what has waited too long for its sync. */
  private async flushDue(): Promise<void> {
    const now = this.o.clock.now();
    const due = [...this.all.values()].filter(
      (log) => log.recoveryPoint < log.logEndOffset && now - log.lastFlushMs >= log.config.flushMs,
    );
    for (const log of due) await log.flush();
  }

  private offsets(offsetOf: (log: Log) => number | undefined): PartitionOffset[] {
    const offsets: PartitionOffset[] = [];
    for (const log of this.all.values()) {
      const offset = log.topic === METADATA_TOPIC ? undefined : offsetOf(log);
      if (offset !== undefined) offsets.push({ topic: log.topic, partition: log.partition, offset });
    }
    return offsets;
  }

  /** One file after the other, since each is replaced through a temporary file of its own name. */
  private save(name: string, content: () => string): Promise<void> {
    const next = this.saving.then(() =>
      this.guarded(async () => {
        const text = content();
        if (this.written.get(name) === text) return;
        await this.o.files.replaceFile(`${this.path}/${name}`, text);
        this.written.set(name, text);
      }),
    );
    this.saving = next.catch(() => undefined);
    return next;
  }

  private saveRecoveryPoints(): Promise<void> {
    return this.save(RECOVERY_POINT_FILE, () => formatOffsetCheckpoint(this.offsets((log) => log.recoveryPoint)));
  }

  /** Only of logs whose start is not simply where their first segment begins. */
  private saveLogStarts(): Promise<void> {
    const startOf = (log: Log): number | undefined => {
      const first = log.segmentList()[0];
      return first !== undefined && log.logStartOffset > first.baseOffset ? log.logStartOffset : undefined;
    };
    return this.save(LOG_START_FILE, () => formatOffsetCheckpoint(this.offsets(startOf)));
  }

  private saveHighWatermarks(): Promise<void> {
    return this.save(HIGH_WATERMARK_FILE, () => formatOffsetCheckpoint(this.offsets((log) => log.highWatermark)));
  }

  /** Writes the checkpoint files now. */
  async checkpoint(): Promise<void> {
    await this.saveRecoveryPoints();
    await this.saveLogStarts();
    await this.saveHighWatermarks();
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
    for (const log of this.all.values()) if (log.failure === undefined) log.fail(failure);
    this.o.onFailure?.(failure);
  }

  /** Clean: logs closed, checkpoints written, .kafka_cleanshutdown last. Not clean: everything dropped, as by a crash. */
  async stop(o: { readonly clean: boolean; readonly brokerEpoch: number }): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
    await Promise.allSettled(this.opening.values());
    const clean = o.clean && this.currentFailure === undefined;
    try {
      const logs = [...this.all.values()];
      while (logs.length > 0) await Promise.all(logs.splice(0, OPENED_AT_ONCE).map((log) => log.close({ clean })));
      await this.saving;
      if (clean) await this.writeCleanShutdown(o.brokerEpoch);
    } finally {
      this.handles.close();
      this.unlock();
    }
  }

  private async writeCleanShutdown(brokerEpoch: number): Promise<void> {
    const { files } = this.o;
    await this.checkpoint();
    if (files.stat(`${this.path}/${CLEANER_FILE}`) === undefined) await this.save(CLEANER_FILE, () => formatOffsetCheckpoint([]));
    await files.replaceFile(`${this.path}/${CLEAN_SHUTDOWN_FILE}`, JSON.stringify({ version: 0, brokerEpoch }));
    files.remove(`${this.path}/${LOCK_FILE}`);
  }
}

async function settleIdentity({ files, path, identity, clock }: LogDirectoryOptions): Promise<MetaProperties> {
  const stored = readMetaProperties(files, path);
  if (stored === undefined) {
    await files.replaceFile(`${path}/${META_PROPERTIES_FILE}`, formatMetaProperties(identity, clock.now()));
    return identity;
  }
  if (stored.nodeId !== identity.nodeId) {
    throw new Error(
      `${path} belongs to node ${stored.nodeId}, but node.id is ${identity.nodeId}; correct node.id or name another directory`,
    );
  }
  if (stored.clusterId !== identity.clusterId) {
    throw new Error(`${path} belongs to cluster ${stored.clusterId}, not ${identity.clusterId}; name another directory`);
  }
  return stored;
}

/** The broker epoch of the last clean stop, -1 where the file does not say; undefined when the stop was not clean. The file is gone afterwards. */
function takeCleanShutdown(files: Files, directory: string): number | undefined {
  const path = `${directory}/${CLEAN_SHUTDOWN_FILE}`;
  if (files.stat(path) === undefined) return undefined;
  const epoch = /"brokerEpoch"\s*:\s*(-?\d+)/.exec(files.readFile(path).toString('utf8'))?.[1];
  files.remove(path);
  return epoch === undefined ? -1 : Number(epoch);
}
