/**
 * EndTxn, versions 0 to 5: the producer commits or aborts. Answered once the decision is in the log; the markers follow. KIP-588 (PRODUCER_FENCED, from
 * 2 on; INVALID_PRODUCER_EPOCH before), KIP-890 (5: the answer has the producer id and epoch to go on with).
 */
import type { EndTxnRequest, EndTxnResponseDraft } from '../wire/generated/end-txn.ts';
import type { Context } from './context.ts';
import { fencingError } from './producer-fencing.ts';
import { claimOf } from './transaction-claim.ts';

const FENCED_FROM_VERSION = 2;
const EPOCH_BUMP_FROM_VERSION = 5;

export async function endTxn(request: EndTxnRequest, context: Context): Promise<EndTxnResponseDraft> {
  const { apiVersion, transactions } = context;
  const clientVersion = apiVersion >= EPOCH_BUMP_FROM_VERSION ? 2 : 0;
  const { error, producerId, producerEpoch } = await transactions.endTransaction(
    claimOf(request),
    request.committed,
    clientVersion,
  );
  const errorCode = fencingError(error, apiVersion, FENCED_FROM_VERSION);
  return clientVersion === 0 ? { throttleTimeMs: 0, errorCode } : { throttleTimeMs: 0, errorCode, producerId, producerEpoch };
}
