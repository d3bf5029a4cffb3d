/** Records fetched, with sessions and without. */
import { type Case, many, one, NO_SUCH_ID, ZERO_ID } from '../../case.ts';
import { fetched, filled } from './acts.ts';

export const FETCHED: readonly Case[] = [
  ...[0, 1, 3, 5, 6].map((offset) => one('fetch', `from offset ${offset} of six`, async (x) => fetched(await filled(x), offset))),
  one('fetch', 'beyond the end', async (x) => fetched(await filled(x), 7)),
  one('fetch', 'below zero', async (x) => fetched(await filled(x), -1)),
  one('fetch', 'one byte', async (x) => fetched(await filled(x), 2, { partitionMaxBytes: 1 })),
  one('fetch', 'one byte of the whole', async (x) => fetched(await filled(x), 0, { maxBytes: 1 })),
  one('fetch', 'committed only', async (x) => fetched(await filled(x), 0, { isolationLevel: 1 })),
  one('fetch', 'a partition that is not there', async (x) => fetched(await filled(x), 0, { partition: 4 })),
  one('fetch', 'a topic that is not there', (x) => fetched({ name: x.name('a'), topicId: NO_SUCH_ID }, 0)),
  one('fetch', 'the zero id', (x) => fetched({ name: x.name('a'), topicId: ZERO_ID }, 0), { from: 13 }),
  one('fetch', 'the right epoch', async (x) => fetched(await filled(x), 0, { currentLeaderEpoch: 0 })),
  one('fetch', 'an epoch to come', async (x) => fetched(await filled(x), 0, { currentLeaderEpoch: 7 }), { from: 9 }),
  one('fetch', 'nothing', () => ({ replicaId: -1, maxWaitMs: 10, minBytes: 1, topics: [], forgottenTopicsData: [] })),
  one('fetch', 'more bytes than there are', async (x) => fetched(await filled(x), 0, { minBytes: 1_000_000, maxWaitMs: 50 })),
  one(
    'fetch',
    'diverging epochs',
    async (x) => {
      const topic = await filled(x);
      const draft = fetched(topic, 6);
      return {
        ...draft,
        topics: draft.topics.map((one) => ({
          ...one,
          partitions: one.partitions.map((partition) => ({ ...partition, lastFetchedEpoch: 5 })),
        })),
      };
    },
    { from: 12 },
  ),
  many(
    'fetch',
    'with a session',
    async (x) => {
      const topic = await filled(x, 2);
      const opening = fetched(topic, 0, { sessionEpoch: 0 });
      const { sessionId } = await x.call('fetch', opening);
      await x.call('fetch', { ...fetched(topic, 6), sessionId, sessionEpoch: 1, maxWaitMs: 20 });
      await x.append(topic, x.batch(['g']));
      await x.call('fetch', { ...opening, topics: [], sessionId, sessionEpoch: 2 });
      await x.call('fetch', { ...opening, topics: [], sessionId, sessionEpoch: 7 });
      await x.call('fetch', { ...fetched(topic, 0, { partition: 1 }), sessionId, sessionEpoch: 3, maxWaitMs: 20 });
      await x.call('fetch', {
        ...opening,
        topics: [],
        forgottenTopicsData: [{ topic: topic.name, topicId: topic.topicId, partitions: [0] }],
        sessionId,
        sessionEpoch: 4,
        maxWaitMs: 20,
      });
      await x.call('fetch', { ...fetched(topic, 0), sessionId, sessionEpoch: -1 });
      await x.call('fetch', { ...opening, topics: [], sessionId, sessionEpoch: 5 });
      await x.call('fetch', { ...opening, topics: [], sessionId: 123_456, sessionEpoch: 1 });
    },
    { from: 7 },
  ),
  many('fetch', 'waits for what comes', async (x) => {
    const topic = await x.topic('a');
    const waiting = x.call('fetch', fetched(topic, 0, { maxWaitMs: 10_000 }), { on: 'reader', quiet: true });
    await x.append(topic, x.batch(['late']));
    const answer = await waiting;
    for (const one of answer.responses.flatMap(({ partitions }) => partitions)) {
      // Apache Kafka looks at these before it reads: where the write comes in between, they are those from before it.
      one.highWatermark = -1n;
      one.lastStableOffset = -1n;
    }
    x.note('fetch', answer);
  }),
];
