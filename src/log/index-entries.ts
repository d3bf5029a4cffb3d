/**
 * Entries of one fixed size that are only ever added at the end: the memory of an index while its segment is active, and the search in both
 * memory and files.
 *
 * A file may be longer than its entries: Apache Kafka preallocates the index of an active segment with zeros, and leaves them when it is killed.
 */
import type { Files, OpenFile } from '../world/files.ts';

/** Index of the last of `count` ascending keys that is at most `target`; -1 when all are greater. */
export function lastAtMost(count: number, keyAt: (index: number) => number, target: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyAt(middle) <= target) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const NO_BYTES = Buffer.alloc(0);

export class IndexEntries {
  readonly entrySize: number;
  buffer: Buffer;
  count: number;

  constructor(entrySize: number, buffer: Buffer = NO_BYTES, count = 0) {
    this.entrySize = entrySize;
    this.buffer = buffer;
    this.count = count;
  }

  /** Makes room for one more entry and returns its position in `buffer`. */
  add(): number {
    const at = this.count * this.entrySize;
    if (at + this.entrySize > this.buffer.length) {
      const larger = Buffer.alloc(Math.max(this.entrySize * 16, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, at);
      this.buffer = larger;
    }
    this.count++;
    return at;
  }

  truncate(count: number): void {
    this.count = Math.min(this.count, count);
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.count * this.entrySize);
  }
}

/** The entries of a file without the zeros that may follow them; undefined when there is no file or its size is no multiple of an entry's. */
export function readEntries(files: Files, path: string, entrySize: number): IndexEntries | undefined {
  const size = files.stat(path)?.size;
  if (size === undefined || size % entrySize !== 0) return undefined;
  if (size === 0) return new IndexEntries(entrySize);
  const file = files.open(path, 'read');
  try {
    const count = countEntries(file, size, entrySize);
    const bytes = Buffer.allocUnsafe(count * entrySize);
    file.read(bytes, 0);
    return new IndexEntries(entrySize, bytes, count);
  } finally {
    file.close();
  }
}

/** Entries before the trailing zeros. No entry but the first can be all zeros, since what comes first in each rises. */
function countEntries(file: OpenFile, size: number, entrySize: number): number {
  const entry = Buffer.allocUnsafe(entrySize);
  const zeros = Buffer.alloc(entrySize);
  const empty = (index: number): boolean => {
    file.read(entry, index * entrySize);
    return entry.equals(zeros);
  };
  const total = Math.floor(size / entrySize);
  if (total === 0 || !empty(total - 1)) return total;
  // Zeros only follow entries, never stand between them, so that "is zero" is a step function of the index.
  let low = 0;
  let high = total - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (empty(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How many entries are read at once when the search has come close. */
const BLOCK_ENTRIES = 512;

/**
 * The last entry of a file whose key is at most `target`, or undefined. Reads a few small pieces, not the file: indexes of inactive segments are
 * not kept in memory.
 */
export function searchFile(
  file: OpenFile,
  entrySize: number,
  keyAt: (bytes: Buffer, position: number) => number,
  target: number,
): Buffer | undefined {
  let low = 0;
  let high = countEntries(file, file.size(), entrySize);
  const probe = Buffer.allocUnsafe(entrySize);
  while (high - low > BLOCK_ENTRIES) {
    const middle = (low + high) >>> 1;
    file.read(probe, middle * entrySize);
    if (keyAt(probe, 0) <= target) low = middle;
    else high = middle;
  }
  const block = Buffer.allocUnsafe((high - low) * entrySize);
  file.read(block, low * entrySize);
  const found = lastAtMost(high - low, (index) => keyAt(block, index * entrySize), target);
  return found < 0 ? undefined : block.subarray(found * entrySize, (found + 1) * entrySize);
}
