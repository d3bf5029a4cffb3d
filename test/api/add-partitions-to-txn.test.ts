import { expect } from 'chai';
import type { AddPartitionsToTxnRequestAddPartitionsToTxnTransactionDraft } from '../../src/wire/generated/add-partitions-to-txn.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Producer, TransactionalBroker } from '../support/transactional-broker.ts';

const { INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, INVALID_REQUEST, NONE, OPERATION_NOT_ATTEMPTED } = ErrorCode;
const { PRODUCER_FENCED, TRANSACTION_ABORTABLE, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode;

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

  describe('of one transaction, up to 3', () => {
    let producer: Producer;

    beforeEach(async () => {
      producer = await broker.init('payments');
    });

    async function add(version: number, partitions: readonly number[], over: Partial<Producer> = {}) {
      const { transactionalId, producerId, producerEpoch } = { ...producer, ...over };
      const answer = await broker.ask('addPartitionsToTxn', version, {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: 'orders', partitions }],
      });
      return answer.resultsByTopicV3AndBelow[0]?.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode);
    }

    it('opens it and adds to it; what is there already may be added again', async () => {
      for (const [version, partitions] of [
        [0, [2]],
        [1, [0]],
        [2, [0, 2]],
        [3, [1]],
      ] as const)
        expect(await add(version, partitions)).to.deep.equal(partitions.map(() => NONE));
      expect(await partitionsIn(broker, 'payments')).to.deep.equal(['Ongoing', [2, 0, 1]]);
    });

    it('adds no topic of which no partition is named', async () => {
      const { producerId, producerEpoch } = producer;
      await broker.ask('addPartitionsToTxn', 3, {
        v3AndBelowTransactionalId: 'payments',
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [
          { name: 'empty', partitions: [] },
          { name: 'orders', partitions: [1] },
        ],
      });
      const { transactionStates } = await broker.ask('describeTransactions', 0, { transactionalIds: ['payments'] });
      expect(transactionStates[0]?.topics).to.deep.equal([{ topic: 'orders', partitions: [1] }]);
    });

    it('refuses who is not the producer: INVALID_PRODUCER_EPOCH before 2, PRODUCER_FENCED from 2 on', async () => {
      const errors = [];
      for (const version of [0, 1, 2, 3]) errors.push(await add(version, [0], { producerEpoch: 7 }));
      expect(errors).to.deep.equal([[INVALID_PRODUCER_EPOCH], [INVALID_PRODUCER_EPOCH], [PRODUCER_FENCED], [PRODUCER_FENCED]]);
      expect(await add(3, [0], { producerId: producer.producerId + 1 })).to.deep.equal([INVALID_PRODUCER_ID_MAPPING]);
      expect(await add(3, [0], { transactionalId: 'nobody' })).to.deep.equal([INVALID_PRODUCER_ID_MAPPING]);
      expect(await add(3, [0], { transactionalId: '' })).to.deep.equal([INVALID_REQUEST]);
      expect(await partitionsIn(broker, 'payments')).to.deep.equal(['Empty', []]);
    });
  });

  describe('of several transactions, from 4 on', () => {
    const topics = (...partitions: readonly number[]) => [{ name: 'orders', partitions }];

    async function ask(version: number, ...transactions: readonly AddPartitionsToTxnRequestAddPartitionsToTxnTransactionDraft[]) {
      const { errorCode, resultsByTransaction } = await broker.ask('addPartitionsToTxn', version, { transactions });
      expect(errorCode).to.equal(NONE);
      return resultsByTransaction.map(({ transactionalId, topicResults }) => [
        transactionalId,
        topicResults[0]?.resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => [partitionIndex, partitionErrorCode]),
      ]);
    }

    it('adds to each by itself', async () => {
      const [payments, refunds] = [await broker.init('payments'), await broker.init('refunds')];
      for (const version of [4, 5]) {
        const wrong = { ...refunds, producerEpoch: 7, topics: topics(1) };
        const answer = await ask(version, { ...payments, topics: topics(0, 2) }, wrong);
        expect(answer).to.deep.equal([
          [
            'payments',
            [
              [0, NONE],
              [2, NONE],
            ],
          ],
          ['refunds', [[1, PRODUCER_FENCED]]],
        ]);
        expect(await ask(version, { ...payments, topics: topics(1) }, { ...refunds, topics: topics(9, 1) })).to.deep.equal([
          ['payments', [[1, NONE]]],
          [
            'refunds',
            [
              [9, UNKNOWN_TOPIC_OR_PARTITION],
              [1, OPERATION_NOT_ATTEMPTED],
            ],
          ],
        ]);
      }
      expect(await partitionsIn(broker, 'payments')).to.deep.equal(['Ongoing', [0, 2, 1]]);
      expect(await partitionsIn(broker, 'refunds')).to.deep.equal(['Empty', []]);
    });

    it('only looks for partitions where that is asked for: TRANSACTION_ABORTABLE for those that are not in it', async () => {
      const payments = await broker.init('payments');
      const verify = { ...payments, verifyOnly: true, topics: topics(0, 1) };
      const nothing = [
        [0, TRANSACTION_ABORTABLE],
        [1, TRANSACTION_ABORTABLE],
      ];
      expect(await ask(4, verify)).to.deep.equal([['payments', nothing]]);
      expect(await partitionsIn(broker, 'payments')).to.deep.equal(['Empty', []]);
      await broker.add(payments, 'orders', 1);
      const one = [
        [0, TRANSACTION_ABORTABLE],
        [1, NONE],
      ];
      expect(await ask(5, verify)).to.deep.equal([['payments', one]]);
      expect(await ask(5, { ...verify, producerEpoch: 7, topics: topics(1) })).to.deep.equal([
        ['payments', [[1, PRODUCER_FENCED]]],
      ]);
    });

    it('takes the partitions that are named last for an id that is named twice, and answers those that are named first', async () => {
      const payments = await broker.init('payments');
      const named = (partition: number) => ({
        ...payments,
        verifyOnly: false,
        topics: [{ name: 'orders', partitions: [partition] }],
      });
      const { resultsByTransaction } = await broker.ask('addPartitionsToTxn', 5, { transactions: [named(0), named(2)] });
      const answered = { name: 'orders', resultsByPartition: [{ partitionIndex: 0, partitionErrorCode: NONE }] };
      expect(resultsByTransaction.map(({ topicResults }) => topicResults)).to.deep.equal([[answered], [answered]]);
      expect(await partitionsIn(broker, 'payments')).to.deep.equal(['Ongoing', [2]]);
      const unknown = { ...named(1), topics: [{ name: 'lost', partitions: [0] }] };
      const refused = await broker.ask('addPartitionsToTxn', 5, { transactions: [named(1), unknown] });
      expect(refused.resultsByTransaction.flatMap(({ topicResults }) => topicResults.map(({ name }) => name))).to.deep.equal([
        'lost',
        'lost',
      ]);
    });

    it('answers nothing where nothing is asked', async () => {
      expect(await ask(5)).to.deep.equal([]);
    });
  });
});

async function partitionsIn(broker: TransactionalBroker, transactionalId: string): Promise<[string, number[]]> {
  const { transactionStates } = await broker.ask('describeTransactions', 0, { transactionalIds: [transactionalId] });
  const [state] = transactionStates;
  return [state?.transactionState ?? '', state?.topics.flatMap(({ partitions }) => partitions) ?? []];
}
