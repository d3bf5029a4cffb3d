/**
 * Keeps compaction of a log and what must not meet it apart.
 *
 * Invariants: one compaction at a time; none begins between a pause and the end of the last pause; who pauses goes on only when none is under way.
 */

/** Somebody compacts the log. */
export interface Cleaning {
  /** Resolves when nothing of the log is touched any more. */
  abort(): Promise<void>;
}

export class CleaningGate {
  private current: Cleaning | undefined;
  private pauses = 0;

  get isOpen(): boolean {
    return this.current === undefined && this.pauses === 0;
  }

  get isCleaning(): boolean {
    return this.current !== undefined;
  }

  begin(cleaning: Cleaning): void {
    this.current = cleaning;
  }

  end(): void {
    this.current = undefined;
  }

  /** What is under way ends; another may begin. */
  async abort(): Promise<void> {
    await this.current?.abort();
  }

  /** Until as many calls of `resume`. Resolves when no compaction is under way. */
  async pause(): Promise<void> {
    this.pauses++;
    await this.abort();
  }

  resume(): void {
    this.pauses--;
  }
}
