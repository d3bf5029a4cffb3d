/** One step of the transaction machine while it is being made: the transactions it looks at, and how it writes one down. */
import type { ErrorCode } from '../../wire/generated/errors.ts';
import type { Alarms } from '../alarms.ts';
import type { Deciding } from '../machine.ts';
import type {
  TransactionAfter,
  TransactionAlarm,
  TransactionConfig,
  TransactionEffect,
  TransactionRecord,
  TransactionReply,
} from './input.ts';
import type { TopicPartitions, Transaction } from './transaction.ts';

export interface LastingState {
  readonly transactions: Map<string, Transaction>;
  /** Transactional ids that are Ongoing. */
  readonly ongoing: Set<string>;
}

export interface PassingState {
  /** Partitions that still want the marker of a prepared transaction, by transactional id. */
  readonly unmarked: Map<string, TopicPartitions>;
  readonly alarms: Alarms<TransactionAlarm>;
}

/** The time of day goes into records and decides on timeouts; when to look for them counts on the clock that does not jump. */
export interface Turn extends Deciding<TransactionRecord, TransactionReply, TransactionAfter> {
  readonly config: TransactionConfig;
  readonly lasting: LastingState;
  readonly passing: PassingState;
  readonly effects: TransactionEffect[];
}

const FIRST_WITH_CLIENT_VERSIONS = 1;

export function reply(turn: Turn, requestId: number, answer: TransactionReply): void {
  turn.replies.push({ requestId, reply: answer });
}

export function refuse(turn: Turn, requestId: number, error: ErrorCode): void {
  reply(turn, requestId, { kind: 'refused', error });
}

/** Whether there is room in the log for what a client of `clientVersion` does: records of transaction.version 0 do not hold the version of the client. */
export function canHold({ config }: Turn, clientVersion: number): boolean {
  return clientVersion === 0 || config.transactionVersion >= FIRST_WITH_CLIENT_VERSIONS;
}

export function put(turn: Turn, transactionalId: string, next: Transaction): void {
  const transaction = canHold(turn, next.clientVersion) ? next : { ...next, clientVersion: 0 };
  turn.records.push({ transactionalId, transaction });
  arm(turn, 'expiry', turn.config.removeExpiredIntervalMs);
  if (transaction.state === 'Ongoing') arm(turn, 'timeouts', turn.config.abortTimedOutIntervalMs);
}

/** At the next multiple of the interval, whenever something came up that has to be looked at. */
export function arm({ passing, now }: Turn, kind: 'timeouts' | 'expiry', intervalMs: number): void {
  if (passing.alarms.at(kind) !== undefined) return;
  passing.alarms.set(kind, (Math.floor(now.monotonicMs / intervalMs) + 1) * intervalMs, { kind });
}
