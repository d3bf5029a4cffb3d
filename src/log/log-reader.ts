/**
 * Reading what is no longer in memory: index lookup, then one large read off the event loop; and the searches by timestamp.
 *
 * A reader that goes on where it stopped is remembered by the offset it will ask for, so that following a log needs no lookups.
 */
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordsOf } from '../wire/record.ts';
import { batchSizeAt, SHORTEST_BATCH } from './batch-header.ts';
import { batchRuns } from './batch-scanner.ts';
import { endOfRisingBatches, isBatchFor } from './batch-search.ts';
import { CorruptBatch } from './corrupt-batch.ts';
import type { Segment } from './segment.ts';
import type { Segments } from './segments.ts';
import { nextOffsetAfter, type TailRead } from './tail-memory.ts';
import { collectAborted } from './transaction-index.ts';

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

  /** To be called when bytes that are written change or go. */
  forgetPlaces(): void {
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
    const wanted = Math.min(available, Math.max(SHORTEST_BATCH, Math.min(maxBytes, LARGEST_READ_BYTES)));
    let bytes = await this.bytesOf(segment, position, wanted);
    if (bytes.length < SHORTEST_BATCH) return nothing;
    const firstSize = batchSizeAt(bytes, 0);
    if (firstSize > maxBytes && !minOneBatch) return nothing;
    if (firstSize > bytes.length) bytes = await this.bytesOf(segment, position, firstSize);
    const end = endOfRisingBatches(bytes, bound);
    if (end === 0) return nothing;
    const nextOffset = nextOffsetAfter(bytes, 0, end);
    this.remember(nextOffset, { segment, position: position + end });
    return { chunks: [bytes.subarray(0, end)], sizeInBytes: end, nextOffset };
  }

  private async bytesOf(segment: Segment, position: number, size: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(size);
    const read = await segment.handles.borrow(segment.path, (file) => file.readLater(bytes, position));
    return read === size ? bytes : bytes.subarray(0, read);
  }

  /** What a reader of [offset, upperBound) has to know of aborted transactions. */
  abortedTransactions(offset: number, upperBound: number): { producerId: number; firstOffset: number }[] {
    const found: { producerId: number; firstOffset: number }[] = [];
    for (const segment of this.segments.from(offset)) {
      if (collectAborted(segment.abortedTransactions(), offset, upperBound, found)) break;
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

  /** All batches from the one that holds `from` or follows it, up to what is written. Raises CorruptBatch at what is none. */
  async *batches(from: number): AsyncGenerator<RecordBatch> {
    for (const segment of this.segments.from(from)) {
      const size = this.sizeOf(segment);
      let end = segment.positionOf(from, size);
      for await (const { position, batches } of batchRuns(segment, end, size)) {
        yield* batches;
        const last = batches[batches.length - 1];
        if (last !== undefined) end = position + last.position + last.sizeInBytes;
      }
      if (end < size && this.segments.values().includes(segment))
        throw new CorruptBatch(segment.path, end, 'what is there is cut off, or none');
    }
  }
}

const found = (batch: RecordBatch, offset: number, timestamp: number): TimestampedOffset => ({
  offset,
  timestamp,
  leaderEpoch: batch.partitionLeaderEpoch,
});
