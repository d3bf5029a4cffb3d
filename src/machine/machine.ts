/**
 * What a pure machine is to its host, whatever it coordinates: it decides on input and time, and says what is to be written, answered and done.
 *
 * Invariants: only `apply` and `applyTransactionEnd` change lasting state, live and in a replay; between a step and the `apply` of its records nothing else
 * is asked.
 */
import type { ErrorCode } from '../wire/generated/errors.ts';

/** Two clocks: records carry the time of day, deadlines must not jump with it. */
export interface Instant {
  readonly timeMs: number;
  readonly monotonicMs: number;
}

/** Where a record stood in the log. */
export interface RecordPlace {
  readonly offset: number;
  /** -1 outside of transactions. */
  readonly producerId: number;
}

/** What a machine has decided. */
export interface Step<Record, Reply, After, Effect = never> {
  readonly records: readonly Record[];
  /** True: all in one batch or none. False: in as many batches as their size asks for. */
  readonly atomic: boolean;
  /** Released once these records, and all before them, are committed. */
  readonly replies: readonly { readonly requestId: number; readonly reply: Reply }[];
  /** Handed back to `stored` when the records are committed, or to `notStored` when the partition refused them. */
  readonly after: readonly After[];
  /** What the world has to do, once the records and all before them are committed. */
  readonly effects: readonly Effect[];
  /** Monotonic; Infinity when nothing is due. */
  readonly wakeAtMs: number;
}

/** A step while it is being made: when it is, and what is decided so far. */
export interface Deciding<Record, Reply, After> {
  readonly now: Instant;
  readonly records: Record[];
  readonly replies: { readonly requestId: number; readonly reply: Reply }[];
  readonly after: After[];
}

export interface Machine<Input, Record, Reply, After, Effect = never> {
  apply(record: Record, place: RecordPlace): void;
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
