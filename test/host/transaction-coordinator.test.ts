/** The coordinator over partitions on a disk in memory, asked through the handlers and the codecs. */
import { expect } from 'chai';
import { writeRecord } from '../../src/host/transaction-records.ts';
import { newTransaction, next } from '../../src/machine/transaction/transaction.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { readTransactionRecord } from '../../src/wire/coordinator-record.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';

async function ready(
  given: Readonly<Record<string, string | number>> = {},
  transactionVersion = 2,
): Promise<TransactionalBroker> {
  const one = new TransactionalBroker(given, transactionVersion);
  await one.small.createTopic('t', 3);
  await one.ask('findCoordinator', 6, { keyType: 1, coordinatorKeys: ['id'] });
  return one;
}

/** Versions and values of what the partitions of __transaction_state hold, oldest first in each. */
async function stored(one: TransactionalBroker) {
  const found: { version: number | undefined; transactionalId: string; status: number | undefined }[] = [];
  for (const index of [0, 1]) {
    for await (const batch of one.small.partition('__transaction_state', index).log.batches()) {
      expect(batch.codec).to.equal(0);
      for (const { key, value } of recordsOf(batch)) {
        const record = key === null ? undefined : readTransactionRecord(key, value);
        if (record === undefined) throw new Error('a record that cannot be read');
        const { transactionalId } = record.key;
        found.push({ version: value?.readInt16BE(0), transactionalId, status: record.value?.transactionStatus });
      }
    }
  }
  return found;
}

async function controlBatches(one: TransactionalBroker, index: number) {
  const found: unknown[] = [];
  for await (const batch of one.small.partition('t', index).log.batches()) {
    if (batch.isControl) found.push([batch.producerEpoch, recordsOf(batch)[0]?.key?.readInt16BE(2) === 1 ? 'commit' : 'abort']);
  }
  return found;
}

/** The id's producer has this epoch, as after years; the coordinator is loaded anew. */
async function agedTo(
  one: TransactionalBroker,
  transactionalId: string,
  producerId: number,
  producerEpoch: number,
): Promise<void> {
  const partition = one.small.partition('__transaction_state', one.transactions.topic.partitionOf(transactionalId));
  const transaction = next(newTransaction(producerId, 60_000, one.small.clock.now()), 'Empty', { producerEpoch });
  const record = { ...writeRecord({ transactionalId, transaction }, 2), timestamp: one.small.clock.now() };
  partition.append(buildBatch({ baseOffset: 0, partitionLeaderEpoch: 0, records: [record] }), {
    requiredAcks: -1,
    origin: 'coordinator',
  });
  await one.settle();
  one.restart();
  await one.settle();
}

describe('The transaction coordinator', () => {
  it('makes __transaction_state on first need, and then names the leader', async () => {
    const one = new TransactionalBroker();
    const before = await one.ask('initProducerId', 5, { transactionalId: 'id', transactionTimeoutMs: 1000 });
    expect(before.errorCode).to.equal(ErrorCode.NOT_COORDINATOR);
    const { coordinators } = await one.ask('findCoordinator', 6, { keyType: 1, coordinatorKeys: ['id', 'other'] });
    expect(coordinators.map(({ errorCode, nodeId }) => [errorCode, nodeId])).to.deep.equal([
      [0, 1],
      [0, 1],
    ]);
    expect(one.small.image.topicsByName.get('__transaction_state')?.partitions.size).to.equal(2);
  });

  it('writes values in version 1, and in version 0 where the cluster is at transaction.version 0', async () => {
    for (const [transactionVersion, version] of [
      [2, 1],
      [1, 1],
      [0, 0],
    ] as const) {
      const one = await ready({}, transactionVersion);
      const producer = await one.init('id');
      await one.add(producer, 't', 0);
      await one.end(producer, true, 4);
      await one.settle();
      expect(await stored(one)).to.deep.equal([0, 1, 2, 4].map((status) => ({ version, transactionalId: 'id', status })));
      one.restart();
      await one.settle();
      expect(await one.stateOf('id')).to.equal('CompleteCommit');
    }
  });

  it('marks every partition, once, and lets readers go on', async () => {
    for (const committed of [true, false]) {
      const one = await ready();
      const producer = await one.init('id');
      for (const index of [0, 2]) expect((await one.produce(producer, 't', ['a', 'b'], { index })).errorCode).to.equal(0);
      const partition = one.small.partition('t', 0);
      expect(partition.log.lastStableOffset).to.equal(0);
      await one.end(producer, committed);
      await one.settle();
      expect(await one.stateOf('id')).to.equal(committed ? 'CompleteCommit' : 'CompleteAbort');
      for (const index of [0, 2]) expect(await controlBatches(one, index)).to.deep.equal([[1, committed ? 'commit' : 'abort']]);
      expect(await controlBatches(one, 1)).to.deep.equal([]);
      expect(partition.log.lastStableOffset).to.equal(3);
    }
  });

  it('wakes a reader of committed records when the marker has come', async () => {
    const one = await ready();
    const producer = await one.init('id');
    await one.produce(producer, 't', ['a']);
    const fetching = one.send('fetch', 12, {
      replicaId: -1,
      maxWaitMs: 10_000,
      minBytes: 1,
      isolationLevel: 1,
      topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000 }] }],
      forgottenTopicsData: [],
    });
    await one.settle();
    expect(fetching.settled).to.equal(false);
    await one.end(producer, true);
    await one.settle();
    const records = fetching.answer.responses[0]?.partitions[0]?.records;
    expect(Buffer.isBuffer(records) && batchesOf(records).map(({ isControl }) => isControl)).to.deep.equal([false, true]);
  });

  it('goes on without partitions that are no more', async () => {
    const one = await ready();
    await one.small.createTopic('gone');
    const producer = await one.init('id');
    await one.add(producer, 't', 0);
    await one.add(producer, 'gone', 0);
    const topicId = one.small.image.topicsByName.get('gone')?.id ?? '';
    await one.small.applyRecords([{ kind: 'RemoveTopicRecord', value: { topicId } }]);
    await one.end(producer, true);
    await one.settle();
    expect(await one.stateOf('id')).to.equal('CompleteCommit');
  });

  it('tries again where a partition takes no marker now, and shows what is left', async () => {
    const one = await ready();
    const producer = await one.init('id');
    await one.add(producer, 't', 0, 1);
    const partition = one.small.partition('t', 1);
    const append = partition.append.bind(partition);
    partition.append = () => ({ ok: false, error: ErrorCode.NOT_ENOUGH_REPLICAS, message: null, recordErrors: [] });
    await one.end(producer, true);
    await one.settle();
    expect(await one.stateOf('id')).to.equal('PrepareCommit');
    const { transactionStates } = await one.ask('describeTransactions', 0, { transactionalIds: ['id'] });
    expect(transactionStates[0]?.topics.map(({ topic, partitions }) => [topic, partitions])).to.deep.equal([['t', [1]]]);
    await one.small.advance(5000);
    partition.append = append;
    await one.small.advance(2000);
    expect(await one.stateOf('id')).to.equal('CompleteCommit');
    expect(await controlBatches(one, 0)).to.have.length(1);
    expect(await controlBatches(one, 1)).to.have.length(1);
  });

  it('gives up where a partition knows of a later producer, until it is loaded anew', async () => {
    const one = await ready();
    const producer = await one.init('id');
    await one.produce(producer, 't', ['a']);
    const partition = one.small.partition('t', 0);
    const append = partition.append.bind(partition);
    partition.append = () => ({ ok: false, error: ErrorCode.INVALID_PRODUCER_EPOCH, message: null, recordErrors: [] });
    await one.end(producer, true);
    await one.small.advance(10_000);
    expect(one.fenced).to.deep.equal(['id t-0']);
    partition.append = append;
    await one.small.advance(10_000);
    expect(await one.stateOf('id')).to.equal('PrepareCommit');
    one.restart();
    await one.settle();
    expect(await one.stateOf('id')).to.equal('CompleteCommit');
  });

  it('answers COORDINATOR_LOAD_IN_PROGRESS while it loads, and NOT_COORDINATOR when the partition goes', async () => {
    const one = await ready();
    const producer = await one.init('id');
    await one.add(producer, 't', 0);
    one.restart();
    const ending = one.send('endTxn', 5, { ...producer, committed: true });
    const listing = one.send('listTransactions', 0, { stateFilters: [], producerIdFilters: [] });
    await one.settle();
    expect(ending.answer.errorCode).to.equal(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    expect(listing.answer.errorCode).to.equal(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    expect(await one.stateOf('id')).to.equal('Ongoing');
    for (const index of [0, 1]) one.transactions.topic.onResigned(one.small.partition('__transaction_state', index));
    const late = await one.ask('endTxn', 5, { ...producer, committed: true });
    expect(late.errorCode).to.equal(ErrorCode.NOT_COORDINATOR);
    one.transactions.stop();
    expect(await one.stateOf('id')).to.equal(`error ${ErrorCode.COORDINATOR_NOT_AVAILABLE}`);
  });

  it('aborts what has run out of its time, and forgets ids that nobody uses', async () => {
    const one = await ready({ 'transactional.id.expiration.ms': 10_000_000 });
    const producer = await one.init('id', { transactionTimeoutMs: 30_000 });
    await one.produce(producer, 't', ['a']);
    await one.small.advance(30_001);
    expect(await one.stateOf('id')).to.equal('Ongoing');
    await one.small.advance(10_000);
    expect(await one.stateOf('id')).to.equal('CompleteAbort');
    expect(one.small.partition('t', 0).log.lastStableOffset).to.equal(2);
    expect((await one.produce(producer, 't', ['b'], { baseSequence: 1 })).errorCode).to.equal(ErrorCode.INVALID_PRODUCER_EPOCH);
    await one.small.advance(15_000_000);
    expect(await one.stateOf('id')).to.equal(`error ${ErrorCode.TRANSACTIONAL_ID_NOT_FOUND}`);
    expect((await stored(one)).at(-1)).to.deep.equal({ version: undefined, transactionalId: 'id', status: undefined });
  });

  it('gives the next producer id with the last epoch', async () => {
    const one = await ready();
    const { producerId } = await one.init('id');
    await agedTo(one, 'id', producerId, 32_766);
    const producer = { transactionalId: 'id', producerId, producerEpoch: 32_766 };
    expect((await one.produce(producer, 't', ['a'])).errorCode).to.equal(0);
    const next = await one.end(producer, true);
    expect(next.producerId).to.be.greaterThan(producerId);
    expect(next.producerEpoch).to.equal(0);
    await one.settle();
    expect(await controlBatches(one, 0)).to.deep.equal([[32_767, 'commit']]);
    expect((await one.produce(next, 't', ['b'])).errorCode).to.equal(0);
  });

  it('aborts what has run out of its time and of epochs with the next producer id', async () => {
    const one = await ready();
    const { producerId } = await one.init('id');
    await agedTo(one, 'id', producerId, 32_766);
    await one.add({ transactionalId: 'id', producerId, producerEpoch: 32_766 }, 't', 0);
    await one.small.advance(80_000);
    const { transactionStates } = await one.ask('describeTransactions', 0, { transactionalIds: ['id'] });
    expect(transactionStates[0]).to.deep.include({ transactionState: 'CompleteAbort', producerEpoch: 0 });
    expect(Number(transactionStates[0]?.producerId)).to.be.greaterThan(producerId);
  });

  it('tries again later where no producer id is to be had for that', async () => {
    const one = await ready();
    const { producerId } = await one.init('id');
    await agedTo(one, 'id', producerId, 32_766);
    await one.add({ transactionalId: 'id', producerId, producerEpoch: 32_766 }, 't', 0);
    const { nextProducerId } = one;
    let asked = 0;
    one.nextProducerId = () => {
      asked++;
      return Promise.reject(new Error('the metadata log takes no records'));
    };
    await one.small.advance(80_000);
    expect([asked, await one.stateOf('id')]).to.deep.equal([2, 'Ongoing']);
    one.nextProducerId = nextProducerId;
    await one.small.advance(20_000);
    expect(await one.stateOf('id')).to.equal('CompleteAbort');
  });

  it('answers a partition that is named twice as often as it is named, and once where it is verified', async () => {
    const one = await ready();
    const producer = await one.init('id');
    const ask = async (verifyOnly: boolean) => {
      const transactions = [{ ...producer, verifyOnly, topics: [{ name: 't', partitions: [1, 1] }] }];
      const { resultsByTransaction } = await one.ask('addPartitionsToTxn', 4, { transactions });
      return resultsByTransaction[0]?.topicResults[0]?.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode);
    };
    expect(await ask(true)).to.deep.equal([ErrorCode.TRANSACTION_ABORTABLE]);
    expect(await ask(false)).to.deep.equal([0, 0]);
    expect(await ask(true)).to.deep.equal([0]);
  });

  it('adds nothing where one of the partitions does not exist', async () => {
    const one = await ready();
    const producer = await one.init('id');
    const answer = await one.ask('addPartitionsToTxn', 3, {
      v3AndBelowTransactionalId: 'id',
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: 't', partitions: [0, 9] }],
    });
    const [topic] = answer.resultsByTopicV3AndBelow;
    expect(topic?.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode)).to.deep.equal([
      ErrorCode.OPERATION_NOT_ATTEMPTED,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    expect(await one.stateOf('id')).to.equal('Empty');
  });

  it('tells clients of before KIP-588 that their epoch is old, and later ones that they are fenced', async () => {
    const one = await ready();
    const producer = { ...(await one.init('id')), producerEpoch: 9 };
    const end = async (version: number) => (await one.ask('endTxn', version, { ...producer, committed: true })).errorCode;
    expect([await end(1), await end(2)]).to.deep.equal([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.PRODUCER_FENCED]);
    const offsets = async (version: number) =>
      (await one.ask('addOffsetsToTxn', version, { ...producer, groupId: 'g' })).errorCode;
    expect([await offsets(1), await offsets(2)]).to.deep.equal([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.PRODUCER_FENCED]);
    const init = async (version: number) => {
      const { producerId, producerEpoch } = producer;
      const request = { transactionalId: 'id', transactionTimeoutMs: 1000, producerId, producerEpoch };
      return (await one.ask('initProducerId', version, request)).errorCode;
    };
    expect([await init(3), await init(4)]).to.deep.equal([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.PRODUCER_FENCED]);
  });
});
