import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';

const { COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, INVALID_REQUEST, NONE, NOT_COORDINATOR } = ErrorCode;

describe('DescribeTransactions', () => {
  let broker: TransactionalBroker;

  beforeEach(async () => {
    broker = new TransactionalBroker();
    await broker.small.createTopic('orders', 2);
    await broker.small.createTopic('payments');
  });

  const describeAll = async (...transactionalIds: readonly string[]) =>
    (await broker.ask('describeTransactions', 0, { transactionalIds })).transactionStates;

  it('says all that the coordinator knows of a transaction', async () => {
    const producer = await broker.init('open', { transactionTimeoutMs: 12_345 });
    const startedMs = broker.small.clock.now();
    await broker.add(producer, 'orders', 1, 0);
    await broker.small.advance(500);
    await broker.add(producer, 'payments', 0);
    expect(await describeAll('open')).to.deep.equal([
      {
        errorCode: NONE,
        transactionalId: 'open',
        transactionState: 'Ongoing',
        transactionTimeoutMs: 12_345,
        transactionStartTimeMs: BigInt(startedMs),
        producerId: BigInt(producer.producerId),
        producerEpoch: producer.producerEpoch,
        topics: [
          { topic: 'orders', partitions: [1, 0] },
          { topic: 'payments', partitions: [0] },
        ],
      },
    ]);
  });

  it('answers ids in their order, each by itself, and of what there is not nothing but the error', async () => {
    await broker.init('idle');
    const states = await describeAll('none', 'idle', '');
    const nothing = { transactionState: '', transactionTimeoutMs: 0, transactionStartTimeMs: 0n };
    const nobody = { producerId: 0n, producerEpoch: 0, topics: [] };
    expect(states[0]).to.deep.equal({
      errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND,
      transactionalId: 'none',
      ...nothing,
      ...nobody,
    });
    expect(states[1]).to.deep.include({ errorCode: NONE, transactionState: 'Empty', transactionStartTimeMs: -1n, topics: [] });
    expect(states[2]).to.deep.equal({ errorCode: INVALID_REQUEST, transactionalId: '', ...nothing, ...nobody });
  });

  it('has no partitions of what is over', async () => {
    const producer = await broker.init('over');
    await broker.add(producer, 'orders', 0);
    await broker.end(producer, true);
    await broker.settle();
    const [state] = await describeAll('over');
    expect(state).to.deep.include({ transactionState: 'CompleteCommit', producerEpoch: producer.producerEpoch + 1, topics: [] });
  });

  it('says who cannot tell', async () => {
    await broker.init('idle');
    broker.restart();
    const asked = broker.send('describeTransactions', 0, { transactionalIds: ['idle'] });
    await broker.settle();
    expect(asked.answer.transactionStates[0]?.errorCode).to.equal(COORDINATOR_LOAD_IN_PROGRESS);
    expect((await describeAll('idle'))[0]?.errorCode).to.equal(NONE);
    for (const index of [0, 1]) broker.transactions.topic.onResigned(broker.small.partition('__transaction_state', index));
    expect((await describeAll('idle'))[0]?.errorCode).to.equal(NOT_COORDINATOR);
    broker.transactions.stop();
    expect((await describeAll('idle', '')).map(({ errorCode }) => errorCode)).to.deep.equal([
      COORDINATOR_NOT_AVAILABLE,
      COORDINATOR_NOT_AVAILABLE,
    ]);
  });
});
