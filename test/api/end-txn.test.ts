import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { versionsOf } from '../support/handlers.ts';
import { type Producer, TransactionalBroker } from '../support/transactional-broker.ts';

const { CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, INVALID_REQUEST, INVALID_TXN_STATE } =
  ErrorCode;
const { NONE, NOT_ENOUGH_REPLICAS, PRODUCER_FENCED } = ErrorCode;

describe('EndTxn', () => {
  let broker: TransactionalBroker;
  let producer: Producer;

  beforeEach(async () => {
    broker = new TransactionalBroker();
    await broker.small.createTopic('orders', 2);
    producer = await broker.init('payments');
  });

  const end = (version: number, committed: boolean, over: Partial<Producer> = {}) =>
    broker.ask('endTxn', version, { ...producer, ...over, committed });

  for (const version of versionsOf('endTxn')) {
    it(`commits or aborts at version ${version}, and gives the epoch to go on with from 5 on`, async () => {
      for (const committed of [true, false]) {
        await broker.add(producer, 'orders', 0, 1);
        const answer = await end(version, committed);
        await broker.settle();
        expect(answer.errorCode).to.equal(NONE);
        expect(await broker.stateOf('payments')).to.equal(committed ? 'CompleteCommit' : 'CompleteAbort');
        const { producerId, producerEpoch } = producer;
        const next = version >= 5 ? { producerId: BigInt(producerId), producerEpoch: producerEpoch + 1 } : {};
        expect(answer).to.deep.include({ producerId: -1n, producerEpoch: -1, ...next });
        if (version >= 5) producer = { ...producer, producerEpoch: producerEpoch + 1 };
      }
    });
  }

  it('is answered once the decision is in the log; the markers follow, and until then nothing else can be asked', async () => {
    const partition = broker.small.partition('orders');
    const append = partition.append.bind(partition);
    await broker.add(producer, 'orders', 0);
    partition.append = () => ({ ok: false, error: NOT_ENOUGH_REPLICAS, message: null, recordErrors: [] });
    expect((await end(4, true)).errorCode).to.equal(NONE);
    expect(await broker.stateOf('payments')).to.equal('PrepareCommit');
    for (const version of [4, 5]) expect((await end(version, true)).errorCode).to.equal(CONCURRENT_TRANSACTIONS);
    partition.append = append;
    await broker.small.advance(2000);
    expect(await broker.stateOf('payments')).to.equal('CompleteCommit');
  });

  it('may be asked again in the same words, and not the other way round', async () => {
    for (const version of [4, 5]) {
      await broker.add(producer, 'orders', 0);
      const first = await end(version, true);
      await broker.settle();
      expect(await end(version, true)).to.deep.equal(first);
      expect((await end(version, false)).errorCode, `version ${version}`).to.equal(INVALID_TXN_STATE);
      expect(first.errorCode).to.equal(NONE);
    }
  });

  it('cannot commit what nothing was added to; from 5 on that can be aborted, which raises the epoch', async () => {
    expect((await end(4, true)).errorCode).to.equal(INVALID_TXN_STATE);
    expect((await end(4, false)).errorCode).to.equal(INVALID_TXN_STATE);
    expect((await end(5, true)).errorCode).to.equal(INVALID_TXN_STATE);
    expect(await end(5, false)).to.deep.include({ errorCode: NONE, producerEpoch: producer.producerEpoch + 1 });
  });

  it('refuses who is not the producer: INVALID_PRODUCER_EPOCH before 2, PRODUCER_FENCED from 2 on', async () => {
    await broker.add(producer, 'orders', 0);
    const older = { producerEpoch: producer.producerEpoch - 1 };
    const errors = [];
    for (const version of versionsOf('endTxn')) errors.push((await end(version, true, older)).errorCode);
    expect(errors).to.deep.equal([
      INVALID_PRODUCER_EPOCH,
      INVALID_PRODUCER_EPOCH,
      ...[PRODUCER_FENCED, PRODUCER_FENCED, PRODUCER_FENCED, PRODUCER_FENCED],
    ]);
    for (const version of [4, 5]) {
      const another = { producerId: producer.producerId + 1 };
      expect((await end(version, true, another)).errorCode).to.equal(INVALID_PRODUCER_ID_MAPPING);
      expect((await end(version, true, { transactionalId: 'nobody' })).errorCode).to.equal(INVALID_PRODUCER_ID_MAPPING);
      expect((await end(version, true, { transactionalId: '' })).errorCode).to.equal(INVALID_REQUEST);
    }
    expect(await broker.stateOf('payments')).to.equal('Ongoing');
  });
});
