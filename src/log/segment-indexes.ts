/**
 * The indexes of one segment: offsets, times, and the transactions that were aborted in it.
 *
 * Invariants: those of a segment that changes are in memory and reach their files when it is rolled, synced or closed; those of the others are
 * only in their files. An entry of the offset index is added before a batch when more than index.interval.bytes have gone by since the last one; the
 * time index gets the greatest timestamp so far with it, and once more when the segment ends. Source: LogSegment of Apache Kafka.
 */
import type { Files, OpenFile } from '../world/files.ts';
import type { FileHandles } from './file-handles.ts';
import { readEntries } from './index-entries.ts';
import { lookupOffset, OFFSET_ENTRY_SIZE, type OffsetEntry, OffsetIndex } from './offset-index.ts';
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX } from './segment-names.ts';
import { lookupTimestamp, TIME_ENTRY_SIZE, type TimeEntry, TimeIndex } from './time-index.ts';
import { type AbortedTransaction, formatTransactionIndex, parseTransactionIndex } from './transaction-index.ts';

export const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX] as const;

/** Whose indexes they are. */
export interface IndexedFile {
  readonly files: Files;
  readonly baseOffset: number;
  /** Of its file with this suffix, wherever that is now. */
  pathOf(suffix: string): string;
}

interface Entries {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
}

export class SegmentIndexes {
  private readonly of: IndexedFile;
  /** In memory while the segment can change. */
  private entries: Entries | undefined;
  private entriesChanged = false;
  private filesAreSynced = true;
  private bytesSinceEntry = 0;
  private greatest: TimeEntry | undefined;
  /** The greatest offset in the files as they were found. */
  private lastOffsetFound = -1;
  private aborted: AbortedTransaction[] | undefined;
  private abortedChanged = false;

  constructor(of: IndexedFile) {
    this.of = of;
  }

  /** Of a segment that is new: there are no files yet. */
  begin(): void {
    const { baseOffset } = this.of;
    this.entries = { offsets: new OffsetIndex(baseOffset), times: new TimeIndex(baseOffset) };
    this.entriesChanged = true;
  }

  /** Forgets what they say, in the files too: the segment will be scanned. */
  reset(): void {
    this.begin();
    this.lastOffsetFound = -1;
    this.greatest = { timestamp: -1, offset: this.of.baseOffset };
    this.bytesSinceEntry = 0;
    this.aborted = [];
    this.abortedChanged = true;
  }

  private entriesOf(suffix: string, entrySize: number): ReturnType<typeof readEntries> {
    return readEntries(this.of.files, this.of.pathOf(suffix), entrySize);
  }

  private read(): Entries {
    const { baseOffset } = this.of;
    const offsets = this.entriesOf(OFFSET_INDEX_SUFFIX, OFFSET_ENTRY_SIZE);
    const times = this.entriesOf(TIME_INDEX_SUFFIX, TIME_ENTRY_SIZE);
    this.entriesChanged = offsets === undefined || times === undefined;
    return { offsets: new OffsetIndex(baseOffset, offsets), times: new TimeIndex(baseOffset, times) };
  }

  /** Whether the files look as if they belonged to a log file of `size` bytes. */
  areSane(size: number): boolean {
    const { files, baseOffset } = this.of;
    const offsets = this.entriesOf(OFFSET_INDEX_SUFFIX, OFFSET_ENTRY_SIZE);
    const times = this.entriesOf(TIME_INDEX_SUFFIX, TIME_ENTRY_SIZE);
    if (offsets === undefined || times === undefined) return false;
    const path = this.of.pathOf(TRANSACTION_INDEX_SUFFIX);
    if (files.stat(path) !== undefined && parseTransactionIndex(files.readFile(path), baseOffset) === undefined) return false;
    const byOffset = new OffsetIndex(baseOffset, offsets);
    const byTime = new TimeIndex(baseOffset, times);
    if (byOffset.count + byTime.count > 0) this.lastOffsetFound = Math.max(byOffset.lastOffset, byTime.last.offset);
    return byOffset.isSane(size) && byTime.isSane();
  }

  /** Whether the files, as far as `areSane` has seen them, speak of offsets from `nextOffset` on. */
  pass(nextOffset: number): boolean {
    return this.lastOffsetFound >= nextOffset;
  }

  /** In memory, brought there when they are not: only the last segment of a log is asked. */
  get active(): Entries {
    this.entries ??= this.read();
    return this.entries;
  }

  /** A batch of `size` bytes is put at `position`. */
  noteBatch(lastOffset: number, maxTimestamp: number, position: number, size: number, indexIntervalBytes: number): void {
    const { offsets, times } = this.active;
    let { greatest } = this;
    greatest ??= this.greatestTimestamp();
    if (maxTimestamp > greatest.timestamp) {
      greatest = { timestamp: maxTimestamp, offset: lastOffset };
      this.greatest = greatest;
    }
    if (this.bytesSinceEntry > indexIntervalBytes) {
      offsets.append(lastOffset, position);
      times.maybeAppend(greatest.timestamp, greatest.offset);
      this.bytesSinceEntry = 0;
      this.entriesChanged = true;
    }
    this.bytesSinceEntry += size;
  }

  noteAborted(transaction: AbortedTransaction): void {
    this.aborted = [...this.abortedTransactions(), transaction];
    this.abortedChanged = true;
  }

  abortedTransactions(): readonly AbortedTransaction[] {
    if (this.aborted !== undefined) return this.aborted;
    const { files, baseOffset } = this.of;
    const path = this.of.pathOf(TRANSACTION_INDEX_SUFFIX);
    const found = files.stat(path) === undefined ? [] : (parseTransactionIndex(files.readFile(path), baseOffset) ?? []);
    if (found.length === 0 || this.entries !== undefined) this.aborted = found;
    return found;
  }

  /** Greatest timestamp and the end of the batch that has it; (-1, base offset) when no batch has one. */
  greatestTimestamp(): TimeEntry {
    if (this.greatest !== undefined) return this.greatest;
    const times = this.entries?.times ?? new TimeIndex(this.of.baseOffset, this.entriesOf(TIME_INDEX_SUFFIX, TIME_ENTRY_SIZE));
    this.greatest = times.last;
    return this.greatest;
  }

  /** What a look at the batches behind the last entry has found. */
  setGreatestTimestamp(greatest: TimeEntry): void {
    this.greatest = greatest;
  }

  areFull(segmentIndexBytes: number): boolean {
    const { offsets, times } = this.active;
    return (
      offsets.count >= Math.floor(segmentIndexBytes / OFFSET_ENTRY_SIZE) ||
      times.count >= Math.floor(segmentIndexBytes / TIME_ENTRY_SIZE) - 1
    );
  }

  /** The last entry at or below `offset`; the begin of the segment when there is none. */
  lookup(offset: number): OffsetEntry {
    if (this.entries !== undefined) return this.entries.offsets.lookup(offset);
    const { baseOffset } = this.of;
    const start = { offset: baseOffset, position: 0 };
    if (offset <= baseOffset) return start;
    return this.search(OFFSET_INDEX_SUFFIX, (file) => lookupOffset(file, baseOffset, offset)) ?? start;
  }

  /** The last entry at or below `timestamp`; (-1, base offset) when there is none. */
  lookupTimestamp(timestamp: number): TimeEntry {
    if (this.entries !== undefined) return this.entries.times.lookup(timestamp);
    const { baseOffset } = this.of;
    return (
      this.search(TIME_INDEX_SUFFIX, (file) => lookupTimestamp(file, baseOffset, timestamp)) ?? {
        timestamp: -1,
        offset: baseOffset,
      }
    );
  }

  /** Undefined when there is no such file. */
  private search<T>(suffix: string, find: (file: OpenFile) => T): T | undefined {
    const path = this.of.pathOf(suffix);
    if (this.of.files.stat(path) === undefined) return undefined;
    const file = this.of.files.open(path, 'read');
    try {
      return find(file);
    } finally {
      file.close();
    }
  }

  /** Nothing is known any more of what is at or past `nextOffset`, nor which timestamp is the greatest. */
  truncateTo(nextOffset: number): void {
    const { offsets, times } = this.active;
    offsets.truncateTo(nextOffset);
    times.truncateTo(nextOffset);
    this.aborted = this.abortedTransactions().filter((transaction) => transaction.lastOffset < nextOffset);
    this.abortedChanged = true;
    this.entriesChanged = true;
    this.bytesSinceEntry = 0;
    this.greatest = undefined;
  }

  /** No more changes: they get the entry that Kafka adds when a segment ends, are written and leave the memory. */
  deactivate(): void {
    this.noteEnd();
    this.write();
    this.entries = undefined;
    if (this.aborted !== undefined && this.aborted.length > 0) this.aborted = undefined;
  }

  /** The entry that Kafka adds when a segment ends, or has been read anew: the greatest timestamp. */
  noteEnd(): void {
    if (this.entries === undefined || this.greatest === undefined) return;
    const before = this.entries.times.count;
    this.entries.times.maybeAppend(this.greatest.timestamp, this.greatest.offset);
    if (this.entries.times.count !== before) this.entriesChanged = true;
  }

  /** Trimmed and unsynced. */
  private write(): void {
    const { files } = this.of;
    if (this.entries !== undefined && this.entriesChanged) {
      files.writeFile(this.of.pathOf(OFFSET_INDEX_SUFFIX), this.entries.offsets.entries.bytes());
      files.writeFile(this.of.pathOf(TIME_INDEX_SUFFIX), this.entries.times.entries.bytes());
      this.entriesChanged = false;
      this.filesAreSynced = false;
    }
    if (this.abortedChanged) this.writeAborted();
  }

  /** What is there already stays as it is: it may be synced, and a power cut must not take it back. */
  private writeAborted(): void {
    const { files } = this.of;
    const path = this.of.pathOf(TRANSACTION_INDEX_SUFFIX);
    const content = formatTransactionIndex(this.aborted ?? []);
    const there = files.stat(path) === undefined ? undefined : files.readFile(path);
    this.abortedChanged = false;
    if (there?.equals(content) ?? content.length === 0) return;
    this.filesAreSynced = false;
    const grows = there !== undefined && content.subarray(0, there.length).equals(there);
    if (content.length === 0) files.remove(path);
    else if (grows) appendTo(files, path, content.subarray(there.length), there.length);
    else files.writeFile(path, content);
  }

  /** The aborted transactions alone, on disk for good: nobody could tell that they are missing where the log is synced, and not read any more. */
  async syncAborted(): Promise<void> {
    if (!this.abortedChanged) return;
    const { files } = this.of;
    const path = this.of.pathOf(TRANSACTION_INDEX_SUFFIX);
    this.writeAborted();
    if (files.stat(path) === undefined) return;
    const file = files.open(path, 'write');
    try {
      await file.sync();
    } finally {
      file.close();
    }
    // It may be another by now.
    const now = this.of.pathOf(TRANSACTION_INDEX_SUFFIX);
    await files.syncDirectory(now.slice(0, now.lastIndexOf('/')));
  }

  /** Whether the files have been written since they were last synced. */
  get areUnsynced(): boolean {
    return !this.filesAreSynced;
  }

  /** The files that exist, on disk for good. */
  async sync(handles: FileHandles): Promise<void> {
    this.filesAreSynced = true;
    for (const suffix of INDEX_SUFFIXES) {
      const path = this.of.pathOf(suffix);
      if (this.of.files.stat(path) !== undefined) await handles.borrow(path, (file) => file.sync());
      handles.release(path);
    }
  }
}

function appendTo(files: Files, path: string, bytes: Buffer, position: number): void {
  const file = files.open(path, 'write');
  try {
    file.write([bytes], position);
  } finally {
    file.close();
  }
}
