/**
 * What is done for a data directory from time to time, and in between two requests.
 *
 * Invariants: after `stop`, and while `isStopped` says so, nothing is begun; a job plans its next time only when it has ended.
 */
import type { Clock, Timer } from '../world/clock.ts';

/** How long a job may hold the event loop before others get a turn. */
const SLICE_MS = 20;

export interface JobsOptions {
  readonly clock: Clock;
  /** Nothing more is to be done, because the disk failed. */
  isStopped(): boolean;
  /** A repeated job was rejected. */
  onFailure(error: unknown): void;
}

export class Jobs {
  private readonly o: JobsOptions;
  private readonly timers = new Set<Timer>();
  private stopped = false;

  constructor(o: JobsOptions) {
    this.o = o;
  }

  private get isStopped(): boolean {
    return this.stopped || this.o.isStopped();
  }

  /** Once. */
  later(delayMs: number, run: () => void): void {
    // A job that a stop has overtaken plans no next time.
    if (this.stopped) return;
    const timer = this.o.clock.after(delayMs, () => {
      this.timers.delete(timer);
      if (!this.isStopped) run();
    });
    this.timers.add(timer);
  }

  /** `intervalMs` after each end anew; never, when it is beyond what a number holds exactly. */
  repeat(intervalMs: number, run: () => Promise<void>, firstMs: number = intervalMs): void {
    if (intervalMs >= Number.MAX_SAFE_INTEGER) return;
    const again = (): void => {
      run().then(
        () => this.later(intervalMs, again),
        (error: unknown) => this.o.onFailure(error),
      );
    };
    this.later(firstMs, again);
  }

  /** `run` for each of them, with turns for others in between; what is left is dropped by a stop. */
  async inSlices<T>(all: Iterable<T>, run: (one: T) => void): Promise<void> {
    const pause = this.slices();
    for (const one of [...all]) {
      if (this.isStopped) return;
      run(one);
      await pause();
    }
  }

  /** Gives a function to be awaited between two pieces of work: it lets others have a turn when this one has lasted long enough. */
  slices(): () => Promise<void> | undefined {
    const { clock } = this.o;
    let sliceStart = clock.monotonic();
    return () => {
      if (clock.monotonic() - sliceStart < SLICE_MS) return undefined;
      return new Promise<void>((resolve) =>
        clock.endOfTurn(() => {
          sliceStart = clock.monotonic();
          resolve();
        }),
      );
    };
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }
}
