/**
 * The bytes of requests that may be in memory at once, of all connections (`queued.max.request.bytes`; without a limit where that is not set).
 *
 * A request is admitted whole while anything is free, so that one that began to arrive can always end; the limit may be passed by one request.
 */
export class RequestMemory {
  private free: number;
  private readonly waiting = new Set<() => void>();

  constructor(limitBytes: number) {
    this.free = limitBytes > 0 ? limitBytes : Number.POSITIVE_INFINITY;
  }

  /** False: nothing is free; `retry` runs once when that may have changed. */
  take(bytes: number, retry: () => void): boolean {
    if (this.free <= 0) {
      this.waiting.add(retry);
      return false;
    }
    this.free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.free += bytes;
    if (this.free <= 0 || this.waiting.size === 0) return;
    const retries = [...this.waiting];
    this.waiting.clear();
    for (const retry of retries) retry();
  }

  forget(retry: () => void): void {
    this.waiting.delete(retry);
  }
}
