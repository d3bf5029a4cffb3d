/**
 * One partition on one disk, in Apache Kafka's files.
 *
 * Invariants (`checkInvariants` looks at them):
 * 1. Offsets rise from batch to batch, across segments; gaps come only from compaction and replication.
 * 2. logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset; recoveryPoint <= logEndOffset; writtenOffset <= logEndOffset.
 * 3. Every index entry points at a batch boundary at or below its offset; both columns rise.
 * 4. The file is what was acknowledged plus at most one torn tail, which recovery cuts off.
 * 5. Producer state and leader epochs equal what replaying the log gives.
 * 6. A reader never sees past what its isolation level, the high watermark and `writtenOffset` allow.
 *
 * `append` decides everything at once and in order: validation, sequences, offsets. The bytes follow at the end of the turn, in one write; who
 * waits for them listens with `onWritten`. The high watermark belongs to the partition and is only kept here.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import { batchesOf, type RecordBatch } from '../wire/record-batch.ts';
import { StorageFailure } from '../world/files.ts';
import { FileHandles } from './file-handles.ts';
import { type EpochEnd, LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import { LogReader, type TimestampedOffset } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import type { AppendOptions, AppendResult, LogOptions, LogRead, ReadBound, ReadOptions } from './log-contract.ts';
import { OffsetOutOfRange } from './offset-out-of-range.ts';
import { settleTopicId } from './partition-metadata.ts';
import { firstOffsetOf, type ProducerBatch } from './producer-entry.ts';
import type { ProducerState, StagedAppend } from './producer-state.ts';
import { type RecordError, type Validated, validateRecords } from './record-validator.ts';
import { rebuildProducerState, type Recovered, recoverLog } from './recovery.ts';
import { type RetentionView, segmentsBeforeLogStart, segmentsBeyondSize, segmentsBeyondTime } from './retention.ts';
import type { Segment } from './segment.ts';
import { SegmentKeeper } from './segment-keeper.ts';
import type { Segments } from './segments.ts';
import { LogTail, TailMemory, type TailRead } from './tail-memory.ts';

export type { AppendResult, LogRead, ReadBound, ReadOptions } from './log-contract.ts';

const DAY_MS = 86_400_000;

const refuse = (error: ErrorCode, message: string | null, recordErrors: readonly RecordError[] = []): AppendResult => ({
  ok: false,
  error,
  message,
  recordErrors,
});

export class Log {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string | null;
  readonly directory: string;
  readonly leaderEpochs: LeaderEpochs;
  readonly producerState: ProducerState;
  private readonly o: LogOptions;
  private readonly handles: FileHandles;
  private readonly segments: Segments;
  private readonly writer: LogWriter;
  private readonly keeper: SegmentKeeper;
  private readonly reader: LogReader;
  private readonly tail: LogTail;
  private currentConfig: LogConfig;
  private startOffset: number;
  private currentHighWatermark: number;
  private currentFailure: StorageFailure | undefined;
  private closed = false;
  private readonly listeners: ((failure?: StorageFailure) => void)[] = [];

  private constructor(
    o: LogOptions,
    topicId: string | null,
    handles: FileHandles,
    leaderEpochs: LeaderEpochs,
    recovered: Recovered,
  ) {
    this.o = o;
    this.topic = o.topic;
    this.partition = o.partition;
    this.topicId = topicId;
    this.directory = o.directory;
    this.currentConfig = o.config;
    this.handles = handles;
    this.leaderEpochs = leaderEpochs;
    this.segments = recovered.segments;
    this.producerState = recovered.producerState;
    this.startOffset = recovered.logStartOffset;
    this.currentHighWatermark = recovered.logStartOffset;
    this.tail = new LogTail(o.tailMemory ?? new TailMemory());
    this.writer = new LogWriter({
      clock: o.clock,
      files: o.files,
      directory: o.directory,
      leaderEpochs,
      active: () => this.segments.active,
      onWritten: () => this.tellListeners(),
      onFailure: (failure) => this.noteFailure(failure),
    });
    this.writer.flushMessages = o.config.flushMessages;
    this.writer.reset(recovered.logEndOffset, recovered.recoveryPoint);
    this.reader = new LogReader(this.segments, () => this.writer.writtenSize);
    this.keeper = new SegmentKeeper({
      files: o.files,
      clock: o.clock,
      random: o.random,
      handles,
      directory: o.directory,
      segments: this.segments,
      writer: this.writer,
      producerState: this.producerState,
      config: () => this.currentConfig,
      isOpen: () => !this.closed && this.currentFailure === undefined,
    });
  }

  /** Opens what the directory holds, or begins an empty log. Rejects with StorageFailure. */
  static async open(o: LogOptions): Promise<Log> {
    const { files, clock, directory } = o;
    const isNew = files.stat(directory) === undefined;
    files.makeDirectory(directory);
    const topicId = await settleTopicId(files, directory, o.topicId);
    const handles = o.handles ?? new FileHandles(files);
    const leaderEpochs = new LeaderEpochs(files, directory);
    const recovered = await recoverLog({
      files,
      handles,
      clock,
      directory,
      config: o.config,
      producers: {
        files,
        directory,
        where: `${o.topic}-${o.partition}`,
        expirationMs: o.producerIdExpirationMs ?? DAY_MS,
      },
      leaderEpochs,
      recoveryPoint: o.recoveryPoint ?? 0,
      logStartOffset: o.logStartOffset ?? 0,
      cleanShutdown: o.cleanShutdown ?? false,
    });
    const log = new Log(o, topicId, handles, leaderEpochs, recovered);
    leaderEpochs.onFailure((failure) => log.fail(failure));
    if (log.failure !== undefined) throw log.failure;
    if (isNew || !(o.cleanShutdown ?? false)) {
      const { segments } = recovered;
      log.writer.noteUnsynced(segments.from(log.recoveryPoint).filter((segment) => segment !== segments.active));
    }
    // What a killed process had written and not synced is about to be shown: where flush.messages wants that synced first, it is.
    if (log.logEndOffset - log.recoveryPoint >= o.config.flushMessages) await log.flush();
    return log;
  }

  get config(): LogConfig {
    return this.currentConfig;
  }

  /** Set once the disk has failed. */
  get failure(): StorageFailure | undefined {
    return this.currentFailure;
  }

  get logStartOffset(): number {
    return this.startOffset;
  }

  /** One past the last offset given out, written or not. */
  get logEndOffset(): number {
    return this.writer.queuedOffset;
  }

  /** One past the last offset written (and synced, where flush.messages asks for it): what may be acknowledged, and what readers see at most. */
  get writtenOffset(): number {
    return this.writer.writtenOffset;
  }

  get highWatermark(): number {
    return this.currentHighWatermark;
  }

  /** First offset of the oldest transaction that is open or ended above the high watermark, at most the high watermark. */
  get lastStableOffset(): number {
    const unstable = this.producerState.firstUnstableOffset;
    if (unstable === undefined || unstable >= this.currentHighWatermark) return this.currentHighWatermark;
    return Math.max(unstable, this.startOffset);
  }

  /** All before it is synced. */
  get recoveryPoint(): number {
    return this.writer.recoveryPoint;
  }

  /** When something of this log was last synced, or when it was opened. */
  get lastFlushMs(): number {
    return this.writer.lastSyncMs;
  }

  get sizeInBytes(): number {
    return this.segments.sizeInBytes;
  }

  get segmentCount(): number {
    return this.segments.count;
  }

  /** For checks and for the log's own rooms; nobody else changes segments. */
  segmentList(): readonly Segment[] {
    return this.segments.values();
  }

  /**
   * Validates, checks sequences, gives offsets and queues the batches, all at once; they are acknowledged when `writtenOffset` has passed them.
   * The buffer is patched in place and belongs to the log from now on.
   */
  append(records: Buffer, o: AppendOptions): AppendResult {
    if (this.currentFailure !== undefined || this.closed) {
      return refuse(
        ErrorCode.KAFKA_STORAGE_ERROR,
        this.currentFailure?.message ?? `the log of ${this.topic}-${this.partition} is closed`,
      );
    }
    const validated = validateRecords(records, {
      config: this.currentConfig,
      nowMs: this.o.clock.now(),
      origin: o.origin,
      topicPartition: `${this.topic}-${this.partition}`,
      firstOffset: this.logEndOffset,
      partitionLeaderEpoch: o.leaderEpoch,
    });
    if (!validated.ok) return refuse(validated.error, validated.message, validated.recordErrors);
    const { firstOffset, lastOffset, logAppendTimeMs } = validated;
    const appended: AppendResult = {
      ok: true,
      firstOffset,
      lastOffset,
      logAppendTimeMs,
      logStartOffset: this.startOffset,
      duplicate: false,
    };
    if (validated.records.length === 0) return appended;
    const batches = batchesOf(validated.records);
    const producers = this.producerState.check(batches, {
      origin: o.origin,
      transactionVersion: o.transactionVersion ?? 0,
      transactionVerified: o.transactionVerified ?? false,
    });
    if (producers.kind === 'refused') return refuse(producers.error, producers.message);
    if (producers.kind === 'duplicate') return this.duplicate(producers.batch);
    try {
      this.put(validated, batches, producers.staged);
    } catch (error) {
      const failure = this.writer.fail(error);
      return refuse(ErrorCode.KAFKA_STORAGE_ERROR, failure.message);
    }
    return appended;
  }

  private duplicate(batch: ProducerBatch): AppendResult {
    return {
      ok: true,
      firstOffset: firstOffsetOf(batch),
      lastOffset: batch.lastOffset,
      // Kafka's brokers tell it of a repeated batch whatever the timestamp type.
      logAppendTimeMs: batch.timestamp,
      logStartOffset: this.startOffset,
      duplicate: true,
    };
  }

  private put(validated: Validated, batches: readonly RecordBatch[], staged: StagedAppend | undefined): void {
    const { firstOffset, lastOffset } = validated;
    for (const batch of batches) if (batch.magic >= 2) this.leaderEpochs.assign(batch.partitionLeaderEpoch, batch.baseOffset);
    if (this.keeper.shouldRoll(validated)) this.keeper.roll(Math.max(firstOffset, this.logEndOffset));
    const segment = this.segments.active;
    segment.noteAppended(validated.records, this.currentConfig.indexIntervalBytes);
    this.writer.enqueue(this.tail.append(validated.records, firstOffset, lastOffset + 1), lastOffset + 1);
    if (staged !== undefined) {
      this.producerState.apply(staged, (transaction, lastStableOffset) => {
        if (transaction.aborted) segment.noteAborted({ ...transaction, lastStableOffset });
      });
    }
    this.producerState.endOffset = lastOffset + 1;
  }

  /** Ends the active segment, unless it is empty. */
  roll(): void {
    this.guarded(() => this.keeper.roll(this.logEndOffset));
  }

  /** The listener runs after each move of `writtenOffset`, and once with the failure when the disk fails. */
  onWritten(listener: (failure?: StorageFailure) => void): void {
    this.listeners.push(listener);
  }

  private tellListeners(): void {
    for (const listener of this.listeners) listener();
  }

  /** The disk did not do what was asked: nothing is acknowledged, appended or read any more. */
  fail(failure: StorageFailure): void {
    this.writer.fail(failure);
  }

  private noteFailure(failure: StorageFailure): void {
    this.currentFailure = failure;
    this.o.onFailure?.(failure);
    for (const listener of this.listeners) listener(failure);
  }

  /** Runs what touches the disk; a failure takes the log down and goes on to the caller. */
  private guarded<T>(run: () => T): T {
    if (this.currentFailure !== undefined) throw this.currentFailure;
    try {
      return run();
    } catch (error) {
      if (error instanceof StorageFailure) this.writer.fail(error);
      throw error;
    }
  }

  private async guardedLater<T>(run: () => Promise<T>): Promise<T> {
    if (this.currentFailure !== undefined) throw this.currentFailure;
    try {
      return await run();
    } catch (error) {
      if (error instanceof StorageFailure) this.writer.fail(error);
      throw error;
    }
  }

  /** Moves the high watermark, kept within [logStartOffset, logEndOffset]. */
  setHighWatermark(offset: number): void {
    this.currentHighWatermark = Math.min(Math.max(offset, this.startOffset), this.logEndOffset);
    this.producerState.onHighWatermark(this.currentHighWatermark);
  }

  private boundOf(upTo: ReadBound): number {
    const bound = upTo === 'logEnd' ? this.logEndOffset : upTo === 'highWatermark' ? this.highWatermark : this.lastStableOffset;
    return Math.min(bound, this.writtenOffset);
  }

  /**
   * Batches from the one that holds `offset`, or the next where compaction has left a gap: at once from memory, later from the file.
   * Nothing when `offset` is at or past the bound. Throws OffsetOutOfRange outside [logStartOffset, logEndOffset].
   */
  read(offset: number, o: ReadOptions): LogRead | Promise<LogRead> {
    if (offset < this.startOffset || offset > this.logEndOffset) {
      throw new OffsetOutOfRange(
        `offset ${offset} of ${this.topic}-${this.partition} is outside [${this.startOffset}, ${this.logEndOffset}]`,
      );
    }
    const bound = this.boundOf(o.upTo);
    if (offset >= bound) return this.asRead(offset, o.upTo, { chunks: [], sizeInBytes: 0, nextOffset: offset });
    const recent = this.tail.read(offset, o.maxBytes, o.minOneBatch, bound);
    if (recent !== undefined) return this.guarded(() => this.asRead(offset, o.upTo, recent));
    return this.guardedLater(async () =>
      this.asRead(offset, o.upTo, await this.reader.read(offset, o.maxBytes, o.minOneBatch, bound)),
    );
  }

  private asRead(offset: number, upTo: ReadBound, { chunks, sizeInBytes, nextOffset }: TailRead): LogRead {
    const records = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : chunks;
    if (upTo !== 'lastStable') return { records, sizeInBytes, nextOffset };
    const abortedTransactions = sizeInBytes === 0 ? [] : this.reader.abortedTransactions(offset, nextOffset);
    return { records, sizeInBytes, nextOffset, abortedTransactions };
  }

  /** Writes what is queued and syncs up to the end as it is now. Rejects with StorageFailure. */
  flush(): Promise<void> {
    return this.writer.flush();
  }

  /** The first record with this timestamp or a later one; undefined when there is none. */
  async offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined> {
    return this.guardedLater(() => this.reader.offsetForTimestamp(timestamp, this.startOffset));
  }

  /** The first record with the greatest timestamp. */
  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined> {
    return this.guardedLater(() => this.reader.offsetOfMaxTimestamp());
  }

  /** KIP-101, KIP-279: the largest epoch at or below `epoch` and where it ends; {-1, -1} when that is not known. */
  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.leaderEpochs.endOffsetFor(epoch, this.logEndOffset);
  }

  /** DeleteRecords: nothing before `offset` is served any more. Throws OffsetOutOfRange above the high watermark. */
  advanceLogStartOffset(offset: number): void {
    if (offset > this.currentHighWatermark) {
      throw new OffsetOutOfRange(
        `Cannot increment the log start offset to ${offset} of partition ${this.topic}-${this.partition} ` +
          `since it is larger than the high watermark ${this.currentHighWatermark}`,
      );
    }
    if (offset <= this.startOffset) return;
    this.startOffset = offset;
    this.leaderEpochs.truncateFromStart(offset);
    this.producerState.onLogStartOffset(offset);
  }

  /** Retention by log start, size and time, as cleanup.policy says; returns how many segments went. */
  deleteOldSegments(): number {
    return this.guarded(() => {
      let count = this.deleteSegments(segmentsBeforeLogStart(this.retentionView()));
      if (!this.currentConfig.cleanupPolicy.includes('delete')) return count;
      count += this.deleteSegments(segmentsBeyondSize(this.retentionView()));
      return count + this.deleteSegments(segmentsBeyondTime(this.retentionView()));
    });
  }

  private retentionView(): RetentionView {
    return {
      segments: this.segments.values(),
      config: this.currentConfig,
      logStartOffset: this.startOffset,
      logEndOffset: this.logEndOffset,
      highWatermark: this.currentHighWatermark,
      nowMs: this.o.clock.now(),
    };
  }

  private deleteSegments(doomed: readonly Segment[]): number {
    const last = doomed[doomed.length - 1];
    if (last === undefined) return 0;
    if (last === this.segments.active) this.keeper.roll(this.logEndOffset);
    this.advanceLogStartOffset(this.segments.higher(last.baseOffset)?.baseOffset ?? this.startOffset);
    this.keeper.discard(doomed);
    this.reader.forgetPlaces();
    return doomed.length;
  }

  /** Removes everything from `offset` on. Nothing may be appended meanwhile. */
  truncateTo(offset: number): Promise<void> {
    return this.guardedLater(async () => {
      if (offset >= this.logEndOffset) {
        this.leaderEpochs.truncateFromEnd(this.logEndOffset);
        return;
      }
      if (offset < this.segments.first.baseOffset) {
        this.restartAt(offset);
        return;
      }
      this.writer.write();
      const doomed = this.segments.values().filter((segment) => segment.baseOffset > offset);
      this.keeper.discard(doomed);
      this.segments.active.truncateTo(offset);
      this.leaderEpochs.truncateFromEnd(offset);
      this.startOffset = Math.min(this.startOffset, offset);
      await this.settleAt(offset);
    });
  }

  /** Empties the log and lets it go on at `offset`. */
  truncateFullyAndStartAt(offset: number): Promise<void> {
    return this.guardedLater(async () => this.restartAt(offset));
  }

  private restartAt(offset: number): void {
    this.writer.write();
    this.keeper.restart(offset);
    this.reader.forgetPlaces();
    this.leaderEpochs.clear();
    this.producerState.restartAt(offset);
    this.startOffset = offset;
    this.settleEnd(offset);
    this.currentHighWatermark = offset;
  }

  private async settleAt(offset: number): Promise<void> {
    this.settleEnd(offset);
    await rebuildProducerState(this.producerState, this.segments, {
      logStartOffset: this.startOffset,
      logEndOffset: offset,
      nowMs: this.o.clock.now(),
      cleanShutdown: false,
    });
    this.setHighWatermark(this.currentHighWatermark);
  }

  private settleEnd(offset: number): void {
    this.tail.clear();
    this.reader.forgetPlaces();
    this.writer.reset(offset, this.writer.recoveryPoint);
  }

  updateConfig(config: LogConfig): void {
    this.currentConfig = config;
    this.writer.flushMessages = config.flushMessages;
  }

  /** All batches from the one that holds `from` (default: the log start), in order, up to what is written. */
  batches(from: number = this.startOffset): AsyncIterable<RecordBatch> {
    return this.reader.batches(from);
  }

  /** Producers that have not written for producer.id.expiration.ms are forgotten. */
  removeExpiredProducers(): void {
    this.producerState.removeExpired(this.o.clock.now());
  }

  /**
   * Clean: everything synced, indexes trimmed, a snapshot at the end, as Kafka leaves it. Not clean: dropped as it is, as by a crash; what is
   * queued is lost.
   */
  async close(o: { readonly clean: boolean }): Promise<void> {
    if (this.closed) return;
    if (o.clean && this.currentFailure === undefined) {
      await this.guardedLater(async () => {
        await this.writer.flush();
        this.closed = true;
        const { active } = this.segments;
        active.deactivate();
        const snapshot = this.producerState.takeSnapshot();
        await active.sync(true);
        if (snapshot !== undefined) await this.handles.borrow(snapshot, (file) => file.sync());
        if (snapshot !== undefined) this.handles.release(snapshot);
        await this.leaderEpochs.saved();
        await this.o.files.syncDirectory(this.directory);
      });
    }
    this.closed = true;
    this.keeper.close();
    this.writer.abandon();
    await this.writer.settled();
    await this.leaderEpochs.saved();
    this.tail.clear();
    for (const segment of this.segments.values()) this.handles.release(segment.path);
  }
}
