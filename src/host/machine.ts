/** What a pure machine is to its host: it decides on input and time, and says what is to be written, answered and done. */
import type { VerificationGuard } from '../log/verification.ts';
import type { Partition } from '../partition/partition.ts';
import type { CompressionCodec } from '../wire/compression/codec.ts';
import type { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';

/** Two clocks: records carry the time of day, deadlines must not jump with it. */
export interface Instant {
  readonly timeMs: number;
  readonly monotonicMs: number;
}

/** Where a record stood in the log. */
export interface LogPlace {
  readonly offset: number;
  /** -1 outside of transactions. */
  readonly producerId: number;
}

export interface Step<Record, Reply, After, Effect = never> {
  readonly records: readonly Record[];
  /** True: all in one batch or none. False: in as many batches as their size asks for. */
  readonly atomic: boolean;
  /** Released once these records, and all before them, are committed. */
  readonly replies: readonly { readonly requestId: number; readonly reply: Reply }[];
  /** Handed back to `stored` when the records are committed, or to `notStored` when the partition refused them. */
  readonly after: readonly After[];
  /** What the world has to do, once the records and all before them are committed. */
  readonly effects?: readonly Effect[];
  /** Monotonic; Infinity when nothing is due. */
  readonly wakeAtMs: number;
}

export interface Machine<Input, Record, Reply, After, Effect = never> {
  apply(record: Record, place: LogPlace): void;
  /** A transaction of this producer has ended. */
  applyTransactionEnd(producerId: number, committed: boolean): void;
  /** After the last `apply` of a replay, before the first step. */
  loaded(now: Instant): Step<Record, Reply, After, Effect>;
  step(requestId: number, input: Input, now: Instant): Step<Record, Reply, After, Effect>;
  /** Something is due. */
  wake(now: Instant): Step<Record, Reply, After, Effect>;
  stored(after: After, now: Instant): Step<Record, Reply, After, Effect>;
  notStored(after: After, error: ErrorCode, now: Instant): Step<Record, Reply, After, Effect>;
}

export interface HostOptions<Input, Record, Reply, After, Effect = never> {
  readonly clock: Clock;
  readonly partition: Partition;
  /** A fresh, empty machine. */
  machine(): Machine<Input, Record, Reply, After, Effect>;
  /** Undefined for a kind that is not known: it is passed over. */
  readRecord(key: Buffer, value: Buffer | null): Record | undefined;
  writeRecord(record: Record): { readonly key: Buffer; readonly value: Buffer | null };
  readonly codec: CompressionCodec;
  /** A reply whose records are not committed in this time is given as REQUEST_TIMED_OUT; what was decided stands. */
  readonly writeTimeoutMs: number;
  /** Carries out what the machine wants of the world. */
  carryOut?(effect: Effect): void;
  /** The machine is no more, and what it wanted of the world is void: a new one says anew what it wants. */
  onDropped?(): void;
  /** A replay that the log does not allow; the host is closed then. */
  onLoadFailure(failure: unknown): void;
}

/** A request either gets the machine's reply or the error that kept it from one, as the partition has it. */
export type Hosted<Reply> = { readonly ok: true; readonly reply: Reply } | { readonly ok: false; readonly error: ErrorCode };

/** A request whose records are part of a producer's transaction: they count once its marker has come. */
export interface TransactionalWrite {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Undefined when the transaction is open in the partition. */
  readonly guard: VerificationGuard | undefined;
}
