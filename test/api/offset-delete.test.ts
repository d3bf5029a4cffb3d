import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';

const { GROUP_ID_NOT_FOUND, NONE, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode;

describe('OffsetDelete', () => {
  let broker: TransactionalBroker;

  beforeEach(async () => {
    broker = new TransactionalBroker();
    await broker.small.createTopic('orders', 2);
    await broker.ask('findCoordinator', 6, { keyType: 0, coordinatorKeys: ['shippers'] });
    await broker.ask('offsetCommit', 8, {
      groupId: 'shippers',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }] }],
    });
  });

  const ask = async (topics: readonly (readonly [string, ...number[]])[], groupId = 'shippers') => {
    const named = topics.map(([name, ...indexes]) => ({
      name,
      partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
    }));
    const answer = await broker.ask('offsetDelete', 0, { groupId, topics: named });
    return {
      errorCode: answer.errorCode,
      topics: answer.topics.map(({ name, partitions }) => [
        name,
        ...partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
      ]),
    };
  };

  const committed = async (): Promise<number> => {
    const topics = [{ name: 'orders', partitionIndexes: [0] }];
    const { groups } = await broker.ask('offsetFetch', 9, { groups: [{ groupId: 'shippers', topics }], requireStable: false });
    return Number(groups[0]?.topics[0]?.partitions[0]?.committedOffset);
  };

  it('forgets an offset', async () => {
    expect(await committed()).to.equal(4);
    expect(await ask([['orders', 0]])).to.deep.equal({ errorCode: NONE, topics: [['orders', [0, NONE]]] });
    expect(await committed()).to.equal(-1);
  });

  it('refuses what does not exist, and goes on with the rest', async () => {
    const { topics } = await ask([
      ['lost', 0, 1],
      ['orders', 7, 0],
    ]);
    expect(topics).to.deep.equal([
      ['lost', [0, UNKNOWN_TOPIC_OR_PARTITION], [1, UNKNOWN_TOPIC_OR_PARTITION]],
      ['orders', [7, UNKNOWN_TOPIC_OR_PARTITION], [0, NONE]],
    ]);
    expect(await committed()).to.equal(-1);
  });

  it('names a topic that does not exist where no partition of it is asked for too, and one that does not', async () => {
    expect((await ask([['lost'], ['orders', 0]])).topics).to.deep.equal([['lost'], ['orders', [0, NONE]]]);
    expect((await ask([['lost']])).topics).to.deep.equal([['lost']]);
    expect((await ask([['orders']])).topics).to.deep.equal([]);
  });

  it('answers a group that is not there as such', async () => {
    expect((await ask([['orders', 0]], 'nobody')).errorCode).to.equal(GROUP_ID_NOT_FOUND);
  });
});
