/** Transactions of kafkajs: what is committed is read as a whole, what is aborted never, offsets go with the records, and who is late is fenced. */
import { expect } from 'chai';
import type { Kafka, Producer } from 'kafkajs';
import { startBroker, type BrokerUnderTest } from '../support/broker-under-test.ts';
import { byValue, client, createTopic, eventually, readAll, unique } from '../support/kafkajs.ts';

describe('kafkajs in transactions', function () {
  this.timeout(30_000);
  let broker: BrokerUnderTest;
  let kafka: Kafka;
  const producers: Producer[] = [];

  before(async () => {
    broker = await startBroker();
    kafka = client(broker.bootstrapServers);
  });

  after(async () => {
    await Promise.all(producers.map((producer) => producer.disconnect()));
    await broker.stop();
  });

  async function transactional(transactionalId: string): Promise<Producer> {
    const producer = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true });
    producers.push(producer);
    await producer.connect();
    return producer;
  }

  it('commits and aborts over several partitions', async () => {
    const topic = await createTopic(kafka, 'orders', 3);
    const producer = await transactional(unique('tx'));
    for (let i = 0; i < 6; i++) {
      const transaction = await producer.transaction();
      const messages = [0, 1, 2].map((partition) => ({ partition, value: `${i}-${partition}` }));
      await transaction.send({ topic, messages });
      if (i % 2 === 0) await transaction.commit();
      else await transaction.abort();
    }
    const values = (await readAll(kafka, [topic], 9)).map(byValue).toSorted();
    expect(values).to.deep.equal([0, 2, 4].flatMap((i) => [0, 1, 2].map((partition) => `${i}-${partition}`)));
  });

  it('commits offsets with the records, or not at all', async () => {
    const [from, to] = [await createTopic(kafka, 'from'), await createTopic(kafka, 'to')];
    const groupId = unique('group');
    const producer = await transactional(unique('tx'));
    const admin = kafka.admin();
    await admin.connect();
    const committed = async (): Promise<string | undefined> => {
      const [found] = await admin.fetchOffsets({ groupId, topics: [from] });
      return found?.partitions[0]?.offset;
    };
    const pass = async (offset: string, end: 'commit' | 'abort'): Promise<void> => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: to, messages: [{ value: `up to ${offset}` }] });
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic: from, partitions: [{ partition: 0, offset }] }],
      });
      await transaction[end]();
    };
    await pass('3', 'commit');
    await eventually(committed, (offset) => offset === '3');
    await pass('7', 'abort');
    await pass('9', 'commit');
    await eventually(committed, (offset) => offset === '9');
    expect((await readAll(kafka, [to], 2)).map(({ value }) => value?.toString())).to.deep.equal(['up to 3', 'up to 9']);
    await admin.disconnect();
  });

  it('fences the producer that another has taken over from', async () => {
    const topic = await createTopic(kafka, 'fenced');
    const transactionalId = unique('tx');
    const old = await transactional(transactionalId);
    const open = await old.transaction();
    await open.send({ topic, messages: [{ value: 'lost' }] });
    const taker = await transactional(transactionalId);
    const transaction = await taker.transaction();
    await transaction.send({ topic, messages: [{ value: 'kept' }] });
    await transaction.commit();
    expect(
      await open.commit().then(
        () => 'committed',
        (error: Error) => error.message,
      ),
    ).to.match(/epoch|fenced/i);
    expect((await readAll(kafka, [topic], 1)).map(({ value }) => value?.toString())).to.deep.equal(['kept']);
  });
});
