/**
 * Reading what is no longer in memory: index lookup, then one large read off the event loop; and the searches by timestamp.
 *
 * A reader that goes on where it stopped is remembered by the offset it will ask for, so that following a log needs no lookups.
 */
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordsOf } from '../wire/record.ts';
import { batchSizeAt, SHORTEST_BATCH } from './batch-header.ts';
import { batchRuns } from './batch-scanner.ts';
import type { OpenFile } from '../world/files.ts';
import { endOfRisingBatches, isBatchFor } from './batch-search.ts';
import { CorruptBatch } from './corrupt-batch.ts';
import type { Segment } from './segment.ts';
import type { Segments } from './segments.ts';
import { nextOffsetAfter, type TailRead } from './tail-memory.ts';
import { type AbortedTransaction, collectAborted } from './transaction-index.ts';

/** One read takes no more than this, however much the reader asks for, but for a first batch that is larger. */
const LARGEST_READ_BYTES = 8 * 1024 * 1024;
const PLACES_KEPT = 16;

export interface TimestampedOffset {
  readonly offset: number;
  readonly timestamp: number;
  /** -1 when unknown. */
  readonly leaderEpoch: number;
}

interface Place {
  readonly segment: Segment;
  readonly position: number;
}

interface Written {
  readonly writtenSize: number;
  readonly fileOffset: number;
}

export class LogReader {
  private readonly segments: Segments;
  private readonly writer: Written;
  /** Most logs of thousands are never read. */
  private places: Map<number, Place> | undefined;

  /** `writer` knows how many bytes of the active segment are in its file, and which offset is next there. */
  constructor(segments: Segments, writer: Written) {
    this.segments = segments;
    this.writer = writer;
  }

  /** Rises whenever written bytes have changed or gone: who has read meanwhile may hold what belongs to two states of the log. */
  generation = 0;

  /** To be called when bytes that are written change or go. */
  forgetPlaces(): void {
    this.generation++;
    this.places = undefined;
  }

  private sizeOf(segment: Segment): number {
    return segment === this.segments.active ? this.writer.writtenSize : segment.size;
  }

  /** All its offsets are less. */
  private endOf(segment: Segment): number {
    return this.segments.higher(segment.baseOffset)?.baseOffset ?? this.writer.fileOffset;
  }

  private placeOf(offset: number): Place | undefined {
    const known = this.places?.get(offset);
    if (known !== undefined) {
      this.places?.delete(offset);
      const { segment, position } = known;
      const file = segment.handles.file(segment.path);
      if (isBatchFor(file, position, this.sizeOf(segment), offset, this.endOf(segment))) return known;
    }
    let segment: Segment | undefined = this.segments.floor(offset) ?? this.segments.first;
    for (; segment !== undefined; segment = this.segments.higher(segment.baseOffset)) {
      const position = segment.positionOf(offset, this.sizeOf(segment), this.endOf(segment));
      if (position < this.sizeOf(segment)) return { segment, position };
    }
    return undefined;
  }

  private remember(offset: number, place: Place): void {
    this.places ??= new Map();
    this.places.set(offset, place);
    if (this.places.size <= PLACES_KEPT) return;
    for (const oldest of this.places.keys()) {
      this.places.delete(oldest);
      return;
    }
  }

  /** Whole batches of one segment, from the one that holds `offset` or follows it; limits as `LogTail.read`. Rejects with CorruptBatch. */
  async read(offset: number, maxBytes: number, minOneBatch: boolean, bound: number): Promise<TailRead> {
    const nothing: TailRead = { chunks: [], sizeInBytes: 0, nextOffset: offset };
    const place = this.placeOf(offset);
    if (place === undefined) return nothing;
    const { segment, position } = place;
    const available = this.sizeOf(segment) - position;
    // The file is held: what the path names may be another one by the time of a second read.
    const bytes = await segment.handles.borrow(segment.path, (file) => readFrom(file, place, available, maxBytes, minOneBatch));
    if (bytes === undefined) return nothing;
    const end = endOfRisingBatches(bytes, bound);
    if (end === 0) return nothing;
    const nextOffset = nextOffsetAfter(bytes, 0, end);
    if (this.segments.floor(segment.baseOffset) === segment) this.remember(nextOffset, { segment, position: position + end });
    return { chunks: [bytes.subarray(0, end)], sizeInBytes: end, nextOffset };
  }

  /** What a reader of [offset, upperBound) has to know of aborted transactions. */
  abortedTransactions(offset: number, upperBound: number): { producerId: number; firstOffset: number }[] {
    const found: { producerId: number; firstOffset: number }[] = [];
    for (const segment of this.segments.from(offset)) {
      if (collectAborted(segment.abortedTransactions(), offset, upperBound, found)) break;
    }
    return found;
  }

  /** Aborted transactions that ended at or after `startOffset` and began before `to`, of the segments from the one that holds `from` on. */
  abortedEntries(from: number, to: number, startOffset: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = [];
    for (const segment of this.segments.from(from)) {
      const entries = segment.abortedTransactions();
      found.push(...entries.filter(({ firstOffset, lastOffset }) => lastOffset >= startOffset && firstOffset < to));
      if (entries.some(({ lastStableOffset }) => lastStableOffset >= to)) break;
    }
    return found;
  }

  /** The first record at or after `startOffset` whose timestamp is at least `timestamp`. */
  async offsetForTimestamp(timestamp: number, startOffset: number): Promise<TimestampedOffset | undefined> {
    const segment = this.segments.values().find((candidate) => candidate.largestTimestamp() >= timestamp);
    if (segment === undefined) return undefined;
    const from = Math.max(segment.lookupTimestamp(timestamp).offset, startOffset);
    for await (const { batches } of batchRuns(segment, segment.startBefore(from), this.sizeOf(segment))) {
      for (const batch of batches) {
        if (batch.maxTimestamp < timestamp || batch.lastOffset < startOffset) continue;
        const record = recordsOf(batch).find((each) => each.timestamp >= timestamp && each.offset >= startOffset);
        if (record !== undefined) return found(batch, record.offset, record.timestamp);
      }
    }
    return undefined;
  }

  /** The first record with the greatest timestamp of the log. */
  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined> {
    let segment = this.segments.first;
    for (const candidate of this.segments.values()) {
      if (candidate.greatestTimestamp().timestamp > segment.greatestTimestamp().timestamp) segment = candidate;
    }
    const { timestamp, offset } = segment.greatestTimestamp();
    if (timestamp < 0) return undefined;
    for await (const { batches } of batchRuns(segment, segment.startBefore(offset), this.sizeOf(segment))) {
      const batch = batches.find((each) => each.maxTimestamp === timestamp);
      if (batch === undefined) continue;
      const record = recordsOf(batch).find((each) => each.timestamp === timestamp);
      if (record !== undefined) return found(batch, record.offset, timestamp);
    }
    return undefined;
  }

  /**
   * All batches from the one that holds `from` or follows it, up to what is written. Segments may be compacted or deleted meanwhile: each is looked up
   * by the offset that comes next. Raises CorruptBatch at what is no batch.
   */
  async *batches(from: number): AsyncGenerator<RecordBatch> {
    let next = from;
    let segment: Segment | undefined = this.segments.floor(from) ?? this.segments.first;
    while (segment !== undefined) {
      next = Math.max(next, segment.baseOffset);
      const size = this.sizeOf(segment);
      let end = segment.positionOf(next, size);
      for await (const { position, batches } of batchRuns(segment, end, size)) {
        for (const batch of batches) {
          next = batch.lastOffset + 1;
          end = position + batch.position + batch.sizeInBytes;
          yield batch;
        }
      }
      const isCurrent = this.segments.floor(segment.baseOffset) === segment;
      if (end < size && isCurrent) throw new CorruptBatch(segment.path, end, 'what is there is cut off, or none');
      const current = this.segments.floor(next);
      segment = current === undefined || current === segment ? this.segments.higher(segment.baseOffset) : current;
    }
  }
}

/** As much as is wanted, at least the first batch whole; undefined when that is not there or too large. */
async function readFrom(
  file: OpenFile,
  { position }: Place,
  available: number,
  maxBytes: number,
  minOneBatch: boolean,
): Promise<Buffer | undefined> {
  const wanted = Math.min(available, Math.max(SHORTEST_BATCH, Math.min(maxBytes, LARGEST_READ_BYTES)));
  const bytes = await readBytes(file, position, wanted);
  if (bytes.length < SHORTEST_BATCH) return undefined;
  const firstSize = batchSizeAt(bytes, 0);
  if (firstSize < 0 || firstSize > available || (firstSize > maxBytes && !minOneBatch)) return undefined;
  return firstSize > bytes.length ? readBytes(file, position, firstSize) : bytes;
}

async function readBytes(file: OpenFile, position: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  const read = await file.readLater(bytes, position);
  return read === size ? bytes : bytes.subarray(0, read);
}

const found = (batch: RecordBatch, offset: number, timestamp: number): TimestampedOffset => ({
  offset,
  timestamp,
  leaderEpoch: batch.partitionLeaderEpoch,
});
