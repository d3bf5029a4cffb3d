/**
 * The time of a simulation, and the order of everything that happens in it.
 *
 * Whatever waits, waits here: timers, bytes on the network, syncs of the disk. A step runs one event, or all ends of turns at once, and then lets
 * promises settle: what they set going runs in the microtasks of the step, since nothing in a simulated world waits for the machine. Events of one
 * moment come in an order that the seed decides; a turn takes in a few events and then ends, before time goes on.
 */
import type { Clock, Timer } from '../../src/world/clock.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Trace } from './trace.ts';

const EPOCH_MS = 1_700_000_000_000;

interface Event {
  readonly atMs: number;
  /** Among events of one moment. */
  readonly rank: number;
  readonly order: number;
  readonly label: string;
  run: (() => void) | undefined;
}

const before = (a: Event, b: Event): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && (a.rank < b.rank || (a.rank === b.rank && a.order < b.order)));

export class Scheduler {
  /** Since the beginning of the simulation. */
  nowMs = 0;
  /** How much of it the machine stood still. */
  stalledMs = 0;
  /** How far the clock on the wall has been set. */
  skewMs = 0;
  private readonly random: SeededRandom;
  private readonly trace: Trace;
  private readonly heap: Event[] = [];
  private ending: { readonly clock: SimulatedClock; readonly run: () => void }[] = [];
  private order = 0;

  constructor(random: SeededRandom, trace: Trace) {
    this.random = random;
    this.trace = trace;
  }

  at(delayMs: number, label: string, run: () => void): { cancel(): void } {
    const event: Event = { atMs: this.nowMs + delayMs, rank: this.random.below(1024), order: this.order++, label, run };
    this.push(event);
    return {
      cancel: () => {
        event.run = undefined;
      },
    };
  }

  sleep(delayMs: number, label = 'sleep'): Promise<void> {
    return new Promise((resolve) => void this.at(delayMs, label, resolve));
  }

  wallMs(): number {
    return Math.floor(EPOCH_MS + this.nowMs + this.skewMs);
  }

  endOfTurn(clock: SimulatedClock, run: () => void): void {
    this.ending.push({ clock, run });
  }

  /** The machine stands still for so long: everything is late when it goes on. */
  stall(ms: number): void {
    this.nowMs += ms;
    this.stalledMs += ms;
  }

  /** Time in which things could happen. */
  get busyMs(): number {
    return this.nowMs - this.stalledMs;
  }

  /** Runs what comes next. False when nothing waits any more. */
  async step(): Promise<boolean> {
    this.skipCancelled();
    const next = this.heap[0];
    const isDue = next !== undefined && next.atMs <= this.nowMs;
    if (this.ending.length > 0 && (!isDue || this.random.oneIn(3))) this.endTurn();
    else if (next === undefined) return false;
    else this.runEvent(next);
    await settled();
    return true;
  }

  private runEvent(event: Event): void {
    this.pop();
    this.nowMs = Math.max(this.nowMs, event.atMs);
    this.trace.note(this.nowMs, event.label);
    const { run } = event;
    event.run = undefined;
    run?.();
  }

  private endTurn(): void {
    const runs = this.ending;
    this.ending = [];
    this.trace.note(this.nowMs, 'end of turn');
    for (const { clock, run } of runs) clock.run(run);
  }

  private skipCancelled(): void {
    while (this.heap[0] !== undefined && this.heap[0].run === undefined) this.pop();
  }

  private push(event: Event): void {
    const { heap } = this;
    let index = heap.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Event;
      if (!before(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!before(heap[child] as Event, last)) break;
      heap[index] = heap[child] as Event;
      index = child;
    }
    heap[index] = last;
  }
}

/** Resolves when no promise can go on by itself: the queue of microtasks is empty before an immediate runs. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The clock of one process. When the process dies, so does everything that waits for it. */
export class SimulatedClock implements Clock {
  isRunning = true;
  /** Resolves when the process has died or ended. */
  readonly ended: Promise<void>;
  private end: () => void = () => undefined;
  private readonly scheduler: Scheduler;
  private readonly random: SeededRandom;
  private readonly timers = new Set<Timer>();

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.scheduler = scheduler;
    this.random = random;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** Timers that wait. */
  get pending(): number {
    return this.timers.size;
  }

  now(): number {
    return this.scheduler.wallMs();
  }

  monotonic(): number {
    return this.scheduler.nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    if (!this.isRunning) return { cancel: () => undefined };
    // As on a machine: never early, now and then late.
    const lateMs = this.random.oneIn(4) ? this.random.below(3) : 0;
    const event = this.scheduler.at(Math.max(0, Math.ceil(delayMs)) + lateMs, 'timer', () => {
      this.timers.delete(timer);
      this.run(run);
    });
    const timer: Timer = {
      cancel: () => {
        this.timers.delete(timer);
        event.cancel();
      },
    };
    this.timers.add(timer);
    return timer;
  }

  /** What the process has been called back for. If it dies on the way, nobody hears what it says. */
  run(run: () => void): void {
    if (!this.isRunning) return;
    try {
      run();
    } catch (error) {
      if (this.isRunning) throw error;
    }
  }

  endOfTurn(run: () => void): void {
    if (this.isRunning) this.scheduler.endOfTurn(this, run);
  }

  /** Resolves after a time that the disk or the like takes; never, when the process dies meanwhile. */
  pause(delayMs: number, label: string): Promise<void> {
    return new Promise((resolve) => {
      this.scheduler.at(delayMs, label, () => {
        if (this.isRunning) resolve();
      });
    });
  }

  stop(): void {
    this.isRunning = false;
    this.end();
    for (const timer of [...this.timers]) timer.cancel();
  }
}
