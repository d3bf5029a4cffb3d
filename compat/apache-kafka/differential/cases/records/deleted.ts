/** Records deleted. */
import type { ApiTypes } from '../../../../../src/wire/generated/apis.ts';
import { type Case, many, one } from '../../case.ts';
import { fetched, filled, listed } from './acts.ts';

const cut = (name: string, partitionIndex: number, offset: number): ApiTypes['deleteRecords']['requestDraft'] => ({
  topics: [{ name, partitions: [{ partitionIndex, offset }] }],
  timeoutMs: 5000,
});

export const DELETED: readonly Case[] = [
  ...[0, 2, 4, 6, -1].map((offset) =>
    many('deleteRecords', `before ${offset} of six`, async (x) => {
      const topic = await filled(x);
      await x.call('deleteRecords', cut(topic.name, 0, offset));
      await x.call('listOffsets', listed(topic, -2));
      await x.call('fetch', fetched(topic, 0));
      await x.call('fetch', fetched(topic, 4));
    }),
  ),
  one('deleteRecords', 'beyond the end', async (x) => cut((await filled(x)).name, 0, 7)),
  one('deleteRecords', 'below minus one', async (x) => cut((await filled(x)).name, 0, -2)),
  one('deleteRecords', 'a partition that is not there', async (x) => cut((await filled(x)).name, 3, 1)),
  one('deleteRecords', 'a topic that is not there', (x) => cut(x.name('a'), 0, 1)),
  one('deleteRecords', 'where the topic is compacted', async (x) =>
    cut((await x.topic('a', 1, { 'cleanup.policy': 'compact' })).name, 0, 0),
  ),
];
