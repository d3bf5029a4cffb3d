/**
 * InitProducerId, versions 0 to 5 (KIP-98, KIP-360).
 *
 * - Without a transactional id: a producer id that no one has had, epoch 0, whatever id the client had before.
 * - With one: the id and the next epoch, from its coordinator; whoever had it before is fenced, and a transaction that it has left open is aborted first. Version
 *   3 says who the producer was (KIP-360), 4 knows PRODUCER_FENCED (KIP-588).
 * - Version 6 (two-phase commits, KIP-939) is unstable in Apache Kafka 4.4, which does not serve it unless told to; here it is not served, and
 *   `transaction.two.phase.commit.enable`, which nothing else asks for, has no effect.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { InitProducerIdRequest, InitProducerIdResponseDraft } from '../wire/generated/init-producer-id.ts';
import type { Context, Handler } from './context.ts';
import { fencingError } from './producer-fencing.ts';

const NO_PRODUCER_ID = -1n;
const NO_PRODUCER_EPOCH = -1;
const FENCED_FROM_VERSION = 4;

export const initProducerId: Handler<'initProducerId'> = (request, context) => {
  if ((request.producerId === NO_PRODUCER_ID) !== (request.producerEpoch === NO_PRODUCER_EPOCH)) {
    return { errorCode: ErrorCode.INVALID_REQUEST, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH };
  }
  if (request.transactionalId !== null) return inTransactions(request, request.transactionalId, context);
  return context
    .nextProducerId()
    .then((producerId): InitProducerIdResponseDraft => ({ errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }));
};

async function inTransactions(
  request: InitProducerIdRequest,
  transactionalId: string,
  { apiVersion, transactions }: Context,
): Promise<InitProducerIdResponseDraft> {
  const { producerEpoch, transactionTimeoutMs: timeoutMs } = request;
  const isNew = request.producerId === NO_PRODUCER_ID;
  const expected = isNew ? undefined : { producerId: Number(request.producerId), producerEpoch };
  const given = await transactions.initProducerId({ transactionalId, timeoutMs, expected });
  return {
    errorCode: fencingError(given.error, apiVersion, FENCED_FROM_VERSION),
    producerId: given.producerId,
    producerEpoch: given.producerEpoch,
  };
}
