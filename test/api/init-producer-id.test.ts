import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { InitProducerIdRequestDraft } from '../../src/wire/generated/init-producer-id.ts';
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
    [
      'two-phase commit, which is off',
      { transactionalId: 't', enable2Pc: true },
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ],
    ['a prepared transaction to keep', { transactionalId: 't', keepPreparedTxn: true }, ErrorCode.UNSUPPORTED_VERSION],
    ['a transactional id while nobody coordinates it', { transactionalId: 't' }, ErrorCode.NOT_COORDINATOR],
  ];
  for (const [what, over, error] of refusals) {
    it(`refuses ${what}`, async () => expect(await ask(over)).to.deep.equal([error, -1n, -1]));
  }
});
