/**
 * The aborted transactions that end in one segment, in the order of their ends.
 *
 * Entries of 34 bytes: int16 version, then AbortedTxn. The file exists only where there is an entry. Source: TransactionIndex of Apache Kafka.
 */
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { readAbortedTxn, writeAbortedTxn } from '../wire/generated/records/aborted-txn.ts';

export const TRANSACTION_ENTRY_SIZE = 34;

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Offset of the abort marker. */
  readonly lastOffset: number;
  /** Of the log, right after the marker. */
  readonly lastStableOffset: number;
}

/** Undefined when the bytes are not the index of a segment that begins at `baseOffset`. A torn last entry is ignored. */
export function parseTransactionIndex(bytes: Buffer, baseOffset: number): AbortedTransaction[] | undefined {
  const found: AbortedTransaction[] = [];
  const reader = new Reader(bytes);
  while (reader.remaining >= TRANSACTION_ENTRY_SIZE) {
    if (reader.int16() !== 0) return undefined;
    const entry = readAbortedTxn(reader, 0);
    const lastOffset = Number(entry.lastOffset);
    const numbers = [entry.producerId, entry.firstOffset, entry.lastOffset, entry.lastStableOffset].map(Number);
    // Numbers that no log can have are damage: the index is then made anew.
    if (lastOffset < baseOffset || !numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) return undefined;
    found.push({
      producerId: Number(entry.producerId),
      firstOffset: Number(entry.firstOffset),
      lastOffset,
      lastStableOffset: Number(entry.lastStableOffset),
    });
  }
  return found;
}

export function formatTransactionIndex(transactions: readonly AbortedTransaction[]): Buffer {
  const writer = new Writer();
  for (const transaction of transactions) {
    writer.int16(0);
    writeAbortedTxn(writer, transaction, 0);
  }
  return writer.concat();
}

/**
 * Adds to `found` what a reader of [fetchOffset, upperBound) has to know of one segment's entries; true when later segments can hold no more.
 */
export function collectAborted(
  entries: readonly AbortedTransaction[],
  fetchOffset: number,
  upperBound: number,
  found: { producerId: number; firstOffset: number }[],
): boolean {
  for (const { producerId, firstOffset, lastOffset, lastStableOffset } of entries) {
    if (lastOffset >= fetchOffset && firstOffset < upperBound) found.push({ producerId, firstOffset });
    if (lastStableOffset >= upperBound) return true;
  }
  return false;
}
