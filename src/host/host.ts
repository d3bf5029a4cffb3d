/**
 * Runs a pure machine over a partition: loads it by replay, appends what it decides as one batch, releases its replies when that is committed,
 * and wakes it when its earliest deadline has come. (Surface first; the bodies follow.)
 */
import type { Partition } from '../partition/partition.ts';
import type { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';

/** Two clocks: records carry the time of day, deadlines must not jump with it. */
export interface Instant {
  readonly timeMs: number;
  readonly monotonicMs: number;
}

export interface KeyValue {
  readonly key: Buffer;
  /** Null: a tombstone. */
  readonly value: Buffer | null;
}

/** Where a record stood in the log. */
export interface LogPlace {
  readonly offset: number;
  /** -1 outside of transactions. */
  readonly producerId: number;
}

export interface Step<Reply, After> {
  /** Appended as one batch. */
  readonly records: readonly KeyValue[];
  /** Released once these records, and all before them, are committed. */
  readonly replies: readonly { readonly requestId: number; readonly reply: Reply }[];
  /** Handed back to `stored` when the records are committed, or to `notStored` when the partition refused them. */
  readonly after: After | undefined;
  /** Monotonic; Infinity when nothing is due. */
  readonly wakeAtMs: number;
}

export interface Machine<Input, Reply, After> {
  apply(record: KeyValue, place: LogPlace): void;
  /** A transaction of this producer has ended. */
  applyTransactionEnd(producerId: number, committed: boolean): void;
  /** After the last `apply` of a replay, before the first step. */
  loaded(now: Instant): Step<Reply, After>;
  step(requestId: number, input: Input, now: Instant): Step<Reply, After>;
  wake(now: Instant): Step<Reply, After>;
  stored(after: After, now: Instant): Step<Reply, After>;
  notStored(after: After, error: ErrorCode, now: Instant): Step<Reply, After>;
}

export interface HostOptions<Input, Reply, After> {
  readonly clock: Clock;
  readonly partition: Partition;
  /** A fresh, empty machine. */
  machine(): Machine<Input, Reply, After>;
  /** An answer that arrives not in this time after its records were appended is given as REQUEST_TIMED_OUT. */
  readonly writeTimeoutMs: number;
}

/** A request either gets the machine's reply or the error that kept it from one. */
export type Hosted<Reply> = { readonly ok: true; readonly reply: Reply } | { readonly ok: false; readonly error: ErrorCode };

export declare class Host<Input, Reply, After> {
  constructor(options: HostOptions<Input, Reply, After>);
  /** COORDINATOR_LOAD_IN_PROGRESS until the replay is over. */
  readonly state: 'loading' | 'active' | 'closed';
  submit(input: Input): Promise<Hosted<Reply>>;
  /** Everything that waits is answered with `error`. */
  close(error: ErrorCode): void;
}
