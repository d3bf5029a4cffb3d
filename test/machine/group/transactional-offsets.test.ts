/** Offsets that a producer commits in its transaction: who may, and what is kept. */
import { expect } from 'chai';
import type { ApiTypes } from '../../../src/wire/generated/apis.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { type Producer, TransactionalBroker } from '../../support/transactional-broker.ts';

type Commit = Partial<ApiTypes['txnOffsetCommit']['requestDraft']>;

async function ready(): Promise<{ one: TransactionalBroker; producer: Producer; memberId: string; generationId: number }> {
  const one = new TransactionalBroker();
  await one.small.createTopic('t', 2);
  await one.ask('findCoordinator', 6, { keyType: 0, coordinatorKeys: ['g'] });
  const join = (memberId: string) => ({
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 30_000,
    memberId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  });
  const { memberId } = await one.ask('joinGroup', 9, join(''));
  const joining = one.send('joinGroup', 9, join(memberId));
  await one.small.advance(1);
  return { one, producer: await one.init('id'), memberId, generationId: joining.answer.generationId };
}

async function commit(
  one: TransactionalBroker,
  producer: Producer,
  version: number,
  more: Commit = {},
  metadata = 'm',
): Promise<number> {
  const partitions = [{ partitionIndex: 0, committedOffset: 4, committedMetadata: metadata }];
  const topicId = one.small.image.topicsByName.get('t')?.id ?? '';
  const topics = [version >= 6 ? { topicId, partitions } : { name: 't', partitions }];
  const answer = await one.ask('txnOffsetCommit', version, { groupId: 'g', ...producer, topics, ...more });
  return answer.topics[0]?.partitions[0]?.errorCode ?? -1;
}

describe('Offsets in transactions', () => {
  it('are taken from a member of this generation, in any phase, and from a producer that names none', async () => {
    const { one, producer, memberId, generationId } = await ready();
    const member = { memberId, generationIdOrMemberEpoch: generationId };
    expect(await commit(one, producer, 5, member)).to.equal(ErrorCode.NONE);
    expect(await commit(one, producer, 5)).to.equal(ErrorCode.NONE);
    expect(await commit(one, producer, 6, member)).to.equal(ErrorCode.NONE);
    expect(await commit(one, producer, 5, { ...member, generationIdOrMemberEpoch: generationId + 1 })).to.equal(
      ErrorCode.ILLEGAL_GENERATION,
    );
    expect(await commit(one, producer, 5, { ...member, memberId: 'other' })).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await commit(one, producer, 5, { ...member, groupInstanceId: 'i' })).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('of a group that is not there want no generation', async () => {
    const { one, producer } = await ready();
    const to = { groupId: 'new', memberId: 'm', generationIdOrMemberEpoch: 1 };
    expect(await commit(one, producer, 5, to)).to.equal(ErrorCode.ILLEGAL_GENERATION);
    expect(await commit(one, producer, 6, to)).to.equal(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(await commit(one, producer, 5, { groupId: 'new' })).to.equal(ErrorCode.NONE);
    expect(await commit(one, producer, 5, { groupId: '' })).to.equal(ErrorCode.INVALID_GROUP_ID);
  });

  it('with too much metadata are refused', async () => {
    const { one, producer } = await ready();
    expect(await commit(one, producer, 5, {}, 'm'.repeat(4097))).to.equal(ErrorCode.OFFSET_METADATA_TOO_LARGE);
  });

  it('of a group that was not added are in no transaction; from version 5 on it is added', async () => {
    const { one, producer } = await ready();
    expect(await commit(one, producer, 3)).to.equal(ErrorCode.INVALID_TXN_STATE);
    expect(await commit(one, producer, 4)).to.equal(ErrorCode.TRANSACTION_ABORTABLE);
    expect(await commit(one, producer, 5)).to.equal(ErrorCode.NONE);
    const { transactionStates } = await one.ask('describeTransactions', 0, { transactionalIds: ['id'] });
    expect(transactionStates[0]?.topics.map(({ topic }) => topic)).to.deep.equal(['__consumer_offsets']);
    expect(await commit(one, producer, 3)).to.equal(ErrorCode.NONE);
  });

  it('count with the commit of the transaction, the later of two commits before that', async () => {
    const { one, producer } = await ready();
    await commit(one, producer, 5);
    const plain = { topicId: one.small.image.topicsByName.get('t')?.id ?? '' };
    const partitions = [{ partitionIndex: 0, committedOffset: 9, committedMetadata: '' }];
    const offset = async () => {
      const topics = [{ ...plain, partitionIndexes: [0] }];
      const { groups } = await one.ask('offsetFetch', 10, { groups: [{ groupId: 'other', topics }], requireStable: false });
      return Number(groups[0]?.topics[0]?.partitions[0]?.committedOffset);
    };
    await commit(one, producer, 5, { groupId: 'other' });
    expect(await offset()).to.equal(-1);
    await one.ask('offsetCommit', 10, { groupId: 'other', topics: [{ ...plain, partitions }] });
    await one.end(producer, true);
    await one.settle();
    expect(await offset()).to.equal(9);
  });

  it('are not loaded yet: old clients are told that nobody is there', async () => {
    const { one, producer } = await ready();
    await commit(one, producer, 5);
    one.restart();
    const [old, newer] = [1, 2].map((version) =>
      one.send('txnOffsetCommit', version, {
        ...producer,
        groupId: 'g',
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }] }],
      }),
    );
    await one.settle();
    expect(old?.answer.topics[0]?.partitions[0]?.errorCode).to.equal(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(newer?.answer.topics[0]?.partitions[0]?.errorCode).to.equal(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  });
});
