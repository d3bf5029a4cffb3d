/** DescribeTransactions, version 0 (KIP-664): what the coordinator knows of transactional ids. */
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponseDraft,
  DescribeTransactionsResponseTransactionStateDraft,
} from '../wire/generated/describe-transactions.ts';
import type { Context } from './context.ts';

export async function describeTransactions(
  request: DescribeTransactionsRequest,
  context: Context,
): Promise<DescribeTransactionsResponseDraft> {
  const transactionStates = await Promise.all(request.transactionalIds.map((id) => describe(id, context)));
  return { throttleTimeMs: 0, transactionStates };
}

async function describe(
  transactionalId: string,
  { transactions }: Context,
): Promise<DescribeTransactionsResponseTransactionStateDraft> {
  const { error: errorCode, description } = await transactions.describe(transactionalId);
  if (description === undefined) {
    return {
      errorCode,
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0,
      producerId: 0,
      producerEpoch: 0,
      topics: [],
    };
  }
  const { transaction, partitions } = description;
  return {
    errorCode,
    transactionalId,
    transactionState: transaction.state,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: transaction.startMs,
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    topics: [...partitions].map(([topic, indexes]) => ({ topic, partitions: [...indexes] })),
  };
}
