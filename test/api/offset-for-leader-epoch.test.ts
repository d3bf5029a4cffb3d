import { expect } from 'chai';
import { offsetForLeaderEpoch } from '../../src/api/offset-for-leader-epoch.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { idOf, SmallBroker } from '../support/small-broker.ts';

describe('OffsetForLeaderEpoch', () => {
  let broker: SmallBroker;

  beforeEach(async () => {
    broker = new SmallBroker();
    await broker.createTopic('orders');
    await broker.append('orders', ['a', 'b']);
    await broker.applyRecords([{ kind: 'PartitionChangeRecord', value: { topicId: idOf('orders'), partitionId: 0, leader: 1 } }]);
    await broker.append('orders', ['c']);
  });

  function ask(leaderEpoch: number, currentLeaderEpoch = -1, partition = 0): [number, number, bigint] {
    const { answer } = broker.ask('offsetForLeaderEpoch', offsetForLeaderEpoch, 4, {
      replicaId: -1,
      topics: [{ topic: 'orders', partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
    });
    const part = answer.topics[0]?.partitions[0];
    if (part === undefined) throw new Error('no partition in the answer');
    return [part.errorCode, part.leaderEpoch, part.endOffset];
  }

  it('tells where an epoch ends', () => {
    expect(ask(0)).to.deep.equal([ErrorCode.NONE, 0, 2n]);
    expect(ask(1)).to.deep.equal([ErrorCode.NONE, 1, 3n]);
  });

  it('knows nothing of epochs to come', () => {
    expect(ask(7)).to.deep.equal([ErrorCode.NONE, -1, -1n]);
  });

  it('fences', () => {
    expect(ask(0, 0)).to.deep.equal([ErrorCode.FENCED_LEADER_EPOCH, -1, -1n]);
    expect(ask(0, 1)).to.deep.equal([ErrorCode.NONE, 0, 2n]);
    expect(ask(0, 2)).to.deep.equal([ErrorCode.UNKNOWN_LEADER_EPOCH, -1, -1n]);
    expect(ask(0, -1, 5)).to.deep.equal([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1, -1n]);
  });
});
