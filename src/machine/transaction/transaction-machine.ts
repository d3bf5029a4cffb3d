/**
 * The coordinator of the transactional ids of one partition of `__transaction_state`, as a pure machine: input and time in, records, replies and what the
 * world has to do out.
 *
 * `step`, `wake`, `stored` and `notStored` decide, and change passing state only; `apply` is the only way in which lasting state changes, live and in
 * a replay. Between `step` and the `apply` of its records nothing else may come. SPEC.md holds the numbered invariants and the transition table.
 */
import type { ErrorCode } from '../../wire/generated/errors.ts';
import { Alarms } from '../alarms.ts';
import type { Instant, Machine, Step } from '../machine.ts';
import { addPartitions, verifyPartitions } from './add-partitions.ts';
import { describe, list } from './administration.ts';
import { complete, completionNotStored, onMarked, onPrepared, resumeCompletion } from './completion.ts';
import { endTransaction } from './end-transaction.ts';
import { initProducerId } from './init-producer-id.ts';
import type {
  TransactionAfter,
  TransactionAlarm,
  TransactionConfig,
  TransactionEffect,
  TransactionInput,
  TransactionRecord,
  TransactionReply,
} from './input.ts';
import { abortTimedOut, abortTimedOutWith, expire, lookAgainLater } from './passing-away.ts';
import { isPrepared } from './transaction.ts';
import { type LastingState, type PassingState, type Turn, arm } from './turn.ts';

export type TransactionStep = Step<TransactionRecord, TransactionReply, TransactionAfter, TransactionEffect>;

export class TransactionMachine
  implements Machine<TransactionInput, TransactionRecord, TransactionReply, TransactionAfter, TransactionEffect>
{
  readonly config: TransactionConfig;
  readonly lasting: LastingState = { transactions: new Map(), ongoing: new Set() };
  readonly passing: PassingState = { unmarked: new Map(), alarms: new Alarms<TransactionAlarm>() };

  constructor(config: TransactionConfig) {
    this.config = config;
  }

  apply({ transactionalId, transaction }: TransactionRecord): void {
    const { transactions, ongoing } = this.lasting;
    if (transaction === null) transactions.delete(transactionalId);
    else transactions.set(transactionalId, transaction);
    if (transaction?.state === 'Ongoing') ongoing.add(transactionalId);
    else ongoing.delete(transactionalId);
    if (transaction === null || !isPrepared(transaction)) this.passing.unmarked.delete(transactionalId);
  }

  /** Nobody writes to this log in a transaction of its own. */
  applyTransactionEnd(): void {}

  /** After the last `apply` of a replay: what was decided is carried out. */
  loaded(now: Instant): TransactionStep {
    return this.#turn(now, (turn) => {
      const { transactions, ongoing } = turn.lasting;
      if (transactions.size > 0) arm(turn, 'expiry', turn.config.removeExpiredIntervalMs);
      if (ongoing.size > 0) arm(turn, 'timeouts', turn.config.abortTimedOutIntervalMs);
      for (const [transactionalId, transaction] of transactions)
        if (isPrepared(transaction)) resumeCompletion(turn, transactionalId, transaction);
    });
  }

  step(requestId: number, input: TransactionInput, now: Instant): TransactionStep {
    return this.#turn(now, (turn) => decide(turn, requestId, input));
  }

  /** Deals with the first thing that is due; what is due besides wants to be woken for at once. */
  wake(now: Instant): TransactionStep {
    return this.#turn(now, (turn) => {
      const alarm = turn.passing.alarms.takeDue(now.monotonicMs);
      if (alarm?.kind === 'timeouts') abortTimedOut(turn);
      else if (alarm?.kind === 'expiry') expire(turn);
      else if (alarm?.kind === 'complete') complete(turn, alarm.transactionalId);
    });
  }

  stored(after: TransactionAfter, now: Instant): TransactionStep {
    return this.#turn(now, (turn) => {
      if (after.kind === 'prepared') onPrepared(turn, after);
      else turn.effects.push(after);
    });
  }

  /** The partition has taken none of the records, and what was decided with them does not stand. What must come about all the same is tried again. */
  notStored(after: TransactionAfter, _error: ErrorCode, now: Instant): TransactionStep {
    return this.#turn(now, (turn) => {
      if (after.kind === 'completed') completionNotStored(turn, after.transactionalId);
      else lookAgainLater(turn);
    });
  }

  /** One record, or tombstones, each of which may stand alone. */
  #turn(now: Instant, run: (turn: Turn) => void): TransactionStep {
    const { config, lasting, passing } = this;
    const turn: Turn = { config, lasting, passing, now, records: [], replies: [], after: [], effects: [] };
    run(turn);
    const { records, replies, after, effects } = turn;
    return { records, atomic: records.length <= 1, replies, after, effects, wakeAtMs: passing.alarms.nextMs };
  }
}

function decide(turn: Turn, requestId: number, input: TransactionInput): void {
  switch (input.kind) {
    case 'init':
      return initProducerId(turn, requestId, input);
    case 'add':
      return addPartitions(turn, requestId, input);
    case 'verify':
      return verifyPartitions(turn, requestId, input);
    case 'end':
      return endTransaction(turn, requestId, input);
    case 'abortTimedOut':
      return abortTimedOutWith(turn, requestId, input);
    case 'marked':
      return onMarked(turn, requestId, input);
    case 'describe':
      return describe(turn, requestId, input.transactionalId);
    case 'list':
      return list(turn, requestId, input.filter);
  }
}
