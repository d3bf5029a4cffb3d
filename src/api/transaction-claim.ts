/** Who says to be whom, as requests of transactions have it. */
import type { TransactionClaim } from './context.ts';

/** Ids beyond 2^53 are nobody's: no broker has given them. */
export function claimOf(request: {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}): TransactionClaim {
  const { transactionalId, producerEpoch } = request;
  return { transactionalId, producerId: Number(request.producerId), producerEpoch };
}
