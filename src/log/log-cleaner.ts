/**
 * Compaction of all logs of a broker: whose turn it is, the cleaning itself, and retention of the logs that are compacted.
 *
 * Again and again the dirtiest log that deserves it is cleaned; when there is none, everything rests for log.cleaner.backoff.ms. The work is done in
 * threads, which are started when there is something to do and ended when there has been nothing for a while; what happens here is choosing, and putting
 * in place what a thread has written. Invariants: a log is cleaned by one thread at most, never beyond its last stable offset or its active segment;
 * the noted offset moves only when all that it stands for is in place. Source: LogCleaner and LogCleanerManager of Apache Kafka.
 */
import type { Clock, Timer } from '../world/clock.ts';
import { StorageFailure } from '../world/files.ts';
import type { Threads } from '../world/threads.ts';
import { type CleanableRange, cleanableRange } from './cleanable-range.ts';
import { CleaningAborted, CleanerThread } from './cleaner-thread.ts';
import { type CleanedLog, cleanLog } from './cleaning.ts';
import type { LogDirectory } from './log-directory.ts';
import type { Log } from './log.ts';
import { SLOT_BYTES } from './offset-map.ts';
import { Throttle } from './throttle.ts';

export interface CleanerSettings {
  /** log.cleaner.threads; with 0 nothing is ever cleaned. */
  readonly threads: number;
  /** log.cleaner.dedupe.buffer.size, of all threads together. */
  readonly dedupeBufferBytes: number;
  /** log.cleaner.io.buffer.load.factor: of the dedupe buffer, how much may be used. */
  readonly loadFactor: number;
  /** log.cleaner.io.buffer.size, of all threads together. */
  readonly ioBufferBytes: number;
  /** log.cleaner.io.max.bytes.per.second, of all threads together, read and written. */
  readonly maxBytesPerSecond: number;
  /** log.cleaner.backoff.ms */
  readonly backoffMs: number;
}

export interface LogCleanerOptions {
  readonly clock: Clock;
  readonly threads: Threads;
  readonly directories: readonly LogDirectory[];
  readonly settings: CleanerSettings;
  /** Told of each log that was cleaned. */
  onCleaned?(cleaned: CleanedLog): void;
  /** Something unexpected is in the log: it is left alone until the next start. */
  onUncleanable?(log: Log, reason: Error): void;
}

interface Candidate {
  readonly log: Log;
  readonly directory: LogDirectory;
  readonly range: CleanableRange;
}

/** A thread that has had nothing to do for so long is ended. */
const IDLE_MS = 60_000;
/** Kafka's arrays cannot be larger. */
const LARGEST_MAP_BYTES = 0x7fff_ffff;

export class LogCleaner {
  private readonly o: LogCleanerOptions;
  private settings: CleanerSettings;
  private readonly uncleanable = new WeakSet<Log>();
  private readonly aborts = new Set<() => Promise<void>>();
  private readonly rests = new Map<Timer, () => void>();
  private workers: Promise<void>[] = [];
  /** Whoever works is to come to an end. */
  private stopped = false;
  /** There will be no other settings any more. */
  private ended = false;
  private reconfigured: Promise<void> = Promise.resolve();

  constructor(o: LogCleanerOptions) {
    this.o = o;
    this.settings = o.settings;
  }

  start(): void {
    const { threads, clock } = this.o;
    this.stopped = false;
    const throttle = new Throttle(clock, this.settings.maxBytesPerSecond);
    for (let i = 0; i < this.settings.threads; i++) {
      this.workers.push(this.work(new CleanerThread({ threads, clock, throttle })));
    }
  }

  /** Goes on with other settings: as in Apache Kafka what is being cleaned is aborted, and begun again. Resolves when that is so. */
  reconfigure(settings: CleanerSettings): Promise<void> {
    this.reconfigured = this.reconfigured.then(async () => {
      if (this.ended) return;
      await this.halt();
      this.settings = settings;
      if (!this.ended) this.start();
    });
    return this.reconfigured;
  }

  /** What is being cleaned is aborted; resolves when nothing of it touches the disk any more. */
  async stop(): Promise<void> {
    this.ended = true;
    await this.reconfigured;
    await this.halt();
  }

  private async halt(): Promise<void> {
    this.stopped = true;
    for (const [timer, wake] of this.rests) {
      timer.cancel();
      wake();
    }
    this.rests.clear();
    await Promise.all([...this.aborts].map((abort) => abort()));
    await Promise.all(this.workers);
    this.workers = [];
  }

  private async work(thread: CleanerThread): Promise<void> {
    let idleMs = 0;
    await this.rest(0);
    while (!this.stopped) {
      const cleaned = await this.cleanDirtiest(thread);
      await this.deleteOldSegments();
      idleMs = cleaned ? 0 : idleMs + this.settings.backoffMs;
      if (idleMs >= IDLE_MS) await thread.end();
      if (!cleaned) await this.rest(this.settings.backoffMs);
    }
    await thread.end();
  }

  private rest(delayMs: number): Promise<void> | undefined {
    if (this.stopped) return undefined;
    return new Promise((resolve) => {
      const timer = this.o.clock.after(delayMs, () => {
        this.rests.delete(timer);
        resolve();
      });
      this.rests.set(timer, resolve);
    });
  }

  private *compactedLogs(): Iterable<{ log: Log; directory: LogDirectory }> {
    for (const directory of this.o.directories) {
      if (directory.failure !== undefined) continue;
      for (const log of directory.compactedLogs()) if (log.isCleanable && !this.uncleanable.has(log)) yield { log, directory };
    }
  }

  /** The log with the greatest part of dirty bytes, among those that are dirty enough or have waited for too long. */
  private dirtiest(): Candidate | undefined {
    const nowMs = this.o.clock.now();
    let dirtiest: Candidate | undefined;
    for (const { log, directory } of this.compactedLogs()) {
      this.attempt(log, () => {
        const range = cleanableRange(log, directory.cleanedOffset(log), nowMs);
        if (range.isReset) this.note(log, directory, range.firstDirtyOffset);
        const isDue = (range.isOverdue && range.cleanableBytes > 0) || range.dirtyRatio > log.config.minCleanableDirtyRatio;
        if (isDue && range.dirtyRatio >= (dirtiest?.range.dirtyRatio ?? 0)) dirtiest = { log, directory, range };
      });
    }
    return dirtiest;
  }

  /** A disk that fails takes its directory offline; anything else that goes wrong is the log's own. */
  private attempt(log: Log, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.failed(log, error);
    }
  }

  private failed(log: Log, error: unknown): void {
    if (error instanceof CleaningAborted) return;
    if (error instanceof StorageFailure) {
      if (log.failure === undefined) log.fail(error);
      return;
    }
    this.uncleanable.add(log);
    this.o.onUncleanable?.(log, error instanceof Error ? error : new Error(String(error)));
  }

  /** The file is written in the background: a failure has taken the directory offline. */
  private note(log: Log, directory: LogDirectory, offset: number): void {
    directory.setCleanedOffset(log, offset).catch((error: unknown) => this.failed(log, error));
  }

  /** False when there was nothing to be cleaned, or when nothing became of it that would not be tried again at once. */
  private async cleanDirtiest(thread: CleanerThread): Promise<boolean> {
    const chosen = this.dirtiest();
    if (chosen === undefined || this.stopped) return false;
    const { log, directory } = chosen;
    let isFurther = true;
    let aborted = false;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const abort = (): Promise<void> => {
      aborted = true;
      thread.abort();
      return ended;
    };
    log.beginCleaning({ abort });
    this.aborts.add(abort);
    try {
      const cleaned = await cleanLog(log, chosen.range, {
        thread,
        ...this.memory(),
        nowMs: this.o.clock.now(),
        isAborted: () => aborted,
      });
      isFurther = cleaned.endOffset > cleaned.firstDirtyOffset;
      if (!aborted && isFurther) await directory.setCleanedOffset(log, cleaned.endOffset);
      this.o.onCleaned?.(cleaned);
    } catch (error) {
      this.failed(log, error);
    } finally {
      this.aborts.delete(abort);
      log.endCleaning();
      end();
    }
    return isFurther;
  }

  /** What one thread may use. */
  private memory(): { readonly maxKeys: number; readonly loadFactor: number; readonly readBytes: number } {
    const { threads, dedupeBufferBytes, loadFactor, ioBufferBytes } = this.settings;
    const slots = Math.floor(Math.min(LARGEST_MAP_BYTES, Math.floor(dedupeBufferBytes / threads)) / SLOT_BYTES);
    return {
      // Any number is taken for the factor, as in Apache Kafka, and with some nothing fits.
      maxKeys: Math.max(0, Math.floor(slots * loadFactor) || 0),
      loadFactor,
      readBytes: Math.max(1, Math.floor(ioBufferBytes / threads / 2)),
    };
  }

  /** Retention of what is compacted: before the log's start, and by size and time where cleanup.policy says so. */
  private async deleteOldSegments(): Promise<void> {
    for (const { log } of [...this.compactedLogs()]) {
      if (this.stopped) return;
      if (log.isCleanable) this.attempt(log, () => void log.deleteOldSegments());
    }
    await Promise.resolve();
  }
}
