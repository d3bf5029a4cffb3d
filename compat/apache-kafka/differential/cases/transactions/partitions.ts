/** What is added to a transaction: partitions, and the offsets of groups. */
import { type Case, many } from '../../case.ts';
import { ABORT, coordinated, producerOf, adding, add, end, describe } from './acts.ts';

export const PARTITIONS: readonly Case[] = [
  many('addPartitionsToTxn', 'twice, and more', async (x) => {
    const topic = await x.topic('a', 3);
    const producer = await producerOf(x);
    await x.call('addPartitionsToTxn', adding(producer, topic, 0));
    await x.call('addPartitionsToTxn', adding(producer, topic, 0));
    await x.call('addPartitionsToTxn', adding(producer, topic, 2, 1));
    await describe(x, producer.transactionalId);
  }),
  many('addPartitionsToTxn', 'by others', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    for (const other of [
      { producerEpoch: 1 },
      { producerEpoch: -1 },
      { producerId: producer.producerId + 1_000_000n },
      { transactionalId: await coordinated(x, 'nobody') },
      { transactionalId: '' },
    ]) {
      await x.call('addPartitionsToTxn', adding({ ...producer, ...other }, topic, 0));
    }
    await describe(x, producer.transactionalId);
  }),
  many('addPartitionsToTxn', 'some that are not there', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await x.call('addPartitionsToTxn', adding(producer, topic, 0, 7));
    await x.call('addPartitionsToTxn', adding(producer, { ...topic, name: x.name('none') }, 0));
    await describe(x, producer.transactionalId);
  }),
  many(
    'addPartitionsToTxn',
    'of several transactions, some to be verified',
    async (x) => {
      const topic = await x.topic('a', 2);
      const [first, second] = [await producerOf(x, 'one'), await producerOf(x, 'two')];
      const topics = [{ name: topic.name, partitions: [0, 1] }];
      const ask = (verifyOnly: boolean) =>
        x.call('addPartitionsToTxn', {
          transactions: [
            { ...first, verifyOnly: true, topics },
            { ...second, verifyOnly, topics },
          ],
        });
      await add(x, first, topic, 0);
      await ask(true);
      await ask(false);
      await ask(true);
      for (const other of [{ producerEpoch: 7 }, { producerId: first.producerId + 1_000_000n }, { transactionalId: '' }]) {
        await x.call('addPartitionsToTxn', { transactions: [{ ...first, ...other, verifyOnly: true, topics }] });
      }
    },
    { from: 4 },
  ),
  many('addOffsetsToTxn', 'of a group, by its producer and by others', async (x) => {
    const groupId = await x.group('g');
    const producer = await producerOf(x);
    await x.call('addOffsetsToTxn', { ...producer, groupId });
    for (const other of [
      { producerEpoch: 3 },
      { producerId: producer.producerId + 1_000_000n },
      { transactionalId: await coordinated(x, 'nobody') },
      { transactionalId: '' },
    ]) {
      await x.call('addOffsetsToTxn', { ...producer, ...other, groupId });
    }
    await end(x, producer, ABORT);
  }),
];
