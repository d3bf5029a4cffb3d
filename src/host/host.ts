/**
 * Runs a pure machine over a partition: loads it by replay, appends what it decides as one batch, releases its replies when that is committed, and
 * wakes it when its earliest deadline has come.
 *
 * Invariants:
 * - the machine sees its records applied before anything else is asked of it;
 * - no reply leaves before everything that was appended when it was decided is committed, so that nobody learns of what may yet be lost;
 * - every request is answered exactly once: with the machine's reply, or with the error that kept it from one;
 * - after a commit that failed the machine is dropped and, while this broker leads, loaded again.
 */
import type { Instant, Machine, Step } from '../machine/machine.ts';
import { appendEndMarker, type TransactionEnd } from '../partition/transaction-end.ts';
import { readControlRecord } from '../wire/control-record.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { type RecordBatch, RECORDS_AT } from '../wire/record-batch.ts';
import { buildBatch } from '../wire/record-batch-builder.ts';
import { recordsOf } from '../wire/record.ts';
import type { Timer } from '../world/clock.ts';
import { coordinatorErrorOf } from './coordinator-error.ts';
import type { Hosted, HostOptions, TransactionalWrite } from './host-contract.ts';

/** Appended and not yet committed, with what waits for that. */
interface Uncommitted<Reply, After, Effect> {
  replies: { readonly requestId: number; readonly reply: Reply }[];
  readonly after: readonly After[];
  effects: Effect[];
  readonly deadlineMs: number;
}

const ALL_REPLICAS = -1;
/** Per record more than its lengths, deltas and attributes take. */
const RECORD_OVERHEAD_BYTES = 32;

export class Host<Input, Record, Reply, After, Effect = never> {
  readonly #options: HostOptions<Input, Record, Reply, After, Effect>;
  #machine: Machine<Input, Record, Reply, After, Effect>;
  #state: 'loading' | 'active' | 'closed' = 'loading';
  /** Grows with every load, so that a callback of an earlier one is known as such. */
  #incarnation = 0;
  #nextRequestId = 0;
  readonly #waiting = new Map<number, (answer: Hosted<Reply>) => void>();
  #uncommitted: Uncommitted<Reply, After, Effect>[] = [];
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(options: HostOptions<Input, Record, Reply, After, Effect>) {
    this.#options = options;
    this.#machine = options.machine();
    this.#load();
  }

  get state(): 'loading' | 'active' | 'closed' {
    return this.#state;
  }

  /** Requests without an answer so far. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** COORDINATOR_LOAD_IN_PROGRESS until the replay is over, NOT_COORDINATOR once closed. */
  submit(input: Input, transaction?: TransactionalWrite): Promise<Hosted<Reply>> {
    const error = this.#unavailable();
    if (error !== ErrorCode.NONE) return Promise.resolve({ ok: false, error });
    const requestId = this.#nextRequestId++;
    return new Promise((resolve) => {
      this.#waiting.set(requestId, resolve);
      this.#take(this.#machine.step(requestId, input, this.#now()), requestId, transaction);
    });
  }

  #unavailable(): ErrorCode {
    if (this.#state === 'loading') return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    return this.#state === 'closed' ? ErrorCode.NOT_COORDINATOR : ErrorCode.NONE;
  }

  /** Appends the marker that ends a producer's transaction here. Resolves with NONE when it is committed. */
  completeTransaction(end: TransactionEnd): Promise<ErrorCode> {
    const error = this.#unavailable();
    if (error !== ErrorCode.NONE) return Promise.resolve(error);
    const { partition, clock } = this.#options;
    const result = appendEndMarker(partition, end, clock.now());
    if (!result.ok) return Promise.resolve(result.error);
    this.#machine.applyTransactionEnd(end.producerId, end.committed);
    return new Promise((resolve) => {
      this.#expectCommit(result.lastOffset + 1, []);
      partition.onCommitted(result.lastOffset + 1, resolve);
    });
  }

  /** Everything that waits is answered with `error`. */
  close(error: ErrorCode): void {
    this.#state = 'closed';
    this.#reset(error);
  }

  #now(): Instant {
    const { clock } = this.#options;
    return { timeMs: clock.now(), monotonicMs: clock.monotonic() };
  }

  #load(): void {
    this.#state = 'loading';
    const incarnation = ++this.#incarnation;
    const { log } = this.#options.partition;
    if (log.logStartOffset === log.logEndOffset) {
      this.#loaded();
      return;
    }
    this.#replay(incarnation).then(
      (done) => done && this.#loaded(),
      (failure: unknown) => {
        if (incarnation !== this.#incarnation) return;
        // The partition was moved to another directory meanwhile, and the old files are gone.
        if (this.#options.partition.isLeader && this.#options.partition.log !== log) return this.#lost(ErrorCode.NOT_COORDINATOR);
        this.close(ErrorCode.NOT_COORDINATOR);
        this.#options.onLoadFailure(failure);
      },
    );
  }

  /** False when it was given up for another load or because the host was closed. */
  async #replay(incarnation: number): Promise<boolean> {
    for await (const batch of this.#options.partition.log.batches()) {
      if (incarnation !== this.#incarnation) return false;
      this.#replayBatch(batch);
    }
    return incarnation === this.#incarnation;
  }

  #replayBatch(batch: RecordBatch): void {
    const producerId = batch.isTransactional ? batch.producerId : -1;
    for (const { offset, key, value } of recordsOf(batch)) {
      if (key === null) continue;
      if (batch.isControl) {
        const marker = value === null ? undefined : readControlRecord(key, value);
        if (marker?.kind === 'Commit' || marker?.kind === 'Abort') {
          this.#machine.applyTransactionEnd(batch.producerId, marker.kind === 'Commit');
        }
        continue;
      }
      const record = this.#options.readRecord(key, value);
      if (record !== undefined) this.#machine.apply(record, { offset, producerId });
    }
  }

  #loaded(): void {
    this.#state = 'active';
    this.#take(this.#machine.loaded(this.#now()), undefined);
  }

  /** Carries out what the machine has decided. `requestId`: the request it was about. */
  #take(step: Step<Record, Reply, After, Effect>, requestId: number | undefined, transaction?: TransactionalWrite): void {
    this.#wakeAtMs = step.wakeAtMs;
    const error = this.#append(step, transaction);
    if (error === ErrorCode.NONE) this.#hold(step.replies, step.effects);
    else this.#refused(step, requestId, error);
    this.#arm();
  }

  /** Appends and applies. What follows a batch that was refused is left out. */
  #append(step: Step<Record, Reply, After, Effect>, transaction: TransactionalWrite | undefined): ErrorCode {
    if (step.records.length === 0) return ErrorCode.NONE;
    const { partition, clock, codec } = this.#options;
    const timestamp = clock.now();
    const producerId = transaction?.producerId ?? -1;
    const producer = transaction && { producerId, producerEpoch: transaction.producerEpoch, transactional: true };
    const parts = this.#parts(step);
    for (const part of parts) {
      const records = part.map(({ key, value }) => ({ key, value, timestamp }));
      const batch = buildBatch({ baseOffset: 0, partitionLeaderEpoch: partition.leaderEpoch, records, codec, ...producer });
      const verificationGuard = transaction?.guard;
      const result = partition.append(batch, { requiredAcks: ALL_REPLICAS, origin: 'coordinator', verificationGuard });
      if (!result.ok) return result.error;
      part.forEach(({ record }, index) => this.#machine.apply(record, { offset: result.firstOffset + index, producerId }));
      this.#expectCommit(result.lastOffset + 1, part === parts.at(-1) ? step.after : []);
    }
    return ErrorCode.NONE;
  }

  #parts(step: Step<Record, Reply, After, Effect>) {
    const written = step.records.map((record) => ({ record, ...this.#options.writeRecord(record) }));
    if (step.atomic) return [written];
    const parts: (typeof written)[] = [];
    const limit = this.#options.partition.log.config.maxMessageBytes;
    let bytes = Number.POSITIVE_INFINITY;
    for (const one of written) {
      const oneBytes = one.key.length + (one.value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
      const last = parts.at(-1);
      if (last === undefined || bytes + oneBytes > limit) {
        parts.push([one]);
        bytes = RECORDS_AT + oneBytes;
      } else {
        last.push(one);
        bytes += oneBytes;
      }
    }
    return parts;
  }

  #expectCommit(offset: number, after: readonly After[]): void {
    const entry: Uncommitted<Reply, After, Effect> = {
      replies: [],
      after,
      effects: [],
      deadlineMs: this.#options.clock.monotonic() + this.#options.writeTimeoutMs,
    };
    this.#uncommitted.push(entry);
    const incarnation = this.#incarnation;
    this.#options.partition.onCommitted(offset, (failure) => {
      if (incarnation !== this.#incarnation) return;
      if (failure === ErrorCode.NONE) this.#committed(entry);
      else this.#lost(failure);
    });
  }

  /** Replies and effects wait for all that has been appended so far. */
  #hold(replies: Step<Record, Reply, After>['replies'], effects: readonly Effect[]): void {
    const last = this.#uncommitted.at(-1);
    if (last === undefined) return this.#release(replies, effects);
    last.replies.push(...replies);
    last.effects.push(...effects);
  }

  #release(replies: Step<Record, Reply, After>['replies'], effects: readonly Effect[]): void {
    for (const { requestId, reply } of replies) this.#answer(requestId, { ok: true, reply });
    for (const effect of effects) this.#options.carryOut?.(effect);
  }

  #answer(requestId: number, answer: Hosted<Reply>): void {
    const resolve = this.#waiting.get(requestId);
    this.#waiting.delete(requestId);
    resolve?.(answer);
  }

  #committed(entry: Uncommitted<Reply, After, Effect>): void {
    const count = this.#uncommitted.indexOf(entry) + 1;
    for (const done of this.#uncommitted.splice(0, count)) {
      this.#release(done.replies, done.effects);
      for (const after of done.after) this.#take(this.#machine.stored(after, this.#now()), undefined);
    }
  }

  /** Nothing was appended: the request it was about gets the error, and the machine takes back what it had counted on. */
  #refused(step: Step<Record, Reply, After, Effect>, requestId: number | undefined, error: ErrorCode): void {
    this.#hold(
      step.replies.filter((one) => one.requestId !== requestId),
      [],
    );
    if (requestId !== undefined && step.replies.some((one) => one.requestId === requestId))
      this.#answer(requestId, { ok: false, error });
    for (const after of step.after) {
      this.#take(this.#machine.notStored(after, coordinatorErrorOf(error), this.#now()), requestId);
    }
  }

  /** What was applied will not be committed: what the machine knows is no longer what the log holds. */
  #lost(failure: ErrorCode): void {
    this.#reset(failure);
    if (this.#options.partition.isLeader) this.#load();
    else this.#state = 'closed';
  }

  #reset(error: ErrorCode): void {
    this.#incarnation++;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.#uncommitted = [];
    this.#machine = this.#options.machine();
    this.#options.onDropped?.();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const resolve of waiting) resolve({ ok: false, error });
  }

  /** One timer: for what the machine is to be woken for, or for replies that have waited too long for a commit. */
  #arm(): void {
    const overdueAtMs = this.#uncommitted.find((entry) => entry.replies.length > 0)?.deadlineMs ?? Number.POSITIVE_INFINITY;
    const atMs = Math.min(this.#wakeAtMs, overdueAtMs);
    if (this.#state !== 'active' || atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    const { clock } = this.#options;
    this.#timer = clock.after(Math.max(0, Math.ceil(atMs - clock.monotonic())), () => this.#ring());
  }

  #ring(): void {
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const now = this.#now();
    for (const entry of this.#uncommitted) {
      if (entry.deadlineMs > now.monotonicMs) break;
      for (const { requestId } of entry.replies.splice(0))
        this.#answer(requestId, { ok: false, error: ErrorCode.REQUEST_TIMED_OUT });
    }
    if (this.#wakeAtMs <= now.monotonicMs) this.#take(this.#machine.wake(now), undefined);
    else this.#arm();
  }
}
