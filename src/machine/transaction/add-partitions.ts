/** AddPartitionsToTxn and AddOffsetsToTxn: partitions that are about to be written to, or were promised to be (KIP-98, KIP-890). */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { TransactionInput } from './input.ts';
import { type Transaction, containsAll, isPrepared, next, union, without } from './transaction.ts';
import { type Turn, canHold, put, refuse, reply } from './turn.ts';

type AddInput = Extract<TransactionInput, { kind: 'add' }>;
type VerifyInput = Extract<TransactionInput, { kind: 'verify' }>;

export function addPartitions(turn: Turn, requestId: number, input: AddInput): void {
  const { transactionalId, partitions, clientVersion } = input;
  const before = turn.lasting.transactions.get(transactionalId);
  if (before === undefined) return refuse(turn, requestId, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  if (isPrepared(before)) return refuse(turn, requestId, ErrorCode.CONCURRENT_TRANSACTIONS);
  const error = checkProducer(before, input);
  if (error !== ErrorCode.NONE) return refuse(turn, requestId, error);
  const isOngoing = before.state === 'Ongoing';
  if (!isOngoing || !containsAll(before.partitions, partitions)) {
    if (!canHold(turn, clientVersion)) return refuse(turn, requestId, ErrorCode.UNSUPPORTED_VERSION);
    const { timeMs } = turn.now;
    const startMs = isOngoing ? before.startMs : timeMs;
    const all = union(before.partitions, partitions);
    put(turn, transactionalId, next(before, 'Ongoing', { partitions: all, startMs, lastUpdateMs: timeMs, clientVersion }));
  }
  reply(turn, requestId, { kind: 'add' });
}

/** Which of the partitions are not in the transaction. */
export function verifyPartitions(turn: Turn, requestId: number, input: VerifyInput): void {
  const transaction = turn.lasting.transactions.get(input.transactionalId);
  if (transaction === undefined) return refuse(turn, requestId, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  const error = checkProducer(transaction, input);
  if (error !== ErrorCode.NONE) return refuse(turn, requestId, error);
  if (isPrepared(transaction)) return refuse(turn, requestId, ErrorCode.CONCURRENT_TRANSACTIONS);
  reply(turn, requestId, { kind: 'verify', missing: without(input.partitions, transaction.partitions) });
}

function checkProducer(
  { producerId, producerEpoch }: Transaction,
  asked: { readonly producerId: number; readonly producerEpoch: number },
): ErrorCode {
  if (producerId !== asked.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
  return producerEpoch === asked.producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED;
}
