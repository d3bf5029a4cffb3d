/** Hands out producer ids (KIP-98) from blocks that the controller allocates by record (KIP-730), so that no id is given twice, across restarts too. */
export interface ProducerIdBlock {
  readonly firstProducerId: number;
  readonly size: number;
}

/** One id a call. Blocks are fetched one at a time, when the one before is used up; whoever comes meanwhile waits for it. */
export function producerIdsFrom(allocate: () => Promise<ProducerIdBlock>): () => Promise<number> {
  let left: number[] = [];
  let allocating: Promise<void> | undefined;

  const refill = async (): Promise<void> => {
    try {
      const { firstProducerId, size } = await allocate();
      left = Array.from({ length: size }, (_unused, i) => firstProducerId + size - 1 - i);
    } finally {
      allocating = undefined;
    }
  };

  return async () => {
    for (;;) {
      const id = left.pop();
      if (id !== undefined) return id;
      allocating ??= refill();
      await allocating;
    }
  };
}
