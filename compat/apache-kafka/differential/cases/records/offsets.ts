/** Offsets found by time and by epoch. */
import { type Case, one, ZERO_ID } from '../../case.ts';
import { filled, listed } from './acts.ts';

export const OFFSETS: readonly Case[] = [
  ...[-1, -2, -3, -4, -5, -6, -7, -99].map((special) =>
    one('listOffsets', `timestamp ${special}`, async (x) => listed(await filled(x), special)),
  ),
  ...[-1, -2, -3, -4, -5, -6].map((special) =>
    one('listOffsets', `timestamp ${special} of an empty log`, async (x) => listed(await x.topic('a'), special)),
  ),
  ...[0, 1, 2, 3].map((after) =>
    one('listOffsets', `${after} ms after the first`, async (x) => listed(await filled(x), x.run.timestamp + after)),
  ),
  one('listOffsets', 'before all', async (x) => listed(await filled(x), 0)),
  one('listOffsets', 'after all', async (x) => listed(await filled(x), x.run.timestamp + 1_000_000)),
  one('listOffsets', 'committed only', async (x) => listed(await filled(x), -1, { isolationLevel: 1 })),
  one('listOffsets', 'a partition that is not there', async (x) => listed(await filled(x), -1, { partitionIndex: 3 })),
  one('listOffsets', 'a topic that is not there', (x) => listed({ name: x.name('a'), topicId: ZERO_ID }, -1)),
  one('listOffsets', 'an epoch to come', async (x) => listed(await filled(x), -1, { currentLeaderEpoch: 3 }), { from: 4 }),
  one('listOffsets', 'a partition twice', async (x) => {
    const { topics, ...draft } = listed(await filled(x), -1);
    return { ...draft, topics: topics.map((topic) => ({ ...topic, partitions: [...topic.partitions, ...topic.partitions] })) };
  }),
  ...[-1, 0, 1].map((leaderEpoch) =>
    one('offsetForLeaderEpoch', `epoch ${leaderEpoch}`, async (x) => ({
      replicaId: -1,
      topics: [{ topic: (await filled(x)).name, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }] }],
    })),
  ),
  one('offsetForLeaderEpoch', 'a leader epoch to come', async (x) => ({
    replicaId: -1,
    topics: [{ topic: (await filled(x)).name, partitions: [{ partition: 0, currentLeaderEpoch: 4, leaderEpoch: 0 }] }],
  })),
  one('offsetForLeaderEpoch', 'what is not there', (x) => ({
    replicaId: -1,
    topics: [{ topic: x.name('a'), partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
  })),
];
