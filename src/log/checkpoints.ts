/**
 * The checkpoint files of one data directory: up to where each log is synced, where it starts, and its high watermark.
 *
 * Invariants: a file is only ever replaced whole, one after the other; what has not changed is not written again. The metadata log is in none.
 * Source: LogManager and ReplicaManager.checkpointHighWatermarks of Apache Kafka.
 */
import type { Files } from '../world/files.ts';
import { formatOffsetCheckpoint, type PartitionOffset, readOffsetCheckpoint } from './checkpoint-file.ts';
import type { Log } from './log.ts';
import { directoryName } from './partition-directory-name.ts';

export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint';
export const LOG_START_FILE = 'log-start-offset-checkpoint';
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint';
export const CLEANER_FILE = 'cleaner-offset-checkpoint';

export interface CheckpointsOptions {
  readonly files: Files;
  /** The data directory. */
  readonly path: string;
  /** False: the disk has failed, and nothing is known. */
  readonly readable: boolean;
  /** The logs that the files are about, as they are when a file is written. */
  logs(): Iterable<Log>;
  /** Runs what touches the disk: a failure takes the directory offline and goes on to the caller. */
  guarded<T>(run: () => Promise<T>): Promise<T>;
}

const keyOf = ({ topic, partition }: Log): string => directoryName(topic, partition);

export class Checkpoints {
  /** As they were found at opening, by `topic-partition`. */
  readonly recoveryPoints: ReadonlyMap<string, number>;
  readonly logStarts: ReadonlyMap<string, number>;
  readonly highWatermarks: ReadonlyMap<string, number>;
  /** Up to where each log is compacted, as it is now. */
  private readonly cleaned: Map<string, number>;
  private readonly o: CheckpointsOptions;
  private readonly written = new Map<string, string>();
  private saving: Promise<void> = Promise.resolve();
  /** Partitions that are gone, and that the files may still speak of. */
  private readonly gone = new Set<string>();
  /** What was found at opening may speak of such, too. */
  private foundIsStale = true;

  constructor(o: CheckpointsOptions) {
    this.o = o;
    const read = (name: string): Map<string, number> =>
      o.readable ? readOffsetCheckpoint(o.files, `${o.path}/${name}`) : new Map<string, number>();
    this.recoveryPoints = read(RECOVERY_POINT_FILE);
    this.logStarts = read(LOG_START_FILE);
    this.highWatermarks = read(HIGH_WATERMARK_FILE);
    this.cleaned = read(CLEANER_FILE);
  }

  saveRecoveryPoints(): Promise<void> {
    return this.save(RECOVERY_POINT_FILE, () => formatOffsetCheckpoint(this.offsets((log) => log.recoveryPoint)));
  }

  /** Only of logs whose start is not simply where their first segment begins. */
  saveLogStarts(): Promise<void> {
    const startOf = (log: Log): number | undefined => {
      const first = log.segmentList()[0];
      return first !== undefined && log.logStartOffset > first.baseOffset ? log.logStartOffset : undefined;
    };
    return this.save(LOG_START_FILE, () => formatOffsetCheckpoint(this.offsets(startOf)));
  }

  saveHighWatermarks(): Promise<void> {
    return this.save(HIGH_WATERMARK_FILE, () => formatOffsetCheckpoint(this.offsets((log) => log.highWatermark)));
  }

  async saveAll(): Promise<void> {
    const gone = [...this.gone];
    await this.saveRecoveryPoints();
    await this.saveLogStarts();
    await this.saveHighWatermarks();
    for (const key of gone) this.gone.delete(key);
    this.foundIsStale = false;
  }

  noteGone(key: string): void {
    this.gone.add(key);
  }

  /**
   * For a new partition, before anything is appended to it: lines about an earlier one with its name go from the files. The next start would take
   * them for its own, and all its records for deleted. (Apache Kafka writes the files when it deletes a partition.)
   */
  async forget(key: string): Promise<void> {
    const { recoveryPoints, logStarts, highWatermarks } = this;
    const isFound = recoveryPoints.has(key) || logStarts.has(key) || highWatermarks.has(key);
    if (this.gone.has(key) || (this.foundIsStale && isFound)) await this.saveAll();
  }

  cleanedOffset(log: Log): number | undefined {
    return this.cleaned.get(keyOf(log));
  }

  /** Undefined: forgotten. The file follows at once. */
  async setCleanedOffset(log: Log, offset: number | undefined): Promise<void> {
    if (this.cleaned.get(keyOf(log)) === offset) return;
    if (offset === undefined) this.cleaned.delete(keyOf(log));
    else this.cleaned.set(keyOf(log), offset);
    await this.save(CLEANER_FILE, () => formatOffsetCheckpoint(this.offsets((each) => this.cleanedOffset(each))));
  }

  /** Kafka's cleaner leaves its file behind even where it has cleaned nothing. */
  async saveCleanerFile(): Promise<void> {
    if (this.o.files.stat(`${this.o.path}/${CLEANER_FILE}`) === undefined)
      await this.save(CLEANER_FILE, () => formatOffsetCheckpoint([]));
  }

  /** Resolves when no file is being written. */
  settled(): Promise<void> {
    return this.saving;
  }

  private offsets(offsetOf: (log: Log) => number | undefined): PartitionOffset[] {
    const offsets: PartitionOffset[] = [];
    for (const log of this.o.logs()) {
      const offset = offsetOf(log);
      if (offset !== undefined) offsets.push({ topic: log.topic, partition: log.partition, offset });
    }
    return offsets;
  }

  /** One file after the other, since each is replaced through a temporary file of its own name. */
  private save(name: string, content: () => string): Promise<void> {
    const next = this.saving.then(() =>
      this.o.guarded(async () => {
        const text = content();
        const path = `${this.o.path}/${name}`;
        // A disk that has gone away is found out here, when nothing else is written.
        if (this.written.get(name) === text && this.o.files.stat(path) !== undefined) return;
        await this.o.files.replaceFile(path, text);
        this.written.set(name, text);
      }),
    );
    this.saving = next.catch(() => undefined);
    return next;
  }
}
