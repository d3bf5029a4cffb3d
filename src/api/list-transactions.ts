/**
 * ListTransactions, versions 0 to 2: the transactional ids that this broker coordinates (KIP-664), those that run longer than some time (1, KIP-994), those
 * whose ids match a pattern as a whole (2, KIP-1152).
 *
 * Patterns are RE2's in Apache Kafka and JavaScript's here: look-around and back references, which RE2 does not have, are refused as it refuses them; the rest
 * that both know means the same.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { ListTransactionsRequest, ListTransactionsResponseDraft } from '../wire/generated/list-transactions.ts';
import type { Context } from './context.ts';

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
  const pattern = patternOf(request.transactionalIdPattern);
  if (pattern === 'invalid') return refused(ErrorCode.INVALID_REGULAR_EXPRESSION);
  const states = new Set(request.stateFilters);
  const { error, transactions: found } = await transactions.list({
    producerIds: new Set(request.producerIdFilters.map(Number)),
    states: states.size > 0 ? states : undefined,
    durationMs: Number(request.durationFilter),
    matches: (transactionalId) => pattern === undefined || pattern.test(transactionalId),
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

const BEYOND_RE2 = /\(\?(?:=|!|<=|<!|>)|\\[1-9]|\\k</;

function patternOf(pattern: string | null): RegExp | 'invalid' | undefined {
  if (pattern === null || pattern === '') return undefined;
  if (BEYOND_RE2.test(pattern)) return 'invalid';
  try {
    return new RegExp(`^(?:${pattern})$`, 's');
  } catch {
    return 'invalid';
  }
}
