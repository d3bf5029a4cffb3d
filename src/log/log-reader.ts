/**
 * Reading what is no longer in memory: index lookup, then one large read; and the searches by timestamp.
 *
 * What was written just now is still in the operating system's memory, and read at once: that takes less time than to hand it to another thread. All
 * else is read off the event loop.
 * A reader that goes on where it stopped is remembered by the offset it will ask for, so that following a log needs no lookups.
 */
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordsOf } from '../wire/record.ts';
import { lend, release, takeMemory } from '../wire/recycled-memory.ts';
import { batchSizeAt, SHORTEST_BATCH } from './batch-header.ts';
import { batchRuns } from './batch-scanner.ts';
import { endOfRisingBatches, isBatchFor, mustBeCutOff } from './batch-search.ts';
import { CorruptBatch } from './corrupt-batch.ts';
import type { Segment } from './segment.ts';
import type { Segments } from './segments.ts';
import { nextOffsetAfter, type TailRead } from './tail-memory.ts';
import { type AbortedTransaction, collectAborted } from './transaction-index.ts';

/** One read takes no more than this, however much the reader asks for, but for a first batch that is larger. */
const LARGEST_READ_BYTES = 8 * 1024 * 1024;
/** More than this is not read at once: a reader that is so far behind may find it gone from the operating system's memory. */
const RECENT_BYTES = 16 * 1024 * 1024;
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
  readonly wroteRecently: boolean;
}

interface Wanted extends Place {
  readonly offset: number;
  readonly maxBytes: number;
  readonly minOneBatch: boolean;
  readonly bound: number;
  /** Bytes from `position` to the end of what is written of the segment. */
  readonly available: number;
}

const sizeToRead = ({ available, maxBytes }: Wanted): number =>
  Math.min(available, Math.max(SHORTEST_BATCH, Math.min(maxBytes, LARGEST_READ_BYTES)));

export class LogReader {
  private readonly segments: Segments;
  private readonly writer: Written;
  /** Most logs of thousands are never read. */
  private places: Map<number, Place> | undefined;
  /** So much of the end of the active segment is read at once after a recent write. */
  private readonly recentBytes: number;
  private readonly underWay = new Set<Promise<unknown>>();

  /**
   * `writer` knows how many bytes of the active segment are in its file, and which offset is next there. `recentBytes`: at most RECENT_BYTES count; 0
   * where everything is to be read off the event loop.
   */
  constructor(segments: Segments, writer: Written, recentBytes: number) {
    this.segments = segments;
    this.writer = writer;
    this.recentBytes = Math.min(RECENT_BYTES, recentBytes);
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

  /** Whole batches of one segment, lent, from the one that holds `offset` or follows it; limits as `LogTail.read`. Throws CorruptBatch. */
  read(offset: number, maxBytes: number, minOneBatch: boolean, bound: number): TailRead | Promise<TailRead> {
    const place = this.placeOf(offset);
    if (place === undefined) return { chunks: [], sizeInBytes: 0, nextOffset: offset };
    const available = this.sizeOf(place.segment) - place.position;
    const wanted: Wanted = { ...place, offset, maxBytes, minOneBatch, bound, available };
    if (this.isRecent(place)) return this.readNow(wanted);
    const read = this.readLater(wanted).finally(() => this.underWay.delete(read));
    this.underWay.add(read);
    return read;
  }

  /** As `read`, at once; undefined where that has to be done off the event loop. */
  readRecent(offset: number, maxBytes: number, bound: number): TailRead | undefined {
    const place = this.placeOf(offset);
    if (place === undefined || !this.isRecent(place)) return undefined;
    const available = this.sizeOf(place.segment) - place.position;
    return this.readNow({ ...place, offset, maxBytes, minOneBatch: true, bound, available });
  }

  /** Resolves when the reads that are under way have ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  private isRecent({ segment, position }: Place): boolean {
    const { writtenSize, wroteRecently } = this.writer;
    return segment === this.segments.active && position >= writtenSize - this.recentBytes && wroteRecently;
  }

  private readNow(wanted: Wanted): TailRead {
    const { segment, position } = wanted;
    const file = segment.handles.file(segment.path);
    for (let size = sizeToRead(wanted); ; ) {
      const memory = takeMemory(size);
      const found = this.cut(memory.subarray(0, file.read(memory, position)), size, wanted);
      release(memory);
      if (typeof found !== 'number') return found;
      size = found;
    }
  }

  private readLater(wanted: Wanted): Promise<TailRead> {
    const { segment, position } = wanted;
    // The file is held: what the path names may be another one by the time of a second read.
    return segment.handles.borrow(segment.path, async (file) => {
      for (let size = sizeToRead(wanted); ; ) {
        const memory = takeMemory(size);
        const found = this.cut(memory.subarray(0, await file.readLater(memory, position)), size, wanted);
        release(memory);
        if (typeof found !== 'number') return found;
        size = found;
      }
    });
  }

  /** What is given of `bytes`, of which there should be `size`; a number when so many have to be read for the first batch to be whole. */
  private cut(bytes: Buffer, size: number, wanted: Wanted): TailRead | number {
    const { segment, position, offset, maxBytes, minOneBatch, bound, available } = wanted;
    const nothing: TailRead = { chunks: [], sizeInBytes: 0, nextOffset: offset };
    if (bytes.length < SHORTEST_BATCH) return nothing;
    const firstSize = batchSizeAt(bytes, 0);
    if (firstSize < 0 || firstSize > available || (firstSize > maxBytes && !minOneBatch)) return nothing;
    if (firstSize > bytes.length) return bytes.length < size ? nothing : firstSize;
    const end = endOfRisingBatches(bytes, bound);
    if (end === 0) return nothing;
    const nextOffset = nextOffsetAfter(bytes, 0, end);
    // What comes after the last batch of a segment is not behind it.
    if (this.segments.floor(nextOffset) === segment) this.remember(nextOffset, { segment, position: position + end });
    return { chunks: [lend(bytes.subarray(0, end))], sizeInBytes: end, nextOffset };
  }

  /** What a reader of [offset, upperBound) has to know of aborted transactions, by the segments from the one that holds `from` on. */
  abortedTransactions(offset: number, upperBound: number, from: number): { producerId: number; firstOffset: number }[] {
    const found: { producerId: number; firstOffset: number }[] = [];
    for (const segment of this.segments.from(from)) {
      if (collectAborted(segment.indexes.abortedTransactions(), offset, upperBound, found)) break;
    }
    return found;
  }

  /** Aborted transactions that ended at or after `startOffset` and began before `to`, of the segments from the one that holds `from` on. */
  abortedEntries(from: number, to: number, startOffset: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = [];
    for (const segment of this.segments.from(from)) {
      const entries = segment.indexes.abortedTransactions();
      found.push(...entries.filter(({ firstOffset, lastOffset }) => lastOffset >= startOffset && firstOffset < to));
      if (entries.some(({ lastStableOffset }) => lastStableOffset >= to)) break;
    }
    return found;
  }

  /** The first record at or after `startOffset` whose timestamp is at least `timestamp`. Raises CorruptBatch where something that is no batch comes before it. */
  async offsetForTimestamp(timestamp: number, startOffset: number): Promise<TimestampedOffset | undefined> {
    const { generation } = this;
    // What an index says of a segment may be gone from it: then the record is in a later one.
    for (const segment of this.segments.values()) {
      if (segment.largestTimestamp() < timestamp) continue;
      const from = Math.max(segment.indexes.lookupTimestamp(timestamp).offset, startOffset);
      const size = this.sizeOf(segment);
      const below = this.endOf(segment);
      let end = segment.startBefore(from);
      let previous = segment.baseOffset;
      for await (const { position, batches } of batchRuns(segment, end, size)) {
        for (const batch of batches) {
          end = position + batch.position + batch.sizeInBytes;
          const { lastOffset } = batch;
          // Its base offset is wrong: it is passed over, as for those who read (`findBatch`).
          if (lastOffset < previous || lastOffset >= below) continue;
          previous = lastOffset;
          if (batch.maxTimestamp < timestamp || lastOffset < startOffset) continue;
          const record = recordsOf(batch).find((each) => each.timestamp >= timestamp && each.offset >= startOffset);
          if (record !== undefined) return found(batch, record.offset, record.timestamp);
        }
      }
      // Of segments that have gone meanwhile no file is opened again: that would bring it back.
      if (generation !== this.generation) return this.offsetForTimestamp(timestamp, startOffset);
      mustBeCutOff(segment.handles.file(segment.path), end, size);
    }
    return undefined;
  }

  /** The first record with the greatest timestamp of the log. */
  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined> {
    let segment = this.segments.first;
    for (const candidate of this.segments.values()) {
      if (candidate.indexes.greatestTimestamp().timestamp > segment.indexes.greatestTimestamp().timestamp) segment = candidate;
    }
    const { generation } = this;
    const { timestamp, offset } = segment.indexes.greatestTimestamp();
    if (timestamp < 0) return undefined;
    const size = this.sizeOf(segment);
    let end = segment.startBefore(offset);
    for await (const { position, batches } of batchRuns(segment, end, size)) {
      for (const batch of batches) {
        end = position + batch.position + batch.sizeInBytes;
        if (batch.maxTimestamp !== timestamp) continue;
        const record = recordsOf(batch).find((each) => each.timestamp === timestamp);
        if (record !== undefined) return found(batch, record.offset, timestamp);
      }
    }
    if (generation !== this.generation) return this.offsetOfMaxTimestamp();
    mustBeCutOff(segment.handles.file(segment.path), end, size);
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

const found = (batch: RecordBatch, offset: number, timestamp: number): TimestampedOffset => ({
  offset,
  timestamp,
  leaderEpoch: batch.partitionLeaderEpoch,
});
