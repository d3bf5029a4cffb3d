/** Who gets a producer id and epoch for a transactional id, and who is refused. */
import type { ApiTypes } from '../../../../../src/wire/generated/apis.ts';
import { type Case, many } from '../../case.ts';
import { TIMEOUT_MS, COMMIT, coordinated, producerOf, add, sending, send, atRest, read, describe } from './acts.ts';

const init = (transactionalId: string, more = {}): ApiTypes['initProducerId']['requestDraft'] => {
  return { transactionalId, transactionTimeoutMs: TIMEOUT_MS, ...more };
};

export const PRODUCERS: readonly Case[] = [
  many('initProducerId', 'with a transactional id, three times', async (x) => {
    const transactionalId = await coordinated(x, 'tx');
    for (let i = 0; i < 3; i++) await x.call('initProducerId', init(transactionalId));
    await describe(x, transactionalId);
  }),
  ...[0, -1, 900_000, 900_001].map((transactionTimeoutMs) =>
    many('initProducerId', `with a timeout of ${transactionTimeoutMs}`, async (x) =>
      x.call('initProducerId', init(await coordinated(x, 'tx'), { transactionTimeoutMs })),
    ),
  ),
  many(
    'initProducerId',
    'saying who it was',
    async (x) => {
      const { transactionalId, producerId } = await producerOf(x);
      for (const [id, producerEpoch] of [
        [producerId, 0],
        [producerId, 0],
        [producerId, 1],
        [producerId, 0],
        [producerId, 9],
        [producerId + 1_000_000n, 2],
        [producerId, 32_766],
      ] as const) {
        await x.call('initProducerId', init(transactionalId, { producerId: id, producerEpoch }));
      }
      await describe(x, transactionalId);
    },
    { from: 3 },
  ),
  many(
    'initProducerId',
    'an id that nobody knows, saying who it was',
    async (x) => {
      const transactionalId = await coordinated(x, 'tx');
      await x.call('initProducerId', init(transactionalId, { producerId: 77n, producerEpoch: 3 }));
      await x.call('initProducerId', init(transactionalId, { producerId: 77n, producerEpoch: 3 }));
    },
    { from: 3 },
  ),
  many('initProducerId', 'while a transaction is open', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    await send(x, producer, topic, ['a', 'b']);
    await x.call('initProducerId', init(producer.transactionalId));
    await atRest(x, producer.transactionalId);
    await describe(x, producer.transactionalId);
    await read(x, topic);
    await x.call('initProducerId', init(producer.transactionalId));
    await x.call('endTxn', { ...producer, committed: COMMIT }, { version: 4 });
    await x.call('endTxn', { ...producer, committed: COMMIT }, { version: 5 });
    await x.call('produce', sending(x, producer, topic, ['late'], { baseSequence: 2 }));
  }),
  many(
    'initProducerId',
    'the producer of an open transaction, saying who it is',
    async (x) => {
      const topic = await x.topic('a');
      const producer = await producerOf(x);
      const { transactionalId, producerId, producerEpoch } = producer;
      await add(x, producer, topic, 0);
      await x.call('initProducerId', init(transactionalId, { producerId, producerEpoch: 5 }));
      await atRest(x, transactionalId);
      await x.call('initProducerId', init(transactionalId, { producerId, producerEpoch }));
      await x.call('initProducerId', init(transactionalId, { producerId, producerEpoch: producerEpoch + 1 }));
    },
    { from: 3 },
  ),
  many(
    'findCoordinator',
    'of a transactional id',
    async (x) => {
      const key = await coordinated(x, 'tx');
      await x.call('findCoordinator', { key, keyType: 1, coordinatorKeys: [key, `${key}-too`] });
    },
    { from: 1 },
  ),
];
