/** DescribeTransactions and ListTransactions (KIP-664, KIP-994, KIP-1152). */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { TransactionFilter } from './input.ts';
import { type Transaction, isPrepared } from './transaction.ts';
import { type Turn, refuse, reply } from './turn.ts';

export function describe(turn: Turn, requestId: number, transactionalId: string): void {
  const transaction = turn.lasting.transactions.get(transactionalId);
  if (transaction === undefined) return refuse(turn, requestId, ErrorCode.TRANSACTIONAL_ID_NOT_FOUND);
  const unmarked = isPrepared(transaction) ? turn.passing.unmarked.get(transactionalId) : undefined;
  const partitions = unmarked ?? transaction.partitions;
  reply(turn, requestId, { kind: 'describe', description: { transaction, partitions } });
}

export function list(turn: Turn, requestId: number, filter: TransactionFilter): void {
  const transactions = [...turn.lasting.transactions]
    .filter(([transactionalId, transaction]) => isWanted(turn, transactionalId, transaction, filter))
    .map(([transactionalId, { producerId, state }]) => ({ transactionalId, producerId, state }));
  reply(turn, requestId, { kind: 'list', transactions });
}

function isWanted(turn: Turn, transactionalId: string, transaction: Transaction, filter: TransactionFilter): boolean {
  const { producerIds, states, durationMs } = filter;
  if (producerIds.size > 0 && !producerIds.has(transaction.producerId)) return false;
  if (states !== undefined && !states.has(transaction.state)) return false;
  if (durationMs >= 0 && turn.now.timeMs - transaction.startMs <= durationMs) return false;
  return filter.matches(transactionalId);
}
