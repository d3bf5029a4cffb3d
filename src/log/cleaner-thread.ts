/**
 * A thread that cleans, as seen from the event loop: one job at a time, throttled, and aborted when asked.
 *
 * Invariants: the thread is started with its first job and ended by `end`, after which a new job starts a new one; a job's promise is settled once,
 * whatever becomes of the thread.
 */
import type { Clock, Timer } from '../world/clock.ts';
import { StorageFailure } from '../world/files.ts';
import type { Thread, Threads } from '../world/threads.ts';
import type { Cleaned, CleanerReport, CleanerRequest, CleaningJob, Mapped, MappingJob } from './cleaner-messages.ts';
import type { Throttle } from './throttle.ts';

/** The job was not done to its end, because somebody did not want it any more. */
export class CleaningAborted extends Error {
  override readonly name = 'CleaningAborted';
}

interface Pending {
  resolve(result: Mapped | Cleaned): void;
  reject(reason: Error): void;
}

export interface CleanerThreadOptions {
  readonly threads: Threads;
  readonly clock: Clock;
  /** Shared by all threads. */
  readonly throttle: Throttle;
}

export class CleanerThread {
  private readonly o: CleanerThreadOptions;
  private thread: Thread | undefined;
  private pending: Pending | undefined;
  private aborting = false;
  /** Until when the thread has to wait for what it has done so far. */
  private waitUntilMs = 0;
  /** Answers that are held back. */
  private readonly delayed = new Set<Timer>();

  constructor(o: CleanerThreadOptions) {
    this.o = o;
  }

  mapDirtyPart(job: MappingJob): Promise<Mapped> {
    return this.run({ kind: 'map', job }) as Promise<Mapped>;
  }

  clean(job: CleaningJob): Promise<Cleaned> {
    return this.run({ kind: 'clean', job }) as Promise<Cleaned>;
  }

  private run(request: CleanerRequest): Promise<Mapped | Cleaned> {
    this.thread ??= this.start();
    const { thread } = this;
    this.aborting = false;
    return new Promise((resolve, reject) => {
      this.pending = { resolve, reject };
      thread.post(request);
    });
  }

  private start(): Thread {
    const thread = this.o.threads.start();
    thread.onMessage((message) => {
      if (thread === this.thread) this.take(thread, message as CleanerReport);
    });
    thread.onEnd((reason) => {
      if (thread === this.thread) this.broken(reason);
    });
    return thread;
  }

  private broken(reason: Error): void {
    this.thread = undefined;
    this.settle((pending) => pending.reject(reason));
  }

  private settle(how: (pending: Pending) => void): void {
    const { pending } = this;
    this.pending = undefined;
    if (pending !== undefined) how(pending);
  }

  private take(thread: Thread, report: CleanerReport): void {
    switch (report.kind) {
      case 'worked':
        return this.answer(thread, report.bytes);
      case 'mapped':
      case 'cleaned':
        return this.settle((pending) => pending.resolve(report.result));
      case 'aborted':
        return this.settle((pending) => pending.reject(new CleaningAborted('the cleaning was aborted')));
      case 'failed': {
        const { message, storage } = report;
        const reason = storage === undefined ? new Error(message) : new StorageFailure('cleaning', storage.path, storage.code);
        return this.settle((pending) => pending.reject(reason));
      }
    }
  }

  /** Lets the thread go on: at once, or when what it has done is no more than its share. */
  private answer(thread: Thread, bytes: number): void {
    const { clock, throttle } = this.o;
    const now = clock.monotonic();
    this.waitUntilMs = Math.max(this.waitUntilMs, now) + throttle.delayAfter(bytes);
    const delayMs = this.waitUntilMs - now;
    if (delayMs <= 0 || this.aborting) return thread.post({ kind: 'goOn' });
    const timer = clock.after(delayMs, () => {
      this.delayed.delete(timer);
      thread.post({ kind: 'goOn' });
    });
    this.delayed.add(timer);
  }

  private release(then: () => void): void {
    for (const timer of this.delayed) {
      timer.cancel();
      then();
    }
    this.delayed.clear();
    this.waitUntilMs = 0;
  }

  /** The running job, if there is one, is rejected with CleaningAborted before long, or comes to its end. */
  abort(): void {
    if (this.pending === undefined) return;
    this.aborting = true;
    const { thread } = this;
    thread?.post({ kind: 'abort' });
    this.release(() => thread?.post({ kind: 'goOn' }));
  }

  /** Ends the thread, whatever it is doing. */
  async end(): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    this.release(() => undefined);
    this.settle((pending) => pending.reject(new CleaningAborted('the cleaner has stopped')));
    await thread?.end();
  }
}
