/**
 * Keeps something below a rate, on average: who has done more than its share waits.
 *
 * Source: Throttler of Apache Kafka.
 */
import type { Clock } from '../world/clock.ts';

/** At a rate of nothing, which Apache Kafka allows, somebody has to come and change it. */
const LONGEST_MS = 1e12;
/** What is done within such a time may come all at once. */
const CHECK_INTERVAL_MS = 300;

export class Throttle {
  private readonly clock: Clock;
  private readonly unitsPerSecond: number;
  private periodStartMs: number;
  private observed = 0;

  constructor(clock: Clock, unitsPerSecond: number) {
    this.clock = clock;
    this.unitsPerSecond = unitsPerSecond;
    this.periodStartMs = clock.monotonic();
  }

  /** Milliseconds to wait now that `units` have been done. */
  delayAfter(units: number): number {
    this.observed += units;
    const elapsedMs = this.clock.monotonic() - this.periodStartMs;
    if (elapsedMs <= CHECK_INTERVAL_MS || this.observed <= 0) return 0;
    const behindMs = (this.observed * 1000) / this.unitsPerSecond - elapsedMs;
    const delayMs = behindMs > 0 ? Math.min(LONGEST_MS, Math.round(behindMs)) : 0;
    this.periodStartMs += elapsedMs + delayMs;
    this.observed = 0;
    return delayMs;
  }
}
