/** Records in transactions: before, within and after, and of two in one partition. */
import { type Case, many } from '../../case.ts';
import {
  ABORT,
  COMMIT,
  coordinated,
  producerOf,
  add,
  sending,
  send,
  end,
  read,
  offsets,
  describe,
  describeProducers,
} from './acts.ts';

/**
 * One at a time: requests of unlike versions that Apache Kafka's verification of first batches sends together are all answered as the first of them, and of two for one
 * transactional id one is answered as if the network had failed.
 */
export const WRITES: readonly Case[] = [
  many('produce', 'in a transaction, added before', async (x) => {
    const topic = await x.topic('a', 2);
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    await x.call('produce', sending(x, producer, topic, ['a', 'b']));
    await x.call('produce', sending(x, producer, topic, ['c'], { baseSequence: 2 }));
    await x.call('produce', sending(x, producer, topic, ['c'], { baseSequence: 2 }));
    await x.call('produce', sending(x, producer, topic, ['gap'], { baseSequence: 9 }));
    await x.call('produce', sending(x, producer, topic, ['plain'], { baseSequence: 3, transactional: false }));
    await describeProducers(x, topic);
    await read(x, topic);
    await offsets(x, topic);
    await x.call('produce', sending(x, producer, topic, ['elsewhere'], { index: 1 }));
    await read(x, topic, 1);
    await describe(x, producer.transactionalId);
  }),
  many('produce', 'in a transaction that nothing was added to', async (x) => {
    const topic = await x.topic('a', 2);
    const producer = await producerOf(x);
    await x.call('produce', sending(x, producer, topic, ['a']));
    await describe(x, producer.transactionalId);
    await read(x, topic);
    await describeProducers(x, topic);
  }),
  many('produce', 'in a transaction, not beginning with sequence 0', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    await x.call('produce', sending(x, producer, topic, ['a'], { baseSequence: 5 }));
    await x.call('produce', sending(x, producer, topic, ['b'], { baseSequence: 0 }));
    await describeProducers(x, topic);
  }),
  many('produce', 'in a transaction of others', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    for (const other of [
      { producerEpoch: 1 },
      { producerId: producer.producerId + 1_000_000n },
      { transactionalId: await coordinated(x, 'nobody') },
    ]) {
      await x.call('produce', sending(x, { ...producer, ...other }, topic, ['a']));
    }
    await x.call('produce', sending(x, producer, topic, ['a'], { transactionalId: null }));
    await x.call('produce', sending(x, producer, topic, ['a'], { transactionalId: '' }));
    await read(x, topic);
  }),
  many('produce', 'after the end of the transaction', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    await send(x, producer, topic, ['a']);
    const next = await end(x, producer, COMMIT);
    await x.call('produce', sending(x, producer, topic, ['late'], { baseSequence: 1 }));
    await x.call('produce', sending(x, producer, topic, ['plain and late'], { baseSequence: 1, transactional: false }));
    await x.call('produce', sending(x, next, topic, ['next']));
    await describe(x, producer.transactionalId);
    await describeProducers(x, topic);
    await read(x, topic);
  }),
  many('produce', 'two transactions in one partition', async (x) => {
    const topic = await x.topic('a');
    const [first, second] = [await producerOf(x, 'one'), await producerOf(x, 'two')];
    await add(x, first, topic, 0);
    await add(x, second, topic, 0);
    await x.call('produce', sending(x, first, topic, ['1a']));
    await x.call('produce', sending(x, second, topic, ['2a']));
    await x.append(topic, x.batch(['plain']));
    await x.call('produce', sending(x, first, topic, ['1b'], { baseSequence: 1 }));
    await end(x, second, ABORT);
    await read(x, topic);
    await offsets(x, topic);
    await end(x, first, COMMIT);
    await read(x, topic);
    await offsets(x, topic);
  }),
].map((each) => ({ ...each, alone: true }));
