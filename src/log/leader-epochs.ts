/**
 * Where each leader epoch of a log began: how a follower finds out where its copy parts from the leader's (KIP-101, KIP-279).
 *
 * Invariants: epochs and start offsets both rise. What is changed here reaches the file `leader-epoch-checkpoint` with `save`, in the background: at
 * the first record of an epoch and at truncations, but not when a leader takes office, since an epoch that begins where the log ends is forgotten at
 * the next start anyway (Apache Kafka writes the file then, which costs a start with thousands of partitions seconds). The log's recovery point does
 * not pass an epoch whose entry is not in the file. Source: LeaderEpochFileCache of Apache Kafka.
 */
import { type Files, StorageFailure } from '../world/files.ts';
import { formatCheckpoint, readCheckpoint } from './checkpoint-file.ts';

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint';

export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

export interface EpochEnd {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

const UNKNOWN: EpochEnd = { leaderEpoch: -1, endOffset: -1 };

const NO_ENTRIES: readonly EpochEntry[] = [];

export class LeaderEpochs {
  private readonly files: Files;
  private directory: string;
  private list: readonly EpochEntry[] = NO_ENTRIES;
  private writing: Promise<void> | undefined;
  /** The file does not say what the memory says. */
  private stale = false;
  private failure: StorageFailure | undefined;
  private owner: { fail(failure: StorageFailure): void } | undefined;

  /** `isThere`: whether the directory has the file, where the caller knows. */
  constructor(files: Files, directory: string, isThere = true) {
    this.files = files;
    this.directory = directory;
    if (!isThere) return;
    for (const [epoch, startOffset] of readCheckpoint(files, this.path) ?? []) {
      this.insert({ epoch: Number(epoch), startOffset: Number(startOffset) });
    }
  }

  private get path(): string {
    return `${this.directory}/${LEADER_EPOCH_FILE}`;
  }

  /** The file is in another directory from now on. Nothing may be being saved: see `saved`. */
  relocate(directory: string): void {
    this.directory = directory;
  }

  /** The file is being written. */
  get isSaving(): boolean {
    return this.writing !== undefined;
  }

  entries(): readonly EpochEntry[] {
    return this.list;
  }

  get earliest(): EpochEntry | undefined {
    return this.list[0];
  }

  get latest(): EpochEntry | undefined {
    return this.list[this.list.length - 1];
  }

  /** -1 when nothing is known. */
  get latestEpoch(): number {
    return this.latest?.epoch ?? -1;
  }

  /** Notes that `epoch` begins at `startOffset`; entries that contradict it go. */
  assign(epoch: number, startOffset: number): void {
    const { latest } = this;
    if (latest !== undefined && latest.epoch === epoch && startOffset >= latest.startOffset) return;
    if (this.insert({ epoch, startOffset })) this.stale = true;
  }

  private insert(entry: EpochEntry): boolean {
    const { latest } = this;
    if (!(entry.epoch >= 0 && entry.startOffset >= 0)) return false;
    if (latest !== undefined && latest.epoch === entry.epoch && entry.startOffset >= latest.startOffset) return false;
    let keep = this.list.length;
    while (keep > 0) {
      const last = this.list[keep - 1];
      if (last === undefined || (last.epoch < entry.epoch && last.startOffset < entry.startOffset)) break;
      keep--;
    }
    this.list = [...this.list.slice(0, keep), entry];
    return true;
  }

  /** Forgets epochs that begin at or after `endOffset`. */
  truncateFromEnd(endOffset: number): void {
    const kept = this.list.filter((entry) => entry.startOffset < endOffset);
    if (kept.length === this.list.length) return;
    this.list = kept;
    this.stale = true;
  }

  /** The epoch that `startOffset` belongs to begins there from now on; older ones go. */
  truncateFromStart(startOffset: number): void {
    const before = this.list.filter((entry) => entry.startOffset <= startOffset);
    const last = before[before.length - 1];
    if (last === undefined || (before.length === 1 && last.startOffset === startOffset)) return;
    this.list = [{ epoch: last.epoch, startOffset }, ...this.list.slice(before.length)];
    this.stale = true;
  }

  clear(): void {
    if (this.list.length === 0) return;
    this.list = NO_ENTRIES;
    this.stale = true;
  }

  /** The epoch that the record at `offset` was written in; -1 when unknown. */
  epochOf(offset: number): number {
    let epoch = -1;
    for (const entry of this.list) {
      if (entry.startOffset > offset) break;
      epoch = entry.epoch;
    }
    return epoch;
  }

  /** The largest epoch at or below `epoch` and one past its last offset; {-1, -1} when that is not known. */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd {
    if (epoch === UNKNOWN.leaderEpoch) return UNKNOWN;
    if (epoch === this.latestEpoch) return { leaderEpoch: epoch, endOffset: logEndOffset };
    const higher = this.list.findIndex((entry) => entry.epoch > epoch);
    const next = this.list[higher];
    if (next === undefined) return UNKNOWN;
    const floor = this.list[higher - 1];
    return { leaderEpoch: floor?.epoch ?? epoch, endOffset: next.startOffset };
  }

  /** Tells of a save that has failed, also of one that already has. */
  reportTo(owner: { fail(failure: StorageFailure): void }): void {
    this.owner = owner;
    if (this.failure !== undefined) owner.fail(this.failure);
  }

  /** Puts what has changed into the file, in the background. */
  save(): void {
    if (this.stale) this.writing ??= this.write();
  }

  private async write(): Promise<void> {
    try {
      while (this.stale) {
        this.stale = false;
        const lines = this.list.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`);
        await this.files.replaceFile(this.path, formatCheckpoint(lines));
      }
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
      this.failure = error;
      this.owner?.fail(error);
    } finally {
      // In the same step as the last look at `stale`: whoever saves after it begins anew.
      this.writing = undefined;
    }
  }

  /** Resolves when the file says what the memory said at the last `save`. */
  async saved(): Promise<void> {
    await this.writing;
  }
}
