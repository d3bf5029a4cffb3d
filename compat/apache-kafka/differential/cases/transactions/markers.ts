/** Markers as brokers of a cluster write them. */
import type { ApiTypes } from '../../../../../src/wire/generated/apis.ts';
import { type Case, many, one } from '../../case.ts';
import type { Topic } from '../../conversation.ts';
import {
  type Producer,
  ABORT,
  COMMIT,
  producerOf,
  add,
  send,
  read,
  describeProducers,
  committing,
  committedOffsets,
} from './acts.ts';

const marking = (
  producer: Producer,
  topic: Topic,
  transactionResult: boolean,
  more: { readonly coordinatorEpoch?: number; readonly partitions?: number[]; readonly transactionVersion?: number } = {},
): ApiTypes['writeTxnMarkers']['requestDraft'] => {
  const { coordinatorEpoch = 5, partitions = [0], transactionVersion = 0 } = more;
  const topics = [{ name: topic.name, partitionIndexes: partitions }];
  return { markers: [{ ...producer, transactionResult, coordinatorEpoch, transactionVersion, topics }] };
};

export const MARKERS: readonly Case[] = [
  one('writeTxnMarkers', 'none', () => ({ markers: [] })),
  ...[COMMIT, ABORT].map((committed) =>
    many('writeTxnMarkers', `of ${committed ? 'a commit' : 'an abort'}, again, by an older coordinator`, async (x) => {
      const topic = await x.topic('a', 2);
      const producer = await producerOf(x);
      await add(x, producer, topic, 0);
      await send(x, producer, topic, ['a', 'b']);
      await x.call('writeTxnMarkers', marking(producer, topic, committed, { partitions: [0, 7] }));
      await read(x, topic);
      await describeProducers(x, topic);
      await x.call('writeTxnMarkers', marking(producer, topic, committed));
      await x.call('writeTxnMarkers', marking(producer, topic, committed, { coordinatorEpoch: 4 }));
      await x.call('writeTxnMarkers', marking({ ...producer, producerEpoch: -1 }, topic, committed));
      await x.call('writeTxnMarkers', marking({ ...producer, producerEpoch: 3 }, topic, committed));
      await x.call('writeTxnMarkers', marking(producer, { ...topic, name: x.name('none') }, committed));
      await read(x, topic);
    }),
  ),
  many(
    'writeTxnMarkers',
    'of transactions of version 2, whose epoch has to rise',
    async (x) => {
      const topic = await x.topic('a');
      const producer = await producerOf(x);
      await send(x, producer, topic, ['a']);
      await x.call('writeTxnMarkers', marking(producer, topic, ABORT, { transactionVersion: 2 }));
      const bumped = { ...producer, producerEpoch: producer.producerEpoch + 1 };
      await x.call('writeTxnMarkers', marking(bumped, topic, ABORT, { transactionVersion: 2 }));
      await x.call('writeTxnMarkers', marking(bumped, topic, ABORT, { transactionVersion: 2 }));
      await read(x, topic);
    },
    { from: 2 },
  ),
  many('writeTxnMarkers', 'in the offsets of groups', async (x) => {
    const topic = await x.topic('a', 2);
    const groupId = await x.group('g');
    const producer = await producerOf(x);
    await x.call('txnOffsetCommit', committing(producer, groupId, topic, 5));
    const all = { topicId: '', name: '__consumer_offsets' };
    const partitions = Array.from({ length: 50 }, (_unused, i) => i);
    await x.call('writeTxnMarkers', marking(producer, all, COMMIT, { partitions }));
    await committedOffsets(x, groupId, topic);
  }),
];
