/** InitProducerId with a transactional id: who asks last is the producer (KIP-98), unless it says which one it was (KIP-360). */
import { ErrorCode } from '../../wire/generated/errors.ts';
import { fence } from './end-transaction.ts';
import type { TransactionInput } from './input.ts';
import {
  NO_PARTITIONS,
  NO_PRODUCER_EPOCH,
  type Transaction,
  isEpochExhausted,
  isPrepared,
  newTransaction,
  next,
} from './transaction.ts';
import { type Turn, put, refuse, reply } from './turn.ts';

type InitInput = Extract<TransactionInput, { kind: 'init' }>;

export function initProducerId(turn: Turn, requestId: number, input: InitInput): void {
  const { transactionalId, freshProducerId } = input;
  const known = turn.lasting.transactions.get(transactionalId);
  if (known === undefined && freshProducerId === undefined) return reply(turn, requestId, { kind: 'needsProducerId' });
  const before = known ?? newTransaction(freshProducerId ?? -1, input.timeoutMs, turn.now.timeMs);
  if (isPrepared(before)) return refuse(turn, requestId, ErrorCode.CONCURRENT_TRANSACTIONS);
  if (!isExpected(before, input.expected)) return refuse(turn, requestId, ErrorCode.PRODUCER_FENCED);
  if (before.state === 'Ongoing') {
    if (!fence(turn, transactionalId, before, freshProducerId)) return reply(turn, requestId, { kind: 'needsProducerId' });
    return refuse(turn, requestId, ErrorCode.CONCURRENT_TRANSACTIONS);
  }
  const after = successor(turn, before, input);
  if (after === 'needsProducerId') return reply(turn, requestId, { kind: 'needsProducerId' });
  if (typeof after === 'number') return refuse(turn, requestId, after);
  put(turn, transactionalId, after);
  reply(turn, requestId, { kind: 'init', producerId: after.producerId, producerEpoch: after.producerEpoch });
}

/** A producer that says who it was is the one of now, or the one of before whose epochs were used up. Of a new id anybody may be. */
function isExpected(transaction: Transaction, expected: InitInput['expected']): boolean {
  if (expected === undefined || transaction.producerEpoch === NO_PRODUCER_EPOCH) return true;
  if (expected.producerId === transaction.producerId) return true;
  return expected.producerId === transaction.previousProducerId && isEpochExhausted(expected.producerEpoch);
}

function successor(turn: Turn, before: Transaction, input: InitInput): Transaction | ErrorCode | 'needsProducerId' {
  const { expected, timeoutMs, freshProducerId } = input;
  const { producerEpoch, lastProducerEpoch } = before;
  const fresh = { timeoutMs, partitions: NO_PARTITIONS, startMs: -1, lastUpdateMs: turn.now.timeMs };
  if (isEpochExhausted(producerEpoch)) {
    // As in Apache Kafka, where there is no epoch left to give to one that is behind.
    if (expected !== undefined && expected.producerEpoch !== producerEpoch) return ErrorCode.UNKNOWN_SERVER_ERROR;
    if (freshProducerId === undefined) return 'needsProducerId';
    const last = expected === undefined ? NO_PRODUCER_EPOCH : producerEpoch;
    return next(before, 'Empty', { ...fresh, producerId: freshProducerId, producerEpoch: 0, lastProducerEpoch: last });
  }
  const bumped = producerEpoch + 1;
  if (expected === undefined) {
    return next(before, 'Empty', { ...fresh, producerEpoch: bumped, lastProducerEpoch: NO_PRODUCER_EPOCH });
  }
  if (producerEpoch === NO_PRODUCER_EPOCH || expected.producerEpoch === producerEpoch) {
    return next(before, 'Empty', { ...fresh, producerEpoch: bumped, lastProducerEpoch: producerEpoch });
  }
  // It has asked before, and the answer has not reached it.
  return expected.producerEpoch === lastProducerEpoch ? next(before, 'Empty', fresh) : ErrorCode.PRODUCER_FENCED;
}
