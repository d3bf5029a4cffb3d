/** Hands out producer ids (KIP-98) from blocks that the controller allocates by record (KIP-730), so that no id is given twice, across restarts too. */
export interface ProducerIdBlock {
  readonly firstProducerId: number;
  readonly size: number;
}

/** One id a call. Blocks are fetched one at a time, when the one before is used up; whoever comes meanwhile waits for it. */
export function producerIdsFrom(allocate: () => Promise<ProducerIdBlock>): () => Promise<number> {
  let next = 0;
  let end = 0;
  let allocating: Promise<void> | undefined;

  const refill = async (): Promise<void> => {
    try {
      const block = await allocate();
      next = block.firstProducerId;
      end = next + block.size;
    } finally {
      allocating = undefined;
    }
  };

  return async () => {
    while (next >= end) {
      allocating ??= refill();
      await allocating;
    }
    return next++;
  };
}
