/** First batches of transactions, as Produce sends them in its versions (KIP-890). */
import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { batchOf } from '../support/small-broker.ts';
import { TransactionalBroker, type Producer } from '../support/transactional-broker.ts';

async function ready(
  given: Readonly<Record<string, string | number>> = {},
): Promise<{ one: TransactionalBroker; producer: Producer }> {
  const one = new TransactionalBroker(given);
  await one.small.createTopic('t', 2);
  return { one, producer: await one.init('id') };
}

/** The completion of transactions is held back until what is returned is called: time does not pass meanwhile. */
function heldBack(one: TransactionalBroker): () => void {
  const writeAll = one.markers.writeAll.bind(one.markers);
  const held: (() => void)[] = [];
  one.markers.writeAll = (markers) => {
    held.push(() => writeAll(markers));
    return () => undefined;
  };
  return () => {
    for (const write of held) write();
  };
}

function produceRequest({ transactionalId, producerId, producerEpoch }: Producer) {
  const records = batchOf(['x'], { producerId, producerEpoch, baseSequence: 0, transactional: true });
  const topicData = [{ name: 't', partitionData: [{ index: 1, records }] }];
  return { transactionalId, acks: -1, timeoutMs: 1000, topicData };
}

describe('The verification of first batches', () => {
  it('adds the partition for clients of transaction.version 2, once', async () => {
    const { one, producer } = await ready();
    expect(await one.produce(producer, 't', ['a'])).to.deep.equal({ errorCode: 0, baseOffset: 0, errorMessage: null });
    expect(await one.stateOf('id')).to.equal('Ongoing');
    const asked = one.transactions.addPartitions.bind(one.transactions);
    let count = 0;
    one.transactions.addPartitions = (...args) => {
      count++;
      return asked(...args);
    };
    expect((await one.produce(producer, 't', ['b'], { baseSequence: 1 })).baseOffset).to.equal(1);
    expect(count).to.equal(0);
    await one.produce(producer, 't', ['c'], { index: 1 });
    expect(count).to.equal(1);
  });

  it('lets older clients in where they have added the partition, and tells the others in their words', async () => {
    const { one, producer } = await ready();
    await one.add(producer, 't', 1);
    expect((await one.produce(producer, 't', ['a'], { index: 1, version: 10 })).errorCode).to.equal(0);
    expect(await one.produce(producer, 't', ['a'], { version: 10 })).to.deep.include({
      errorCode: ErrorCode.INVALID_TXN_STATE,
      errorMessage: 'Partition was not added to the transaction',
    });
    expect((await one.produce(producer, 't', ['a'], { version: 11 })).errorCode).to.equal(ErrorCode.TRANSACTION_ABORTABLE);
    expect(one.small.partition('t', 0).log.logEndOffset).to.equal(0);
  });

  it('refuses producers that are not who they say', async () => {
    const { one, producer } = await ready();
    const produce = async (over: Partial<Producer>) => (await one.produce({ ...producer, ...over }, 't', ['a'])).errorCode;
    expect(await produce({ producerEpoch: 4 })).to.equal(ErrorCode.INVALID_PRODUCER_EPOCH);
    expect(await produce({ producerId: 4 })).to.equal(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await produce({ transactionalId: 'nobody' })).to.equal(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await produce({ transactionalId: '' })).to.equal(ErrorCode.INVALID_REQUEST);
  });

  it('says NOT_ENOUGH_REPLICAS, which clients try again after, where no coordinator can be asked', async () => {
    const one = new TransactionalBroker();
    await one.small.createTopic('t');
    const nobody = { transactionalId: 'id', producerId: 5, producerEpoch: 0 };
    expect(await one.produce(nobody, 't', ['a'])).to.deep.include({
      errorCode: ErrorCode.NOT_ENOUGH_REPLICAS,
      errorMessage:
        'Unable to verify the partition has been added to the transaction. Underlying error: COORDINATOR_NOT_AVAILABLE',
    });
    const { one: loading, producer } = await ready();
    await loading.add(producer, 't', 0);
    loading.restart();
    expect((await loading.produce(producer, 't', ['a'])).errorMessage).to.contain('COORDINATOR_LOAD_IN_PROGRESS');
  });

  it('waits a while for the end of the last transaction, in the order of requests', async () => {
    const { one, producer } = await ready();
    await one.produce(producer, 't', ['a']);
    const partition = one.small.partition('t', 0);
    const append = partition.append.bind(partition);
    partition.append = () => ({ ok: false, error: ErrorCode.NOT_ENOUGH_REPLICAS, message: null, recordErrors: [] });
    const next = await one.end(producer, true);
    const sending = ['b', 'c', 'd'].map((value, baseSequence) => one.produce(next, 't', [value], { baseSequence, index: 1 }));
    await one.settle();
    partition.append = append;
    await one.small.advance(90);
    expect((await Promise.all(sending)).map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).to.deep.equal([
      [0, 0],
      [0, 1],
      [0, 2],
    ]);
  });

  it('does not wait for longer than that takes', async () => {
    const { one, producer } = await ready();
    await one.produce(producer, 't', ['a']);
    const release = heldBack(one);
    const next = await one.end(producer, true);
    const sending = one.send('produce', 12, produceRequest(next));
    await one.settle();
    expect(sending.settled).to.equal(false);
    release();
    await one.settle();
    expect(sending.answer.responses[0]?.partitionResponses[0]?.errorCode).to.equal(0);
  });

  it('says CONCURRENT_TRANSACTIONS when that takes too long, and to older clients NOT_ENOUGH_REPLICAS at once', async () => {
    const { one, producer } = await ready();
    await one.produce(producer, 't', ['a']);
    one.small.partition('t', 0).append = () => ({
      ok: false,
      error: ErrorCode.NOT_ENOUGH_REPLICAS,
      message: null,
      recordErrors: [],
    });
    const next = await one.end(producer, true);
    const sending = one.produce(next, 't', ['b'], { index: 1 });
    await one.small.advance(200);
    expect((await sending).errorCode).to.equal(ErrorCode.CONCURRENT_TRANSACTIONS);
    const older = await one.produce(next, 't', ['b'], { index: 1, version: 11 });
    expect(older.errorCode).to.equal(ErrorCode.NOT_ENOUGH_REPLICAS);
    expect(older.errorMessage).to.contain('CONCURRENT_TRANSACTIONS');
  });

  it('asks nobody for older clients where it is off', async () => {
    const { one, producer } = await ready({ 'transaction.partition.verification.enable': 'false' });
    one.transactions.verifyPartitions = () => Promise.reject(new Error('asked'));
    // The log of this test verifies all the same: that is for the log directory to be told.
    expect((await one.produce(producer, 't', ['a'], { version: 11 })).errorCode).to.equal(ErrorCode.INVALID_TXN_STATE);
  });

  it('goes by what is in force, the logs that are open too', async () => {
    const { one, producer } = await ready();
    const produced = async () => (await one.produce(producer, 't', ['a'], { version: 11 })).errorCode;
    expect(await produced()).to.equal(ErrorCode.TRANSACTION_ABORTABLE);
    one.verifiesTransactions = () => false;
    one.small.partition('t', 0).log.producerState.verifiesTransactions = false;
    expect(await produced()).to.equal(0);
  });

  it('wants one producer per request', async () => {
    const { one, producer } = await ready();
    expect((await one.produce(producer, 't', ['a'])).errorCode).to.equal(0);
    const records = (producerEpoch: number) =>
      batchOf(['x'], { producerId: producer.producerId, producerEpoch, baseSequence: 1, transactional: true });
    const partitionData = [
      { index: 0, records: records(0) },
      { index: 1, records: records(1) },
    ];
    const topicData = [{ name: 't', partitionData }];
    const answer = await one.ask('produce', 12, { transactionalId: 'id', acks: -1, timeoutMs: 100, topicData });
    expect(answer.responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)).to.deep.equal([
      ErrorCode.INVALID_PRODUCER_ID_MAPPING,
      ErrorCode.INVALID_PRODUCER_ID_MAPPING,
    ]);
  });
});
