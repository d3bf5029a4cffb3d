/**
 * A request of a random stream as JSON. What each broker draws itself is named by symbols that a side resolves when it sends: `$t:N` a topic's name, `$id:N`
 * its id, `$g:N` a group, `$m:N` a group's member, `$gen:N` a group's generation, `$s:` the fetch session, `$e:` its epoch, `$c:` the cluster's id, `$ts:N` the run's time plus N ms,
 * `$p:N` the producer id that transactional id N was given, `$pe:N` its epoch, `$q:N` the sequence that is due in the partition, `$i:N` an int64, `$n:TEXT` any other name of this stream. Bytes are `{ "$hex": … }`, records `{ "$batches": […] }`.
 */
import type { ApiName } from '../../../../src/wire/generated/apis.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface BatchPlan {
  /** The records' values; null is a tombstone. */
  readonly values: readonly (string | null)[];
  readonly keyless?: boolean;
  readonly codec?: 0 | 1 | 2 | 3 | 4;
  /** From the run's time, of the first record. */
  readonly aheadMs?: number;
  readonly producerId?: number | string;
  readonly producerEpoch?: number | string;
  readonly baseSequence?: number | string;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** What is written over the finished batch: at a position, a number of bytes. */
  readonly damage?: { readonly position: number; readonly hex: string };
  /** How many bytes are cut from its end. */
  readonly cut?: number;
}

export interface StreamRequest {
  readonly api: ApiName;
  readonly version: number;
  readonly body: { readonly [name: string]: Json };
  /** Whose membership a JoinGroup answer is: member N. */
  readonly member?: number;
  /** Sent on a connection of its own, its answer awaited only after the next request's. */
  readonly held?: boolean;
}
