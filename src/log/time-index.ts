/**
 * From timestamp to offset, sparsely: an entry says that no batch up to the one that ends with its offset has a greater timestamp.
 *
 * Entries of 12 bytes: int64 timestamp, int32 offset relative to the segment's base. Timestamps rise strictly. Source: TimeIndex of Apache Kafka.
 */
import { readInt64, writableInt64, writeInt64 } from '../wire/int64.ts';
import type { OpenFile } from '../world/files.ts';
import { IndexEntries, lastAtMost, searchFile } from './index-entries.ts';

export const TIME_ENTRY_SIZE = 12;

export interface TimeEntry {
  readonly timestamp: number;
  readonly offset: number;
}

export class TimeIndex {
  readonly baseOffset: number;
  readonly entries: IndexEntries;

  constructor(baseOffset: number, entries: IndexEntries = new IndexEntries(TIME_ENTRY_SIZE)) {
    this.baseOffset = baseOffset;
    this.entries = entries;
  }

  get count(): number {
    return this.entries.count;
  }

  entry(index: number): TimeEntry {
    const at = index * TIME_ENTRY_SIZE;
    const { buffer } = this.entries;
    return { timestamp: readInt64(buffer, at), offset: this.baseOffset + buffer.readInt32BE(at + 8) };
  }

  /** (-1, base offset) when there is no entry. */
  get last(): TimeEntry {
    return this.count === 0 ? { timestamp: -1, offset: this.baseOffset } : this.entry(this.count - 1);
  }

  /** Adds the entry if its timestamp is greater than that of the last one. */
  maybeAppend(timestamp: number, offset: number): void {
    const { last } = this;
    if (timestamp <= last.timestamp) return;
    if (this.count > 0 && offset < last.offset) {
      throw new Error(`time index at ${this.baseOffset}: offset ${offset} after ${last.offset}`);
    }
    const at = this.entries.add();
    if (Number.isSafeInteger(timestamp)) writeInt64(this.entries.buffer, timestamp, at);
    else this.entries.buffer.writeBigInt64BE(BigInt(writableInt64(timestamp)), at);
    this.entries.buffer.writeInt32BE(offset - this.baseOffset, at + 8);
  }

  /** The last entry at or below `timestamp`; (-1, base offset) when there is none. */
  lookup(timestamp: number): TimeEntry {
    const { buffer } = this.entries;
    const slot = lastAtMost(this.count, (index) => readInt64(buffer, index * TIME_ENTRY_SIZE), timestamp);
    return slot < 0 ? { timestamp: -1, offset: this.baseOffset } : this.entry(slot);
  }

  /** Keeps the entries below `offset`. */
  truncateTo(offset: number): void {
    const { buffer } = this.entries;
    const below = lastAtMost(
      this.count,
      (index) => buffer.readInt32BE(index * TIME_ENTRY_SIZE + 8),
      offset - this.baseOffset - 1,
    );
    this.entries.truncate(below + 1);
  }

  isSane(): boolean {
    let previous: TimeEntry | undefined;
    for (let i = 0; i < this.count; i++) {
      const entry = this.entry(i);
      if (entry.offset < this.baseOffset) return false;
      if (previous !== undefined && (entry.timestamp <= previous.timestamp || entry.offset <= previous.offset)) return false;
      previous = entry;
    }
    return true;
  }
}

/** As `TimeIndex.lookup`, in the file of an inactive segment. */
export function lookupTimestamp(file: OpenFile, baseOffset: number, timestamp: number): TimeEntry {
  const found = searchFile(file, TIME_ENTRY_SIZE, readInt64, timestamp);
  return found === undefined
    ? { timestamp: -1, offset: baseOffset }
    : { timestamp: readInt64(found, 0), offset: baseOffset + found.readInt32BE(8) };
}
