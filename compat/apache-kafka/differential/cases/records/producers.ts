/** Ids of producers, and what a log knows of them. */
import { type Case, one } from '../../case.ts';
import { filled } from './acts.ts';

export const IDS: readonly Case[] = [
  one('initProducerId', 'without transactions', () => ({ transactionalId: null, transactionTimeoutMs: 60_000 })),
  one('initProducerId', 'with an empty transactional id', () => ({ transactionalId: '', transactionTimeoutMs: 60_000 })),
  one(
    'initProducerId',
    'an id without epoch',
    () => ({ transactionalId: null, transactionTimeoutMs: 60_000, producerId: 5, producerEpoch: -1 }),
    { from: 3 },
  ),
  one(
    'initProducerId',
    'an id and its epoch',
    () => ({ transactionalId: null, transactionTimeoutMs: 60_000, producerId: 5, producerEpoch: 3 }),
    { from: 3 },
  ),
  one('describeProducers', 'none', async (x) => ({ topics: [{ name: (await filled(x)).name, partitionIndexes: [0] }] })),
  one('describeProducers', 'what is not there', (x) => ({ topics: [{ name: x.name('a'), partitionIndexes: [0, 1] }] })),
  one('describeProducers', 'a partition that is not there', async (x) => ({
    topics: [{ name: (await filled(x)).name, partitionIndexes: [0, 5] }],
  })),
];
