import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { InitProducerIdRequestDraft } from '../../src/wire/generated/init-producer-id.ts';
import { versionsOf } from '../support/handlers.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';

describe('InitProducerId', () => {
  const broker = new TransactionalBroker();
  let next = 4000;

  async function ask(over: Partial<InitProducerIdRequestDraft>, version = 6): Promise<[number, bigint, number]> {
    const request = { transactionalId: null, transactionTimeoutMs: 1000, ...over };
    const nextProducerId = (): Promise<number> => Promise.resolve(next++);
    const asked = broker.send('initProducerId', version, request, { nextProducerId });
    await broker.settle();
    return [asked.answer.errorCode, asked.answer.producerId, asked.answer.producerEpoch];
  }

  it('gives an id that no one has had, at every version', async () => {
    for (let version = 0; version <= 6; version++)
      expect(await ask({}, version)).to.deep.equal([ErrorCode.NONE, BigInt(4000 + version), 0]);
  });

  const refusals: [string, Partial<InitProducerIdRequestDraft>, ErrorCode][] = [
    ['an id without an epoch', { producerId: 5, producerEpoch: -1 }, ErrorCode.INVALID_REQUEST],
    ['an empty transactional id', { transactionalId: '' }, ErrorCode.INVALID_REQUEST],
    [
      'a timeout that is too long',
      { transactionalId: 't', transactionTimeoutMs: 900_001 },
      ErrorCode.INVALID_TRANSACTION_TIMEOUT,
    ],
    ['a timeout of 0', { transactionalId: 't', transactionTimeoutMs: 0 }, ErrorCode.INVALID_TRANSACTION_TIMEOUT],
    ['a transactional id while nobody coordinates it', { transactionalId: 't' }, ErrorCode.NOT_COORDINATOR],
  ];
  for (const [what, over, error] of refusals) {
    it(`refuses ${what}`, async () => expect(await ask(over)).to.deep.equal([error, -1n, -1]));
  }

  describe('with a transactional id', () => {
    const { CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_EPOCH, NONE, PRODUCER_FENCED } = ErrorCode;
    let one: TransactionalBroker;

    beforeEach(async () => {
      one = new TransactionalBroker();
      await one.small.createTopic('orders');
    });

    async function init(over: Partial<InitProducerIdRequestDraft> = {}, version = 6): Promise<[number, number, number]> {
      const request = { transactionalId: 'payments', transactionTimeoutMs: 1000, ...over };
      const { errorCode, producerId, producerEpoch } = await one.ask('initProducerId', version, request);
      return [errorCode, Number(producerId), producerEpoch];
    }

    it('keeps its producer id and raises the epoch, at every version; who had it before is fenced', async () => {
      const before = await one.init('payments');
      for (const version of versionsOf('initProducerId'))
        expect(await init({}, version)).to.deep.equal([NONE, before.producerId, before.producerEpoch + 1 + version]);
      expect(await one.add(before, 'orders', 0)).to.equal(PRODUCER_FENCED);
    });

    it('gives other ids to other transactional ids', async () => {
      const [first, second] = [await one.init('payments'), await one.init('refunds')];
      expect(second.producerId).to.not.equal(first.producerId);
      expect([first.producerEpoch, second.producerEpoch]).to.deep.equal([0, 0]);
    });

    it('first aborts what is open', async () => {
      const before = await one.init('payments');
      await one.produce(before, 'orders', ['a']);
      expect(await init()).to.deep.equal([CONCURRENT_TRANSACTIONS, -1, -1]);
      await one.settle();
      expect(await one.stateOf('payments')).to.equal('CompleteAbort');
      expect(await init()).to.deep.equal([NONE, before.producerId, before.producerEpoch + 2]);
    });

    it('knows from 3 on who asks again, and tells others INVALID_PRODUCER_EPOCH in 3 and PRODUCER_FENCED from 4 on', async () => {
      const { producerId, producerEpoch } = await one.init('payments');
      const expected = { producerId, producerEpoch };
      for (const version of [3, 4, 5, 6])
        expect(await init(expected, version), `version ${version}`).to.deep.equal([NONE, producerId, producerEpoch + 1]);
      const errors = [];
      for (const version of [3, 4, 5, 6]) errors.push(...(await init({ producerId, producerEpoch: 9 }, version)));
      const fenced = [PRODUCER_FENCED, -1, -1];
      expect(errors).to.deep.equal([INVALID_PRODUCER_EPOCH, -1, -1, ...fenced, ...fenced, ...fenced]);
      expect(await init({ producerId: producerId + 1, producerEpoch })).to.deep.equal(fenced);
    });
  });
});
