/** Offsets that groups commit in transactions. */
import { type Case, many } from '../../case.ts';
import { ABORT, COMMIT, coordinated, producerOf, end, committing, committedOffsets } from './acts.ts';

export const GROUP_OFFSETS: readonly Case[] = [
  ...[COMMIT, ABORT].map((committed) =>
    many('txnOffsetCommit', `offsets of a transaction that is ${committed ? 'committed' : 'aborted'}`, async (x) => {
      const topic = await x.topic('a', 2);
      const groupId = await x.group('g');
      const producer = await producerOf(x);
      await x.quiet('offsetCommit', {
        groupId,
        topics: [{ ...topic, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'before' }] }],
      });
      await x.quiet('addOffsetsToTxn', { ...producer, groupId });
      await x.call('txnOffsetCommit', committing(producer, groupId, topic, 5));
      await x.call('txnOffsetCommit', committing(producer, groupId, topic, 6, { committedMetadata: null }));
      await committedOffsets(x, groupId, topic);
      await end(x, producer, committed);
      await committedOffsets(x, groupId, topic);
    }),
  ),
  many('txnOffsetCommit', 'offsets of a group that was not added', async (x) => {
    const topic = await x.topic('a', 2);
    const groupId = await x.group('g');
    const producer = await producerOf(x);
    await x.call('txnOffsetCommit', committing(producer, groupId, topic, 5));
    await committedOffsets(x, groupId, topic);
    await end(x, producer, ABORT);
    await committedOffsets(x, groupId, topic);
  }),
  many('txnOffsetCommit', 'by others, for others, of what is not there', async (x) => {
    const topic = await x.topic('a', 2);
    const groupId = await x.group('g');
    const producer = await producerOf(x);
    await x.quiet('addOffsetsToTxn', { ...producer, groupId });
    const commit = (more: Parameters<typeof committing>[4], to = topic, group = groupId) =>
      x.call('txnOffsetCommit', committing(producer, group, to, 5, more));
    await commit({ producerEpoch: 4 });
    await commit({ producerId: producer.producerId + 1_000_000n });
    await commit({ transactionalId: await coordinated(x, 'nobody') });
    await commit({ transactionalId: '' });
    await commit({ partitionIndex: 9 });
    await commit({}, { name: x.name('none'), topicId: 'bm8tc3VjaC10b3BpYy0xMg' });
    await commit({}, topic, '');
    await commit({ generationIdOrMemberEpoch: 3, memberId: 'm' });
    await commit({ memberId: 'm' });
    await commit({ groupInstanceId: 'i' });
    await commit({ committedMetadata: 'm'.repeat(5000) });
    await committedOffsets(x, groupId, topic);
    await end(x, producer, ABORT);
  }),
].map((each) => ({ ...each, alone: true }));
