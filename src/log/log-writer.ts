/**
 * What is appended but not yet written, and what is written but not yet synced.
 *
 * All that is queued in one turn of the event loop goes out in one vectored write at its end. Syncs are shared: whoever asks while one is running
 * waits for the next one, which serves all.
 *
 * Invariants: recoveryPoint <= fileOffset and writtenOffset <= fileOffset <= queuedOffset; `writtenOffset` never falls but by truncation, and where
 * flush.messages asks for a sync it moves only with the recovery point. After a failed write or sync nothing moves any more.
 */
import { release } from '../wire/recycled-memory.ts';
import type { Clock } from '../world/clock.ts';
import { type Files, StorageFailure } from '../world/files.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { Segment } from './segment.ts';

const RECENT_MS = 30_000;

export interface LogWriterOptions {
  readonly clock: Clock;
  readonly files: Files;
  /** Where the files of the log are now. */
  directory(): string;
  readonly leaderEpochs: LeaderEpochs;
  readonly segments: { readonly active: Segment };
  /** Runs after `writtenOffset` has moved. */
  readonly onWritten: () => void;
  readonly onFailure: (failure: StorageFailure) => void;
}

interface Waiter {
  readonly offset: number;
  readonly resolve: () => void;
  readonly reject: (failure: StorageFailure) => void;
}

/** Buffers that lie behind each other in the same memory as one. */
function joined(buffers: readonly Buffer[]): Buffer[] {
  const runs: Buffer[] = [];
  for (let i = 0; i < buffers.length; ) {
    const first = buffers[i] as Buffer;
    let size = first.length;
    for (i++; i < buffers.length; i++) {
      const next = buffers[i] as Buffer;
      if (next.buffer !== first.buffer || next.byteOffset !== first.byteOffset + size) break;
      size += next.length;
    }
    runs.push(size === first.length ? first : Buffer.from(first.buffer, first.byteOffset, size));
  }
  return runs;
}

export class LogWriter {
  private readonly o: LogWriterOptions;
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private scheduled = false;
  /** One past the last offset that is queued or written. */
  queuedOffset = 0;
  /** One past the last offset in the file. */
  fileOffset = 0;
  writtenOffset = 0;
  recoveryPoint = 0;
  /** flush.messages. */
  flushMessages = Number.MAX_SAFE_INTEGER;
  /** When something was last synced. */
  lastSyncMs: number;
  /** When something was last written here, by the monotonic clock. */
  private lastWriteMs = Number.NEGATIVE_INFINITY;
  /** Rolled segments not known to be synced, oldest first. */
  private rolled: Segment[] = [];
  /** The names of files that are not known to be synced: the directory has to be. */
  private directoryChanged = false;
  private wantedOffset = 0;
  private syncing = false;
  private running: Promise<void> | undefined;
  private waiters: Waiter[] = [];
  private failure: StorageFailure | undefined;
  /** Rises with each truncation, so that a sync that was under way does not move what has changed. */
  private generation = 0;

  constructor(o: LogWriterOptions) {
    this.o = o;
    this.lastSyncMs = o.clock.now();
  }

  /** Where everything stands after opening or truncation. */
  reset(endOffset: number, recoveryPoint: number): void {
    this.generation++;
    this.queuedOffset = endOffset;
    this.fileOffset = endOffset;
    this.writtenOffset = endOffset;
    this.recoveryPoint = Math.min(recoveryPoint, endOffset);
    this.wantedOffset = Math.min(this.wantedOffset, endOffset);
  }

  /** Bytes of the active segment that are in its file. */
  get writtenSize(): number {
    return this.o.segments.active.size - this.queuedBytes;
  }

  /** Whether what was last written is surely still in the operating system's memory. */
  get wroteRecently(): boolean {
    return this.o.clock.monotonic() - this.lastWriteMs < RECENT_MS;
  }

  get isIdle(): boolean {
    return this.queue.length === 0 && !this.syncing;
  }

  /** `records` are released when they are written. */
  enqueue(records: Buffer, endOffset: number): void {
    this.queue.push(records);
    this.queuedBytes += records.length;
    this.queuedOffset = endOffset;
    if (this.scheduled) return;
    this.scheduled = true;
    this.o.clock.endOfTurn(() => {
      this.scheduled = false;
      if (this.failure !== undefined) return;
      try {
        this.write();
        this.advance();
      } catch (error) {
        this.fail(error);
      }
    });
  }

  /** Puts what is queued into the file of the active segment. Throws StorageFailure. */
  write(): void {
    if (this.queue.length === 0) return;
    const segment = this.o.segments.active;
    const position = this.writtenSize;
    segment.handles.file(segment.path).write(joined(this.queue), position);
    for (const records of this.queue) release(records);
    this.queue = [];
    this.queuedBytes = 0;
    this.fileOffset = this.queuedOffset;
    this.lastWriteMs = this.o.clock.monotonic();
  }

  /** Moves `writtenOffset` as far as it may go; asks for a sync where flush.messages wants one. */
  advance(): void {
    const due = this.fileOffset - this.recoveryPoint >= this.flushMessages;
    const offset = due ? Math.max(this.writtenOffset, this.recoveryPoint) : this.fileOffset;
    if (due) this.want(this.fileOffset);
    if (offset === this.writtenOffset) return;
    this.writtenOffset = offset;
    this.o.onWritten();
  }

  /** What was found at opening and is not known to be synced: a process that died may have left it to the operating system. */
  noteUnsynced(segments: readonly Segment[]): void {
    this.rolled = [...segments];
    this.directoryChanged = true;
  }

  /** The active segment has ended with what is written; the next one is in place. It is synced in the background. */
  noteRolled(segment: Segment): void {
    this.rolled.push(segment);
    this.noteNewFile();
    this.want(this.fileOffset);
  }

  noteNewFile(): void {
    this.directoryChanged = true;
  }

  /** The segment is being deleted: there is nothing to sync any more. */
  forget(segment: Segment): void {
    this.rolled = this.rolled.filter((other) => other !== segment);
  }

  /** Writes what is queued and resolves when all of it is synced. */
  flush(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    try {
      this.write();
      this.advance();
    } catch (error) {
      return Promise.reject(this.fail(error));
    }
    const offset = this.fileOffset;
    if (this.recoveryPoint >= offset && !this.directoryChanged && !this.syncing) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiters.push({ offset, resolve, reject });
      this.want(offset);
    });
  }

  private want(offset: number): void {
    this.wantedOffset = Math.max(this.wantedOffset, offset);
    if (this.syncing) return;
    this.syncing = true;
    this.running = this.syncAll().catch((error: unknown) => {
      this.syncing = false;
      this.fail(error);
    });
  }

  private async syncAll(): Promise<void> {
    for (;;) {
      const { generation } = this;
      const target = this.fileOffset;
      const active = this.o.segments.active;
      const ended = [...this.rolled];
      const withDirectory = this.directoryChanged;
      this.directoryChanged = false;
      // A segment that was deleted meanwhile is not looked at: opening its file would bring it back.
      for (const segment of ended) if (this.rolled.includes(segment)) await segment.sync(true);
      // A roll alone asks for what it ended, not for the segment that follows.
      const withActive = this.wantedOffset > active.baseOffset || this.waiters.length > 0;
      const isThere = active === this.o.segments.active || this.rolled.includes(active);
      if (withActive && isThere) await active.sync(false);
      if (withDirectory) await this.o.files.syncDirectory(this.o.directory());
      await this.o.leaderEpochs.saved();
      if (this.failure !== undefined) break;
      if (generation === this.generation) {
        this.rolled = this.rolled.filter((segment) => !ended.includes(segment));
        this.recoveryPoint = Math.max(this.recoveryPoint, withActive ? target : Math.min(target, active.baseOffset));
        this.lastSyncMs = this.o.clock.now();
        this.advance();
      }
      this.release();
      if (this.recoveryPoint >= this.wantedOffset && this.waiters.length === 0) break;
    }
    // In the same step as the decision to end: whoever asks after it has to begin anew.
    this.syncing = false;
  }

  private release(): void {
    const { waiters, recoveryPoint } = this;
    this.waiters = waiters.filter((waiter) => waiter.offset > recoveryPoint && waiter.offset <= this.fileOffset);
    for (const waiter of waiters) if (!this.waiters.includes(waiter)) waiter.resolve();
  }

  /** Stops everything; what waits is told. Anything but a StorageFailure is a broken invariant and goes on. */
  fail(error: unknown): StorageFailure {
    if (!(error instanceof StorageFailure)) throw error;
    if (this.failure !== undefined) return this.failure;
    this.failure = error;
    this.queue = [];
    for (const waiter of this.waiters) waiter.reject(error);
    this.waiters = [];
    this.o.onFailure(error);
    return error;
  }

  /** Resolves when no sync is under way. */
  async settled(): Promise<void> {
    while (this.syncing) await this.running;
  }

  /** Nothing is written any more, as if the process had died. */
  abandon(): void {
    this.queue = [];
    this.queuedBytes = 0;
    this.failure ??= new StorageFailure('use', this.o.directory(), 'closed');
    for (const waiter of this.waiters) waiter.reject(this.failure);
    this.waiters = [];
  }
}
