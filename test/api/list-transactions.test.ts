import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { ListTransactionsRequestDraft } from '../../src/wire/generated/list-transactions.ts';
import { versionsOf } from '../support/handlers.ts';
import { type Producer, TransactionalBroker } from '../support/transactional-broker.ts';

describe('ListTransactions', () => {
  const one = new TransactionalBroker();
  let open: Producer;
  let idle: Producer;

  before(async () => {
    await one.small.createTopic('t', 2);
    open = await one.init('open');
    await one.add(open, 't', 0, 1);
    idle = await one.init('idle');
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
    expect(await list({ producerIdFilters: [open.producerId] })).to.deep.equal([['open'], []]);
    expect(await list({ durationFilter: 499, stateFilters: ['Ongoing'] })).to.deep.equal([['open'], []]);
    expect(await list({ durationFilter: 500, stateFilters: ['Ongoing'] })).to.deep.equal([[], []]);
    expect(await list({ transactionalIdPattern: 'o.*' })).to.deep.equal([['open'], []]);
    expect(await list({ transactionalIdPattern: 'pe' })).to.deep.equal([[], []]);
    expect(await list({ transactionalIdPattern: '' })).to.deep.equal([['idle', 'open'], []]);
    expect(await list({ transactionalIdPattern: '[' })).to.equal(ErrorCode.INVALID_REGULAR_EXPRESSION);
  });

  it('come with id, producer and state, at every version', async () => {
    for (const version of versionsOf('listTransactions')) {
      const { transactionStates } = await one.ask('listTransactions', version, { stateFilters: [], producerIdFilters: [] });
      expect(transactionStates.toSorted((a, b) => Number(a.producerId - b.producerId))).to.deep.equal([
        { transactionalId: 'open', producerId: BigInt(open.producerId), transactionState: 'Ongoing' },
        { transactionalId: 'idle', producerId: BigInt(idle.producerId), transactionState: 'Empty' },
      ]);
    }
  });

  it('cannot be told while one partition is loaded', async () => {
    one.restart();
    const asked = one.send('listTransactions', 2, { stateFilters: [], producerIdFilters: [] });
    await one.settle();
    const { errorCode, transactionStates } = asked.answer;
    expect([errorCode, transactionStates]).to.deep.equal([ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, []]);
    expect(await list({})).to.deep.equal([['idle', 'open'], []]);
  });

  it('say when nobody coordinates any more', async () => {
    one.transactions.stop();
    expect(await list({})).to.equal(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  });
});
