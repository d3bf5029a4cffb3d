/** What passes by itself: transactions whose time is up, and transactional ids that nobody has used for long. */
import { fence } from './end-transaction.ts';
import type { TransactionInput } from './input.ts';
import { TWO_PHASE_TIMEOUT_MS, type Transaction, isAtRest } from './transaction.ts';
import { type Turn, arm, reply } from './turn.ts';

/** One at a time: the next one is due at once. */
export function abortTimedOut(turn: Turn): void {
  for (const transactionalId of turn.lasting.ongoing) {
    const transaction = turn.lasting.transactions.get(transactionalId);
    if (transaction === undefined || !isTimedOut(turn, transaction)) continue;
    if (fence(turn, transactionalId, transaction, undefined)) {
      turn.passing.alarms.set('timeouts', turn.now.monotonicMs, { kind: 'timeouts' });
      return;
    }
    turn.effects.push({ kind: 'abortTimedOut', transactionalId });
  }
  if (turn.lasting.ongoing.size > 0) arm(turn, 'timeouts', turn.config.abortTimedOutIntervalMs);
}

export function abortTimedOutWith(
  turn: Turn,
  requestId: number,
  input: Extract<TransactionInput, { kind: 'abortTimedOut' }>,
): void {
  const transaction = turn.lasting.transactions.get(input.transactionalId);
  if (transaction?.state === 'Ongoing' && isTimedOut(turn, transaction))
    fence(turn, input.transactionalId, transaction, input.freshProducerId);
  reply(turn, requestId, { kind: 'noted' });
}

function isTimedOut(turn: Turn, { timeoutMs, startMs }: Transaction): boolean {
  return timeoutMs !== TWO_PHASE_TIMEOUT_MS && startMs + timeoutMs < turn.now.timeMs;
}

/** The partition refuses an abort, and would refuse the next one too. */
export function lookAgainLater(turn: Turn): void {
  turn.passing.alarms.cancel('timeouts');
  if (turn.lasting.ongoing.size > 0) arm(turn, 'timeouts', turn.config.abortTimedOutIntervalMs);
}

/** Never while a transaction is open or being ended. */
export function expire(turn: Turn): void {
  const { transactionalIdExpirationMs, removeExpiredIntervalMs } = turn.config;
  for (const [transactionalId, transaction] of turn.lasting.transactions) {
    if (isAtRest(transaction) && transaction.lastUpdateMs <= turn.now.timeMs - transactionalIdExpirationMs)
      turn.records.push({ transactionalId, transaction: null });
  }
  if (turn.lasting.transactions.size > 0) arm(turn, 'expiry', removeExpiredIntervalMs);
}
