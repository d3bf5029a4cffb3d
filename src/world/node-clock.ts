/** The machine's clock. What runs at the end of a turn runs after all that the poll phase delivered, so that one write serves many connections. */
import type { Clock, Timer } from './clock.ts';

const MS_PER_SECOND = 1000;
const NS_PER_MS = 1e6;
/** Longest delay that setTimeout takes; a longer one is waited for in pieces. */
const MAX_TIMEOUT_MS = 0x7fff_ffff;

class NodeTimer implements Timer {
  private handle: NodeJS.Timeout | undefined;

  constructor(delayMs: number, run: () => void) {
    this.arm(Math.max(0, Math.ceil(delayMs)), run);
  }

  private arm(delayMs: number, run: () => void): void {
    const piece = Math.min(delayMs, MAX_TIMEOUT_MS);
    this.handle = setTimeout(() => (delayMs > piece ? this.arm(delayMs - piece, run) : run()), piece);
  }

  cancel(): void {
    clearTimeout(this.handle);
  }
}

export class NodeClock implements Clock {
  private ending: (() => void)[] = [];

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    // As quick as performance.now(), which is loaded when it is first asked for.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * MS_PER_SECOND + nanoseconds / NS_PER_MS;
  }

  /** Since the process began. */
  processMs(): number {
    return process.uptime() * MS_PER_SECOND;
  }

  after(delayMs: number, run: () => void): Timer {
    return new NodeTimer(delayMs, run);
  }

  endOfTurn(run: () => void): void {
    if (this.ending.push(run) === 1) setImmediate(() => this.endTurn());
  }

  /** What is asked for meanwhile belongs to the next turn. One that throws does not keep the others from running. */
  private endTurn(): void {
    const runs = this.ending;
    this.ending = [];
    for (let i = 0; i < runs.length; i++) {
      try {
        (runs[i] as () => void)();
      } catch (error) {
        for (const rest of runs.slice(i + 1)) this.endOfTurn(rest);
        throw error;
      }
    }
  }
}
