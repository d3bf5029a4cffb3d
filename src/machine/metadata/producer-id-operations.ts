/** Producer ids come in blocks, so that not each one needs a record (KIP-730). */
import type { Decision, Surroundings } from './decision.ts';

export interface ProducerIdBlock {
  readonly firstProducerId: number;
  readonly size: number;
}

/** As many as Kafka hands out at a time. */
const PRODUCER_ID_BLOCK_SIZE = 1000;

export function allocateProducerIds(
  request: { readonly brokerId: number; readonly brokerEpoch: number },
  around: Surroundings,
): Decision<ProducerIdBlock> {
  const firstProducerId = around.image.nextProducerId;
  const nextProducerId = firstProducerId + PRODUCER_ID_BLOCK_SIZE;
  return {
    records: [{ kind: 'ProducerIdsRecord', value: { ...request, nextProducerId }, version: 0 }],
    reply: { firstProducerId, size: PRODUCER_ID_BLOCK_SIZE },
  };
}
