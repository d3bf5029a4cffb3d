/**
 * InitProducerId, versions 0 to 6 (KIP-98, KIP-360, KIP-939).
 *
 * - Without a transactional id: a producer id that no one has had, epoch 0, whatever id the client had before.
 * - Left out: transactions. With a transactional id the request is checked as a coordinator would, and then answered as by a broker that is not
 *   the coordinator of any: NOT_COORDINATOR, which makes the client look for it again.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { InitProducerIdRequest, InitProducerIdResponseDraft } from '../wire/generated/init-producer-id.ts';
import type { Context, Handler } from './context.ts';

const NO_PRODUCER_ID = -1n;
const NO_PRODUCER_EPOCH = -1;

export const initProducerId: Handler<'initProducerId'> = (request, context) => {
  const error = errorOf(request, context);
  if (error !== ErrorCode.NONE) return { errorCode: error, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH };
  return context
    .nextProducerId()
    .then((producerId): InitProducerIdResponseDraft => ({ errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }));
};

function errorOf(request: InitProducerIdRequest, context: Context): ErrorCode {
  if ((request.producerId === NO_PRODUCER_ID) !== (request.producerEpoch === NO_PRODUCER_EPOCH)) return ErrorCode.INVALID_REQUEST;
  const { transactionalId } = request;
  if (transactionalId === null) return ErrorCode.NONE;
  if (transactionalId === '') return ErrorCode.INVALID_REQUEST;
  if (request.enable2Pc && !context.settings.boolean('transaction.two.phase.commit.enable')) {
    return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  }
  if (request.keepPreparedTxn) return ErrorCode.UNSUPPORTED_VERSION;
  const { transactionTimeoutMs } = request;
  const maxTimeoutMs = context.settings.int('transaction.max.timeout.ms');
  if (!request.enable2Pc && (transactionTimeoutMs <= 0 || transactionTimeoutMs > maxTimeoutMs)) {
    return ErrorCode.INVALID_TRANSACTION_TIMEOUT;
  }
  return ErrorCode.NOT_COORDINATOR;
}
