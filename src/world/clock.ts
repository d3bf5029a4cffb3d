/** Time, and the only way to act later. Everything that waits waits through a Clock, so that tests and simulations own the time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds that never go back, from an arbitrary start: for durations and deadlines. */
  monotonic(): number;
  /** Runs `run` once, not before `delayMs` have passed. */
  after(delayMs: number, run: () => void): Timer;
  /** Runs `run` once, after what the current turn of the event loop still has to do. */
  endOfTurn(run: () => void): void;
}

export interface Timer {
  cancel(): void;
}
