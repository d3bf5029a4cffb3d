/**
 * Everything parked that must end by some moment, in one binary heap over one timer. A thousand parked fetches cost one timer, and cancelling
 * costs a flag: what is cancelled leaves the heap when it comes up, or at once when more than half of the heap is cancelled.
 *
 * Invariants: a parent is never later than its children; the timer, when set, stands for the earliest deadline or an earlier moment.
 */
import type { Clock, Timer } from '../world/clock.ts';

export interface Deadline {
  /** Nothing happens when it has run or was cancelled before. */
  cancel(): void;
}

interface Entry extends Deadline {
  readonly atMs: number;
  run: (() => void) | undefined;
}

const COMPACT_FROM = 64;

export class Deadlines {
  readonly #clock: Clock;
  #heap: Entry[] = [];
  #cancelled = 0;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait and are not cancelled. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Runs `run` once, not before `delayMs` have passed, unless cancelled. Those of one moment run in the order of their due time. */
  after(delayMs: number, run: () => void): Deadline {
    const entry: Entry = {
      atMs: this.#clock.monotonic() + Math.max(0, delayMs),
      run,
      cancel: () => {
        if (entry.run === undefined) return;
        entry.run = undefined;
        this.#cancelled++;
        this.#compact();
      },
    };
    this.#heap.push(entry);
    siftUp(this.#heap, this.#heap.length - 1);
    this.#arm();
    return entry;
  }

  /** Drops all, running nothing. */
  stop(): void {
    this.#heap = [];
    this.#cancelled = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = first.atMs;
    this.#timer = this.#clock.after(Math.max(0, Math.ceil(first.atMs - this.#clock.monotonic())), () => {
      this.#timer = undefined;
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#fire();
    });
  }

  #fire(): void {
    const now = this.#clock.monotonic();
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.run !== undefined && first.atMs > now) break;
      removeFirst(this.#heap);
      const run = first.run;
      if (run === undefined) {
        this.#cancelled--;
        continue;
      }
      first.run = undefined;
      run();
    }
    this.#arm();
  }

  #compact(): void {
    // Nothing waits: no timer either, so that a broker that has stopped leaves none behind.
    if (this.size === 0) return this.stop();
    if (this.#heap.length < COMPACT_FROM || this.#cancelled * 2 <= this.#heap.length) return;
    this.#heap = this.#heap.filter((entry) => entry.run !== undefined);
    this.#cancelled = 0;
    // A sorted array is a heap.
    this.#heap.sort((a, b) => a.atMs - b.atMs);
  }
}

function siftUp(heap: Entry[], from: number): void {
  const entry = heap[from];
  if (entry === undefined) return;
  let index = from;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || parent.atMs <= entry.atMs) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = entry;
}

function removeFirst(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let childIndex = 2 * index + 1;
    let child = heap[childIndex];
    if (child === undefined) break;
    const right = heap[childIndex + 1];
    if (right !== undefined && right.atMs < child.atMs) {
      child = right;
      childIndex++;
    }
    if (child.atMs >= last.atMs) break;
    heap[index] = child;
    index = childIndex;
  }
  heap[index] = last;
}
