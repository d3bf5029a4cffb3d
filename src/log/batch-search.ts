/**
 * Where batches lie in a segment's file, found by their headers.
 *
 * A batch that is cut off counts as none, as at the end of a file; a length that no batch can have is corruption. Source: FileRecords and
 * FileLogInputStream of Apache Kafka.
 */
import type { OpenFile } from '../world/files.ts';
import { BATCH_OVERHEAD, baseOffsetAt, batchSizeAt, lastOffsetAt, magicAt, SHORTEST_BATCH } from './batch-header.ts';
import { CorruptBatch } from './corrupt-batch.ts';
import type { OffsetEntry } from './offset-index.ts';

/** How much is read at once in search of a batch's position. */
const SEARCH_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/** The headers of the batches in [from, size) of a file, one after the other. */
class Headers {
  position: number;
  lastOffset = -1;
  readonly #file: OpenFile;
  readonly #size: number;
  readonly #atOnceBytes: number;
  #bytes: Buffer = NOTHING;
  #at = 0;
  #next: number;

  constructor(file: OpenFile, from: number, size: number, atOnceBytes: number) {
    this.#file = file;
    this.#size = size;
    this.#atOnceBytes = atOnceBytes;
    this.position = from;
    this.#next = from;
  }

  get baseOffset(): number {
    return baseOffsetAt(this.#bytes, this.#at);
  }

  /** Goes to the next batch; false when there is none, or it is cut off. Throws CorruptBatch at a length that no batch can have. */
  advance(): boolean {
    const at = this.#at + this.#next - this.position;
    this.position = this.#next;
    if (this.#size - this.position < SHORTEST_BATCH) return false;
    this.#at = at;
    if (this.#bytes.length - at < BATCH_OVERHEAD && !this.#read()) return false;
    const batchSize = batchSizeAt(this.#bytes, this.#at);
    if (batchSize < 0) throw new CorruptBatch(this.#file.path, this.position, 'its length is impossible');
    if (this.position + batchSize > this.#size) return false;
    this.lastOffset = lastOffsetAt(this.#bytes, this.#at);
    this.#next = this.position + batchSize;
    return true;
  }

  #read(): boolean {
    const bytes = Buffer.allocUnsafe(Math.min(this.#atOnceBytes, this.#size - this.position));
    this.#bytes = bytes.subarray(0, this.#file.read(bytes, this.position));
    this.#at = 0;
    return this.#bytes.length >= SHORTEST_BATCH;
  }
}

/**
 * Position of the first batch in [from, size) that ends in [offset, below); `size` when there is none. All offsets of the file are less than `below`.
 * Base offsets are covered by no checksum: a batch with one that cannot be is passed over. Throws CorruptBatch where `offset` is in such a batch.
 * (Apache Kafka hands it out as it is.)
 */
export function findBatch(file: OpenFile, from: number, size: number, offset: number, below: number): number {
  const headers = new Headers(file, from, size, SEARCH_BYTES);
  let previous = -1;
  let astray: number | undefined;
  while (headers.advance()) {
    const { lastOffset, position } = headers;
    if (lastOffset >= below || lastOffset < previous) {
      astray = position;
      continue;
    }
    previous = lastOffset;
    if (lastOffset < offset) {
      astray = undefined;
      continue;
    }
    if (astray === undefined || headers.baseOffset <= offset) return position;
    break;
  }
  if (astray !== undefined && offset < below)
    throw new CorruptBatch(file.path, astray, 'its offsets are not between those around it');
  return size;
}

/** Where the whole batches from the position `from` on end. Throws CorruptBatch at a length that no batch can have. */
export function endOfWhole(file: OpenFile, from: number, size: number): number {
  const headers = new Headers(file, from, size, SEARCH_BYTES);
  while (headers.advance());
  return headers.position;
}

/** Whether the batch at `position` is whole and ends in [offset, below). */
export function isBatchFor(file: OpenFile, position: number, size: number, offset: number, below: number): boolean {
  const headers = new Headers(file, position, size, BATCH_OVERHEAD);
  return headers.advance() && headers.lastOffset >= offset && headers.lastOffset < below;
}

/** End of the whole batches at the begin of `bytes` that rise and end below `bound`. */
export function endOfRisingBatches(bytes: Buffer, bound: number): number {
  let position = 0;
  let previous = -1;
  while (bytes.length - position >= SHORTEST_BATCH) {
    const batchSize = batchSizeAt(bytes, position);
    if (batchSize < 0 || position + batchSize > bytes.length) break;
    const lastOffset = lastOffsetAt(bytes, position);
    if (lastOffset <= previous || lastOffset >= bound) break;
    previous = lastOffset;
    position += batchSize;
  }
  return position;
}

/** Throws CorruptBatch unless the file ends at `position`, or with a batch there that is cut off. */
export function mustBeCutOff(file: OpenFile, position: number, size: number): void {
  if (size - position < SHORTEST_BATCH) return;
  const header = Buffer.alloc(SHORTEST_BATCH);
  if (file.read(header, position) < SHORTEST_BATCH) return;
  const batchSize = batchSizeAt(header, 0);
  if (batchSize < 0 || position + batchSize <= size) throw new CorruptBatch(file.path, position, 'what is there is no batch');
}

export interface FileEnd {
  /** One past the last offset. */
  readonly nextOffset: number;
  /** End of the last batch; less than the size of the file where bytes follow that are none. */
  readonly position: number;
}

/**
 * Where the batches in [position, size) of a segment's file end. Those with offsets that a segment from `baseOffset` cannot hold do not count, nor do those
 * that go back; and behind what is cut off or has an impossible length there are none. Where offsets go back, the batch that leaves a gap in front of it is
 * the wrong one: base offsets are covered by no checksum. (Apache Kafka takes the last batch as it is.)
 */
export function endOfFile(file: OpenFile, position: number, size: number, baseOffset: number): FileEnd {
  const header = Buffer.alloc(BATCH_OVERHEAD);
  let end = { nextOffset: baseOffset, position: 0 };
  /** Before the last batch that counts; undefined where that goes on from there. */
  let beforeGap: number | undefined;
  for (let at = position; size - at >= SHORTEST_BATCH; ) {
    const batchSize = file.read(header, at) < SHORTEST_BATCH ? -1 : batchSizeAt(header, 0);
    if (batchSize < 0 || at + batchSize > size) break;
    at += batchSize;
    const lastOffset = lastOffsetAt(header, 0);
    if (!holdsOffset(baseOffset, lastOffset)) continue;
    const rises = lastOffset >= end.nextOffset;
    if (!rises && (beforeGap === undefined || lastOffset < beforeGap)) continue;
    const knowsWhatIsBefore = end.position > 0 || position === 0;
    if (rises) beforeGap = knowsWhatIsBefore && baseOffsetAt(header, 0) > end.nextOffset ? end.nextOffset : undefined;
    end = { nextOffset: lastOffset + 1, position: at };
  }
  return end;
}

const MAX_RELATIVE_OFFSET = 0x7fff_ffff;

/** Whether a segment that begins at `baseOffset` can hold `offset`. */
export const holdsOffset = (baseOffset: number, offset: number): boolean =>
  offset >= baseOffset && offset - baseOffset <= MAX_RELATIVE_OFFSET;

/**
 * Whether the index entry leads to a batch that begins at or below its offset. Indexes have no checksum: one that is damaged must cost time, not
 * records. (Apache Kafka does not look.)
 */
export function leadsToBatch(file: OpenFile, { offset, position }: OffsetEntry, baseOffset: number, size: number): boolean {
  if (position === 0) return true;
  const header = Buffer.alloc(BATCH_OVERHEAD);
  if (position < 0 || file.read(header, position) < SHORTEST_BATCH) return false;
  const batchSize = batchSizeAt(header, 0);
  if (batchSize < 0 || position + batchSize > size || magicAt(header, 0) < 0 || magicAt(header, 0) > 2) return false;
  return baseOffsetAt(header, 0) >= baseOffset && baseOffsetAt(header, 0) <= offset;
}
