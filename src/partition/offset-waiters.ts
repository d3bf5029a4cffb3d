/**
 * Callbacks that wait for an offset to be reached, run in the order of their offsets. Nearly all come in that order already, because appends
 * do; a repeated batch of an idempotent producer waits for an offset further back, and is put where it belongs.
 *
 * Invariant: offsets never fall from one waiting callback to the next.
 */
import { ErrorCode } from '../wire/generated/errors.ts';

/** `failure` is ErrorCode.NONE when the offset was reached; otherwise the partition was lost before. */
export type WhenReached = (failure: ErrorCode) => void;

interface Waiter {
  readonly offset: number;
  readonly run: WhenReached;
}

export class OffsetWaiters {
  #waiting: Waiter[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  add(offset: number, run: WhenReached): void {
    const waiting = this.#waiting;
    const last = waiting[waiting.length - 1];
    if (last === undefined || last.offset <= offset) {
      waiting.push({ offset, run });
      return;
    }
    const index = waiting.findIndex((waiter) => waiter.offset > offset);
    waiting.splice(index, 0, { offset, run });
  }

  /** Runs all that wait for `offset` or less. What they add meanwhile waits on. */
  reached(offset: number): void {
    const waiting = this.#waiting;
    let count = 0;
    for (const waiter of waiting) {
      if (waiter.offset > offset) break;
      count++;
    }
    if (count === 0) return;
    const due = count === waiting.length ? waiting : waiting.splice(0, count);
    if (due === waiting) this.#waiting = [];
    for (const waiter of due) waiter.run(ErrorCode.NONE);
  }

  fail(failure: ErrorCode): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.run(failure);
  }
}
