/** Commits and aborts, again and by others, and what readers see of them. */
import { type Case, many } from '../../case.ts';
import {
  ABORT,
  COMMIT,
  coordinated,
  producerOf,
  add,
  sending,
  send,
  atRest,
  read,
  offsets,
  describe,
  describeProducers,
} from './acts.ts';

export const ENDS: readonly Case[] = [COMMIT, ABORT].flatMap((committed) => {
  const what = committed ? 'a commit' : 'an abort';
  return [
    many('endTxn', `${what}, again, and the other way`, async (x) => {
      const topic = await x.topic('a', 2);
      const producer = await producerOf(x);
      await add(x, producer, topic, 0, 1);
      await send(x, producer, topic, ['a', 'b', 'c']);
      await x.call('endTxn', { ...producer, committed });
      await atRest(x, producer.transactionalId);
      await describe(x, producer.transactionalId);
      await x.call('endTxn', { ...producer, committed });
      await x.call('endTxn', { ...producer, committed: !committed });
      await read(x, topic, 0);
      await read(x, topic, 1);
      await offsets(x, topic);
      await describeProducers(x, topic);
    }),
    many('endTxn', `${what} of nothing`, async (x) => {
      const producer = await producerOf(x);
      await x.call('endTxn', { ...producer, committed });
      await atRest(x, producer.transactionalId);
      await describe(x, producer.transactionalId);
      await x.call('endTxn', { ...producer, committed });
    }),
    many('endTxn', `${what} by others`, async (x) => {
      const topic = await x.topic('a');
      const producer = await producerOf(x);
      await add(x, producer, topic, 0);
      for (const other of [
        { producerEpoch: 1 },
        { producerEpoch: -1 },
        { producerId: producer.producerId + 1_000_000n },
        { transactionalId: await coordinated(x, 'nobody') },
        { transactionalId: '' },
      ]) {
        await x.call('endTxn', { ...producer, ...other, committed });
      }
      await describe(x, producer.transactionalId);
    }),
    many('endTxn', `${what}, and the next transaction`, async (x) => {
      const topic = await x.topic('a');
      let producer = await producerOf(x);
      for (let round = 0; round < 3; round++) {
        await add(x, producer, topic, 0);
        await x.call('produce', sending(x, producer, topic, ['a', 'b'], { baseSequence: x.version >= 5 ? 0 : 2 * round }));
        const { producerId, producerEpoch } = await x.call('endTxn', { ...producer, committed });
        if (x.version >= 5) producer = { ...producer, producerId, producerEpoch };
        await atRest(x, producer.transactionalId);
      }
      await read(x, topic);
    }),
  ];
});
