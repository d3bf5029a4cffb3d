/**
 * What clients asked of a broker and what they were told, as plain data: all that the checker knows. Times are milliseconds of one clock, and only their order matters.
 *
 * Every value is sent at most once to one log by one attempt: `value` tells which attempt it belongs to, and whoever sees it twice has seen a duplicate.
 */

/** A record that somebody saw. */
export interface Entry {
  readonly offset: number;
  readonly value: string;
}

/** Records sent to one log in one batch; `offset` is the first one's, undefined when no answer came. */
export interface Send {
  readonly kind: 'send';
  readonly log: string;
  readonly values: readonly string[];
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly offset: number | undefined;
}

/** One read-committed fetch of one log. The polls of a `session` go on where the one before ended: `from` is where it began, `next` where the next one begins. */
export interface Poll {
  readonly kind: 'poll';
  readonly log: string;
  readonly session: string;
  readonly from: number;
  readonly next: number;
  readonly entries: readonly Entry[];
  readonly startedAt: number;
  readonly endedAt: number;
}

/** The committed offset of a group moved in the transaction, which processed what lies between. */
export interface Move {
  readonly kind: 'move';
  readonly group: string;
  readonly log: string;
  readonly from: number;
  readonly to: number;
}

export type Step = Send | Poll | Move;

/**
 * `committed`: the broker said so. `aborted`: the client never asked for a commit, or was refused at its first and only try. `unknown`: it asked, and no answer came.
 */
export type Outcome = 'committed' | 'aborted' | 'unknown';

/** One transaction that was tried, or the polls of a client that has none (`transactionalId` null, always committed). */
export interface Attempt {
  readonly name: string;
  readonly transactionalId: string | null;
  readonly steps: readonly Step[];
  readonly startedAt: number;
  /** When the commit was first asked for; undefined when it never was. */
  readonly commitAt: number | undefined;
  readonly endedAt: number;
  readonly outcome: Outcome;
}

/** A log at the end, when every transaction has been ended: all that is committed, in order. */
export interface Survey {
  readonly log: string;
  readonly entries: readonly Entry[];
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}

/** Where a group stands at the end; -1 where it never committed. */
export interface CommittedOffset {
  readonly group: string;
  readonly log: string;
  readonly offset: number;
}

export interface History {
  readonly attempts: readonly Attempt[];
  readonly surveys: readonly Survey[];
  readonly offsets: readonly CommittedOffset[];
}
