/**
 * One replica of a partition on this broker: the log, who leads it, which replicas are in sync, and everyone who waits for it.
 *
 * Invariants:
 * - the high watermark never falls while this broker leads, and never passes what has been written to the file;
 * - callbacks of `onWritten` and `onCommitted` run in the order of their offsets, each exactly once: reached, or with the error that says why
 *   it never will be;
 * - a parked fetch is woken only by a partition it reads from.
 *
 * With this broker alone in the in-sync set the high watermark is the written offset. Followers that fetch are not yet known here.
 */
import type { Log } from '../log/log.ts';
import type { AppendResult, ReadBound } from '../log/log-contract.ts';
import type { AppendOrigin } from '../log/validator-contract.ts';
import type { FirstBatch, VerificationGuard } from '../log/verification.ts';
import { INTERNAL_TOPICS } from '../wire/topic-name.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { type LookedUp, lookUpOffset } from './offset-lookup.ts';
import { OffsetWaiters, type WhenReached } from './offset-waiters.ts';

/** As PartitionRecord and PartitionChangeRecord say it. */
export interface Leadership {
  /** -1 when there is no leader. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

export interface PartitionAppend {
  /** -1 demands enough replicas in sync. */
  readonly requiredAcks: number;
  readonly origin: AppendOrigin;
  /** From `startVerification`, for the first batch of a transaction. */
  readonly verificationGuard?: VerificationGuard | undefined;
  /** transaction.version that an end marker is checked by. */
  readonly transactionVersion?: number;
}

/** What waits at a partition to be looked at again. */
export interface Parked {
  /** The readable end, the start or the leadership of `partition` has changed. Called any number of times, never after `unpark`. */
  wake(partition: Partition): void;
}

export interface PartitionOptions {
  readonly nodeId: number;
  readonly topic: string;
  readonly topicId: string;
  readonly index: number;
  /** Or the error that the partition answers, because its log directory is offline. */
  readonly log: Log | ErrorCode;
}

const ALL_REPLICAS = -1;
const NO_EPOCH = -1;
/** In place of an offset in DeleteRecords. */
const HIGH_WATERMARK = -1;

export class Partition {
  readonly topic: string;
  readonly topicId: string;
  readonly index: number;
  /** Kafka's own topics, which clients do not write to. */
  readonly isInternal: boolean;
  readonly #nodeId: number;
  #log: Log | undefined;
  readonly #written = new OffsetWaiters();
  readonly #committed = new OffsetWaiters();
  readonly #parked = new Set<Parked>();
  #leadership: Leadership = { leader: -1, leaderEpoch: -1, partitionEpoch: -1, replicas: [], isr: [] };
  #failure: ErrorCode = ErrorCode.NONE;
  #epochStartOffset = -1;

  constructor(options: PartitionOptions) {
    this.topic = options.topic;
    this.topicId = options.topicId;
    this.index = options.index;
    this.isInternal = INTERNAL_TOPICS.has(options.topic);
    this.#nodeId = options.nodeId;
    if (typeof options.log === 'number') this.#failure = options.log;
    else this.#use(options.log);
  }

  #use(log: Log): void {
    this.#log = log;
    log.onWritten((failure) => {
      if (this.#log !== log) return;
      if (failure === undefined) this.#onLogWritten();
      else this.fail(ErrorCode.KAFKA_STORAGE_ERROR);
    });
  }

  /** A copy that ends where the log ends takes its place. Whoever waits for an offset waits for it there. */
  replaceLog(copy: Log): void {
    this.#use(copy);
    // An epoch without records is not in what was copied.
    if (this.#epochStartOffset >= 0) copy.leaderEpochs.assign(this.leaderEpoch, this.#epochStartOffset);
    this.#onLogWritten();
  }

  /** Throws when the log directory is offline: ask `failure` first. */
  get log(): Log {
    if (this.#log === undefined) throw new Error(`the log of ${this.name} is offline`);
    return this.#log;
  }

  get name(): string {
    return `${this.topic}-${this.index}`;
  }

  get leaderId(): number {
    return this.#leadership.leader;
  }

  get leaderEpoch(): number {
    return this.#leadership.leaderEpoch;
  }

  /** Where the log ended when this broker began to lead at the current epoch; -1 when it does not. */
  get epochStartOffset(): number {
    return this.#epochStartOffset;
  }

  get partitionEpoch(): number {
    return this.#leadership.partitionEpoch;
  }

  get replicas(): readonly number[] {
    return this.#leadership.replicas;
  }

  get isr(): readonly number[] {
    return this.#leadership.isr;
  }

  get highWatermark(): number {
    return this.log.highWatermark;
  }

  get isLeader(): boolean {
    return this.#leadership.leader === this.#nodeId && this.#failure === ErrorCode.NONE;
  }

  /** NONE while the replica is usable; KAFKA_STORAGE_ERROR with an offline log directory, UNKNOWN_TOPIC_OR_PARTITION once deleted. */
  get failure(): ErrorCode {
    return this.#failure;
  }

  /** For tests and metrics: how many callbacks and fetches wait here. */
  get waiting(): number {
    return this.#written.size + this.#committed.size + this.#parked.size;
  }

  /** Replicas that must be in sync for acks=all: min.insync.replicas, at most all replicas. */
  get effectiveMinIsr(): number {
    return Math.min(this.log.config.minInsyncReplicas, Math.max(1, this.replicas.length));
  }

  /**
   * Appends a record set as leader. Synchronous: offsets are assigned when it returns, nothing is written yet; wait with `onWritten` or
   * `onCommitted` for `lastOffset + 1`. `requiredAcks` -1 demands enough replicas in sync.
   */
  append(records: Buffer, options: PartitionAppend): AppendResult {
    if (this.#failure !== ErrorCode.NONE) return refused(this.#failure, null);
    if (!this.isLeader) return refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, null);
    if (options.requiredAcks === ALL_REPLICAS && this.isr.length < this.effectiveMinIsr) {
      return refused(ErrorCode.NOT_ENOUGH_REPLICAS, null);
    }
    return this.log.append(records, {
      leaderEpoch: this.leaderEpoch,
      origin: options.origin,
      verificationGuard: options.verificationGuard,
      transactionVersion: options.transactionVersion,
    });
  }

  /** As ProducerState has it, at the leader. */
  startVerification(batch: FirstBatch): { readonly guard: VerificationGuard | undefined } | { readonly error: ErrorCode } {
    if (this.#failure !== ErrorCode.NONE) return { error: this.#failure };
    if (!this.isLeader) return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER };
    return this.log.startVerification(batch);
  }

  /** Runs `run` when everything below `offset` has been taken over by the operating system; at once when it has. */
  onWritten(offset: number, run: WhenReached): void {
    if (this.#failure !== ErrorCode.NONE) run(this.#failure);
    else if (this.log.writtenOffset >= offset) run(ErrorCode.NONE);
    else this.#written.add(offset, run);
  }

  /** Runs `run` when the high watermark is at or above `offset`; at once when it is. */
  onCommitted(offset: number, run: WhenReached): void {
    if (this.#failure !== ErrorCode.NONE) run(this.#failure);
    else if (!this.isLeader) run(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    else if (this.log.highWatermark >= offset) run(ErrorCode.NONE);
    else this.#committed.add(offset, run);
  }

  /** NONE, FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH (KIP-320). -1: the client names no epoch. */
  checkLeaderEpoch(currentLeaderEpoch: number): ErrorCode {
    if (currentLeaderEpoch === NO_EPOCH || currentLeaderEpoch === this.leaderEpoch) return ErrorCode.NONE;
    return currentLeaderEpoch < this.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH;
  }

  /** Why a request that needs the leader at this epoch is refused, or NONE. */
  checkLeader(currentLeaderEpoch: number): ErrorCode {
    if (this.#failure !== ErrorCode.NONE) return this.#failure;
    const error = this.checkLeaderEpoch(currentLeaderEpoch);
    if (error !== ErrorCode.NONE) return error;
    return this.isLeader ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }

  /** DeleteRecords: nothing below `offset` is served any more; -1 stands for the high watermark. */
  deleteRecordsBefore(offset: number): ErrorCode {
    const error = this.checkLeader(NO_EPOCH);
    if (error !== ErrorCode.NONE) return error;
    const { cleanupPolicy } = this.log.config;
    if (cleanupPolicy.includes('compact') && !cleanupPolicy.includes('delete')) return ErrorCode.POLICY_VIOLATION;
    const newStartOffset = offset === HIGH_WATERMARK ? this.log.highWatermark : offset;
    if (newStartOffset < 0 || newStartOffset > this.log.highWatermark) return ErrorCode.OFFSET_OUT_OF_RANGE;
    if (newStartOffset > this.log.logStartOffset) this.log.advanceLogStartOffset(newStartOffset);
    return ErrorCode.NONE;
  }

  /** The offset for a timestamp, or for a special one of ListOffsets, as one sees it who sees up to `seen`. Ask `checkLeader` first. */
  lookUpOffset(timestamp: number, seen: ReadBound): LookedUp | Promise<LookedUp> {
    return lookUpOffset(this, timestamp, seen);
  }

  park(parked: Parked): void {
    this.#parked.add(parked);
  }

  unpark(parked: Parked): void {
    this.#parked.delete(parked);
  }

  /** Wakes what is parked: the readable range has changed otherwise than by an append. */
  wakeParked(): void {
    for (const parked of this.#parked) parked.wake(this);
  }

  /** Takes what the metadata log says. Waiting produce requests fail when the leader or its epoch changes away from this broker. */
  lead(leadership: Leadership): void {
    const before = this.#leadership;
    if (leadership.partitionEpoch < before.partitionEpoch) return;
    this.#leadership = leadership;
    if (this.#failure !== ErrorCode.NONE) return;
    if (leadership.leader === this.#nodeId) {
      if (leadership.leaderEpoch !== before.leaderEpoch || before.leader !== this.#nodeId)
        this.#beginEpoch(leadership.leaderEpoch);
      this.#advanceHighWatermark();
    } else {
      this.#epochStartOffset = -1;
      this.#written.fail(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      this.#committed.fail(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }
    if (leadership.leader !== before.leader || leadership.leaderEpoch !== before.leaderEpoch) this.wakeParked();
  }

  /** Nothing can be done with this replica any more: its disk failed (KAFKA_STORAGE_ERROR) or it was deleted (UNKNOWN_TOPIC_OR_PARTITION). */
  fail(failure: ErrorCode): void {
    if (this.#failure !== ErrorCode.NONE) return;
    this.#failure = failure;
    this.#written.fail(failure);
    this.#committed.fail(failure);
    this.wakeParked();
  }

  #beginEpoch(leaderEpoch: number): void {
    this.#epochStartOffset = this.log.logEndOffset;
    this.log.leaderEpochs.assign(leaderEpoch, this.#epochStartOffset);
  }

  #onLogWritten(): void {
    if (this.#failure !== ErrorCode.NONE) return;
    this.#written.reached(this.log.writtenOffset);
    this.#advanceHighWatermark();
  }

  #advanceHighWatermark(): void {
    const log = this.log;
    if (!this.isLeader || this.isr.length !== 1 || this.isr[0] !== this.#nodeId) return;
    if (log.writtenOffset <= log.highWatermark) return;
    log.setHighWatermark(log.writtenOffset);
    this.#committed.reached(log.highWatermark);
    this.wakeParked();
  }
}

function refused(error: ErrorCode, message: string | null): AppendResult {
  return { ok: false, error, message, recordErrors: [] };
}
