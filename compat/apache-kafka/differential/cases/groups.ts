/** Consumer groups, classic protocol. */
import type { ApiTypes } from '../../../../src/wire/generated/apis.ts';
import { type Case, many, NO_SUCH_ID, one } from '../case.ts';
import type { Conversation, Topic } from '../conversation.ts';

type Join = ApiTypes['joinGroup']['requestDraft'];

const SUBSCRIPTION = Buffer.from('0000000000010001740000000000000000', 'hex');
const ASSIGNMENT = Buffer.from('00000000000100017400000001000000000000', 'hex');

const joining = (groupId: string, more: Partial<Join> = {}): Join => ({
  groupId,
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 30_000,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: SUBSCRIPTION }],
  reason: null,
  ...more,
});

/** Joins as KIP-394 asks: once for an id, once with it. The second call alone where the first one already let it in. */
async function joined(
  x: Conversation,
  groupId: string,
  more: Partial<Join> = {},
  on = 'first',
): Promise<ApiTypes['joinGroup']['response']> {
  const first = await x.call('joinGroup', joining(groupId, more), { on });
  return first.errorCode === 79 ? x.call('joinGroup', joining(groupId, { ...more, memberId: first.memberId }), { on }) : first;
}

const synced = (
  groupId: string,
  member: { memberId: string; generationId: number },
  assignedTo: readonly string[],
  more: Partial<ApiTypes['syncGroup']['requestDraft']> = {},
): ApiTypes['syncGroup']['requestDraft'] => ({
  groupId,
  generationId: member.generationId,
  memberId: member.memberId,
  groupInstanceId: null,
  protocolType: 'consumer',
  protocolName: 'range',
  assignments: assignedTo.map((memberId) => ({ memberId, assignment: ASSIGNMENT })),
  ...more,
});

/** A group of one member, stable. */
async function stable(
  x: Conversation,
  what = 'g',
  more: Partial<Join> = {},
): Promise<{ groupId: string; memberId: string; generationId: number }> {
  const groupId = await x.group(what);
  const member = await joined(x, groupId, more);
  await x.call('syncGroup', synced(groupId, member, [member.memberId], { groupInstanceId: more.groupInstanceId ?? null }));
  return { groupId, memberId: member.memberId, generationId: member.generationId };
}

const beat = (
  groupId: string,
  memberId: string,
  generationId: number,
  groupInstanceId: string | null = null,
): ApiTypes['heartbeat']['requestDraft'] => ({ groupId, memberId, generationId, groupInstanceId });

const leaving = (
  groupId: string,
  memberId: string,
  groupInstanceId: string | null = null,
): ApiTypes['leaveGroup']['requestDraft'] => ({
  groupId,
  memberId,
  members: [{ memberId, groupInstanceId, reason: 'done' }],
});

const committed = (
  groupId: string,
  topic: Topic,
  offsets: readonly number[],
  more: Partial<ApiTypes['offsetCommit']['requestDraft']> = {},
): ApiTypes['offsetCommit']['requestDraft'] => ({
  groupId,
  generationIdOrMemberEpoch: -1,
  memberId: '',
  groupInstanceId: null,
  topics: [
    {
      ...topic,
      partitions: offsets.map((committedOffset, partitionIndex) => ({
        partitionIndex,
        committedOffset,
        committedLeaderEpoch: 0,
        committedMetadata: `at ${committedOffset}`,
      })),
    },
  ],
  ...more,
});

const offsetsOf = (
  groupId: string,
  topic: Topic | null,
  partitionIndexes: readonly number[] = [0, 1],
): ApiTypes['offsetFetch']['requestDraft'] => {
  const topics = topic === null ? null : [{ ...topic, partitionIndexes: [...partitionIndexes] }];
  return {
    groupId,
    topics: topics?.map(({ name, partitionIndexes: indexes }) => ({ name, partitionIndexes: indexes })) ?? null,
    groups: [{ groupId, topics, memberId: null, memberEpoch: -1 }],
    requireStable: false,
  };
};

const FOUND: readonly Case[] = [
  one('findCoordinator', 'of a group', async (x) => {
    const groupId = await x.group('g');
    return { key: groupId, keyType: 0, coordinatorKeys: [groupId, `${groupId}2`] };
  }),
  one('findCoordinator', 'of the empty group', () => ({ key: '', keyType: 0, coordinatorKeys: [''] })),
  one('findCoordinator', 'of a type that is none', () => ({ key: 'x', keyType: 9, coordinatorKeys: ['x'] }), { from: 1 }),
  one('findCoordinator', 'of nothing', () => ({ keyType: 0, coordinatorKeys: [] }), { from: 4 }),
];

const JOINED: readonly Case[] = [
  many('joinGroup', 'alone, twice', async (x) => {
    const groupId = await x.group('g');
    const first = await joined(x, groupId);
    await x.call('syncGroup', synced(groupId, first, [first.memberId]));
    await x.call('joinGroup', joining(groupId, { memberId: first.memberId }));
  }),
  many('joinGroup', 'two members', async (x) => {
    const groupId = await x.group('g');
    const first = await joined(x, groupId);
    await x.call('syncGroup', synced(groupId, first, [first.memberId]));
    const named = await x.call('joinGroup', joining(groupId), { on: 'second', version: 9 });
    const second = x.call('joinGroup', joining(groupId, { memberId: named.memberId }), { on: 'second', version: 9, quiet: true });
    await x.settle('describeGroups', { groups: [groupId] }, (answer) =>
      answer.groups.map((group) => (group.groupState === 'PreparingRebalance' ? 0 : 14)),
    );
    await x.call('heartbeat', beat(groupId, first.memberId, first.generationId));
    const again = await x.call('joinGroup', joining(groupId, { memberId: first.memberId }));
    const other = await second;
    x.note('joinGroup', other);
    const follower = x.call('syncGroup', synced(groupId, other, []), { on: 'second', quiet: true });
    await x.call('syncGroup', synced(groupId, again, [first.memberId, other.memberId]));
    x.note('syncGroup', await follower);
    await x.call('heartbeat', beat(groupId, other.memberId, other.generationId));
    await x.call('leaveGroup', leaving(groupId, other.memberId));
    await x.call('heartbeat', beat(groupId, first.memberId, again.generationId));
  }),
  many(
    'joinGroup',
    'static members',
    async (x) => {
      const member = await stable(x, 'g', { groupInstanceId: 'one' });
      await x.call('joinGroup', joining(member.groupId, { groupInstanceId: 'one' }));
      await x.call('heartbeat', beat(member.groupId, member.memberId, member.generationId, 'one'));
      await x.call('joinGroup', joining(member.groupId, { groupInstanceId: 'one', memberId: member.memberId }));
      await x.call('leaveGroup', leaving(member.groupId, '', 'one'));
      await x.call('leaveGroup', leaving(member.groupId, '', 'two'));
    },
    { from: 5 },
  ),
  one('joinGroup', 'the empty group', () => joining('')),
  one('joinGroup', 'a session too short', async (x) => joining(await x.group('g'), { sessionTimeoutMs: 5 })),
  one('joinGroup', 'a session too long', async (x) => joining(await x.group('g'), { sessionTimeoutMs: 2_000_000_000 })),
  one('joinGroup', 'a member that is not there', async (x) => joining(await x.group('g'), { memberId: 'nobody' })),
  one('joinGroup', 'no protocols', async (x) => joining(await x.group('g'), { protocols: [] })),
  one('joinGroup', 'no protocol type', async (x) => joining(await x.group('g'), { protocolType: '' })),
  one('joinGroup', 'an instance that cannot be named so', async (x) => joining(await x.group('g'), { groupInstanceId: 'a/b' }), {
    from: 5,
  }),
  one('joinGroup', 'an instance without name', async (x) => joining(await x.group('g'), { groupInstanceId: '' }), { from: 5 }),
  many('joinGroup', 'protocols that do not meet', async (x) => {
    const { groupId } = await stable(x);
    await x.call('joinGroup', joining(groupId, { protocols: [{ name: 'other', metadata: SUBSCRIPTION }] }), { on: 'second' });
    await x.call('joinGroup', joining(groupId, { protocolType: 'connect' }), { on: 'second' });
  }),
];

const SYNCED: readonly Case[] = [
  many('syncGroup', 'again, and wrongly', async (x) => {
    const member = await stable(x);
    await x.call('syncGroup', synced(member.groupId, member, []));
    await x.call('syncGroup', synced(member.groupId, { ...member, generationId: 9 }, []));
    await x.call('syncGroup', synced(member.groupId, { ...member, memberId: 'nobody' }, []));
    await x.call('syncGroup', synced(member.groupId, member, [], { protocolName: 'other' }));
    await x.call('syncGroup', synced(member.groupId, member, [], { protocolType: 'connect' }));
  }),
  many('syncGroup', 'a leader who assigns nothing', async (x) => {
    const groupId = await x.group('g');
    const member = await joined(x, groupId);
    await x.call('syncGroup', synced(groupId, member, []));
  }),
  one('syncGroup', 'a group that is not there', async (x) => synced(await x.group('g'), { memberId: 'm', generationId: 1 }, [])),
  one('syncGroup', 'the empty group', () => synced('', { memberId: 'm', generationId: 1 }, [])),
  many('heartbeat', 'well and wrongly', async (x) => {
    const { groupId, memberId, generationId } = await stable(x);
    await x.call('heartbeat', beat(groupId, memberId, generationId));
    await x.call('heartbeat', beat(groupId, memberId, generationId + 1));
    await x.call('heartbeat', beat(groupId, 'nobody', generationId));
    await x.call('heartbeat', beat(groupId, '', generationId));
  }),
  one('heartbeat', 'a group that is not there', async (x) => beat(await x.group('g'), 'm', 1)),
  one('heartbeat', 'the empty group', () => beat('', 'm', 1)),
  many('leaveGroup', 'once and again', async (x) => {
    const { groupId, memberId } = await stable(x);
    await x.call('leaveGroup', leaving(groupId, memberId));
    await x.call('leaveGroup', leaving(groupId, memberId));
    await x.call('describeGroups', { groups: [groupId] });
  }),
  one('leaveGroup', 'a group that is not there', async (x) => leaving(await x.group('g'), 'm')),
  one('leaveGroup', 'nobody', async (x) => ({ groupId: await x.group('g'), members: [] }), { from: 3 }),
];

const COMMITTED: readonly Case[] = [
  many('offsetCommit', 'without members', async (x) => {
    const [topic, groupId] = [await x.topic('a', 2), await x.group('g')];
    await x.call('offsetCommit', committed(groupId, topic, [5, 7]));
    await x.call('offsetFetch', offsetsOf(groupId, topic));
    await x.call('listGroups', {});
    await x.call('describeGroups', { groups: [groupId] });
  }),
  many('offsetCommit', 'as a member', async (x) => {
    const topic = await x.topic('a', 2);
    const { groupId, memberId, generationId } = await stable(x);
    const as = (id: string, generation: number): Promise<unknown> =>
      x.call('offsetCommit', committed(groupId, topic, [1], { memberId: id, generationIdOrMemberEpoch: generation }));
    await as(memberId, generationId);
    await as(memberId, generationId + 1);
    await as('nobody', generationId);
    await as('', -1);
    await x.call('offsetFetch', offsetsOf(groupId, topic));
  }),
  one('offsetCommit', 'a topic that is not there', async (x) =>
    committed(await x.group('g'), { name: x.name('a'), topicId: NO_SUCH_ID }, [1]),
  ),
  one('offsetCommit', 'a partition that is not there', async (x) => committed(await x.group('g'), await x.topic('a'), [1, 2])),
  one('offsetCommit', 'more metadata than may be', async (x) => {
    const [groupId, topic] = [await x.group('g'), await x.topic('a')];
    const draft = committed(groupId, topic, [1]);
    return {
      ...draft,
      topics: draft.topics.map((one) => ({
        ...one,
        partitions: one.partitions.map((partition) => ({ ...partition, committedMetadata: 'm'.repeat(4097) })),
      })),
    };
  }),
  one('offsetCommit', 'a negative offset', async (x) => committed(await x.group('g'), await x.topic('a'), [-5])),
  one('offsetCommit', 'a generation without group', async (x) =>
    committed(await x.group('g'), await x.topic('a'), [1], { memberId: 'm', generationIdOrMemberEpoch: 3 }),
  ),
  one('offsetCommit', 'the empty group', async (x) => committed('', await x.topic('a'), [1])),
  many('offsetCommit', 'a null note', async (x) => {
    const [groupId, topic] = [await x.group('g'), await x.topic('a')];
    await x.call('offsetCommit', {
      ...committed(groupId, topic, []),
      topics: [
        { ...topic, partitions: [{ partitionIndex: 0, committedOffset: 3, committedLeaderEpoch: -1, committedMetadata: null }] },
      ],
    });
    await x.call('offsetFetch', offsetsOf(groupId, topic));
  }),
  many('offsetFetch', 'all, some, none', async (x) => {
    const [topic, groupId] = [await x.topic('a', 3), await x.group('g')];
    await x.quiet('offsetCommit', committed(groupId, topic, [5, 7]));
    await x.call('offsetFetch', offsetsOf(groupId, topic, [0, 1, 2, 9]));
    if (x.version >= 2) await x.call('offsetFetch', offsetsOf(groupId, null));
    await x.call('offsetFetch', { ...offsetsOf(groupId, topic, []), requireStable: true });
    await x.call('offsetFetch', offsetsOf(x.name('other'), topic));
    await x.call('offsetFetch', offsetsOf(groupId, { name: x.name('b'), topicId: NO_SUCH_ID }));
  }),
  many(
    'offsetFetch',
    'several groups',
    async (x) => {
      const topic = await x.topic('a');
      const groups = [await x.group('g'), await x.group('h')];
      for (const groupId of groups) await x.quiet('offsetCommit', committed(groupId, topic, [5]));
      await x.call('offsetFetch', {
        groups: groups.map((groupId) => ({ groupId, topics: null, memberId: null, memberEpoch: -1 })),
        requireStable: true,
      });
    },
    { from: 8 },
  ),
  many('offsetDelete', 'of a group without members', async (x) => {
    const [topic, groupId] = [await x.topic('a', 2), await x.group('g')];
    await x.quiet('offsetCommit', committed(groupId, topic, [5, 7]));
    await x.call('offsetDelete', {
      groupId,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] }],
    });
    await x.call('offsetFetch', offsetsOf(groupId, topic));
  }),
  many('offsetDelete', 'of a group that subscribes', async (x) => {
    const topic = await x.topic('a');
    const { groupId } = await stable(x);
    await x.call('offsetDelete', {
      groupId,
      topics: [
        { name: topic.name, partitions: [{ partitionIndex: 0 }] },
        { name: 't', partitions: [{ partitionIndex: 0 }] },
      ],
    });
  }),
  one('offsetDelete', 'of a group that is not there', async (x) => ({
    groupId: await x.group('g'),
    topics: [{ name: (await x.topic('a')).name, partitions: [{ partitionIndex: 0 }] }],
  })),
];

const LISTED: readonly Case[] = [
  many('describeGroups', 'stable, empty and dead', async (x) => {
    const { groupId } = await stable(x, 'g', { groupInstanceId: 'one' });
    const empty = await x.group('empty');
    await x.quiet('offsetCommit', committed(empty, await x.topic('a'), [1]));
    await x.call('describeGroups', { groups: [groupId, empty, x.name('dead')], includeAuthorizedOperations: x.version >= 3 });
  }),
  one('describeGroups', 'the empty group', () => ({ groups: [''] })),
  one('describeGroups', 'none', () => ({ groups: [] })),
  many('listGroups', 'all, and by state and type', async (x) => {
    await stable(x);
    const empty = await x.group('empty');
    await x.quiet('offsetCommit', committed(empty, await x.topic('a'), [1]));
    await x.call('listGroups', {});
    await x.call('listGroups', { statesFilter: ['Empty'] });
    await x.call('listGroups', { statesFilter: ['stable', 'NoSuchState'] });
    await x.call('listGroups', { typesFilter: ['classic'] });
    await x.call('listGroups', { typesFilter: ['Consumer'] });
    await x.call('listGroups', { typesFilter: ['none-such'] });
  }),
  many('deleteGroups', 'empty, stable and dead', async (x) => {
    const { groupId } = await stable(x);
    const [topic, empty] = [await x.topic('a'), await x.group('empty')];
    await x.quiet('offsetCommit', committed(empty, topic, [1]));
    await x.call('deleteGroups', { groupsNames: [groupId, empty, x.name('dead')] });
    await x.call('offsetFetch', offsetsOf(empty, topic));
    await x.call('describeGroups', { groups: [empty] });
  }),
  one('deleteGroups', 'the empty group', () => ({ groupsNames: [''] })),
  one('deleteGroups', 'none', () => ({ groupsNames: [] })),
];

export const GROUP_CASES: readonly Case[] = [...FOUND, ...JOINED, ...SYNCED, ...COMMITTED, ...LISTED];
