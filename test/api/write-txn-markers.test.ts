import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { versionsOf } from '../support/handlers.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';

describe('WriteTxnMarkers', () => {
  let broker: TransactionalBroker;

  beforeEach(async () => {
    broker = new TransactionalBroker();
    await broker.small.createTopic('orders');
  });

  async function write(producerId: bigint): Promise<number | undefined> {
    const topics = [{ name: 'orders', partitionIndexes: [0] }];
    const marker = { producerId, producerEpoch: 0, transactionResult: true, topics, coordinatorEpoch: 0 };
    const { markers } = await broker.ask('writeTxnMarkers', 1, { markers: [marker] });
    expect(markers[0]?.producerId).to.equal(producerId);
    return markers[0]?.topics[0]?.partitions[0]?.errorCode;
  }

  it('appends the end of a transaction', async () => {
    expect(await write(7n)).to.equal(ErrorCode.NONE);
    expect(broker.small.partition('orders').log.logEndOffset).to.equal(1);
  });

  it('refuses a producer id that cannot be held exactly', async () => {
    for (const producerId of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(await write(producerId)).to.equal(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    }
    expect(broker.small.partition('orders').log.logEndOffset).to.equal(0);
  });

  const markerOf = (producerId: number, topics: readonly { name: string; partitionIndexes: readonly number[] }[]) => ({
    producerId,
    producerEpoch: 0,
    transactionResult: false,
    coordinatorEpoch: 5,
    topics,
  });

  it('ends what is open, either way, and readers go on, at every version', async () => {
    for (const version of versionsOf('writeTxnMarkers')) {
      for (const transactionResult of [true, false]) {
        const topic = `topic-${version}-${transactionResult}`;
        await broker.small.createTopic(topic);
        const producer = await broker.init(topic);
        await broker.produce(producer, topic, ['a']);
        const { log } = broker.small.partition(topic);
        expect(log.lastStableOffset).to.equal(0);
        const marker = { ...markerOf(producer.producerId, [{ name: topic, partitionIndexes: [0] }]), transactionResult };
        await broker.ask('writeTxnMarkers', version, { markers: [marker] });
        expect(log.lastStableOffset).to.equal(2);
        expect(log.abortedTransactions(0, 2)).to.have.length(transactionResult ? 0 : 1);
        expect(log.producerState.get(producer.producerId)?.coordinatorEpoch).to.equal(5);
      }
    }
  });

  it('takes the epoch for one that has to rise from transaction.version 2 on, which only version 2 can say', async () => {
    const producer = await broker.init('payments');
    await broker.produce(producer, 'orders', ['a']);
    const errors = [];
    for (const version of [2, 1]) {
      const marker = { ...markerOf(producer.producerId, [{ name: 'orders', partitionIndexes: [0] }]), transactionVersion: 2 };
      const { transactionVersion, ...older } = marker;
      const { markers } = await broker.ask('writeTxnMarkers', version, {
        markers: [transactionVersion === version ? marker : older],
      });
      errors.push(markers[0]?.topics[0]?.partitions[0]?.errorCode);
    }
    expect(errors).to.deep.equal([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.NONE]);
  });

  it('writes once into each partition, and answers each producer once', async () => {
    const twice = [
      { name: 'orders', partitionIndexes: [0, 0, 3] },
      { name: 'orders', partitionIndexes: [0] },
    ];
    const { markers } = await broker.ask('writeTxnMarkers', 2, {
      markers: [
        markerOf(7, twice),
        markerOf(8, [{ name: 'none', partitionIndexes: [0] }]),
        markerOf(7, [{ name: 'none', partitionIndexes: [1] }]),
      ],
    });
    const there = [
      { partitionIndex: 0, errorCode: ErrorCode.NONE },
      { partitionIndex: 3, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ];
    const gone = (partitionIndex: number) => ({
      name: 'none',
      partitions: [{ partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }],
    });
    expect(markers).to.deep.equal([
      { producerId: 7n, topics: [{ name: 'orders', partitions: there }, gone(1)] },
      { producerId: 8n, topics: [gone(0)] },
    ]);
    expect(broker.small.partition('orders').log.logEndOffset).to.equal(1);
  });

  it('is answered when all markers are committed', async () => {
    const asked = broker.send('writeTxnMarkers', 2, { markers: [markerOf(7, [{ name: 'orders', partitionIndexes: [0] }])] });
    await Promise.resolve();
    expect(asked.settled).to.equal(false);
    await broker.settle();
    expect(asked.settled).to.equal(true);
    expect(broker.small.partition('orders').log.highWatermark).to.equal(1);
  });
});
