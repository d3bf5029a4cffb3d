import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';

const { OPERATION_NOT_ATTEMPTED, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode;

describe('AddPartitionsToTxn', () => {
  let broker: TransactionalBroker;

  beforeEach(async () => {
    broker = new TransactionalBroker();
    await broker.small.createTopic('orders', 3);
  });

  it('adds nothing where one partition does not exist; what is named twice is answered once, topics without partitions not at all', async () => {
    const { resultsByTopicV3AndBelow: results } = await broker.ask('addPartitionsToTxn', 3, {
      v3AndBelowTransactionalId: 'payments',
      v3AndBelowProducerId: 1,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [
        { name: 'orders', partitions: [2, 2] },
        { name: 'empty', partitions: [] },
        { name: 'orders', partitions: [0, 7] },
      ],
    });
    expect(results).to.deep.equal([
      {
        name: 'orders',
        resultsByPartition: [
          { partitionIndex: 2, partitionErrorCode: OPERATION_NOT_ATTEMPTED },
          { partitionIndex: 0, partitionErrorCode: OPERATION_NOT_ATTEMPTED },
          { partitionIndex: 7, partitionErrorCode: UNKNOWN_TOPIC_OR_PARTITION },
        ],
      },
    ]);
  });
});
