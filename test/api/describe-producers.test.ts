import { expect } from 'chai';
import { describeProducers } from '../../src/api/describe-producers.ts';
import type { DescribeProducersResponsePartitionResponse } from '../../src/wire/generated/describe-producers.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
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

  it('refuses what is unknown or cannot be', () => {
    expect(ask('nope').errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(ask('orders', 4).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(ask('no/pe')).to.deep.include({
      errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION,
      errorMessage:
        "Topic name is invalid: 'no/pe' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    });
  });
});
