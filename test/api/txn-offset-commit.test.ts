import { expect } from 'chai';
import type { TxnOffsetCommitRequestDraft } from '../../src/wire/generated/txn-offset-commit.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';
import { versionsOf } from '../support/handlers.ts';
import { idOf } from '../support/small-broker.ts';
import { type Producer, TransactionalBroker } from '../support/transactional-broker.ts';

const { COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, GROUP_ID_NOT_FOUND, ILLEGAL_GENERATION, INVALID_GROUP_ID } =
  ErrorCode;
const { INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, NONE, TRANSACTION_ABORTABLE, UNKNOWN_TOPIC_ID } = ErrorCode;
const { UNKNOWN_TOPIC_OR_PARTITION, UNSTABLE_OFFSET_COMMIT } = ErrorCode;
const ADDS_FROM_VERSION = 5;
const TOPIC_IDS_FROM_VERSION = 6;

describe('TxnOffsetCommit', () => {
  let broker: TransactionalBroker;
  let producer: Producer;

  beforeEach(async () => {
    broker = new TransactionalBroker();
    await broker.small.createTopic('orders', 2);
    await broker.ask('findCoordinator', 6, { keyType: 0, coordinatorKeys: ['shippers'] });
    producer = await broker.init('payments');
  });

  const topicOf = (name: string, version: number, partitionIndex = 0, committedOffset = 4) => ({
    ...(version >= TOPIC_IDS_FROM_VERSION ? { topicId: idOf(name) } : { name }),
    partitions: [{ partitionIndex, committedOffset, committedMetadata: 'so far', committedLeaderEpoch: version >= 2 ? 3 : -1 }],
  });

  async function commit(version: number, over: Partial<TxnOffsetCommitRequestDraft> = {}): Promise<number[]> {
    const request = { ...producer, groupId: 'shippers', topics: [topicOf('orders', version)], ...over };
    const { topics } = await broker.ask('txnOffsetCommit', version, request);
    return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
  }

  async function committed(requireStable: boolean) {
    const topics = [{ name: 'orders', partitionIndexes: [0] }];
    const { groups } = await broker.ask('offsetFetch', 9, { groups: [{ groupId: 'shippers', topics }], requireStable });
    const { errorCode, committedOffset, committedLeaderEpoch, metadata } = groups[0]?.topics[0]?.partitions[0] ?? {};
    return { errorCode, committedOffset, committedLeaderEpoch, metadata };
  }

  const nothing = { errorCode: NONE, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '' };

  for (const version of versionsOf('txnOffsetCommit')) {
    it(`counts from the commit of the transaction on, at version ${version}`, async () => {
      if (version < ADDS_FROM_VERSION) await broker.ask('addOffsetsToTxn', 3, { ...producer, groupId: 'shippers' });
      expect(await commit(version)).to.deep.equal([NONE]);
      expect(await committed(false)).to.deep.equal(nothing);
      expect((await committed(true)).errorCode).to.equal(UNSTABLE_OFFSET_COMMIT);
      await broker.end(producer, true);
      await broker.settle();
      const committedLeaderEpoch = version >= 2 ? 3 : -1;
      expect(await committed(true)).to.deep.equal({
        ...nothing,
        committedOffset: 4n,
        committedLeaderEpoch,
        metadata: 'so far',
      });
    });
  }

  it('is forgotten with a transaction that is aborted', async () => {
    expect(await commit(5)).to.deep.equal([NONE]);
    await broker.end(producer, false);
    await broker.settle();
    expect(await committed(true)).to.deep.equal(nothing);
  });

  it("adds the group's partition of __consumer_offsets from 5 on; before, that has to be in the transaction", async () => {
    const errors = [];
    for (let version = 0; version < ADDS_FROM_VERSION; version++) errors.push(...(await commit(version)));
    const old = [INVALID_TXN_STATE, INVALID_TXN_STATE, INVALID_TXN_STATE, INVALID_TXN_STATE];
    expect(errors).to.deep.equal([...old, TRANSACTION_ABORTABLE]);
    expect(await broker.stateOf('payments')).to.equal('Empty');
    expect(await commit(5)).to.deep.equal([NONE]);
    const { transactionStates } = await broker.ask('describeTransactions', 0, { transactionalIds: ['payments'] });
    const index = broker.groups.topic.partitionOf('shippers');
    expect(transactionStates[0]?.topics).to.deep.equal([{ topic: '__consumer_offsets', partitions: [index] }]);
  });

  it('answers each topic and partition that does not exist, before those that do', async () => {
    const byName = [topicOf('none', 5), topicOf('orders', 5), topicOf('orders', 5, 7)];
    expect(await commit(5, { topics: byName })).to.deep.equal([UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_OR_PARTITION, NONE]);
    const byId = [topicOf('none', 6), topicOf('orders', 6), topicOf('orders', 6, 7)];
    expect(await commit(6, { topics: byId })).to.deep.equal([UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NONE]);
    const { topics } = await broker.ask('txnOffsetCommit', 6, { ...producer, groupId: 'shippers', topics: byId });
    expect(topics.map(({ topicId }) => topicId)).to.deep.equal([idOf('none'), idOf('orders')]);
  });

  it('answers a topic without partitions where it does not exist, and not where it does', async () => {
    const topics = [
      { name: 'none', partitions: [] },
      { name: 'orders', partitions: [] },
    ];
    const answer = await broker.ask('txnOffsetCommit', 5, { ...producer, groupId: 'shippers', topics });
    expect(answer.topics).to.deep.equal([{ name: 'none', topicId: ZERO_UUID, partitions: [] }]);
  });

  it('answers a topic that is named twice twice, and once where something does not exist', async () => {
    const request = { ...producer, groupId: 'shippers' };
    const twice = [topicOf('orders', 5), topicOf('orders', 5, 1)];
    const shapeOf = async (topics: typeof twice) => {
      const answer = await broker.ask('txnOffsetCommit', 5, { ...request, topics });
      return answer.topics.map(({ partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
      );
    };
    expect(await shapeOf(twice)).to.deep.equal([[[0, NONE]], [[1, NONE]]]);
    const missing = topicOf('orders', 5, 7);
    expect(await shapeOf([...twice, missing])).to.deep.equal([
      [
        [7, UNKNOWN_TOPIC_OR_PARTITION],
        [0, NONE],
        [1, NONE],
      ],
    ]);
  });

  it('is refused where producer or member are not who they say', async () => {
    for (const version of [4, 5, 6]) {
      if (version === 4) await broker.ask('addOffsetsToTxn', 3, { ...producer, groupId: 'shippers' });
      const older = { producerEpoch: producer.producerEpoch - 1 };
      expect(await commit(version, older), `version ${version}`).to.deep.equal([INVALID_PRODUCER_EPOCH]);
    }
    const nobody = { memberId: 'nobody', generationIdOrMemberEpoch: 1 };
    expect(await commit(5, nobody)).to.deep.equal([ILLEGAL_GENERATION]);
    expect(await commit(6, nobody)).to.deep.equal([GROUP_ID_NOT_FOUND]);
    expect(await commit(5, { groupId: '' })).to.deep.equal([INVALID_GROUP_ID]);
  });

  it('says COORDINATOR_NOT_AVAILABLE before 2 and COORDINATOR_LOAD_IN_PROGRESS from then on while the group is loaded', async () => {
    const partitions = [{ partitionIndex: 0, errorCode: COORDINATOR_LOAD_IN_PROGRESS }];
    const topics = [{ name: 'orders', topicId: idOf('orders'), partitions }];
    broker.groups.commitInTransaction = () => Promise.resolve({ throttleTimeMs: 0, topics });
    const errors = [];
    for (const version of versionsOf('txnOffsetCommit')) errors.push(...(await commit(version)));
    const [first, second, ...later] = errors;
    expect([first, second]).to.deep.equal([COORDINATOR_NOT_AVAILABLE, COORDINATOR_NOT_AVAILABLE]);
    expect(new Set(later)).to.deep.equal(new Set([COORDINATOR_LOAD_IN_PROGRESS]));
  });
});
