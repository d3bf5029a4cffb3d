import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { ListTransactionsRequestDraft } from '../../src/wire/generated/list-transactions.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';

describe('ListTransactions and DescribeTransactions', () => {
  const one = new TransactionalBroker();

  before(async () => {
    await one.small.createTopic('t', 2);
    await one.add(await one.init('open'), 't', 0, 1);
    await one.init('idle');
    await one.small.advance(500);
  });

  async function list(over: Partial<ListTransactionsRequestDraft>) {
    const answer = await one.ask('listTransactions', 2, { stateFilters: [], producerIdFilters: [], ...over });
    return answer.errorCode === 0
      ? [answer.transactionStates.map(({ transactionalId }) => transactionalId).toSorted(), answer.unknownStateFilters]
      : answer.errorCode;
  }

  it('list all that is coordinated here, in whatever partition it lives', async () => {
    expect(await list({})).to.deep.equal([['idle', 'open'], []]);
  });

  it('list by state, and say which states there are not', async () => {
    expect(await list({ stateFilters: ['Ongoing'] })).to.deep.equal([['open'], []]);
    expect(await list({ stateFilters: ['Empty', 'ongoing', ''] })).to.deep.equal([['idle'], ['ongoing', '']]);
    expect(await list({ stateFilters: ['Dead', 'PrepareEpochFence'] })).to.deep.equal([[], []]);
  });

  it('list by producer, by duration and by a pattern of the whole id', async () => {
    const { transactionStates } = await one.ask('describeTransactions', 0, { transactionalIds: ['open'] });
    expect(await list({ producerIdFilters: [transactionStates[0]?.producerId ?? -1n] })).to.deep.equal([['open'], []]);
    expect(await list({ durationFilter: 499, stateFilters: ['Ongoing'] })).to.deep.equal([['open'], []]);
    expect(await list({ durationFilter: 500, stateFilters: ['Ongoing'] })).to.deep.equal([[], []]);
    expect(await list({ transactionalIdPattern: 'o.*' })).to.deep.equal([['open'], []]);
    expect(await list({ transactionalIdPattern: 'pe' })).to.deep.equal([[], []]);
    expect(await list({ transactionalIdPattern: '' })).to.deep.equal([['idle', 'open'], []]);
    expect(await list({ transactionalIdPattern: '[' })).to.equal(ErrorCode.INVALID_REGULAR_EXPRESSION);
  });

  it('describe each id by itself', async () => {
    const { transactionStates } = await one.ask('describeTransactions', 0, { transactionalIds: ['open', 'idle', 'none', ''] });
    expect(transactionStates.map(({ errorCode, transactionState }) => [errorCode, transactionState])).to.deep.equal([
      [0, 'Ongoing'],
      [0, 'Empty'],
      [ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, ''],
      [ErrorCode.INVALID_REQUEST, ''],
    ]);
    const [open, idle] = transactionStates;
    expect(open?.topics.map(({ topic, partitions }) => [topic, partitions])).to.deep.equal([['t', [0, 1]]]);
    expect(Number(open?.transactionStartTimeMs)).to.be.greaterThan(0);
    expect(idle?.transactionStartTimeMs).to.equal(-1n);
  });

  it('say when nobody coordinates any more', async () => {
    one.transactions.stop();
    expect(await list({})).to.equal(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  });
});
