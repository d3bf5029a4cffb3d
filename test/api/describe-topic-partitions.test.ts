/** DescribeTopicPartitions through its handler, on a whole broker: pages and their cursors. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsRequestDraft,
  DescribeTopicPartitionsResponse,
} from '../../src/wire/generated/describe-topic-partitions.ts';
import { type Ask, handlersOf } from '../support/handlers.ts';

describe('DescribeTopicPartitions', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    broker = await Broker.start({
      port: 0,
      topics: { c: 3, a: 2, b: 4 },
      settings: { 'max.request.partition.size.limit': 5 },
    });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  type Request = Omit<DescribeTopicPartitionsRequestDraft, 'cursor'> &
    Partial<Pick<DescribeTopicPartitionsRequestDraft, 'cursor'>>;
  const describeAll = async (request: Request) => {
    const answer = await ask('describeTopicPartitions', 0, { cursor: null, ...request });
    return {
      topics: answer.topics.map(({ name, partitions }) => [name, partitions.map(({ partitionIndex }) => partitionIndex)]),
      errors: answer.topics.map(({ errorCode }) => errorCode),
      next: answer.nextCursor === null ? null : [answer.nextCursor.topicName, answer.nextCursor.partitionIndex],
    };
  };

  it('tells topics in the order of their names, with who may lead them', async () => {
    const { topics } = await ask('describeTopicPartitions', 0, { topics: [{ name: 'c' }, { name: 'a' }], cursor: null });
    expect(topics.map(({ name }) => name)).to.deep.equal(['a', 'c']);
    expect(topics[0]).to.include({ errorCode: 0, isInternal: false, topicId: broker.services.image.topicsByName.get('a')?.id });
    expect(topics[0]?.partitions[1]).to.deep.include({
      errorCode: 0,
      partitionIndex: 1,
      leaderId: 1,
      replicaNodes: [1],
      isrNodes: [1],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    });
  });

  it('goes through all topics page by page, wherever a page ends', async () => {
    for (const responsePartitionLimit of [1, 2, 3, 4, 5, 2000]) {
      const seen: string[] = [];
      let cursor: DescribeTopicPartitionsRequest['cursor'] = null;
      do {
        const request = { topics: [], responsePartitionLimit, cursor };
        const answer: DescribeTopicPartitionsResponse = await ask('describeTopicPartitions', 0, request);
        const page = answer.topics.flatMap(({ name, partitions }) => partitions.map((one) => `${name}-${one.partitionIndex}`));
        expect(page.length).to.be.within(1, Math.min(responsePartitionLimit, 5));
        seen.push(...page);
        cursor = answer.nextCursor;
      } while (cursor !== null);
      expect(seen).to.deep.equal(['a-0', 'a-1', 'b-0', 'b-1', 'b-2', 'b-3', 'c-0', 'c-1', 'c-2']);
    }
  });

  it('ends a page inside a topic and between two', async () => {
    expect(await describeAll({ topics: [], responsePartitionLimit: 3 })).to.deep.include({
      topics: [
        ['a', [0, 1]],
        ['b', [0]],
      ],
      next: ['b', 1],
    });
    expect(await describeAll({ topics: [], responsePartitionLimit: 2 })).to.deep.include({
      topics: [['a', [0, 1]]],
      next: ['b', 0],
    });
  });

  it('goes on where the topic of the cursor is gone, if all are asked for', async () => {
    const cursor = { topicName: 'aa', partitionIndex: 7 };
    expect((await describeAll({ topics: [], cursor })).topics).to.deep.equal([
      ['b', [0, 1, 2, 3]],
      ['c', [0]],
    ]);
  });

  it('tells of topics that are not there, or cannot be', async () => {
    const { errors } = await describeAll({ topics: [{ name: 'a' }, { name: 'no such' }, { name: 'zzz' }] });
    expect(errors).to.deep.equal([0, ErrorCode.INVALID_TOPIC_EXCEPTION, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  });

  for (const [what, cursor] of Object.entries({
    'a cursor whose topic is not listed': { topicName: 'c', partitionIndex: 0 },
    'a cursor before the first partition': { topicName: 'a', partitionIndex: -1 },
  })) {
    it(`refuses ${what}`, async () => {
      const answer = await describeAll({ topics: [{ name: 'a' }, { name: 'b' }], cursor });
      expect(answer.errors).to.deep.equal([ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST]);
    });
  }
});
