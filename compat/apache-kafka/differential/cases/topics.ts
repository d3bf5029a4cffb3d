/** Topics, partitions and the cluster: made, changed, described. */
import type { ApiTypes } from '../../../../src/wire/generated/apis.ts';
import { type Case, many, NO_SUCH_ID, one, ZERO_ID } from '../case.ts';
import type { Conversation } from '../conversation.ts';

type Creatable = ApiTypes['createTopics']['requestDraft']['topics'][number];

const creatable = (name: string, more: Partial<Creatable> = {}): Creatable => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
});
const create = (topics: readonly Creatable[], validateOnly = false): ApiTypes['createTopics']['requestDraft'] => ({
  topics: [...topics],
  timeoutMs: 10_000,
  validateOnly,
});
const config = (name: string, value: string | null): { configs: { name: string; value: string | null }[] } => ({
  configs: [{ name, value }],
});
const created =
  (what: string, more: Partial<Creatable> = {}) =>
  (x: Conversation) =>
    create([creatable(x.name(what), more)]);
const named = (name: string) => () => create([creatable(name)]);

/** At the ends of what each codec has, and beyond. */
const LEVELS: Readonly<Record<string, readonly string[]>> = {
  gzip: ['-2', '-1', '0', '1', '9', '10'],
  lz4: ['-1', '0', '1', '9', '12', '17', '18', '5.5', ''],
  zstd: ['-131073', '-131072', '-1', '0', '22', '23', '2147483648'],
};

const CREATE: readonly Case[] = [
  one('createTopics', 'one partition', created('a')),
  one('createTopics', 'seven partitions', created('a', { numPartitions: 7 })),
  one('createTopics', 'defaults of the broker', created('a', { numPartitions: -1, replicationFactor: -1 }), { from: 4 }),
  one('createTopics', 'no topics at all', () => create([])),
  one('createTopics', 'only validated', (x) => create([creatable(x.name('a'), { numPartitions: 3 })], true)),
  one('createTopics', 'zero partitions', created('a', { numPartitions: 0 })),
  one('createTopics', 'minus two partitions', created('a', { numPartitions: -2 })),
  one('createTopics', 'zero replicas', created('a', { replicationFactor: 0 })),
  one('createTopics', 'two replicas on one broker', created('a', { replicationFactor: 2 })),
  one('createTopics', 'the empty name', named('')),
  one('createTopics', 'a dot', named('.')),
  one('createTopics', 'two dots', named('..')),
  one('createTopics', 'a slash in the name', named('a/b')),
  one('createTopics', 'a space in the name', named('a b')),
  one('createTopics', 'a letter beyond ASCII', named('straße')),
  one('createTopics', '249 characters', (x) => create([creatable(x.name('').padEnd(249, 'x'))])),
  one('createTopics', '250 characters', (x) => create([creatable(x.name('').padEnd(250, 'x'))])),
  one('createTopics', 'an internal topic', named('__cluster_metadata')),
  one('createTopics', 'the same twice in a request', (x) =>
    create([creatable(x.name('a')), creatable(x.name('a'), { numPartitions: 2 })]),
  ),
  one('createTopics', 'one good, one bad', (x) =>
    create([creatable(x.name('good')), creatable(x.name('bad'), { numPartitions: 0 })]),
  ),
  many('createTopics', 'what is there', async (x) => {
    const { name } = await x.topic('a');
    await x.call('createTopics', create([creatable(name)]));
  }),
  many('createTopics', 'a name that collides', async (x) => {
    const name = x.name('a.b_c');
    await x.call('createTopics', create([creatable(name)]));
    await x.call('createTopics', create([creatable(name.replace('a.b_c', 'a_b.c'))]));
  }),
  one(
    'createTopics',
    'with assignments',
    created('a', {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [
        { partitionIndex: 0, brokerIds: [1] },
        { partitionIndex: 1, brokerIds: [1] },
      ],
    }),
  ),
  one('createTopics', 'assignments and a count', created('a', { assignments: [{ partitionIndex: 0, brokerIds: [1] }] })),
  one(
    'createTopics',
    'assigned to no broker',
    created('a', { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [] }] }),
  ),
  one(
    'createTopics',
    'assigned to a broker that is not there',
    created('a', { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [99] }] }),
  ),
  one(
    'createTopics',
    'assigned twice to a broker',
    created('a', { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [1, 1] }] }),
  ),
  one(
    'createTopics',
    'assignments with a hole',
    created('a', {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [
        { partitionIndex: 0, brokerIds: [1] },
        { partitionIndex: 2, brokerIds: [1] },
      ],
    }),
  ),
  one(
    'createTopics',
    'configs',
    created('a', {
      configs: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'retention.ms', value: '1000' },
        { name: 'max.message.bytes', value: '2000' },
      ],
    }),
  ),
  one('createTopics', 'a config that is none', created('a', config('no.such.config', '1'))),
  one('createTopics', 'a config that is no number', created('a', config('retention.ms', 'soon'))),
  one('createTopics', 'a config out of range', created('a', config('segment.bytes', '1'))),
  one('createTopics', 'a config out of its list', created('a', config('cleanup.policy', 'shred'))),
  one('createTopics', 'a boolean that is none', created('a', config('preallocate', 'perhaps'))),
  one('createTopics', 'a config without value', created('a', config('retention.ms', null))),
  one('createTopics', 'min.insync.replicas of zero', created('a', config('min.insync.replicas', '0'))),
  one('createTopics', 'compression.type unknown', created('a', config('compression.type', 'brotli'))),
  ...Object.entries(LEVELS).map(([codec, levels]) =>
    one('createTopics', `levels of ${codec}`, (x) =>
      create(levels.map((level, i) => creatable(x.name(`level${i}`), config(`compression.${codec}.level`, level)))),
    ),
  ),
  one('createTopics', 'message.timestamp.type unknown', created('a', config('message.timestamp.type', 'Sometimes'))),
  one('createTopics', 'local retention without remote storage', created('a', config('remote.storage.enable', 'true'))),
];

const deleted = (names: readonly string[], ids: readonly string[] = []): ApiTypes['deleteTopics']['requestDraft'] => ({
  topicNames: [...names],
  topics: [...names.map((name) => ({ name, topicId: ZERO_ID })), ...ids.map((topicId) => ({ name: null, topicId }))],
  timeoutMs: 10_000,
});

const DELETE: readonly Case[] = [
  one('deleteTopics', 'what is there', async (x) => deleted([(await x.topic('a', 3)).name])),
  one('deleteTopics', 'what is not there', (x) => deleted([x.name('a')])),
  one('deleteTopics', 'nothing', () => deleted([])),
  one('deleteTopics', 'the empty name', () => deleted([''])),
  one('deleteTopics', 'by id', async (x) => deleted([], [(await x.topic('a')).topicId]), { from: 6 }),
  one('deleteTopics', 'an id that is not there', () => deleted([], [NO_SUCH_ID]), { from: 6 }),
  one('deleteTopics', 'the zero id', () => deleted([], [ZERO_ID]), { from: 6 }),
  one(
    'deleteTopics',
    'by name and by id',
    async (x) => {
      const topic = await x.topic('a');
      return { topicNames: [], topics: [topic], timeoutMs: 10_000 };
    },
    { from: 6 },
  ),
  one('deleteTopics', 'one that is there and one that is not', async (x) => deleted([(await x.topic('a')).name, x.name('b')])),
  one('deleteTopics', 'the same twice', async (x) => {
    const { name } = await x.topic('a');
    return deleted([name, name]);
  }),
  many('deleteTopics', 'twice in a row, then made again', async (x) => {
    const { name } = await x.topic('a');
    await x.call('deleteTopics', deleted([name]));
    await x.call('deleteTopics', deleted([name]));
    await x.call('createTopics', create([creatable(name)]));
  }),
];

const grow = (
  name: string,
  count: number,
  assignments: { brokerIds: number[] }[] | null = null,
  validateOnly = false,
): ApiTypes['createPartitions']['requestDraft'] => ({
  topics: [{ name, count, assignments }],
  timeoutMs: 10_000,
  validateOnly,
});

const GROW: readonly Case[] = [
  one('createPartitions', 'one to four', async (x) => grow((await x.topic('a')).name, 4)),
  one('createPartitions', 'to as many', async (x) => grow((await x.topic('a', 3)).name, 3)),
  one('createPartitions', 'to fewer', async (x) => grow((await x.topic('a', 3)).name, 2)),
  one('createPartitions', 'to none', async (x) => grow((await x.topic('a', 3)).name, 0)),
  one('createPartitions', 'to minus one', async (x) => grow((await x.topic('a', 3)).name, -1)),
  one('createPartitions', 'of what is not there', (x) => grow(x.name('a'), 3)),
  one('createPartitions', 'only validated', async (x) => grow((await x.topic('a')).name, 4, null, true)),
  one('createPartitions', 'assigned', async (x) => grow((await x.topic('a')).name, 3, [{ brokerIds: [1] }, { brokerIds: [1] }])),
  one('createPartitions', 'too few assigned', async (x) => grow((await x.topic('a')).name, 3, [{ brokerIds: [1] }])),
  one('createPartitions', 'too many assigned', async (x) =>
    grow((await x.topic('a')).name, 2, [{ brokerIds: [1] }, { brokerIds: [1] }]),
  ),
  one('createPartitions', 'assigned to a broker that is not there', async (x) =>
    grow((await x.topic('a')).name, 2, [{ brokerIds: [9] }]),
  ),
  one('createPartitions', 'assigned unevenly', async (x) => grow((await x.topic('a')).name, 2, [{ brokerIds: [] }])),
  one('createPartitions', 'the same topic twice', async (x) => {
    const { name } = await x.topic('a');
    return {
      topics: [
        { name, count: 2, assignments: null },
        { name, count: 3, assignments: null },
      ],
      timeoutMs: 10_000,
      validateOnly: false,
    };
  }),
];

const asked = (
  names: readonly (string | null)[] | null,
  more: Partial<ApiTypes['metadata']['requestDraft']> = {},
): ApiTypes['metadata']['requestDraft'] => ({
  topics: names?.map((name) => ({ name, topicId: ZERO_ID })) ?? null,
  allowAutoTopicCreation: false,
  ...more,
});

const DESCRIBE: readonly Case[] = [
  one('metadata', 'a topic', async (x) => asked([(await x.topic('a', 3)).name])),
  one('metadata', 'no topics', () => asked([]), { from: 1 }),
  one('metadata', 'all topics', async (x) => {
    await x.topic('a', 2);
    await x.topic('b');
    return x.version === 0 ? asked([]) : asked(null);
  }),
  one('metadata', 'a topic that is not there', (x) => asked([x.name('a')]), { from: 4 }),
  one('metadata', 'names that cannot be', () => asked(['a b', '', 'x'.repeat(250)]), { from: 4 }),
  one('metadata', 'a topic twice', async (x) => {
    const { name } = await x.topic('a');
    return asked([name, name]);
  }),
  one('metadata', 'by id', async (x) => asked(null, { topics: [{ name: null, topicId: (await x.topic('a')).topicId }] }), {
    from: 10,
  }),
  one('metadata', 'an id that is not there', () => asked(null, { topics: [{ name: null, topicId: NO_SUCH_ID }] }), { from: 10 }),
  one('metadata', 'without name and id', () => asked([null]), { from: 10 }),
  one(
    'metadata',
    'with rights',
    async (x) =>
      asked([(await x.topic('a')).name], { includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }),
    { from: 8 },
  ),
  many('metadata', 'a topic into being', async (x) => {
    const name = x.name('a');
    await x.call('metadata', asked([name], { allowAutoTopicCreation: true }));
    await x.settle('metadata', asked([name]), (answer) => answer.topics.map((topic) => topic.errorCode));
    await x.call('metadata', asked([name]));
  }),
  one('describeTopicPartitions', 'two topics', async (x) => {
    const topics = [await x.topic('a', 2), await x.topic('b', 3)];
    return { topics: topics.map(({ name }) => ({ name })), responsePartitionLimit: 2000, cursor: null };
  }),
  one('describeTopicPartitions', 'page by page', async (x) => {
    const topics = [await x.topic('a', 2), await x.topic('b', 3)];
    return { topics: topics.map(({ name }) => ({ name })), responsePartitionLimit: 3, cursor: null };
  }),
  one('describeTopicPartitions', 'from a cursor', async (x) => {
    const topics = [await x.topic('a', 2), await x.topic('b', 3)];
    return {
      topics: topics.map(({ name }) => ({ name })),
      responsePartitionLimit: 2,
      cursor: { topicName: x.name('b'), partitionIndex: 1 },
    };
  }),
  one('describeTopicPartitions', 'what is not there', (x) => ({
    topics: [{ name: x.name('a') }],
    responsePartitionLimit: 2000,
    cursor: null,
  })),
  one('describeTopicPartitions', 'a cursor before the first partition', async (x) => ({
    topics: [{ name: (await x.topic('a')).name }],
    responsePartitionLimit: 2000,
    cursor: { topicName: x.name('a'), partitionIndex: -1 },
  })),
  one('describeTopicPartitions', 'a limit of zero', async (x) => ({
    topics: [{ name: (await x.topic('a', 2)).name }],
    responsePartitionLimit: 0,
    cursor: null,
  })),
  one('describeCluster', 'brokers', () => ({ includeClusterAuthorizedOperations: false })),
  one('describeCluster', 'rights', () => ({ includeClusterAuthorizedOperations: true })),
  one(
    'describeCluster',
    'fenced brokers too',
    () => ({ includeClusterAuthorizedOperations: false, includeFencedBrokers: true }),
    { from: 2 },
  ),
  one('describeCluster', 'controllers, of a broker', () => ({ includeClusterAuthorizedOperations: false, endpointType: 2 }), {
    from: 1,
  }),
  one(
    'describeCluster',
    'an endpoint type that is none',
    () => ({ includeClusterAuthorizedOperations: false, endpointType: 7 }),
    { from: 1 },
  ),
  one('alterReplicaLogDirs', 'nothing', () => ({ dirs: [] })),
  one('alterReplicaLogDirs', 'a directory of no topics', () => ({ dirs: [{ path: '/nowhere', topics: [] }] })),
  one('alterReplicaLogDirs', 'no such directory', async (x) => {
    const topics = [{ name: (await x.topic('a', 2)).name, partitions: [0, 1, 7] }];
    return { dirs: ['/nowhere', ''].map((path) => ({ path, topics })) };
  }),
  one('alterReplicaLogDirs', 'a name too long for a copy', () => ({
    dirs: [{ path: '/nowhere', topics: [{ name: 'x'.repeat(220), partitions: [0] }] }],
  })),
  one('describeLogDirs', 'all', async (x) => {
    await x.topic('a', 2);
    return { topics: null };
  }),
  one('describeLogDirs', 'a topic with records', async (x) => {
    const topic = await x.topic('a', 2);
    await x.append(topic, x.batch(['one', 'two']));
    return { topics: [{ topic: topic.name, partitions: [0, 1] }] };
  }),
  one('describeLogDirs', 'nothing', () => ({ topics: [] })),
  one('describeLogDirs', 'what is not there', (x) => ({ topics: [{ topic: x.name('a'), partitions: [0] }] })),
];

export const TOPIC_CASES: readonly Case[] = [...CREATE, ...DELETE, ...GROW, ...DESCRIBE];
