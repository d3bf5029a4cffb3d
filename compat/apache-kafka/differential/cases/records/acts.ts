/** What conversations about records are made of: requests with their usual fields, and topics with something in them. */
import type { ApiTypes } from '../../../../../src/wire/generated/apis.ts';
import { type Case, many } from '../../case.ts';
import type { Conversation, Topic } from '../../conversation.ts';

type Produce = ApiTypes['produce']['requestDraft'];
type Fetch = ApiTypes['fetch']['requestDraft'];

export const produce = (topic: Topic, records: Buffer | null, more: Partial<Produce> & { index?: number } = {}): Produce => {
  const { index = 0, ...rest } = more;
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ ...topic, partitionData: [{ index, records }] }],
    ...rest,
  };
};

export const fetched = (
  topic: Topic,
  fetchOffset: number,
  more: Partial<Fetch> & { partition?: number; partitionMaxBytes?: number; currentLeaderEpoch?: number } = {},
): Fetch => {
  const { partition = 0, partitionMaxBytes = 1_000_000, currentLeaderEpoch = -1, ...rest } = more;
  return {
    replicaId: -1,
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 10_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic: topic.name,
        topicId: topic.topicId,
        partitions: [{ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch }],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
    ...rest,
  };
};

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Produces what `records` makes, then fetches the partition whole. */
export const sent = (
  name: string,
  records: (x: Conversation) => Buffer | null,
  configs: Record<string, string> = {},
  more: Partial<Produce> & { index?: number } = {},
): Case =>
  many('produce', name, async (x) => {
    const topic = await x.topic('a', 1, configs);
    await x.call('produce', produce(topic, records(x), more));
    await x.call('fetch', fetched(topic, 0));
  });

export const filled = async (x: Conversation, partitions = 1): Promise<Topic> => {
  const topic = await x.topic('a', partitions);
  for (const values of [['a', 'b'], ['c'], ['d', 'e', 'f']]) await x.append(topic, x.batch(values));
  return topic;
};

export const listed = (
  topic: Topic,
  timestamp: number,
  more: { partitionIndex?: number; currentLeaderEpoch?: number; isolationLevel?: number } = {},
): ApiTypes['listOffsets']['requestDraft'] => ({
  replicaId: -1,
  isolationLevel: more.isolationLevel ?? 0,
  topics: [
    {
      name: topic.name,
      partitions: [{ partitionIndex: more.partitionIndex ?? 0, currentLeaderEpoch: more.currentLeaderEpoch ?? -1, timestamp }],
    },
  ],
  timeoutMs: 5000,
});
