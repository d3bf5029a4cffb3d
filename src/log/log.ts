/**
 * One partition on one disk, in Apache Kafka's files.
 *
 * Invariants (`checkInvariants` looks at them):
 * 1. Offsets rise from batch to batch, across segments; gaps come only from compaction and replication, and from a power cut that took the unsynced
 *    end of a segment and left the next one.
 * 2. logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset; recoveryPoint <= logEndOffset; writtenOffset <= logEndOffset.
 * 3. Every index entry points at a batch boundary at or below its offset; both columns rise.
 * 4. The file is what was acknowledged plus at most one torn tail, which recovery cuts off.
 * 5. Producer state and leader epochs equal what replaying the log gives.
 * 6. A reader never sees past what its isolation level, the high watermark and `writtenOffset` allow.
 *
 * `append` decides everything at once and in order: validation, sequences, offsets. The bytes follow at the end of the turn, in one write; who
 * waits for them listens with `onWritten`. The high watermark belongs to the partition and is only kept here.
 */
import type { RecordBatch } from '../wire/record-batch.ts';
import type { StorageFailure } from '../world/files.ts';
import { read, readQueued } from './bounded-read.ts';
import type { Cleaning } from './cleaning-gate.ts';
import { guarded, guardedLater } from './disk-guard.ts';
import { append } from './log-append.ts';
import type { EpochEnd, LeaderEpochs } from './leader-epochs.ts';
import { close } from './log-close.ts';
import type { LogConfig } from './log-config.ts';
import { open } from './log-open.ts';
import { relocate } from './log-relocation.ts';
import type { TimestampedOffset } from './log-reader.ts';
import type { AppendOptions, AppendResult, LogOptions, LogRead, ReadOptions } from './log-contract.ts';
import { lastStableOffset, type LogParts, setHighWatermark } from './log-parts.ts';
import { advanceLogStartOffset, deleteOldSegments } from './log-start.ts';
import { restartAt, truncateTo } from './log-truncation.ts';
import type { ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';
import { roll } from './segment-keeper.ts';
import { replaceSegments } from './segment-replacement.ts';
import type { TailMemory, TailRead } from './tail-memory.ts';
import type { FirstBatch } from './verification.ts';
import type { AbortedTransaction } from './transaction-index.ts';

export class Log {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string | null;
  readonly leaderEpochs: LeaderEpochs;
  readonly producerState: ProducerState;
  private readonly parts: LogParts;

  private constructor(parts: LogParts) {
    this.parts = parts;
    this.topic = parts.o.topic;
    this.partition = parts.o.partition;
    this.topicId = parts.topicId;
    this.leaderEpochs = parts.leaderEpochs;
    this.producerState = parts.producerState;
  }

  /** Opens what the directory holds, or begins an empty log. Rejects with StorageFailure. */
  static async open(o: LogOptions): Promise<Log> {
    return new Log(await open(o));
  }

  /** Where its files are. */
  get directory(): string {
    return this.parts.directory;
  }

  get config(): LogConfig {
    return this.parts.config;
  }

  /** Set once the disk has failed. */
  get failure(): StorageFailure | undefined {
    return this.parts.failure;
  }

  get isClosed(): boolean {
    return this.parts.closed;
  }

  get logStartOffset(): number {
    return this.parts.startOffset;
  }

  /** One past the last offset given out, written or not. */
  get logEndOffset(): number {
    return this.parts.writer.queuedOffset;
  }

  /** One past the last offset written (and synced, where flush.messages asks for it): what may be acknowledged, and what readers see at most. */
  get writtenOffset(): number {
    return this.parts.writer.writtenOffset;
  }

  get highWatermark(): number {
    return this.parts.highWatermark;
  }

  /** First offset of the oldest transaction that is open or ended above the high watermark, at most the high watermark. */
  get lastStableOffset(): number {
    return lastStableOffset(this.parts);
  }

  /** All before it is synced. */
  get recoveryPoint(): number {
    return this.parts.writer.recoveryPoint;
  }

  /** When something of this log was last synced, or when it was opened. */
  get lastFlushMs(): number {
    return this.parts.writer.lastSyncMs;
  }

  get sizeInBytes(): number {
    return this.parts.segments.sizeInBytes;
  }

  get segmentCount(): number {
    return this.parts.segments.count;
  }

  /** For checks and for the log's own rooms; nobody else changes segments. */
  segmentList(): readonly Segment[] {
    return this.parts.segments.values();
  }

  /**
   * Validates, checks sequences, gives offsets and queues the batches, all at once; they are acknowledged when `writtenOffset` has passed them.
   * The buffer is patched in place and stays as it is until it is written.
   */
  append(records: Buffer, o: AppendOptions): AppendResult {
    return append(this.parts, records, o);
  }

  /** As ProducerState has it. */
  startVerification(batch: FirstBatch): ReturnType<ProducerState['startVerification']> {
    return this.producerState.startVerification(batch, this.parts.o.clock.now());
  }

  /** Ends the active segment, unless it is empty. */
  roll(): void {
    guarded(this.parts, () => roll(this.parts, this.logEndOffset));
  }

  /** The listener runs after each move of `writtenOffset`, and once with the failure when the disk fails. */
  onWritten(listener: (failure?: StorageFailure) => void): void {
    this.parts.listeners = [...this.parts.listeners, listener];
  }

  /** The disk did not do what was asked: nothing is acknowledged, appended or read any more. */
  fail(failure: StorageFailure): void {
    this.parts.writer.fail(failure);
  }

  /** Moves the high watermark, kept within [logStartOffset, logEndOffset]. */
  setHighWatermark(offset: number): void {
    setHighWatermark(this.parts, offset);
  }

  /**
   * Batches from the one that holds `offset`, or the next where compaction has left a gap, lent (recycled-memory.ts): at once what is young, later what
   * is read off the event loop.
   * Nothing when `offset` is at or past the bound. Throws OffsetOutOfRange outside [logStartOffset, logEndOffset].
   */
  read(offset: number, o: ReadOptions): LogRead | Promise<LogRead> {
    return read(this.parts, offset, o);
  }

  /** Writes what is queued and syncs up to the end as it is now. Rejects with StorageFailure. */
  flush(): Promise<void> {
    return this.parts.writer.flush();
  }

  /** The first record with this timestamp or a later one; undefined when there is none. */
  async offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined> {
    return guardedLater(this.parts, () => this.parts.reader.offsetForTimestamp(timestamp, this.parts.startOffset));
  }

  /** The first record with the greatest timestamp. */
  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined> {
    return guardedLater(this.parts, () => this.parts.reader.offsetOfMaxTimestamp());
  }

  /** KIP-101, KIP-279: the largest epoch at or below `epoch` and where it ends; {-1, -1} when that is not known. */
  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.leaderEpochs.endOffsetFor(epoch, this.logEndOffset);
  }

  /** DeleteRecords: nothing before `offset` is served any more. Throws OffsetOutOfRange above the high watermark. */
  advanceLogStartOffset(offset: number): void {
    advanceLogStartOffset(this.parts, offset);
  }

  /** Retention by log start, size and time, as cleanup.policy says; returns how many segments went: none while the log is being compacted. */
  deleteOldSegments(): number {
    if (this.parts.cleaning.isCleaning) return 0;
    return guarded(this.parts, () => deleteOldSegments(this.parts));
  }

  /** Removes everything from `offset` on. Nothing may be appended meanwhile. */
  truncateTo(offset: number): Promise<void> {
    return guardedLater(this.parts, () => this.uncleaned(offset, () => truncateTo(this.parts, offset)));
  }

  /** Empties the log and lets it go on at `offset`. */
  truncateFullyAndStartAt(offset: number): Promise<void> {
    return guardedLater(this.parts, () => this.uncleaned(offset, async () => restartAt(this.parts, offset)));
  }

  /** Runs what takes records from `offset` on back, while nobody compacts the log. */
  private async uncleaned(offset: number, run: () => Promise<void>): Promise<void> {
    try {
      await this.pauseCleaning();
      await run();
      this.parts.o.onTruncated?.(this.topic, this.partition, offset);
    } finally {
      this.resumeCleaning();
    }
  }

  /** No compaction begins any more before as many calls of `resumeCleaning`; resolves when none is under way. */
  async pauseCleaning(): Promise<void> {
    await this.parts.cleaning.pause();
  }

  resumeCleaning(): void {
    this.parts.cleaning.resume();
  }

  /** Whether compaction may begin: nobody else is at it, and nothing that it must not meet is under way. */
  get isCleanable(): boolean {
    const { closed, failure, cleaning } = this.parts;
    return !closed && failure === undefined && cleaning.isOpen;
  }

  /** Until `endCleaning` segments are replaced by `replaceSegments` alone; who has to change them otherwise calls `abort` first. */
  beginCleaning(cleaning: Cleaning): void {
    if (!this.isCleanable) throw new Error(`${this.topic}-${this.partition} cannot be compacted now`);
    this.parts.cleaning.begin(cleaning);
  }

  endCleaning(): void {
    this.parts.cleaning.end();
  }

  /** Puts what compaction has written (`.cleaned` files, synced) in the place of the segments it was made of. */
  replaceSegments(cleaned: { readonly size: number }, replaced: readonly Segment[]): Promise<void> {
    return guardedLater(this.parts, () => replaceSegments(this.parts, cleaned, replaced));
  }

  /** Aborted transactions with records before `to`, as far as segments from the one that holds `from` on know of them. */
  abortedTransactions(from: number, to: number): AbortedTransaction[] {
    return guarded(this.parts, () => this.parts.reader.abortedEntries(from, to, this.parts.startOffset));
  }

  /** As `read` up to the end of the log, what is queued included, as far as it can be had at once; undefined when it cannot. For a copy of the log. */
  readQueued(offset: number, maxBytes: number): TailRead | undefined {
    return readQueued(this.parts, offset, maxBytes);
  }

  /** Renames the directory and goes on there, with all that is under way. Throws an Error while the leader epochs are being saved. */
  rename(directory: string): void {
    if (this.leaderEpochs.isSaving)
      throw new Error(`${this.directory} cannot be renamed while its leader epochs are being saved`);
    guarded(this.parts, () => relocate(this.parts, directory));
  }

  /** The newest batches are kept there from now on; those kept so far are forgotten. */
  keepTailIn(memory: TailMemory): void {
    this.parts.tail.moveTo(memory);
  }

  updateConfig(config: LogConfig): void {
    const wasCompacted = this.parts.config.cleanupPolicy.includes('compact');
    if (wasCompacted && !config.cleanupPolicy.includes('compact')) void this.parts.cleaning.abort();
    this.parts.config = config;
    this.parts.writer.flushMessages = config.flushMessages;
  }

  /** All batches from the one that holds `from` (default: the log start), in order, up to what is written. */
  batches(from: number = this.parts.startOffset): AsyncIterable<RecordBatch> {
    return this.parts.reader.batches(from);
  }

  /** Producers that have not written for producer.id.expiration.ms are forgotten. */
  removeExpiredProducers(): void {
    this.producerState.removeExpired(this.parts.o.clock.now());
  }

  /**
   * Clean: everything synced, indexes trimmed, a snapshot at the end, as Kafka leaves it. Not clean: dropped as it is, as by a crash; what is
   * queued is lost.
   */
  async close(o: { readonly clean: boolean }): Promise<void> {
    if (this.parts.closed) return;
    await this.pauseCleaning();
    await close(this.parts, o);
  }
}
