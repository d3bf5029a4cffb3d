/**
 * One segment: a `.log` file of batches and its indexes.
 *
 * Invariants: batches follow each other without gaps between bytes; their offsets rise and lie in [baseOffset, baseOffset + 2^31). Only the last
 * segment of a log changes, and only at its end. A crash before its indexes reach their files costs nothing, since it is scanned again.
 * Source: LogSegment of Apache Kafka.
 */
import type { Clock } from '../world/clock.ts';
import type { Files } from '../world/files.ts';
import { BATCH_OVERHEAD, batchSizeAt, lastOffsetAt, maxTimestampAt, SHORTEST_BATCH } from './batch-header.ts';
import { endOfFile, endOfWhole, type FileEnd, findBatch, holdsOffset, isBatchFor, leadsToBatch } from './batch-search.ts';
import { CorruptBatch } from './corrupt-batch.ts';
import type { FileHandles } from './file-handles.ts';
import type { OffsetEntry } from './offset-index.ts';
import { INDEX_SUFFIXES, SegmentIndexes } from './segment-indexes.ts';
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, paddedOffset, TIME_INDEX_SUFFIX } from './segment-names.ts';
import type { AbortedTransaction } from './transaction-index.ts';

/** What is overwritten is seldom larger than the batches that so many entries lead to. */
const ENTRIES_TRIED = 16;

export interface SegmentPlace {
  readonly files: Files;
  readonly handles: FileHandles;
  readonly clock: Pick<Clock, 'now'>;
  readonly directory: string;
}

export class Segment {
  readonly baseOffset: number;
  readonly indexes: SegmentIndexes;
  /** Of the log file. Changes when the partition is moved to another directory, and when it is compacted. */
  path: string;
  readonly handles: FileHandles;
  readonly files: Files;
  private readonly clock: Pick<Clock, 'now'>;
  /** Behind the names of all files, while the segment is being compacted. */
  private suffix: string;
  /** Bytes, what is queued for writing included. */
  size: number;
  rollJitterMs = 0;
  private createdMs: number;
  /** Greatest timestamp of the first batch; undefined when not known yet. */
  private firstTimestamp: number | undefined;

  constructor(place: SegmentPlace, baseOffset: number, size: number, suffix = '') {
    this.files = place.files;
    this.handles = place.handles;
    this.clock = place.clock;
    this.baseOffset = baseOffset;
    this.suffix = suffix;
    this.path = `${place.directory}/${paddedOffset(baseOffset)}${LOG_SUFFIX}${suffix}`;
    this.size = size;
    this.createdMs = place.clock.now();
    this.indexes = new SegmentIndexes(this);
  }

  /** Of the file whose name ends so, were the segment not being compacted. */
  pathOf(suffix: string): string {
    return this.path.slice(0, -LOG_SUFFIX.length - this.suffix.length) + suffix + this.suffix;
  }

  /** Its files are in another directory from now on: handles of the old paths are given up. */
  relocate(directory: string): void {
    for (const path of this.paths()) this.handles.release(path);
    this.path = `${directory}/${paddedOffset(this.baseOffset)}${LOG_SUFFIX}${this.suffix}`;
  }

  /** The files there may be, the log first. */
  paths(): string[] {
    return [LOG_SUFFIX, ...INDEX_SUFFIXES].map((suffix) => this.pathOf(suffix));
  }

  /** Gives all files names that end with `suffix`, the log first; those under such names are replaced. */
  rename(suffix: string): void {
    for (const from of this.paths()) {
      const to = from.slice(0, from.length - this.suffix.length) + suffix;
      this.handles.release(from);
      this.handles.release(to);
      if (this.files.stat(from) !== undefined) this.files.rename(from, to);
    }
    this.path = this.path.slice(0, this.path.length - this.suffix.length) + suffix;
    this.suffix = suffix;
  }

  /** Bytes of the two indexes' files: what grouping segments for compaction goes by. */
  indexSizes(): { readonly offsets: number; readonly times: number } {
    const sizeOf = (suffix: string): number => this.files.stat(this.pathOf(suffix))?.size ?? 0;
    return { offsets: sizeOf(OFFSET_INDEX_SUFFIX), times: sizeOf(TIME_INDEX_SUFFIX) };
  }

  /** Timestamp of the first batch, -1 when it has none. */
  firstBatchTimestamp(): number {
    if (this.firstTimestamp === undefined && this.size >= SHORTEST_BATCH) {
      const header = Buffer.alloc(BATCH_OVERHEAD);
      this.firstTimestamp = this.handles.file(this.path).read(header, 0) >= 43 ? maxTimestampAt(header, 0) : -1;
    }
    return this.firstTimestamp ?? -1;
  }

  /** No batches, and index files that say so. */
  isEmptyThroughout(): boolean {
    const [, offsets, times, aborted] = this.paths().map((path) => this.files.stat(path)?.size);
    return this.size === 0 && offsets === 0 && times === 0 && aborted === undefined;
  }

  holdsOffset(offset: number): boolean {
    return holdsOffset(this.baseOffset, offset);
  }

  /** Notes whole batches that are put at the end of the file. The caller writes them. */
  noteAppended(records: Buffer, indexIntervalBytes: number): void {
    let at = 0;
    const start = this.size;
    while (at < records.length) {
      const size = batchSizeAt(records, at);
      this.noteBatch(lastOffsetAt(records, at), maxTimestampAt(records, at), start + at, size, indexIntervalBytes);
      at += size;
    }
    this.size = start + records.length;
  }

  noteBatch(lastOffset: number, maxTimestamp: number, position: number, size: number, indexIntervalBytes: number): void {
    if (position === 0) this.firstTimestamp = maxTimestamp;
    this.indexes.noteBatch(lastOffset, maxTimestamp, position, size, indexIntervalBytes);
  }

  noteAborted(transaction: AbortedTransaction): void {
    this.indexes.noteAborted(transaction);
  }

  /** What retention goes by: the greatest timestamp, or when the file was last written where no batch has one. */
  largestTimestamp(): number {
    const { timestamp } = this.indexes.greatestTimestamp();
    return timestamp >= 0 ? timestamp : this.modifiedMs();
  }

  /** How far `timestamp` is from the first batch of the segment; where that has none, how long the segment exists. */
  timeWaitedForRoll(nowMs: number, timestamp: number): number {
    const first = this.firstBatchTimestamp();
    return first >= 0 ? timestamp - first : nowMs - this.createdMs;
  }

  /** When the file was last written. */
  modifiedMs(): number {
    return this.files.stat(this.path)?.modifiedMs ?? this.createdMs;
  }

  /** The last index entry at or below `offset`. */
  lookup(offset: number): OffsetEntry {
    return this.indexes.lookup(offset);
  }

  /** Position of a batch that begins at or before `offset`, as near as the index knows; 0 where its entry leads to none. */
  startBefore(offset: number, size: number = this.size): number {
    const entry = this.lookup(offset);
    return leadsToBatch(this.handles.file(this.path), entry, this.baseOffset, size) ? entry.position : 0;
  }

  /** Position of the first batch that ends in [offset, below), of what is written; the size when there is none. Throws CorruptBatch. */
  positionOf(offset: number, writtenSize: number, below: number = Number.POSITIVE_INFINITY): number {
    const file = this.handles.file(this.path);
    const start = this.startBefore(offset, writtenSize);
    const position = findBatch(file, start, writtenSize, offset, below);
    if (position < writtenSize) return position;
    // Nothing, or a length that leads too far: then the index may know a batch behind it. (Apache Kafka goes on in the next segment.)
    const behind = this.batchFrom(offset, writtenSize, below);
    if (behind === undefined) return position;
    if (leadsToBatch(file, { offset, position: behind }, this.baseOffset, writtenSize)) return behind;
    throw new CorruptBatch(this.path, endOfWhole(file, start, writtenSize), 'a batch behind it is known, and none leads there');
  }

  /** Position of a batch that ends in [offset, below), by one of the first index entries from there on. */
  private batchFrom(offset: number, writtenSize: number, below: number): number | undefined {
    const file = this.handles.file(this.path);
    let entry = this.entryFrom(offset);
    for (let tries = 0; entry !== undefined && tries < ENTRIES_TRIED; tries++) {
      if (isBatchFor(file, entry.position, writtenSize, offset, below)) return entry.position;
      entry = this.entryFrom(entry.offset + 1);
    }
    return undefined;
  }

  /** The first index entry at or above `offset`. */
  private entryFrom(offset: number): OffsetEntry | undefined {
    let found = this.lookup(Number.MAX_SAFE_INTEGER);
    if (found.position === 0 || found.offset < offset) return undefined;
    for (let low = offset; low < found.offset; ) {
      const middle = Math.floor((low + found.offset) / 2);
      const entry = this.lookup(middle);
      if (entry.position > 0 && entry.offset >= offset) found = entry;
      else low = middle + 1;
    }
    return found;
  }

  /** Forgets the indexes, also those in the files: the segment will be scanned. */
  resetIndexes(): void {
    this.indexes.reset();
  }

  /** No more changes: indexes are written and leave the memory. */
  deactivate(): void {
    this.indexes.deactivate();
  }

  /** The log file and the index files that exist, or of those what cannot be made anew without reading the log, on disk for good. */
  async sync(withIndexes: boolean): Promise<void> {
    await this.handles.borrow(this.path, (file) => file.sync());
    if (withIndexes) await this.indexes.sync(this.handles);
    else await this.indexes.syncAborted();
  }

  /** Cuts off everything from the batch that holds `offset` on. */
  truncateTo(offset: number): void {
    this.cutAt({ position: this.positionOf(offset, this.size), nextOffset: offset });
  }

  /** Cuts off everything behind its end. */
  cutAt({ position, nextOffset }: FileEnd): void {
    this.handles.file(this.path).truncate(position);
    this.size = position;
    this.indexes.truncateTo(nextOffset);
    this.firstTimestamp = undefined;
    if (position === 0) this.createdMs = this.clock.now();
    this.rescanTail();
  }

  /** The greatest timestamp, from the last time index entry on. What a damaged header says of a batch before it, or out of its reach, does not count. */
  private rescanTail(): void {
    const { last } = this.indexes.active.times;
    let greatest = last;
    let position = this.startBefore(greatest.offset);
    const file = this.handles.file(this.path);
    const header = Buffer.alloc(BATCH_OVERHEAD);
    while (this.size - position >= SHORTEST_BATCH) {
      const read = file.read(header, position);
      const size = read < SHORTEST_BATCH ? -1 : batchSizeAt(header, 0);
      if (size < 0) break;
      const timestamp = maxTimestampAt(header, 0);
      const offset = lastOffsetAt(header, 0);
      if (timestamp > greatest.timestamp && offset >= last.offset && this.holdsOffset(offset)) greatest = { timestamp, offset };
      position += size;
    }
    this.indexes.setGreatestTimestamp(greatest);
  }

  /** Where its batches end. */
  end(): FileEnd {
    if (this.size === 0) return { nextOffset: this.baseOffset, position: 0 };
    const file = this.handles.file(this.path);
    const end = endOfFile(file, this.startBefore(Number.MAX_SAFE_INTEGER), this.size, this.baseOffset);
    return end.position > 0 ? end : endOfFile(file, 0, this.size, this.baseOffset);
  }

  /** Whether the file, or an index, goes on behind the end of the batches. */
  passes({ position, nextOffset }: FileEnd): boolean {
    return position < this.size || this.indexes.pass(nextOffset);
  }

  /** One past the last offset; the base offset when the segment is empty. */
  nextOffset(): number {
    return this.end().nextOffset;
  }
}
