/**
 * From offset to position, sparsely: an entry says that the batch at its position ends with its offset.
 *
 * Entries of 8 bytes: int32 offset relative to the segment's base, int32 position. Both columns rise strictly. Source: OffsetIndex of Apache Kafka.
 */
import type { OpenFile } from '../world/files.ts';
import { IndexEntries, lastAtMost, searchFile } from './index-entries.ts';

export const OFFSET_ENTRY_SIZE = 8;

export interface OffsetEntry {
  readonly offset: number;
  readonly position: number;
}

export class OffsetIndex {
  readonly baseOffset: number;
  readonly entries: IndexEntries;

  constructor(baseOffset: number, entries: IndexEntries = new IndexEntries(OFFSET_ENTRY_SIZE)) {
    this.baseOffset = baseOffset;
    this.entries = entries;
  }

  get count(): number {
    return this.entries.count;
  }

  entry(index: number): OffsetEntry {
    const at = index * OFFSET_ENTRY_SIZE;
    const { buffer } = this.entries;
    return { offset: this.baseOffset + buffer.readInt32BE(at), position: buffer.readInt32BE(at + 4) };
  }

  /** The base offset when there is no entry. */
  get lastOffset(): number {
    return this.count === 0 ? this.baseOffset : this.entry(this.count - 1).offset;
  }

  append(offset: number, position: number): void {
    if (this.count > 0 && offset <= this.lastOffset) {
      throw new Error(`offset index at ${this.baseOffset}: offset ${offset} after ${this.lastOffset}`);
    }
    const at = this.entries.add();
    this.entries.buffer.writeInt32BE(offset - this.baseOffset, at);
    this.entries.buffer.writeInt32BE(position, at + 4);
  }

  private slot(offset: number): number {
    const { buffer } = this.entries;
    return lastAtMost(this.count, (index) => buffer.readInt32BE(index * OFFSET_ENTRY_SIZE), offset - this.baseOffset);
  }

  /** The last entry at or below `offset`; the segment's begin when there is none. */
  lookup(offset: number): OffsetEntry {
    const slot = this.slot(offset);
    return slot < 0 ? { offset: this.baseOffset, position: 0 } : this.entry(slot);
  }

  /** Keeps the entries below `offset`. */
  truncateTo(offset: number): void {
    this.entries.truncate(this.slot(offset - 1) + 1);
  }

  /** Offsets and positions rise, and nothing points before the segment or beyond `size`. */
  isSane(size: number): boolean {
    let offset = -1;
    let position = 0;
    for (let i = 0; i < this.count; i++) {
      const entry = this.entry(i);
      if (entry.offset - this.baseOffset <= offset || entry.position <= position || entry.position >= size) return false;
      offset = entry.offset - this.baseOffset;
      position = entry.position;
    }
    return true;
  }
}

/** As `OffsetIndex.lookup`, in the file of an inactive segment. */
export function lookupOffset(file: OpenFile, baseOffset: number, offset: number): OffsetEntry {
  const found = searchFile(file, OFFSET_ENTRY_SIZE, (bytes, position) => bytes.readInt32BE(position), offset - baseOffset);
  return found === undefined
    ? { offset: baseOffset, position: 0 }
    : { offset: baseOffset + found.readInt32BE(0), position: found.readInt32BE(4) };
}
