/**
 * The `.snapshot` files in a log's directory, each named by the offset at which the state of its producers was written.
 *
 * Invariants: `offsets` are those of the files there are and that can be believed, and of what is held, ascending; a file is written whole and
 * unsynced; one that is damaged is removed when it is read. Source: ProducerStateManager of Apache Kafka.
 */
import type { Files } from '../world/files.ts';
import type { ProducerEntry } from './producer-entry.ts';
import { formatProducerSnapshot, parseProducerSnapshot } from './producer-snapshot.ts';
import { offsetOfName, paddedOffset, SNAPSHOT_SUFFIX } from './segment-names.ts';

function offsetsOf(names: readonly string[]): number[] {
  const found: number[] = [];
  for (const name of names) {
    const offset = name.endsWith(SNAPSHOT_SUFFIX) ? offsetOfName(name) : undefined;
    if (offset !== undefined) found.push(offset);
  }
  return found.toSorted((a, b) => a - b);
}

const NO_OFFSETS: readonly number[] = [];

interface HeldSnapshot {
  readonly offset: number;
  readonly content: Buffer;
}

export class ProducerSnapshots {
  private readonly files: Files;
  private directory: string;
  private offsets: readonly number[];
  /** Of files that count as gone, until they are written again or removed. */
  private doubted = NO_OFFSETS;
  private held: HeldSnapshot | undefined;

  /** `names`: what the directory holds. */
  constructor(files: Files, directory: string, names: readonly string[]) {
    this.files = files;
    this.directory = directory;
    this.offsets = offsetsOf(names);
  }

  /** They are in another directory from now on. */
  relocate(directory: string): void {
    this.directory = directory;
  }

  get latestOffset(): number | undefined {
    return this.offsets[this.offsets.length - 1];
  }

  private pathOf(offset: number): string {
    return `${this.directory}/${paddedOffset(offset)}${SNAPSHOT_SUFFIX}`;
  }

  /** Unsynced. The path of the file. */
  write(offset: number, entries: Iterable<ProducerEntry>): string {
    const path = this.pathOf(offset);
    const content = formatProducerSnapshot(entries);
    const isThere = this.doubted.includes(offset) && this.files.readFile(path).equals(content);
    if (!isThere) this.files.writeFile(path, content);
    this.doubtNoMore(offset);
    this.know(offset);
    return path;
  }

  /** In memory until `letGo`, for who reads it again soon. */
  hold(offset: number, entries: Iterable<ProducerEntry>): void {
    this.letGo();
    this.held = { offset, content: formatProducerSnapshot(entries) };
    this.know(offset);
  }

  letGo(): void {
    if (this.held !== undefined) this.forget(this.held.offset);
  }

  private contentAt(offset: number): Buffer {
    return this.held?.offset === offset ? this.held.content : this.files.readFile(this.pathOf(offset));
  }

  private know(offset: number): void {
    if (!this.offsets.includes(offset)) this.offsets = [...this.offsets, offset].toSorted((a, b) => a - b);
  }

  /** The newest sound one; undefined when there is none. Those that are newer and damaged are removed. */
  readLatest(): { readonly offset: number; readonly entries: readonly ProducerEntry[] } | undefined {
    for (;;) {
      const offset = this.latestOffset;
      if (offset === undefined) return undefined;
      const entries = parseProducerSnapshot(this.contentAt(offset));
      if (entries !== undefined) return { offset, entries };
      this.remove(offset);
    }
  }

  private forget(offset: number): void {
    this.offsets = this.offsets.filter((known) => known !== offset);
    if (this.held?.offset === offset) this.held = undefined;
  }

  private doubtNoMore(offset: number): void {
    if (this.doubted.includes(offset)) this.doubted = this.doubted.filter((doubted) => doubted !== offset);
  }

  remove(offset: number): void {
    this.forget(offset);
    this.doubtNoMore(offset);
    this.files.remove(this.pathOf(offset));
  }

  removeAll(): void {
    for (const offset of [...this.offsets, ...this.doubted]) this.remove(offset);
  }

  /** Removes those outside (logStartOffset, logEndOffset]. */
  removeOutside(logStartOffset: number, logEndOffset: number): void {
    for (const offset of this.offsets) if (offset > logEndOffset || offset <= logStartOffset) this.remove(offset);
  }

  /** Removes those that belong to no segment, except the newest if it is newer than every segment: the one of a clean shutdown. */
  removeStrays(segmentBaseOffsets: readonly number[]): void {
    const bases = new Set(segmentBaseOffsets);
    const newestBase = Math.max(...segmentBaseOffsets);
    const strays = this.offsets.filter((offset) => !bases.has(offset));
    const newest = strays[strays.length - 1];
    for (const offset of strays) if (offset !== newest || offset < newestBase) this.remove(offset);
  }

  /**
   * Those behind `offset` count as gone: the log is read from there. Their files stay until `removeDoubted`, because most of them say what will be
   * written again, and thousands of logs are read at a start.
   */
  doubtBehind(offset: number): void {
    const behind = this.offsets.filter((known) => known > offset);
    if (behind.length === 0) return;
    this.doubted = [...this.doubted, ...behind];
    for (const doubted of behind) this.forget(doubted);
  }

  /** Whether there are files, doubted ones too, of states behind `offset`. */
  reachBehind(offset: number): boolean {
    return [...this.offsets, ...this.doubted].some((known) => known > offset);
  }

  /** What is known is on disk for good, and what is not is gone for good. */
  async sync(): Promise<void> {
    for (const offset of this.offsets) {
      const file = this.files.open(this.pathOf(offset), 'write');
      try {
        await file.sync();
      } finally {
        file.close();
      }
    }
    await this.files.syncDirectory(this.directory);
  }

  /** Whether there were any. */
  removeDoubted(): boolean {
    const gone = this.doubted;
    this.doubted = NO_OFFSETS;
    for (const offset of gone) this.files.remove(this.pathOf(offset));
    return gone.length > 0;
  }

  /** Gives the file up for deletion: forgotten here, renamed by the caller. Undefined when there is none. */
  release(offset: number): string | undefined {
    if (!this.offsets.includes(offset)) return undefined;
    this.forget(offset);
    return this.pathOf(offset);
  }
}
