/**
 * When the metadata log is put into a snapshot, and how much of the past is kept (KIP-630).
 *
 * A snapshot is due once enough bytes have come since the last one, or when enough time has gone by and anything has come at all. The log may be cut
 * where a snapshot ends once the snapshots before that one are too old or, with the log, too large; then they go with it. The newest snapshot always
 * stays. The last record of a snapshot ends a batch of the log.
 *
 * Source: SnapshotGenerator, KafkaMetadataLog.maybeClean and RaftMetadataLogCleanerManager of Apache Kafka.
 */
import { Jobs } from '../log/jobs.ts';
import type { Log } from '../log/log.ts';
import { imageRecords } from '../machine/metadata/image-records.ts';
import type { Clock } from '../world/clock.ts';
import type { Files } from '../world/files.ts';
import {
  DELETED_SUFFIX,
  type SnapshotId,
  snapshotName,
  snapshotsIn,
  snapshotTimestamp,
  writeSnapshot,
} from './metadata-snapshot.ts';
import type { MetadataState } from './metadata-state.ts';

export interface SnapshotRules {
  /** metadata.log.max.record.bytes.between.snapshots */
  readonly maxBytesBetween: number;
  /** metadata.log.max.snapshot.interval.ms; 0: time alone is no reason. */
  readonly maxIntervalMs: number;
  /** metadata.max.retention.bytes, of log and snapshots together; negative: without end. */
  readonly retentionBytes: number;
  /** metadata.max.retention.ms; negative: without end. */
  readonly retentionMs: number;
}

export const DEFAULT_SNAPSHOT_RULES: SnapshotRules = {
  maxBytesBetween: 20 * 1024 * 1024,
  maxIntervalMs: 3_600_000,
  retentionBytes: 100 * 1024 * 1024,
  retentionMs: 604_800_000,
};

const CLEANING_INTERVAL_MS = 60_000;

export interface MetadataSnapshotsOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly state: MetadataState;
  readonly rules: SnapshotRules;
  /** Called when time has made a snapshot due. */
  onDue(): void;
  onFailure(error: unknown): void;
}

export class MetadataSnapshots {
  readonly #o: MetadataSnapshotsOptions;
  readonly #jobs: Jobs;
  #bytesSince: number;
  /** When the last snapshot was begun, or this process. */
  #lastMs: number;

  /** `bytesSince`: of the log, behind the newest snapshot. */
  constructor(o: MetadataSnapshotsOptions, bytesSince: number) {
    this.#o = o;
    this.#bytesSince = bytesSince;
    this.#lastMs = o.clock.monotonic();
    this.#jobs = new Jobs({
      clock: o.clock,
      isStopped: () => o.log.failure !== undefined,
      onFailure: (error) => o.onFailure(error),
    });
  }

  /** From now on until `stop` it is looked at from time to time what is due. */
  start(): void {
    const { rules, onDue } = this.#o;
    this.#jobs.repeat(CLEANING_INTERVAL_MS, async () => this.clean());
    if (rules.maxIntervalMs <= 0) return;
    this.#jobs.repeat(Math.min(rules.maxIntervalMs, CLEANING_INTERVAL_MS), async () => {
      if (this.isDue) onDue();
    });
  }

  noteAppended(bytes: number): void {
    this.#bytesSince += bytes;
  }

  get isDue(): boolean {
    const { maxBytesBetween, maxIntervalMs } = this.#o.rules;
    if (this.#bytesSince === 0) return false;
    const isOld = maxIntervalMs > 0 && this.#o.clock.monotonic() - this.#lastMs >= maxIntervalMs;
    return isOld || this.#bytesSince >= maxBytesBetween;
  }

  /** Puts what is committed into a snapshot. Nothing may be committed before the promise resolves. Rejects with StorageFailure. */
  async take(): Promise<void> {
    const { files, clock, log, state } = this.#o;
    const { committed, committedTimestampMs, kraftVersion, voters } = state;
    const id: SnapshotId = { endOffset: committed.offset + 1, epoch: committed.epoch };
    this.#bytesSince = 0;
    this.#lastMs = clock.monotonic();
    const newest = snapshotsIn(files, log.directory).at(-1);
    if (newest !== undefined && newest.endOffset >= id.endOffset) return;
    const contents = { id, lastTimestampMs: committedTimestampMs, kraftVersion, voters, records: imageRecords(committed) };
    await writeSnapshot(files, log.directory, contents, clock.now(), this.#jobs.slices());
  }

  /** Cuts the log behind what need not be kept. Throws StorageFailure. */
  clean(): void {
    const { files, clock, log, rules } = this.#o;
    const sizes = new Map<SnapshotId, number>();
    const { directory } = log;
    for (const id of snapshotsIn(files, directory)) sizes.set(id, files.stat(`${directory}/${snapshotName(id)}`)?.size ?? 0);
    let snapshotBytes = 0;
    for (const size of sizes.values()) snapshotBytes += size;
    this.#cutWhile([...sizes.keys()], (id) => {
      if (rules.retentionBytes < 0 || log.sizeInBytes + snapshotBytes <= rules.retentionBytes) return false;
      snapshotBytes -= sizes.get(id) ?? 0;
      return true;
    });
    this.#cutWhile(snapshotsIn(files, directory), (id) => {
      const timestamp = rules.retentionMs < 0 ? undefined : snapshotTimestamp(files, directory, id);
      return timestamp !== undefined && clock.now() - timestamp > rules.retentionMs;
    });
  }

  /** From the oldest snapshot on, as long as there is a newer one and `mayGo`. */
  #cutWhile(ids: readonly SnapshotId[], mayGo: (id: SnapshotId) => boolean): void {
    for (const [index, id] of ids.entries()) {
      const next = ids[index + 1];
      if (next === undefined || !mayGo(id) || !this.#cutBefore(next, ids.slice(0, index + 1))) return;
    }
  }

  #cutBefore(id: SnapshotId, older: readonly SnapshotId[]): boolean {
    const { files, log } = this.#o;
    if (log.logStartOffset >= id.endOffset) return false;
    log.advanceLogStartOffset(id.endOffset);
    log.deleteOldSegments();
    for (const each of older) {
      const path = `${log.directory}/${snapshotName(each)}`;
      if (files.stat(path) === undefined) continue;
      files.rename(path, path + DELETED_SUFFIX);
      this.#jobs.later(log.config.fileDeleteDelayMs, () => this.#remove(path + DELETED_SUFFIX));
    }
    return true;
  }

  #remove(path: string): void {
    try {
      this.#o.files.remove(path);
    } catch (error) {
      this.#o.onFailure(error);
    }
  }

  stop(): void {
    this.#jobs.stop();
  }
}
