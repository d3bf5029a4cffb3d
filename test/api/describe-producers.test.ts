import { expect } from 'chai';
import { describeProducers } from '../../src/api/describe-producers.ts';
import type { DescribeProducersResponsePartitionResponse } from '../../src/wire/generated/describe-producers.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';
import { batchOf, SmallBroker } from '../support/small-broker.ts';

describe('DescribeProducers', () => {
  let broker: SmallBroker;

  beforeEach(async () => {
    broker = new SmallBroker();
    await broker.createTopic('orders');
  });

  function ask(name: string, index = 0): DescribeProducersResponsePartitionResponse {
    const { answer } = broker.ask('describeProducers', describeProducers, 0, { topics: [{ name, partitionIndexes: [index] }] });
    const part = answer.topics[0]?.partitions[0];
    if (part === undefined) throw new Error('no partition in the answer');
    return part;
  }

  it('tells who has written with a producer id', async () => {
    const records = batchOf(['a', 'b', 'c'], { producerId: 9, producerEpoch: 2, baseSequence: 0, timestamp: 5000 });
    broker.partition('orders').append(records, { requiredAcks: 1, origin: 'client' });
    await broker.append('orders', ['no producer id']);
    expect(ask('orders').activeProducers).to.deep.equal([
      {
        producerId: 9n,
        producerEpoch: 2,
        lastSequence: 2,
        lastTimestamp: 5000n,
        coordinatorEpoch: -1,
        currentTxnStartOffset: -1n,
      },
    ]);
  });

  it('tells where a transaction is open, and whose marker was the last', async () => {
    const one = new TransactionalBroker();
    await one.small.createTopic('orders', 2);
    const producer = await one.init('payments');
    await one.small.append('orders', ['before']);
    await one.produce(producer, 'orders', ['a', 'b']);
    const about = async () => {
      const { topics } = await one.ask('describeProducers', 0, { topics: [{ name: 'orders', partitionIndexes: [1, 0] }] });
      return topics[0]?.partitions.map(({ partitionIndex, activeProducers }) => [
        partitionIndex,
        activeProducers.map(({ producerEpoch, lastSequence, coordinatorEpoch, currentTxnStartOffset }) => ({
          ...{ producerEpoch, lastSequence, coordinatorEpoch, currentTxnStartOffset },
        })),
      ]);
    };
    const open = { producerEpoch: 0, lastSequence: 1, coordinatorEpoch: -1, currentTxnStartOffset: 1n };
    expect(await about()).to.deep.equal([
      [1, []],
      [0, [open]],
    ]);
    await one.end(producer, true);
    await one.settle();
    const coordinator = one.small.partition('__transaction_state', one.transactions.topic.partitionOf('payments'));
    const ended = { producerEpoch: 1, lastSequence: -1, coordinatorEpoch: coordinator.leaderEpoch, currentTxnStartOffset: -1n };
    expect(await about()).to.deep.equal([
      [1, []],
      [0, [ended]],
    ]);
  });

  it('says of what is elsewhere, or on a disk that failed, why it cannot tell', () => {
    const partition = broker.partition('orders');
    Object.defineProperty(partition, 'failure', { value: ErrorCode.KAFKA_STORAGE_ERROR });
    expect(ask('orders')).to.deep.include({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, errorMessage: null, activeProducers: [] });
  });

  it('refuses what is unknown or cannot be', () => {
    expect(ask('nope').errorMessage).to.equal('This server does not host this topic-partition.');
    expect(ask('orders', 4).errorMessage).to.equal(null);
    expect(ask('nope').errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(ask('orders', 4).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(ask('no/pe')).to.deep.include({
      errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION,
      errorMessage:
        "Topic name is invalid: 'no/pe' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    });
  });
});
