/** Configs of topics, and those of brokers as far as they do not name what only one broker has. */
import type { ApiTypes } from '../../../../src/wire/generated/apis.ts';
import { type Case, many, one } from '../case.ts';
import type { Conversation } from '../conversation.ts';

const TOPIC = 2;
const BROKER = 4;
const BROKER_LOGGER = 8;
const CLIENT_METRICS = 16;
const GROUP = 32;
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3];

const describe = (
  resourceType: number,
  resourceName: string,
  configurationKeys: string[] | null = null,
  more: object = {},
): ApiTypes['describeConfigs']['requestDraft'] => ({
  resources: [{ resourceType, resourceName, configurationKeys }],
  includeSynonyms: false,
  includeDocumentation: false,
  ...more,
});

const topicWith = async (x: Conversation, configs: Record<string, string> = {}): Promise<string> =>
  (await x.topic('a', 1, configs)).name;

const DESCRIBED: readonly Case[] = [
  one('describeConfigs', 'every config of a topic', async (x) => describe(TOPIC, await topicWith(x))),
  one('describeConfigs', 'with synonyms', async (x) =>
    describe(TOPIC, await topicWith(x, { 'retention.ms': '5000', 'cleanup.policy': 'compact,delete' }), null, {
      includeSynonyms: true,
    }),
  ),
  one('describeConfigs', 'some by name', async (x) =>
    describe(TOPIC, await topicWith(x), ['segment.bytes', 'cleanup.policy', 'no.such.config']),
  ),
  one('describeConfigs', 'an empty list of names', async (x) => describe(TOPIC, await topicWith(x), [])),
  one('describeConfigs', 'of a topic that is not there', (x) => describe(TOPIC, x.name('a'))),
  one('describeConfigs', 'of a name that cannot be', () => describe(TOPIC, 'a b')),
  one('describeConfigs', 'of the empty name', () => describe(TOPIC, '')),
  one('describeConfigs', 'of another broker', () => describe(BROKER, '99')),
  one('describeConfigs', 'of a broker that is no number', () => describe(BROKER, 'one')),
  one('describeConfigs', 'of the cluster’s brokers', () => describe(BROKER, '')),
  one('describeConfigs', 'some of a broker', () =>
    describe(
      BROKER,
      '1',
      [
        'num.partitions',
        'log.segment.bytes',
        'message.max.bytes',
        'log.retention.ms',
        'log.retention.hours',
        'min.insync.replicas',
        'auto.create.topics.enable',
        'compression.type',
        'log.cleanup.policy',
      ],
      { includeSynonyms: true },
    ),
  ),
  one('describeConfigs', 'every config of a broker', () => describe(BROKER, '1')),
  one('describeConfigs', 'every config of a broker with synonyms and documentation', () =>
    describe(BROKER, '1', null, { includeSynonyms: true, includeDocumentation: true }),
  ),
  one('describeConfigs', 'every config of a topic with documentation', async (x) =>
    describe(TOPIC, await topicWith(x), null, { includeSynonyms: true, includeDocumentation: true }),
  ),
  one('describeConfigs', 'every config of a group with synonyms and documentation', (x) =>
    describe(GROUP, x.name('g'), null, { includeSynonyms: true, includeDocumentation: true }),
  ),
  one('describeConfigs', 'of client metrics that are not there', (x) => describe(CLIENT_METRICS, x.name('m'))),
  one('describeConfigs', 'of client metrics without name', () => describe(CLIENT_METRICS, '')),
  one('describeConfigs', 'of a group without name', () => describe(GROUP, '')),
  one('describeConfigs', 'of loggers', () => describe(BROKER_LOGGER, '1', ['no.such.logger'])),
  one('describeConfigs', 'of loggers of another broker', () => describe(BROKER_LOGGER, '7')),
  one('describeConfigs', 'of loggers of no broker', () => describe(BROKER_LOGGER, '')),
  one('describeConfigs', 'of several resources, some bad', async (x) => ({
    resources: [
      { resourceType: TOPIC, resourceName: x.name('none'), configurationKeys: null },
      { resourceType: TOPIC, resourceName: await topicWith(x), configurationKeys: ['retention.ms'] },
      { resourceType: 0, resourceName: 'x', configurationKeys: null },
      { resourceType: BROKER, resourceName: 'x', configurationKeys: null },
      { resourceType: GROUP, resourceName: x.name('g'), configurationKeys: ['consumer.session.timeout.ms'] },
    ],
    includeSynonyms: true,
    includeDocumentation: false,
  })),
  one('describeConfigs', 'of a resource type that is none', () => describe(99, 'x')),
  one('describeConfigs', 'of a group', (x) => describe(GROUP, x.name('g'))),
];

const documented = one(
  'describeConfigs',
  'types of every config of a topic',
  async (x) => describe(TOPIC, await topicWith(x), null, { includeDocumentation: false }),
  { from: 3 },
);

const alter = (
  resourceName: string,
  configs: readonly [string, string | null][],
  validateOnly = false,
  resourceType = TOPIC,
): ApiTypes['alterConfigs']['requestDraft'] => ({
  resources: [{ resourceType, resourceName, configs: configs.map(([name, value]) => ({ name, value })) }],
  validateOnly,
});

const increment = (
  resourceName: string,
  configs: readonly [string, number, string | null][],
  validateOnly = false,
  resourceType = TOPIC,
): ApiTypes['incrementalAlterConfigs']['requestDraft'] => ({
  resources: [
    { resourceType, resourceName, configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })) },
  ],
  validateOnly,
});

/** What a broker is asked to become while it runs, only to be checked: nobody else is to see it. */
const RECONFIGURATIONS: readonly Readonly<Record<string, string>>[] = [
  ...['-1', '0', '1', '2', '3', '1000'].map((threads) => ({ 'log.cleaner.threads': threads })),
  ...['-5', '1048576', '1048577'].map((bytes) => ({ 'log.cleaner.dedupe.buffer.size': bytes })),
  { 'log.cleaner.dedupe.buffer.size': '2097153', 'log.cleaner.threads': '2' },
  { 'log.cleaner.dedupe.buffer.size': '2097154', 'log.cleaner.threads': '2' },
  ...['-1', '0'].map((bytes) => ({ 'log.cleaner.io.buffer.size': bytes })),
  ...['-1', '0', '2', 'NaN'].map((factor) => ({ 'log.cleaner.io.buffer.load.factor': factor })),
  ...['-1', '0', '1e400', 'abc'].map((rate) => ({ 'log.cleaner.io.max.bytes.per.second': rate })),
  ...['-1', '0'].map((ms) => ({ 'log.cleaner.backoff.ms': ms })),
  ...['-1', '0'].map((bytes) => ({ 'message.max.bytes': bytes })),
  ...['3', '4', '16', '17'].map((threads) => ({ 'num.io.threads': threads })),
  { 'num.replica.fetchers': '3' },
  { 'background.threads': '4' },
  { 'num.recovery.threads.per.data.dir': '5' },
  { 'num.network.threads': '7' },
  { 'remote.log.reader.threads': '100' },
  { 'log.cleaner.threads': '3', 'num.io.threads': '50' },
  { 'cordoned.log.dirs': '/no/such/directory' },
  { 'cordoned.log.dirs': '/no/such/directory,/nor/this' },
  { 'cordoned.log.dirs': '*,/no/such/directory' },
  { 'cordoned.log.dirs': '*' },
  { 'cordoned.log.dirs': '' },
];

const named = (configs: Readonly<Record<string, string>>): string =>
  Object.entries(configs)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/**
 * Alters, then shows what became of it: once a topic made later is there, since a broker of Apache Kafka learns of both from one log. AlterConfigs with a
 * resource twice is not here, because Apache Kafka never answers it.
 */
const altered = (name: string, configs: readonly [string, string | null][], before: Record<string, string> = {}): Case =>
  many('alterConfigs', name, async (x) => {
    const topic = await topicWith(x, before);
    await x.call('alterConfigs', alter(topic, configs));
    await x.topic('later');
    await x.call(
      'describeConfigs',
      describe(TOPIC, topic, ['retention.ms', 'cleanup.policy', 'max.message.bytes', 'segment.bytes']),
    );
  });

const incremented = (
  name: string,
  configs: readonly [string, number, string | null][],
  before: Record<string, string> = {},
): Case =>
  many('incrementalAlterConfigs', name, async (x) => {
    const topic = await topicWith(x, before);
    await x.call('incrementalAlterConfigs', increment(topic, configs));
    await x.topic('later');
    await x.call(
      'describeConfigs',
      describe(TOPIC, topic, ['retention.ms', 'cleanup.policy', 'max.message.bytes', 'segment.bytes']),
    );
  });

const ALTERED: readonly Case[] = [
  altered('replaces all', [['retention.ms', '7000']], { 'max.message.bytes': '9000' }),
  altered('to nothing', [], { 'max.message.bytes': '9000' }),
  altered('a value that is no number', [['retention.ms', 'x']]),
  altered('a config that is none', [['no.such.config', 'x']]),
  altered('a null value', [['retention.ms', null]]),
  altered('a config twice', [
    ['retention.ms', '1'],
    ['retention.ms', '2'],
  ]),
  one('alterConfigs', 'only validated', async (x) => alter(await topicWith(x), [['retention.ms', '1']], true)),
  one('alterConfigs', 'of a topic that is not there', (x) => alter(x.name('a'), [['retention.ms', '1']])),
  one('alterConfigs', 'of a resource type that is none', () => alter('x', [['retention.ms', '1']], false, 99)),
  incremented(
    'sets',
    [
      ['retention.ms', SET, '7000'],
      ['segment.bytes', SET, '1048576'],
    ],
    { 'max.message.bytes': '9000' },
  ),
  incremented('deletes', [['max.message.bytes', DELETE, null]], { 'max.message.bytes': '9000', 'retention.ms': '1' }),
  incremented('deletes what is not set', [['max.message.bytes', DELETE, null]]),
  incremented('appends to a list', [['cleanup.policy', APPEND, 'compact']]),
  incremented('appends what is there', [['cleanup.policy', APPEND, 'delete']]),
  incremented('subtracts from a list', [['cleanup.policy', SUBTRACT, 'delete']], { 'cleanup.policy': 'compact,delete' }),
  incremented('subtracts what is not there', [['cleanup.policy', SUBTRACT, 'compact']]),
  incremented('subtracts all', [['cleanup.policy', SUBTRACT, 'delete']]),
  incremented('appends to what is no list', [['retention.ms', APPEND, '5']]),
  incremented('sets without value', [['retention.ms', SET, null]]),
  incremented('an operation that is none', [['retention.ms', 9, '5']]),
  incremented('a config that is none', [['no.such.config', SET, '5']]),
  incremented('a value out of range', [['segment.bytes', SET, '3']]),
  incremented('a config twice', [
    ['retention.ms', SET, '5'],
    ['retention.ms', DELETE, null],
  ]),
  incremented('one good and one bad', [
    ['retention.ms', SET, '5'],
    ['segment.bytes', SET, 'x'],
  ]),
  one('incrementalAlterConfigs', 'only validated', async (x) =>
    increment(await topicWith(x), [['retention.ms', SET, '1']], true),
  ),
  one('incrementalAlterConfigs', 'of a topic that is not there', (x) => increment(x.name('a'), [['retention.ms', SET, '1']])),
  one('incrementalAlterConfigs', 'of a name that cannot be', () => increment('a b', [['retention.ms', SET, '1']])),
  ...['0', '1', '17', '18'].map((level) =>
    one('incrementalAlterConfigs', `level ${level} of lz4 for all brokers`, () =>
      increment('', [['compression.lz4.level', SET, level]], true, BROKER),
    ),
  ),
  one('incrementalAlterConfigs', 'of a broker that is not there', () =>
    increment('99', [['log.retention.ms', SET, '1']], true, BROKER),
  ),
  ...['1', ''].flatMap((broker) =>
    RECONFIGURATIONS.map((configs) =>
      one('incrementalAlterConfigs', `${broker === '' ? 'all brokers' : 'a broker'} with ${named(configs)}`, () =>
        increment(
          broker,
          Object.entries(configs).map(([name, value]) => [name, SET, value]),
          true,
          BROKER,
        ),
      ),
    ),
  ),
  one('incrementalAlterConfigs', 'of a resource type that is none', () =>
    increment('x', [['retention.ms', SET, '1']], false, 99),
  ),
];

export const CONFIG_CASES: readonly Case[] = [...DESCRIBED, documented, ...ALTERED];
