/**
 * What compaction knows of transactions while it reads a log from its beginning: whose batches are aborted, and which markers have nothing left to say.
 *
 * Invariants: a marker is needed as long as a batch of its transaction was seen; of the aborted transactions, those whose batches were seen go into the
 * transaction index of what is written. Source: CleanedTransactionMetadata of Apache Kafka.
 */
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordsOf } from '../wire/record.ts';
import type { AbortedTransaction } from './transaction-index.ts';

const ABORT = 0;
const COMMIT = 1;

interface OpenAbort {
  readonly transaction: AbortedTransaction;
  seen: boolean;
}

export class CleanedTransactions {
  private readonly committing = new Set<number>();
  private readonly aborting = new Map<number, OpenAbort>();
  /** Those still to come, by first offset, the first at the end. */
  private waiting: AbortedTransaction[] = [];
  /** Told of each aborted transaction that stays in the index. */
  onRetained: (transaction: AbortedTransaction) => void = () => undefined;

  /** To be called before the batches of the range are read. */
  addAborted(transactions: readonly AbortedTransaction[]): void {
    if (transactions.length > 0)
      this.waiting = [...this.waiting, ...transactions].toSorted((a, b) => b.firstOffset - a.firstOffset);
  }

  private beginUpTo(offset: number): void {
    for (let next = this.waiting.at(-1); next !== undefined && next.firstOffset <= offset; next = this.waiting.at(-1)) {
      this.waiting.pop();
      if (!this.aborting.has(next.producerId)) this.aborting.set(next.producerId, { transaction: next, seen: false });
    }
  }

  /** Whether nothing of the batch is to be kept, because its transaction was aborted. */
  readData(batch: RecordBatch): boolean {
    this.beginUpTo(batch.lastOffset);
    if (!batch.isTransactional) return false;
    const aborted = this.aborting.get(batch.producerId);
    if (aborted === undefined) this.committing.add(batch.producerId);
    else aborted.seen = true;
    return aborted !== undefined;
  }

  /** Whether the marker may go once its horizon has passed: no batch of its transaction is there any more. */
  readControl(batch: RecordBatch): boolean {
    this.beginUpTo(batch.lastOffset);
    const [record] = recordsOf(batch);
    // Emptied by an earlier compaction.
    if (record === undefined) return true;
    const type = record.key !== null && record.key.length >= 4 ? record.key.readInt16BE(2) : -1;
    if (type === COMMIT) return !this.committing.delete(batch.producerId);
    if (type !== ABORT) return false;
    const aborted = this.aborting.get(batch.producerId);
    this.aborting.delete(batch.producerId);
    if (aborted?.seen !== true) return true;
    this.onRetained(aborted.transaction);
    return false;
  }
}
