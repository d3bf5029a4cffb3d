/**
 * ListTransactions, versions 0 to 2: the transactional ids that this broker coordinates (KIP-664), those that run longer than some time (1, KIP-994), those
 * whose ids match a pattern as a whole (2, KIP-1152).
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { ListTransactionsRequest, ListTransactionsResponseDraft } from '../wire/generated/list-transactions.ts';
import { re2Pattern } from '../wire/re2-pattern.ts';
import type { Context } from './context.ts';

const ALL = { matches: (): boolean => true };

const STATES: ReadonlySet<string> = new Set([
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]);

export async function listTransactions(
  request: ListTransactionsRequest,
  { transactions }: Context,
): Promise<ListTransactionsResponseDraft> {
  const text = request.transactionalIdPattern ?? '';
  const pattern = text === '' ? ALL : re2Pattern(text);
  if (pattern === undefined) return refused(ErrorCode.INVALID_REGULAR_EXPRESSION);
  const states = new Set(request.stateFilters);
  const { error, transactions: found } = await transactions.list({
    producerIds: new Set(request.producerIdFilters.map(Number)),
    states: states.size > 0 ? states : undefined,
    durationMs: Number(request.durationFilter),
    matches: (transactionalId) => pattern.matches(transactionalId),
  });
  if (error !== ErrorCode.NONE) return refused(error);
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    unknownStateFilters: [...states].filter((state) => !STATES.has(state)),
    transactionStates: found.map(({ transactionalId, producerId, state }) => ({
      transactionalId,
      producerId,
      transactionState: state,
    })),
  };
}

function refused(errorCode: ErrorCode): ListTransactionsResponseDraft {
  return { throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] };
}
