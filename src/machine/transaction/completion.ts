/** From the decision to the end: markers into every partition, and then the record that says that all have them. */
import { afterCompletion } from './end-transaction.ts';
import type { TransactionAfter, TransactionInput } from './input.ts';
import { NO_PARTITIONS, NO_PRODUCER_ID, type Transaction, isPrepared, next, without } from './transaction.ts';
import { type Turn, put, reply } from './turn.ts';

/** How long a record that the partition has refused waits for the next try. */
const RETRY_MS = 100;

type Prepared = Extract<TransactionAfter, { kind: 'prepared' }>;
type MarkedInput = Extract<TransactionInput, { kind: 'marked' }>;

export function onPrepared(turn: Turn, { transactionalId, producerId, producerEpoch }: Prepared): void {
  const transaction = preparedTransaction(turn, transactionalId);
  if (transaction?.producerId === producerId && transaction.producerEpoch === producerEpoch)
    startCompletion(turn, transactionalId, transaction);
}

/** After a load. Whoever coordinated it before may have written some of the markers; a partition takes them twice. */
export function resumeCompletion(turn: Turn, transactionalId: string, transaction: Transaction): void {
  if (transaction.partitions.size === 0) completeAfter(turn, transactionalId, 0);
  else startCompletion(turn, transactionalId, transaction);
}

function startCompletion(turn: Turn, transactionalId: string, transaction: Transaction): void {
  const { producerId, producerEpoch, partitions, clientVersion } = transaction;
  if (partitions.size === 0) return complete(turn, transactionalId);
  turn.passing.unmarked.set(transactionalId, partitions);
  turn.effects.push({
    kind: 'writeMarkers',
    transactionalId,
    producerId,
    producerEpoch,
    committed: transaction.state === 'PrepareCommit',
    partitions,
    transactionVersion: clientVersion,
  });
}

export function onMarked(turn: Turn, requestId: number, input: MarkedInput): void {
  const { transactionalId } = input;
  const transaction = preparedTransaction(turn, transactionalId);
  const unmarked = turn.passing.unmarked.get(transactionalId);
  const isThis = transaction?.producerId === input.producerId && transaction.producerEpoch === input.producerEpoch;
  if (isThis && unmarked !== undefined) {
    const rest = without(unmarked, input.partitions);
    turn.passing.unmarked.set(transactionalId, rest);
    if (rest.size === 0) complete(turn, transactionalId);
  }
  reply(turn, requestId, { kind: 'noted' });
}

export function complete(turn: Turn, transactionalId: string): void {
  const before = preparedTransaction(turn, transactionalId);
  if (before === undefined) return;
  const state = before.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort';
  const changes = { nextProducerId: NO_PRODUCER_ID, partitions: NO_PARTITIONS, lastUpdateMs: turn.now.timeMs };
  put(turn, transactionalId, next(before, state, { ...afterCompletion(before), ...changes }));
  turn.after.push({ kind: 'completed', transactionalId });
}

export function completionNotStored(turn: Turn, transactionalId: string): void {
  completeAfter(turn, transactionalId, RETRY_MS);
}

function completeAfter({ passing, now }: Turn, transactionalId: string, delayMs: number): void {
  passing.alarms.set(`complete ${transactionalId}`, now.monotonicMs + delayMs, { kind: 'complete', transactionalId });
}

function preparedTransaction(turn: Turn, transactionalId: string): Transaction | undefined {
  const transaction = turn.lasting.transactions.get(transactionalId);
  return transaction !== undefined && isPrepared(transaction) ? transaction : undefined;
}
