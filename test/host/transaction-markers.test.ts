/** Markers that others send (WriteTxnMarkers), in partitions of records and of groups' offsets. */
import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Producer, TransactionalBroker } from '../support/transactional-broker.ts';

async function ready(): Promise<{ one: TransactionalBroker; producer: Producer }> {
  const one = new TransactionalBroker();
  await one.small.createTopic('t', 2);
  await one.ask('findCoordinator', 6, { keyType: 0, coordinatorKeys: ['g'] });
  return { one, producer: await one.init('id') };
}

interface Marker {
  readonly producerEpoch?: number;
  readonly coordinatorEpoch?: number;
  readonly committed?: boolean;
  readonly transactionVersion?: number;
  readonly topic?: string;
  readonly index?: number;
}

async function mark(one: TransactionalBroker, { producerId, producerEpoch }: Producer, marker: Marker = {}): Promise<number> {
  const { topic = 't', index = 0, committed = false, coordinatorEpoch = 3, transactionVersion = 0 } = marker;
  const answer = await one.ask('writeTxnMarkers', 2, {
    markers: [
      {
        producerId,
        producerEpoch: marker.producerEpoch ?? producerEpoch,
        transactionResult: committed,
        coordinatorEpoch,
        transactionVersion,
        topics: [{ name: topic, partitionIndexes: [index] }],
      },
    ],
  });
  return answer.markers[0]?.topics[0]?.partitions[0]?.errorCode ?? -1;
}

describe('Markers of others', () => {
  it('end a transaction, also one that hangs, and are answered when they are committed', async () => {
    const { one, producer } = await ready();
    await one.produce(producer, 't', ['a']);
    const { log } = one.small.partition('t');
    expect(log.lastStableOffset).to.equal(0);
    expect(await mark(one, producer)).to.equal(ErrorCode.NONE);
    expect(log.lastStableOffset).to.equal(2);
    expect(log.producerState.get(producer.producerId)?.coordinatorEpoch).to.equal(3);
  });

  it('of an older coordinator or producer are refused; of transactions of version 2 the epoch has to rise', async () => {
    const { one, producer } = await ready();
    await one.produce(producer, 't', ['a']);
    expect(await mark(one, producer, { transactionVersion: 2 })).to.equal(ErrorCode.INVALID_PRODUCER_EPOCH);
    expect(await mark(one, producer, { producerEpoch: 1, transactionVersion: 2 })).to.equal(ErrorCode.NONE);
    expect(await mark(one, producer, { producerEpoch: 1, transactionVersion: 2 }), 'again').to.equal(ErrorCode.NONE);
    expect(await mark(one, producer, { producerEpoch: 1, coordinatorEpoch: 2 })).to.equal(
      ErrorCode.TRANSACTION_COORDINATOR_FENCED,
    );
    expect(await mark(one, producer)).to.equal(ErrorCode.INVALID_PRODUCER_EPOCH);
  });

  it('for what is not there say so', async () => {
    const { one, producer } = await ready();
    expect(await mark(one, producer, { index: 7 })).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await mark(one, producer, { topic: 'none' })).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await one.ask('writeTxnMarkers', 1, { markers: [] })).markers).to.deep.equal([]);
  });

  it('are written once, however often a partition is named', async () => {
    const { one, producer } = await ready();
    const topics = [
      { name: 't', partitionIndexes: [0, 0] },
      { name: 't', partitionIndexes: [0] },
    ];
    const marker = { ...producer, transactionResult: true, coordinatorEpoch: 1, topics };
    const { markers } = await one.ask('writeTxnMarkers', 1, { markers: [marker] });
    expect(markers[0]?.topics.map(({ partitions }) => partitions.length)).to.deep.equal([1]);
    expect(one.small.partition('t').log.logEndOffset).to.equal(1);
  });

  it('of several transactions of one producer are one answer', async () => {
    const { one, producer } = await ready();
    const marker = (index: number) => ({
      ...producer,
      transactionResult: true,
      coordinatorEpoch: 1,
      topics: [{ name: 't', partitionIndexes: [index] }],
    });
    const { markers } = await one.ask('writeTxnMarkers', 1, { markers: [marker(0), marker(1), marker(9)] });
    expect(markers).to.have.length(1);
    expect(markers[0]?.topics[0]?.partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode])).to.deep.equal([
      [0, 0],
      [1, 0],
      [9, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
  });

  it("let a group's offsets count, or not", async () => {
    for (const committed of [true, false]) {
      const { one, producer } = await ready();
      const index = one.groups.topic.partitionOf('g');
      const commit = await one.ask('txnOffsetCommit', 5, {
        ...producer,
        groupId: 'g',
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }] }],
      });
      expect(commit.topics[0]?.partitions[0]?.errorCode).to.equal(0);
      const offset = async (requireStable: boolean) => {
        const topics = [{ name: 't', partitionIndexes: [0] }];
        const { groups } = await one.ask('offsetFetch', 9, { groups: [{ groupId: 'g', topics }], requireStable });
        const found = groups[0]?.topics[0]?.partitions[0];
        return [found?.errorCode, Number(found?.committedOffset)];
      };
      expect(await offset(false)).to.deep.equal([0, -1]);
      expect(await offset(true)).to.deep.equal([ErrorCode.UNSTABLE_OFFSET_COMMIT, -1]);
      expect(await mark(one, producer, { topic: '__consumer_offsets', index, committed })).to.equal(0);
      expect(await offset(true)).to.deep.equal([0, committed ? 4 : -1]);
      one.restart();
      await one.settle();
      expect(await offset(true), 'after a load').to.deep.equal([0, committed ? 4 : -1]);
      one.groups.topic.onResigned(one.small.partition('__consumer_offsets', index));
      expect(await mark(one, producer, { topic: '__consumer_offsets', index })).to.equal(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }
  });
});
