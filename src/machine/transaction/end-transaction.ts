/**
 * The decision how a transaction ends: by EndTxn, or against its producer (a new one has come, or its time is up).
 *
 * With transaction.version 2 the end bumps the epoch, so that nothing of a transaction can be written after its end (KIP-890). A producer that asks again,
 * because the answer has not reached it, is known by the epoch of before.
 */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { TransactionInput } from './input.ts';
import {
  EPOCH_BUMP_VERSION,
  MAX_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  type Transaction,
  isAtRest,
  isEpochExhausted,
  isPrepared,
  next,
} from './transaction.ts';
import { type Turn, canHold, put, refuse, reply } from './turn.ts';

type EndInput = Extract<TransactionInput, { kind: 'end' }>;

export function endTransaction(turn: Turn, requestId: number, input: EndInput): void {
  const transaction = turn.lasting.transactions.get(input.transactionalId);
  if (transaction === undefined) return refuse(turn, requestId, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  if (input.clientVersion >= EPOCH_BUMP_VERSION) endWithBump(turn, requestId, input, transaction);
  else endWithoutBump(turn, requestId, input, transaction);
}

function endWithoutBump(turn: Turn, requestId: number, input: EndInput, before: Transaction): void {
  const { transactionalId, producerId, producerEpoch, committed } = input;
  if (before.producerId !== producerId) return refuse(turn, requestId, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  if (before.producerEpoch !== producerEpoch) return refuse(turn, requestId, ErrorCode.PRODUCER_FENCED);
  if (isPrepared(before)) return refuse(turn, requestId, ErrorCode.CONCURRENT_TRANSACTIONS);
  if (before.state === 'Ongoing') {
    prepare(turn, transactionalId, next(before, preparedState(committed), { lastUpdateMs: turn.now.timeMs, clientVersion: 0 }));
  } else if (before.state !== completeState(committed)) return refuse(turn, requestId, ErrorCode.INVALID_TXN_STATE);
  reply(turn, requestId, { kind: 'end', producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH });
}

function endWithBump(turn: Turn, requestId: number, input: EndInput, before: Transaction): void {
  const { transactionalId, producerId, producerEpoch, committed, freshProducerId } = input;
  const isRetryAfterBump = before.producerEpoch === producerEpoch + 1;
  const isRetryAfterRotation =
    before.previousProducerId === producerId && producerEpoch === MAX_EPOCH - 1 && before.producerEpoch === 0;
  const isRetry = isRetryAfterBump || isRetryAfterRotation;
  if (isPrepared(before)) return refuse(turn, requestId, ErrorCode.CONCURRENT_TRANSACTIONS);
  if (before.producerId !== producerId && !isRetryAfterRotation)
    return refuse(turn, requestId, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  const isComplete = before.state === 'CompleteCommit' || before.state === 'CompleteAbort';
  if (before.producerEpoch !== producerEpoch && !(isComplete && isRetry))
    return refuse(turn, requestId, ErrorCode.PRODUCER_FENCED);
  if (isComplete && isRetry) {
    if (before.state !== completeState(committed)) return refuse(turn, requestId, ErrorCode.INVALID_TXN_STATE);
    return reply(turn, requestId, { kind: 'end', producerId: before.producerId, producerEpoch: before.producerEpoch });
  }
  // Nothing was added to it: that can be aborted, so that the epoch rises.
  if (before.state !== 'Ongoing' && committed) return refuse(turn, requestId, ErrorCode.INVALID_TXN_STATE);
  if (before.producerEpoch >= MAX_EPOCH && committed) return refuse(turn, requestId, ErrorCode.UNKNOWN_SERVER_ERROR);
  if (!canHold(turn, input.clientVersion)) return refuse(turn, requestId, ErrorCode.UNSUPPORTED_VERSION);
  const prepared = bumped(turn, before, preparedState(committed), freshProducerId);
  if (prepared === undefined) return reply(turn, requestId, { kind: 'needsProducerId' });
  prepare(turn, transactionalId, prepared);
  reply(turn, requestId, { kind: 'end', ...afterCompletion(prepared) });
}

/** Aborts against the producer: from now on its epoch is an old one. False when that takes a fresh producer id. */
export function fence(turn: Turn, transactionalId: string, before: Transaction, freshProducerId: number | undefined): boolean {
  if (turn.config.transactionVersion >= EPOCH_BUMP_VERSION) {
    const prepared = bumped(turn, before, 'PrepareAbort', freshProducerId);
    if (prepared === undefined) return false;
    prepare(turn, transactionalId, prepared);
    return true;
  }
  const producerEpoch = Math.min(before.producerEpoch + 1, MAX_EPOCH);
  const changes = { producerEpoch, lastProducerEpoch: NO_PRODUCER_EPOCH, lastUpdateMs: turn.now.timeMs, clientVersion: 0 };
  prepare(turn, transactionalId, next(before, 'PrepareAbort', changes));
  return true;
}

/** Undefined when it takes a fresh producer id. */
function bumped(
  turn: Turn,
  before: Transaction,
  state: 'PrepareCommit' | 'PrepareAbort',
  freshProducerId: number | undefined,
): Transaction | undefined {
  const isExhausted = isEpochExhausted(before.producerEpoch);
  if (isExhausted && freshProducerId === undefined) return undefined;
  const { timeMs } = turn.now;
  return next(before, state, {
    producerEpoch: Math.min(before.producerEpoch + 1, MAX_EPOCH),
    lastProducerEpoch: before.producerEpoch,
    nextProducerId: isExhausted ? (freshProducerId ?? NO_PRODUCER_ID) : NO_PRODUCER_ID,
    startMs: isAtRest(before) ? timeMs : before.startMs,
    lastUpdateMs: timeMs,
    clientVersion: EPOCH_BUMP_VERSION,
  });
}

function prepare(turn: Turn, transactionalId: string, prepared: Transaction): void {
  const { producerId, producerEpoch } = prepared;
  put(turn, transactionalId, prepared);
  turn.after.push({ kind: 'prepared', transactionalId, producerId, producerEpoch });
}

/** What the producer has once a prepared transaction is complete. */
export function afterCompletion({ producerId, producerEpoch, nextProducerId, clientVersion }: Transaction): {
  readonly producerId: number;
  readonly producerEpoch: number;
} {
  if (clientVersion >= EPOCH_BUMP_VERSION && nextProducerId !== NO_PRODUCER_ID)
    return { producerId: nextProducerId, producerEpoch: 0 };
  return { producerId, producerEpoch };
}

function preparedState(committed: boolean): 'PrepareCommit' | 'PrepareAbort' {
  return committed ? 'PrepareCommit' : 'PrepareAbort';
}

function completeState(committed: boolean): 'CompleteCommit' | 'CompleteAbort' {
  return committed ? 'CompleteCommit' : 'CompleteAbort';
}
