/**
 * A clock that stands still until someone moves it. Timers fire in the order of their deadlines, those with one deadline in the order of their making;
 * `now` shows each timer its own deadline. Ends of turns come as on the machine's clock, since turns of the event loop are not time.
 */
import type { Clock, Timer } from './clock.ts';

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualClock implements Clock {
  private readonly epochMs: number;
  private elapsedMs = 0;
  private order = 0;
  private readonly waiting = new Set<Waiting>();
  private readonly atEndOfTurn: (run: () => void) => void;

  /** `atEndOfTurn`: how the owner of this clock ends turns; a simulation passes its own. */
  constructor(epochMs = 1_700_000_000_000, atEndOfTurn: (run: () => void) => void = (run) => void setImmediate(run)) {
    this.epochMs = epochMs;
    this.atEndOfTurn = atEndOfTurn;
  }

  now(): number {
    return Math.floor(this.epochMs + this.elapsedMs);
  }

  monotonic(): number {
    return this.elapsedMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const entry = { at: this.elapsedMs + Math.max(0, delayMs), order: this.order++, run };
    this.waiting.add(entry);
    return { cancel: () => void this.waiting.delete(entry) };
  }

  endOfTurn(run: () => void): void {
    this.atEndOfTurn(run);
  }

  /** Time of the next timer, in milliseconds of `monotonic`; undefined when nothing waits. */
  nextAt(): number | undefined {
    return this.earliest()?.at;
  }

  /** Moves time on and fires what becomes due. What the timers set going (disk, promises) has its turns between two timers. */
  async advance(ms: number): Promise<void> {
    const target = this.elapsedMs + ms;
    for (;;) {
      const next = this.earliest();
      if (next === undefined || next.at > target) break;
      this.fire(next);
      await this.turn();
    }
    this.elapsedMs = target;
    await this.turn();
  }

  /** As `advance`, in one go and without turns in between. For owners that run turns themselves. */
  advanceNow(ms: number): void {
    const target = this.elapsedMs + ms;
    for (let next = this.earliest(); next !== undefined && next.at <= target; next = this.earliest()) this.fire(next);
    this.elapsedMs = target;
  }

  private fire(entry: Waiting): void {
    this.waiting.delete(entry);
    this.elapsedMs = Math.max(this.elapsedMs, entry.at);
    entry.run();
  }

  private earliest(): Waiting | undefined {
    let earliest: Waiting | undefined;
    for (const entry of this.waiting) {
      if (earliest === undefined || entry.at < earliest.at || (entry.at === earliest.at && entry.order < earliest.order))
        earliest = entry;
    }
    return earliest;
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => this.atEndOfTurn(resolve));
  }
}
