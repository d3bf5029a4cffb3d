/**
 * What the broker owes those who use transactions.
 *
 * Every record and every offset of a transaction carries the transaction's number, wherever it is met: in a log, in an answer to a reader, in a
 * group's offsets. A transaction ends one way, in all places; committed only if its producer asked for that, aborted only if it was never answered
 * that it is committed. Nothing of it is shown to readers of committed records before. Of a transactional id there is one producer: who has asked
 * last.
 */
import type { PartitionModel } from './partition-model.ts';
import type { Ending } from './transaction-log.ts';
import { demand, Violation } from './violation.ts';

export interface Identity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** One transaction, as its producer means it. */
export interface Attempt {
  readonly number: number;
  readonly id: TransactionalId;
  readonly identity: Identity;
  readonly timeoutMs: number;
  /** Of its producer, as `willAsk` gave it. */
  readonly asked: number;
  readonly beganAtMs: number;
  readonly clockSets: number;
  readonly places: Map<string, Place>;
  /** Acknowledged, by group and partition. */
  readonly offsets: Map<string, number>;
  /** Commits that were sent, and not refused. */
  commits: number;
  /** Ends of either kind were sent. */
  isEnding: boolean;
  acknowledged: Ending | undefined;
  /** How it ended, as somebody saw it. */
  seen: { readonly ending: Ending; readonly where: string } | undefined;
}

interface Place {
  readonly model: PartitionModel;
  readonly values: string[];
  firstOffset: number;
}

export interface TransactionalId {
  readonly name: string;
  readonly group: string;
  /** Times that somebody asked for a producer, and how many wait for the answer. */
  asked: number;
  waiting: number;
  /** One who asked without getting an answer may still be heard until then, the machine not standing still. */
  ghostsUntilMs: number;
  /** Records so far. */
  records: number;
  /** Acknowledged last. */
  newest: Identity | undefined;
}

export interface Times {
  readonly nowMs: number;
  readonly busyMs: number;
  readonly clockSets: number;
}

/** Longer than requests are on their way. */
const GHOST_MS = 5000;

export class TransactionModel {
  readonly ids = new Map<string, TransactionalId>();
  readonly attempts: Attempt[] = [];
  private readonly times: () => Times;
  private readonly openPlaces = new Map<string, Set<Attempt>>();
  private readonly given = new Set<string>();
  private readonly owners = new Map<number, TransactionalId>();
  private nextOffset = 1;
  private readonly offsetAttempts = new Map<number, Attempt>();
  private readonly committedFloors = new Map<string, number>();
  private readonly seenFloors = new Map<string, number>();

  constructor(times: () => Times) {
    this.times = times;
  }

  idOf(name: string): TransactionalId {
    const id = this.ids.get(name) ?? {
      name,
      group: `group of ${name}`,
      asked: 0,
      waiting: 0,
      ghostsUntilMs: 0,
      records: 0,
      newest: undefined,
    };
    this.ids.set(name, id);
    return id;
  }

  /** A number by which one is known to be the last who asked; NaN when others are waiting, who may come after. */
  willAsk(id: TransactionalId): number {
    id.asked++;
    return id.waiting++ === 0 ? id.asked : Number.NaN;
  }

  answered(id: TransactionalId, isAnswer: boolean): void {
    id.waiting--;
    if (!isAnswer) id.ghostsUntilMs = this.times().busyMs + GHOST_MS;
  }

  /** A producer was given, or the epoch to go on with; `newestBefore` was known when that was asked for. */
  identified(id: TransactionalId, identity: Identity, newestBefore: Identity | undefined): void {
    const { producerId, producerEpoch } = identity;
    const key = `${producerId} ${producerEpoch}`;
    demand(
      !this.given.has(key),
      () => `${id.name} is given producer ${producerId} with epoch ${producerEpoch}, as somebody before`,
    );
    this.given.add(key);
    const owner = this.owners.get(producerId) ?? id;
    demand(owner === id, () => `${id.name} is given the producer id ${producerId}, which ${owner.name} has`);
    this.owners.set(producerId, id);
    demand(
      isLater(identity, newestBefore),
      () => `${id.name} is given epoch ${producerEpoch} after ${newestBefore?.producerEpoch} was`,
    );
    if (isLater(identity, id.newest)) id.newest = identity;
  }

  begin(id: TransactionalId, identity: Identity, timeoutMs: number, asked: number): Attempt {
    const { nowMs, clockSets } = this.times();
    const attempt: Attempt = {
      number: this.attempts.length,
      id,
      identity,
      timeoutMs,
      asked,
      beganAtMs: nowMs,
      clockSets,
      places: new Map(),
      offsets: new Map(),
      commits: 0,
      isEnding: false,
      acknowledged: undefined,
      seen: undefined,
    };
    this.attempts.push(attempt);
    return attempt;
  }

  /** Whether the broker may have ended it against its producer: another one came, or its time was up. */
  mayBeFenced({ id, asked, beganAtMs, timeoutMs, clockSets }: Attempt): boolean {
    const now = this.times();
    if (id.asked !== asked || now.busyMs < id.ghostsUntilMs) return true;
    return now.nowMs - beganAtMs >= timeoutMs || now.clockSets > clockSets;
  }

  isNewest({ id, identity }: Attempt): boolean {
    return id.newest === undefined || !isLater(id.newest, identity);
  }

  recordsAcknowledged(attempt: Attempt, model: PartitionModel, values: readonly string[], firstOffset: number): void {
    const place = attempt.places.get(model.name) ?? { model, values: [], firstOffset };
    attempt.places.set(model.name, place);
    place.values.push(...values);
    place.firstOffset = Math.min(place.firstOffset, firstOffset);
    const open = this.openPlaces.get(model.name) ?? new Set();
    this.openPlaces.set(model.name, open.add(attempt));
  }

  willCommitOffset(attempt: Attempt): number {
    const offset = this.nextOffset++;
    this.offsetAttempts.set(offset, attempt);
    return offset;
  }

  acknowledgeEnd(attempt: Attempt, ending: Ending): void {
    this.see(attempt.number, ending, 'the answer to its producer');
    attempt.acknowledged = ending;
  }

  /** Somebody has seen how a transaction ended. */
  see(number: number, ending: Ending, where: string): void {
    const attempt = this.attempts[number];
    if (attempt === undefined) throw new Violation(`${where}: transaction ${number} was never begun`);
    const { acknowledged, seen, commits, id } = attempt;
    const shown = `transaction ${number} of ${id.name}`;
    if (ending === 'Commit') demand(commits > 0, () => `${where}: ${shown} is committed, and nobody has asked for that`);
    demand(
      (acknowledged ?? ending) === ending,
      () => `${where}: ${shown} ends with ${ending}, and was acknowledged with ${acknowledged}`,
    );
    demand(
      (seen?.ending ?? ending) === ending,
      () => `${where}: ${shown} ends with ${ending}, and with ${seen?.ending} in ${seen?.where}`,
    );
    if (ending === 'Abort') {
      demand(
        attempt.isEnding || this.mayBeFenced(attempt),
        () => `${where}: ${shown} is aborted, and nobody had a reason to do that`,
      );
    }
    attempt.seen ??= { ending, where };
  }

  /** A record or offset that a reader of committed ones got. */
  seeCommitted(value: string, where: string): void {
    this.see(numberIn(value, where), 'Commit', where);
  }

  /** Of a group and partition: what an answer to a question asked now, for stable offsets, must not undercut. */
  committedFloor(key: string): number {
    return Math.max(this.committedFloors.get(key) ?? -1, this.seenFloor(key));
  }

  /** The same where offsets that are being committed may be passed over. */
  seenFloor(key: string): number {
    return this.seenFloors.get(key) ?? -1;
  }

  seeCommittedOffset(key: string, offset: number, floorWhenAsked: number, metadata: string): void {
    demand(offset >= floorWhenAsked, () => `${key}: ${floorWhenAsked} was committed, and the answer is ${offset}`);
    if (offset < 0) return;
    const attempt = this.offsetAttempts.get(offset);
    if (attempt === undefined) throw new Violation(`${key}: offset ${offset} was never sent`);
    demand(metadata === tokenOf(attempt), () => `${key}: offset ${offset} has the metadata ${metadata}`);
    this.see(attempt.number, 'Commit', `${key} at ${offset}`);
    this.seenFloors.set(key, Math.max(offset, this.seenFloor(key)));
  }

  offsetsCommitted({ offsets }: Attempt): void {
    for (const [key, offset] of offsets) this.committedFloors.set(key, Math.max(offset, this.committedFloor(key)));
  }

  /** Of those that were acknowledged in a partition and that nobody can have ended: where the first begins. Infinity when there is none. */
  firstOpenOffset(name: string): number {
    let first = Number.POSITIVE_INFINITY;
    const open = this.openPlaces.get(name) ?? new Set();
    for (const attempt of open) {
      if (attempt.isEnding || this.mayBeFenced(attempt)) open.delete(attempt);
      else first = Math.min(first, attempt.places.get(name)?.firstOffset ?? first);
    }
    return first;
  }
}

/** The epochs of a simulation are never used up, so that an id keeps its producer id. */
const isLater = (one: Identity, other: Identity | undefined): boolean =>
  other === undefined || one.producerEpoch > other.producerEpoch;

export const isSame = (a: Identity, b: Identity): boolean => a.producerId === b.producerId && a.producerEpoch === b.producerEpoch;

/** What every record and offset of a transaction has in it. */
export const tokenOf = ({ number }: Attempt): string => `tx#${number};`;

export function numberIn(value: string, where: string): number {
  const match = /tx#(\d+);/.exec(value);
  if (match === null) throw new Violation(`${where}: a record in a transaction that nobody sent`);
  return Number(match[1]);
}
