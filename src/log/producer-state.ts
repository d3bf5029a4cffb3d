/**
 * All producers that a log knows, and the transactions that keep its last stable offset back.
 *
 * Invariants: equal to what replaying the log up to `endOffset` gives, except for what has expired; open transactions are those of the entries
 * with a `currentTxnFirstOffset`. Snapshots are an optimisation: without them the log is read. Source: ProducerStateManager of Apache Kafka.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import type { Files } from '../world/files.ts';
import { ProducerAppend, type CompletedTransaction, olderEpochRefusal, type ProducerRefusal } from './producer-append.ts';
import type { ProducerBatch, ProducerEntry } from './producer-entry.ts';
import { ProducerSnapshots } from './producer-snapshots.ts';
import type { AppendOrigin } from './validator-contract.ts';
import { UnstableTransactions } from './unstable-transactions.ts';
import { type FirstBatch, type VerificationGuard, Verifications } from './verification.ts';

export interface ProducerStateOptions {
  readonly files: Files;
  readonly directory: string;
  /** `topic-partition`, for messages. */
  readonly where: string;
  readonly expirationMs: number;
  /** Those in the directory, where the caller has looked. */
  readonly snapshots?: ProducerSnapshots;
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

/** Of a log that knows no producers: empty, and always so. */
const NONE = new Map<number, never>();

const NO_OFFSETS: Iterable<number> = [];

const SOUND: ProducerCheck = { kind: 'sound', staged: undefined };

const isRefusal = (result: CompletedTransaction | ProducerRefusal): result is ProducerRefusal => 'error' in result;

const namesIn = ({ files, directory }: ProducerStateOptions): string[] => files.list(directory).map(({ name }) => name);

export class ProducerState {
  readonly snapshots: ProducerSnapshots;
  private readonly where: string;
  /** producer.id.expiration.ms; may change at any time. */
  expirationMs: number;
  verifiesTransactions: boolean;
  // Most logs of thousands know no producers: each of these comes into being with its first entry.
  private verifications: Verifications | undefined;
  private transactions: UnstableTransactions | undefined;
  private producers: Map<number, ProducerEntry> = NONE;
  /** One past the last offset that this state knows of. */
  endOffset = 0;
  private lastSnapshotOffset = 0;

  constructor(o: ProducerStateOptions) {
    this.snapshots = o.snapshots ?? new ProducerSnapshots(o.files, o.directory, namesIn(o));
    this.where = o.where;
    this.expirationMs = o.expirationMs;
    this.verifiesTransactions = o.verifiesTransactions ?? true;
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
    return this.producers.size === 0 && (this.transactions?.isEmpty ?? true);
  }

  /** First offset of the oldest transaction that is open, or ended above the high watermark; undefined when there is none. */
  get firstUnstableOffset(): number | undefined {
    return this.transactions?.firstOffset;
  }

  /** First offsets of the transactions that are open, ascending. */
  ongoingTransactions(): Iterable<number> {
    return this.transactions?.openFirstOffsets() ?? NO_OFFSETS;
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
        this.add(updated);
      } else {
        known.setEpoch(updated.producerEpoch);
        for (const batch of updated.batches) known.addBatch(updated.producerEpoch, batch);
        known.coordinatorEpoch = updated.coordinatorEpoch;
        known.lastTimestamp = updated.lastTimestamp;
        known.currentTxnFirstOffset = updated.currentTxnFirstOffset;
      }
      if (append.transactional !== undefined) this.verifications?.onAppended(append.transactional);
      if (append.startedTxnFirstOffset >= 0) this.begin(append.producerId, append.startedTxnFirstOffset);
    }
    for (const transaction of staged.completed) {
      this.transactions ??= new UnstableTransactions();
      onCompleted(transaction, this.transactions.lastStableOffsetAfter(transaction));
      this.transactions.end(transaction);
    }
  }

  private add(entry: ProducerEntry): void {
    if (this.producers === NONE) this.producers = new Map();
    this.producers.set(entry.producerId, entry);
  }

  private begin(producerId: number, firstOffset: number): void {
    this.transactions ??= new UnstableTransactions();
    this.transactions.begin(producerId, firstOffset);
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

  onHighWatermark(highWatermark: number): void {
    this.transactions?.onHighWatermark(highWatermark);
  }

  onLogStartOffset(logStartOffset: number): void {
    this.onHighWatermark(logStartOffset);
    this.endOffset = Math.max(this.endOffset, logStartOffset);
    this.lastSnapshotOffset = this.snapshots.latestOffset ?? logStartOffset;
  }

  private isExpired(entry: ProducerEntry, nowMs: number): boolean {
    return entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestamp >= this.expirationMs;
  }

  removeExpired(nowMs: number): void {
    for (const [producerId, entry] of this.producers) if (this.isExpired(entry, nowMs)) this.producers.delete(producerId);
    this.verifications?.removeExpired(nowMs, this.expirationMs);
  }

  /** Writes the state at `endOffset`, unsynced, unless the last snapshot is as new. The path of the file written. */
  takeSnapshot(): string | undefined {
    if (this.endOffset <= this.lastSnapshotOffset) return undefined;
    const path = this.snapshots.write(this.endOffset, this.producers.values());
    this.lastSnapshotOffset = this.endOffset;
    return path;
  }

  /** As `takeSnapshot`, in memory: for who reads it again before `letGoOfHeld`. */
  holdSnapshot(): void {
    if (this.endOffset <= this.lastSnapshotOffset) return;
    this.snapshots.hold(this.endOffset, this.producers.values());
    this.lastSnapshotOffset = this.endOffset;
  }

  /** What was held is in no file: the next snapshot is due. */
  letGoOfHeld(logStartOffset: number): void {
    this.snapshots.letGo();
    this.lastSnapshotOffset = this.snapshots.latestOffset ?? logStartOffset;
  }

  /** Goes back to the newest sound snapshot in (logStartOffset, logEndOffset], or to nothing; the caller replays from `endOffset`. */
  truncateAndReload(logStartOffset: number, logEndOffset: number, nowMs: number): void {
    this.snapshots.removeOutside(logStartOffset, logEndOffset);
    if (logEndOffset === this.endOffset) {
      this.onLogStartOffset(logStartOffset);
      return;
    }
    this.clear();
    this.load(logStartOffset, nowMs);
  }

  private clear(): void {
    this.producers = NONE;
    this.transactions = undefined;
  }

  private load(logStartOffset: number, nowMs: number): void {
    const snapshot = this.snapshots.readLatest();
    this.lastSnapshotOffset = snapshot?.offset ?? logStartOffset;
    this.endOffset = this.lastSnapshotOffset;
    for (const entry of snapshot?.entries ?? []) if (!this.isExpired(entry, nowMs)) this.add(entry);
    const open = [...this.producers.values()].filter((entry) => entry.currentTxnFirstOffset >= 0);
    for (const entry of open.toSorted((a, b) => a.currentTxnFirstOffset - b.currentTxnFirstOffset)) {
      this.begin(entry.producerId, entry.currentTxnFirstOffset);
    }
  }

  /** Forgets everything, snapshots too. */
  restartAt(offset: number): void {
    this.clear();
    this.snapshots.removeAll();
    this.lastSnapshotOffset = 0;
    this.endOffset = offset;
  }
}

function isExact({ producerId, baseOffset, maxTimestamp }: RecordBatch): boolean {
  return Number.isSafeInteger(producerId) && Number.isSafeInteger(baseOffset) && Number.isSafeInteger(maxTimestamp);
}
