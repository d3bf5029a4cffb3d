/**
 * All producers that a log knows, and the transactions that keep its last stable offset back.
 *
 * Invariants: equal to what replaying the log up to `endOffset` gives, except for what has expired; open transactions are those of the entries
 * with a `currentTxnFirstOffset`, in the order of their first offsets; a transaction that has ended stays "unreplicated" until its marker is
 * below the high watermark. Snapshots are an optimisation: without them the log is read. Source: ProducerStateManager of Apache Kafka.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import type { Files } from '../world/files.ts';
import { ProducerAppend, type CompletedTransaction, olderEpochRefusal, type ProducerRefusal } from './producer-append.ts';
import type { ProducerBatch, ProducerEntry } from './producer-entry.ts';
import { formatProducerSnapshot, parseProducerSnapshot, snapshotOffsets } from './producer-snapshot.ts';
import type { AppendOrigin } from './record-validator.ts';
import { paddedOffset, SNAPSHOT_SUFFIX } from './segment-names.ts';
import { type FirstBatch, type VerificationGuard, Verifications } from './verification.ts';

export interface ProducerStateOptions {
  readonly files: Files;
  readonly directory: string;
  /** `topic-partition`, for messages. */
  readonly where: string;
  readonly expirationMs: number;
  /** What the directory holds, where the caller has just looked. */
  readonly names?: readonly string[];
  /** transaction.partition.verification.enable: transactional batches need the word of their coordinator. Default true. */
  readonly verifiesTransactions?: boolean | undefined;
}

/** Kept until the append is written down. */
export interface StagedAppend {
  readonly producers: readonly ProducerAppend[];
  readonly completed: readonly CompletedTransaction[];
}

export type ProducerCheck =
  | { readonly kind: 'sound'; readonly staged: StagedAppend | undefined }
  | { readonly kind: 'duplicate'; readonly batch: ProducerBatch }
  | { readonly kind: 'refused'; readonly error: ErrorCode; readonly message: string };

interface OpenTransaction {
  readonly producerId: number;
  /** Of the marker; -1 while open. */
  lastOffset: number;
}

/** Empty, and always so. */
const NONE = new Map<number, never>();

function withEntry<V>(map: Map<number, V>, key: number, value: V): Map<number, V> {
  return map === NONE ? new Map([[key, value]]) : map.set(key, value);
}

const SOUND: ProducerCheck = { kind: 'sound', staged: undefined };

const isRefusal = (result: CompletedTransaction | ProducerRefusal): result is ProducerRefusal => 'error' in result;

function firstKey(map: ReadonlyMap<number, unknown>): number | undefined {
  for (const key of map.keys()) return key;
  return undefined;
}

export class ProducerState {
  private readonly files: Files;
  private directory: string;
  private readonly where: string;
  /** producer.id.expiration.ms; may change at any time. */
  expirationMs: number;
  private readonly verifiesTransactions: boolean;
  // Most logs of thousands know no producers: each map comes into being with its first entry.
  private verifications: Verifications | undefined;
  private producers: Map<number, ProducerEntry> = NONE;
  /** By first offset, ascending. */
  private ongoing: Map<number, OpenTransaction> = NONE;
  private unreplicated: Map<number, OpenTransaction> = NONE;
  /** Offsets of the snapshot files there are, ascending. */
  private snapshots: number[] = [];
  /** One past the last offset that this state knows of. */
  endOffset = 0;
  private lastSnapshotOffset = 0;

  constructor(o: ProducerStateOptions) {
    this.files = o.files;
    this.directory = o.directory;
    this.where = o.where;
    this.expirationMs = o.expirationMs;
    this.verifiesTransactions = o.verifiesTransactions ?? true;
    this.snapshots = snapshotOffsets(o.names ?? o.files.list(o.directory).map(({ name }) => name));
  }

  /** The snapshots are in another directory from now on. */
  relocate(directory: string): void {
    this.directory = directory;
  }

  entries(): Iterable<ProducerEntry> {
    return this.producers.values();
  }

  get count(): number {
    return this.producers.size;
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.producers.get(producerId);
  }

  get isEmpty(): boolean {
    return this.producers.size === 0 && this.unreplicated.size === 0;
  }

  /** First offset of the oldest transaction that is open, or ended above the high watermark; undefined when there is none. */
  get firstUnstableOffset(): number | undefined {
    if (this.ongoing.size === 0 && this.unreplicated.size === 0) return undefined;
    const open = firstKey(this.ongoing) ?? Number.MAX_SAFE_INTEGER;
    let first = open;
    for (const offset of this.unreplicated.keys()) if (offset < first) first = offset;
    return first;
  }

  /** First offsets of the transactions that are open, ascending. */
  ongoingTransactions(): Iterable<number> {
    return this.ongoing.keys();
  }

  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    const entry = this.producers.get(producerId);
    return entry !== undefined && entry.currentTxnFirstOffset >= 0 && entry.producerEpoch === producerEpoch;
  }

  /**
   * What is needed before this batch may be appended: nothing, when its transaction is open here, or the coordinator's word, and then `guard` has to be shown
   * at the append. A batch of an older epoch is refused.
   */
  startVerification(batch: FirstBatch, nowMs: number): { readonly guard: VerificationGuard | undefined } | ProducerRefusal {
    const refused = olderEpochRefusal(batch, this.producers.get(batch.producerId));
    if (refused !== undefined) return refused;
    if (this.hasOpenTransaction(batch.producerId, batch.producerEpoch)) return { guard: undefined };
    this.verifications ??= new Verifications();
    return { guard: this.verifications.start(batch, nowMs) };
  }

  /** Whether the batches may be appended. Changes nothing. */
  check(
    batches: readonly RecordBatch[],
    o: {
      readonly origin: AppendOrigin;
      readonly transactionVersion: number;
      readonly verificationGuard: VerificationGuard | undefined;
    },
  ): ProducerCheck {
    const appends: ProducerAppend[] = [];
    const completed: CompletedTransaction[] = [];
    for (const batch of batches) {
      const { producerId } = batch;
      if (producerId < 0) continue;
      const entry = this.producers.get(producerId);
      if (o.origin === 'client') {
        const duplicate = entry?.duplicateOf(batch);
        if (duplicate !== undefined) return { kind: 'duplicate', batch: duplicate };
      }
      if (o.origin === 'client' || o.origin === 'coordinator') {
        const refused = this.checkMembership(batch, entry, o.verificationGuard);
        if (refused !== undefined) return refused;
      }
      let append = appends.find((known) => known.producerId === producerId);
      if (append === undefined) {
        append = new ProducerAppend(producerId, entry, o.origin, this.where, this.verifications?.get(producerId));
        appends.push(append);
      }
      const result = append.add(batch, o.transactionVersion);
      if (result === undefined) continue;
      if (isRefusal(result)) return { kind: 'refused', ...result };
      completed.push(result);
    }
    return appends.length === 0 ? SOUND : { kind: 'sound', staged: { producers: appends, completed } };
  }

  /** A transactional batch belongs to a transaction that is open here, or that its coordinator has vouched for (KIP-890). */
  private checkMembership(
    batch: RecordBatch,
    entry: ProducerEntry | undefined,
    guard: VerificationGuard | undefined,
  ): ProducerCheck | undefined {
    if (!batch.isTransactional || this.hasOpenTransaction(batch.producerId, batch.producerEpoch)) return undefined;
    const refused = olderEpochRefusal(batch, entry);
    if (refused !== undefined) return { kind: 'refused', ...refused };
    if (!this.verifiesTransactions || batch.isControl) return undefined;
    if (guard !== undefined && guard === this.verifications?.get(batch.producerId)) return undefined;
    return { kind: 'refused', error: ErrorCode.INVALID_TXN_STATE, message: 'Record was not part of an ongoing transaction' };
  }

  /**
   * Takes over what `check` staged. `onCompleted` is told of every transaction that ends, with the last stable offset right after it.
   */
  apply(staged: StagedAppend, onCompleted: (transaction: CompletedTransaction, lastStableOffset: number) => void): void {
    for (const append of staged.producers) {
      const { updated } = append;
      const known = this.producers.get(append.producerId);
      if (known === undefined) {
        this.producers = withEntry(this.producers, append.producerId, updated);
      } else {
        known.setEpoch(updated.producerEpoch);
        for (const batch of updated.batches) known.addBatch(updated.producerEpoch, batch);
        known.coordinatorEpoch = updated.coordinatorEpoch;
        known.lastTimestamp = updated.lastTimestamp;
        known.currentTxnFirstOffset = updated.currentTxnFirstOffset;
      }
      if (append.transactional !== undefined) this.verifications?.onAppended(append.transactional);
      if (append.startedTxnFirstOffset >= 0) {
        const open = { producerId: append.producerId, lastOffset: -1 };
        this.ongoing = withEntry(this.ongoing, append.startedTxnFirstOffset, open);
      }
    }
    for (const transaction of staged.completed) {
      onCompleted(transaction, this.lastStableOffsetAfter(transaction));
      this.complete(transaction);
    }
  }

  /**
   * As a copy of the log does: notes one batch that is in the log already. A batch with numbers that no append would have taken is damage that nobody
   * has looked for (after a clean stop batches are not checked), and says nothing about its producer.
   */
  replay(batch: RecordBatch, onCompleted?: (transaction: CompletedTransaction, lastStableOffset: number) => void): void {
    if (batch.producerId >= 0 && isExact(batch)) {
      const result = this.check([batch], { origin: 'replication', transactionVersion: 0, verificationGuard: undefined });
      if (result.kind === 'sound' && result.staged !== undefined) this.apply(result.staged, onCompleted ?? (() => undefined));
    }
    this.endOffset = batch.lastOffset + 1;
  }

  private lastStableOffsetAfter(transaction: CompletedTransaction): number {
    for (const [firstOffset, open] of this.ongoing) if (open.producerId !== transaction.producerId) return firstOffset;
    return transaction.lastOffset + 1;
  }

  private complete(transaction: CompletedTransaction): void {
    const open = this.ongoing.get(transaction.firstOffset) ?? { producerId: transaction.producerId, lastOffset: -1 };
    this.ongoing.delete(transaction.firstOffset);
    open.lastOffset = transaction.lastOffset;
    this.unreplicated = withEntry(this.unreplicated, transaction.firstOffset, open);
  }

  onHighWatermark(highWatermark: number): void {
    if (this.unreplicated.size === 0) return;
    for (const [firstOffset, { lastOffset }] of this.unreplicated) {
      if (lastOffset < highWatermark) this.unreplicated.delete(firstOffset);
    }
  }

  onLogStartOffset(logStartOffset: number): void {
    this.onHighWatermark(logStartOffset);
    this.endOffset = Math.max(this.endOffset, logStartOffset);
    this.lastSnapshotOffset = this.latestSnapshotOffset ?? logStartOffset;
  }

  private isExpired(entry: ProducerEntry, nowMs: number): boolean {
    return entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestamp >= this.expirationMs;
  }

  removeExpired(nowMs: number): void {
    for (const [producerId, entry] of this.producers) if (this.isExpired(entry, nowMs)) this.producers.delete(producerId);
    this.verifications?.removeExpired(nowMs, this.expirationMs);
  }

  get latestSnapshotOffset(): number | undefined {
    return this.snapshots[this.snapshots.length - 1];
  }

  private pathOf(offset: number): string {
    return `${this.directory}/${paddedOffset(offset)}${SNAPSHOT_SUFFIX}`;
  }

  /** Writes the state at `endOffset`, unsynced, unless the last snapshot is as new. The path of the file written. */
  takeSnapshot(): string | undefined {
    if (this.endOffset <= this.lastSnapshotOffset) return undefined;
    const offset = this.endOffset;
    const path = this.pathOf(offset);
    this.files.writeFile(path, formatProducerSnapshot(this.producers.values()));
    if (!this.snapshots.includes(offset)) this.snapshots = [...this.snapshots, offset].toSorted((a, b) => a - b);
    this.lastSnapshotOffset = offset;
    return path;
  }

  private removeSnapshot(offset: number): void {
    this.snapshots = this.snapshots.filter((known) => known !== offset);
    this.files.remove(this.pathOf(offset));
  }

  /** Gives the file up for deletion: forgotten here, renamed by the caller. Undefined when there is none. */
  releaseSnapshot(offset: number): string | undefined {
    if (!this.snapshots.includes(offset)) return undefined;
    this.snapshots = this.snapshots.filter((known) => known !== offset);
    return this.pathOf(offset);
  }

  /** Removes snapshots that belong to no segment, except the newest if it is newer than every segment: the one of a clean shutdown. */
  removeStraySnapshots(segmentBaseOffsets: readonly number[]): void {
    const bases = new Set(segmentBaseOffsets);
    const newestBase = Math.max(...segmentBaseOffsets);
    const strays = this.snapshots.filter((offset) => !bases.has(offset));
    const newest = strays[strays.length - 1];
    for (const offset of strays) if (offset !== newest || offset < newestBase) this.removeSnapshot(offset);
  }

  /** Goes back to the newest sound snapshot in (logStartOffset, logEndOffset], or to nothing; the caller replays from `endOffset`. */
  truncateAndReload(logStartOffset: number, logEndOffset: number, nowMs: number): void {
    for (const offset of this.snapshots) {
      if (offset > logEndOffset || offset <= logStartOffset) this.removeSnapshot(offset);
    }
    if (logEndOffset === this.endOffset) {
      this.onLogStartOffset(logStartOffset);
      return;
    }
    this.clear();
    this.load(logStartOffset, nowMs);
  }

  private clear(): void {
    this.producers.clear();
    this.ongoing.clear();
    this.unreplicated.clear();
  }

  private load(logStartOffset: number, nowMs: number): void {
    for (;;) {
      const offset = this.latestSnapshotOffset;
      if (offset === undefined) {
        this.lastSnapshotOffset = logStartOffset;
        this.endOffset = logStartOffset;
        return;
      }
      const entries = parseProducerSnapshot(this.files.readFile(this.pathOf(offset)));
      if (entries === undefined) {
        this.removeSnapshot(offset);
        continue;
      }
      for (const entry of entries) {
        if (!this.isExpired(entry, nowMs)) this.producers = withEntry(this.producers, entry.producerId, entry);
      }
      const open = [...this.producers.values()].filter((entry) => entry.currentTxnFirstOffset >= 0);
      for (const entry of open.toSorted((a, b) => a.currentTxnFirstOffset - b.currentTxnFirstOffset)) {
        const transaction = { producerId: entry.producerId, lastOffset: -1 };
        this.ongoing = withEntry(this.ongoing, entry.currentTxnFirstOffset, transaction);
      }
      this.lastSnapshotOffset = offset;
      this.endOffset = offset;
      return;
    }
  }

  /** Forgets everything, snapshots too. */
  restartAt(offset: number): void {
    this.clear();
    for (const snapshot of this.snapshots) this.removeSnapshot(snapshot);
    this.lastSnapshotOffset = 0;
    this.endOffset = offset;
  }
}

function isExact({ producerId, baseOffset, maxTimestamp }: RecordBatch): boolean {
  return Number.isSafeInteger(producerId) && Number.isSafeInteger(baseOffset) && Number.isSafeInteger(maxTimestamp);
}
