/**
 * The transactions that keep a log's last stable offset back: those that are open, and those whose end readers are not to see yet.
 *
 * Invariants: open ones stand in the order of their first offsets; one that has ended stays until its marker is below the high watermark.
 * Source: ProducerStateManager of Apache Kafka (ongoingTxns, unreplicatedTxns).
 */
import type { CompletedTransaction } from './producer-append.ts';

interface Transaction {
  readonly producerId: number;
  /** Of the marker; -1 while open. */
  lastOffset: number;
}

export class UnstableTransactions {
  /** By first offset, ascending. */
  private readonly open = new Map<number, Transaction>();
  private readonly ended = new Map<number, Transaction>();

  get isEmpty(): boolean {
    return this.open.size === 0 && this.ended.size === 0;
  }

  /** Of the oldest; undefined when there is none. */
  get firstOffset(): number | undefined {
    if (this.isEmpty) return undefined;
    let first = Number.MAX_SAFE_INTEGER;
    for (const offset of this.open.keys()) {
      first = offset;
      break;
    }
    for (const offset of this.ended.keys()) if (offset < first) first = offset;
    return first;
  }

  /** Of those that are open, ascending. */
  openFirstOffsets(): Iterable<number> {
    return this.open.keys();
  }

  begin(producerId: number, firstOffset: number): void {
    this.open.set(firstOffset, { producerId, lastOffset: -1 });
  }

  /** Where the log is stable up to once this one has ended and all is replicated. */
  lastStableOffsetAfter({ producerId, lastOffset }: CompletedTransaction): number {
    for (const [firstOffset, other] of this.open) if (other.producerId !== producerId) return firstOffset;
    return lastOffset + 1;
  }

  end({ producerId, firstOffset, lastOffset }: CompletedTransaction): void {
    const transaction = this.open.get(firstOffset) ?? { producerId, lastOffset };
    this.open.delete(firstOffset);
    transaction.lastOffset = lastOffset;
    this.ended.set(firstOffset, transaction);
  }

  /** Those whose markers are below it are stable. */
  onHighWatermark(highWatermark: number): void {
    if (this.ended.size === 0) return;
    for (const [firstOffset, { lastOffset }] of this.ended) if (lastOffset < highWatermark) this.ended.delete(firstOffset);
  }
}
