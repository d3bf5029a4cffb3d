/**
 * One segment: a `.log` file of batches and its indexes.
 *
 * Invariants: batches follow each other without gaps between bytes; their offsets rise and lie in [baseOffset, baseOffset + 2^31). Only the last
 * segment of a log changes, and only at its end. The indexes of a segment that changes are in memory and reach their files when it is rolled,
 * synced or closed: a crash before that costs nothing, since it is scanned again. Those of the others are only in their files.
 * An offset index entry is added before a batch when more than index.interval.bytes have gone by since the last one; the time index gets the
 * greatest timestamp so far with it, and once more when the segment is rolled or closed. Source: LogSegment of Apache Kafka.
 */
import type { Clock } from '../world/clock.ts';
import type { Files } from '../world/files.ts';
import { BATCH_OVERHEAD, batchSizeAt, lastOffsetAt, maxTimestampAt, SHORTEST_BATCH } from './batch-header.ts';
import { endOfFile, type FileEnd, findBatch, holdsOffset, leadsToBatch } from './batch-search.ts';
import type { FileHandles } from './file-handles.ts';
import { readEntries } from './index-entries.ts';
import { lookupOffset, OFFSET_ENTRY_SIZE, type OffsetEntry, OffsetIndex } from './offset-index.ts';
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, paddedOffset, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX } from './segment-names.ts';
import { lookupTimestamp, TIME_ENTRY_SIZE, type TimeEntry, TimeIndex } from './time-index.ts';
import { type AbortedTransaction, formatTransactionIndex, parseTransactionIndex } from './transaction-index.ts';

const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX] as const;

export interface SegmentPlace {
  readonly files: Files;
  readonly handles: FileHandles;
  readonly clock: Pick<Clock, 'now'>;
  readonly directory: string;
}

interface Indexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
}

export class Segment {
  readonly baseOffset: number;
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
  /** In memory while the segment can change. */
  private indexes: Indexes | undefined;
  private indexesChanged = false;
  private indexFilesAreSynced = true;
  private bytesSinceIndexEntry = 0;
  private greatest: TimeEntry | undefined;
  /** Greatest timestamp of the first batch; undefined when not known yet. */
  private firstTimestamp: number | undefined;
  /** The greatest offset in the index files as they were found. */
  private lastIndexedOffset = -1;
  private aborted: AbortedTransaction[] | undefined;
  private abortedChanged = false;

  constructor(place: SegmentPlace, baseOffset: number, size: number, suffix = '') {
    this.files = place.files;
    this.handles = place.handles;
    this.clock = place.clock;
    this.baseOffset = baseOffset;
    this.suffix = suffix;
    this.path = `${place.directory}/${paddedOffset(baseOffset)}${LOG_SUFFIX}${suffix}`;
    this.size = size;
    this.createdMs = place.clock.now();
  }

  private pathOf(suffix: string): string {
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

  /** Of a file that is new: there are no indexes yet. */
  begin(): void {
    this.indexes = { offsets: new OffsetIndex(this.baseOffset), times: new TimeIndex(this.baseOffset) };
    this.indexesChanged = true;
  }

  /** No batches, and index files that say so. */
  isEmptyThroughout(): boolean {
    const [, offsets, times, aborted] = this.paths().map((path) => this.files.stat(path)?.size);
    return this.size === 0 && offsets === 0 && times === 0 && aborted === undefined;
  }

  private readIndexes(): Indexes {
    const offsets = readEntries(this.files, this.pathOf(OFFSET_INDEX_SUFFIX), OFFSET_ENTRY_SIZE);
    const times = readEntries(this.files, this.pathOf(TIME_INDEX_SUFFIX), TIME_ENTRY_SIZE);
    this.indexesChanged = offsets === undefined || times === undefined;
    return { offsets: new OffsetIndex(this.baseOffset, offsets), times: new TimeIndex(this.baseOffset, times) };
  }

  /** Forgets the indexes, also those in the files: the segment will be scanned. */
  resetIndexes(): void {
    this.indexes = { offsets: new OffsetIndex(this.baseOffset), times: new TimeIndex(this.baseOffset) };
    this.indexesChanged = true;
    this.lastIndexedOffset = -1;
    this.greatest = { timestamp: -1, offset: this.baseOffset };
    this.bytesSinceIndexEntry = 0;
    this.aborted = [];
    this.abortedChanged = true;
  }

  /** Whether the index files look as if they belonged to the log file. */
  indexesAreSane(): boolean {
    const offsets = readEntries(this.files, this.pathOf(OFFSET_INDEX_SUFFIX), OFFSET_ENTRY_SIZE);
    const times = readEntries(this.files, this.pathOf(TIME_INDEX_SUFFIX), TIME_ENTRY_SIZE);
    if (offsets === undefined || times === undefined) return false;
    const path = this.pathOf(TRANSACTION_INDEX_SUFFIX);
    if (this.files.stat(path) !== undefined && parseTransactionIndex(this.files.readFile(path), this.baseOffset) === undefined)
      return false;
    const byOffset = new OffsetIndex(this.baseOffset, offsets);
    const byTime = new TimeIndex(this.baseOffset, times);
    if (byOffset.count + byTime.count > 0) this.lastIndexedOffset = Math.max(byOffset.lastOffset, byTime.last.offset);
    return byOffset.isSane(this.size) && byTime.isSane();
  }

  /** The indexes in memory, brought there when they are not: only the last segment of a log is asked. */
  get active(): Indexes {
    this.indexes ??= this.readIndexes();
    return this.indexes;
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
    const { offsets, times } = this.active;
    let { greatest } = this;
    greatest ??= this.greatestTimestamp();
    if (maxTimestamp > greatest.timestamp) {
      greatest = { timestamp: maxTimestamp, offset: lastOffset };
      this.greatest = greatest;
    }
    if (this.bytesSinceIndexEntry > indexIntervalBytes) {
      offsets.append(lastOffset, position);
      times.maybeAppend(greatest.timestamp, greatest.offset);
      this.bytesSinceIndexEntry = 0;
      this.indexesChanged = true;
    }
    this.bytesSinceIndexEntry += size;
  }

  noteAborted(transaction: AbortedTransaction): void {
    this.aborted = [...this.abortedTransactions(), transaction];
    this.abortedChanged = true;
  }

  abortedTransactions(): readonly AbortedTransaction[] {
    if (this.aborted !== undefined) return this.aborted;
    const path = this.pathOf(TRANSACTION_INDEX_SUFFIX);
    const found =
      this.files.stat(path) === undefined ? [] : (parseTransactionIndex(this.files.readFile(path), this.baseOffset) ?? []);
    if (found.length === 0 || this.indexes !== undefined) this.aborted = found;
    return found;
  }

  /** Greatest timestamp and the end of the batch that has it; (-1, base offset) when no batch has one. */
  greatestTimestamp(): TimeEntry {
    if (this.greatest !== undefined) return this.greatest;
    const times =
      this.indexes?.times ??
      new TimeIndex(this.baseOffset, readEntries(this.files, this.pathOf(TIME_INDEX_SUFFIX), TIME_ENTRY_SIZE));
    this.greatest = times.last;
    return this.greatest;
  }

  /** What retention goes by: the greatest timestamp, or when the file was last written where no batch has one. */
  largestTimestamp(): number {
    const { timestamp } = this.greatestTimestamp();
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

  isIndexFull(segmentIndexBytes: number): boolean {
    const { offsets, times } = this.active;
    return (
      offsets.count >= Math.floor(segmentIndexBytes / OFFSET_ENTRY_SIZE) ||
      times.count >= Math.floor(segmentIndexBytes / TIME_ENTRY_SIZE) - 1
    );
  }

  /** The last index entry at or below `offset`. */
  lookup(offset: number): OffsetEntry {
    if (this.indexes !== undefined) return this.indexes.offsets.lookup(offset);
    if (offset <= this.baseOffset) return { offset: this.baseOffset, position: 0 };
    return (
      this.withIndexFile(OFFSET_INDEX_SUFFIX, (path) => {
        const file = this.files.open(path, 'read');
        try {
          return lookupOffset(file, this.baseOffset, offset);
        } finally {
          file.close();
        }
      }) ?? { offset: this.baseOffset, position: 0 }
    );
  }

  lookupTimestamp(timestamp: number): TimeEntry {
    if (this.indexes !== undefined) return this.indexes.times.lookup(timestamp);
    return (
      this.withIndexFile(TIME_INDEX_SUFFIX, (path) => {
        const file = this.files.open(path, 'read');
        try {
          return lookupTimestamp(file, this.baseOffset, timestamp);
        } finally {
          file.close();
        }
      }) ?? { timestamp: -1, offset: this.baseOffset }
    );
  }

  private withIndexFile<T>(suffix: string, use: (path: string) => T): T | undefined {
    const path = this.pathOf(suffix);
    return this.files.stat(path) === undefined ? undefined : use(path);
  }

  /** Position of a batch that begins at or before `offset`, as near as the index knows; 0 where its entry leads to none. */
  startBefore(offset: number, size: number = this.size): number {
    const entry = this.lookup(offset);
    return leadsToBatch(this.handles.file(this.path), entry, this.baseOffset, size) ? entry.position : 0;
  }

  /** Position of the first batch that ends in [offset, below), of what is written; the size when there is none. Throws CorruptBatch. */
  positionOf(offset: number, writtenSize: number, below: number = Number.POSITIVE_INFINITY): number {
    return findBatch(this.handles.file(this.path), this.startBefore(offset, writtenSize), writtenSize, offset, below);
  }

  /** The entries that Kafka adds when a segment ends: the greatest timestamp. */
  finishIndexes(): void {
    if (this.indexes === undefined || this.greatest === undefined) return;
    const before = this.indexes.times.count;
    this.indexes.times.maybeAppend(this.greatest.timestamp, this.greatest.offset);
    if (this.indexes.times.count !== before) this.indexesChanged = true;
  }

  /** Writes the indexes to their files, trimmed. Unsynced. */
  writeIndexes(): void {
    if (this.indexes !== undefined && this.indexesChanged) {
      this.files.writeFile(this.pathOf(OFFSET_INDEX_SUFFIX), this.indexes.offsets.entries.bytes());
      this.files.writeFile(this.pathOf(TIME_INDEX_SUFFIX), this.indexes.times.entries.bytes());
      this.indexesChanged = false;
      this.indexFilesAreSynced = false;
    }
    if (this.abortedChanged) {
      this.indexFilesAreSynced = false;
      const path = this.pathOf(TRANSACTION_INDEX_SUFFIX);
      const aborted = this.aborted ?? [];
      if (aborted.length > 0) this.files.writeFile(path, formatTransactionIndex(aborted));
      else if (this.files.stat(path) !== undefined) this.files.remove(path);
      this.abortedChanged = false;
    }
  }

  /** No more changes: indexes are written and leave the memory. */
  deactivate(): void {
    this.finishIndexes();
    this.writeIndexes();
    this.indexes = undefined;
    if (this.aborted !== undefined && this.aborted.length > 0) this.aborted = undefined;
  }

  /** Whether the index files have been written since they were last synced. */
  get hasUnsyncedIndexes(): boolean {
    return !this.indexFilesAreSynced;
  }

  /** The log file and the index files that exist, on disk for good. */
  async sync(withIndexes: boolean): Promise<void> {
    await this.handles.borrow(this.path, (file) => file.sync());
    if (!withIndexes) return;
    this.indexFilesAreSynced = true;
    for (const suffix of INDEX_SUFFIXES) {
      const path = this.pathOf(suffix);
      if (this.files.stat(path) !== undefined) await this.handles.borrow(path, (file) => file.sync());
      this.handles.release(path);
    }
  }

  /** Cuts off everything from the batch that holds `offset` on. */
  truncateTo(offset: number): void {
    this.cutAt({ position: this.positionOf(offset, this.size), nextOffset: offset });
  }

  /** Cuts off everything behind its end. */
  cutAt({ position, nextOffset }: FileEnd): void {
    this.handles.file(this.path).truncate(position);
    this.size = position;
    const { offsets, times } = this.active;
    offsets.truncateTo(nextOffset);
    times.truncateTo(nextOffset);
    this.aborted = this.abortedTransactions().filter((transaction) => transaction.lastOffset < nextOffset);
    this.abortedChanged = true;
    this.indexesChanged = true;
    this.bytesSinceIndexEntry = 0;
    this.greatest = undefined;
    this.firstTimestamp = undefined;
    if (position === 0) this.createdMs = this.clock.now();
    this.rescanTail();
  }

  /** The greatest timestamp, from the last time index entry on. */
  private rescanTail(): void {
    let greatest = this.active.times.last;
    let position = this.startBefore(greatest.offset);
    const file = this.handles.file(this.path);
    const header = Buffer.alloc(BATCH_OVERHEAD);
    while (this.size - position >= SHORTEST_BATCH) {
      const read = file.read(header, position);
      const size = read < SHORTEST_BATCH ? -1 : batchSizeAt(header, 0);
      if (size < 0) break;
      const timestamp = maxTimestampAt(header, 0);
      if (timestamp > greatest.timestamp) greatest = { timestamp, offset: lastOffsetAt(header, 0) };
      position += size;
    }
    this.greatest = greatest;
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
    return position < this.size || this.lastIndexedOffset >= nextOffset;
  }

  /** One past the last offset; the base offset when the segment is empty. */
  nextOffset(): number {
    return this.end().nextOffset;
  }
}
