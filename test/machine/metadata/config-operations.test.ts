/** Configs are altered resource by resource, with Kafka's errors and texts. */
import { expect } from 'chai';
import { ConfigResourceType, ConfigSource } from '../../../src/wire/config-resource.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { describedConfigs } from '../../../src/machine/metadata/config-description.ts';
import { Cluster } from './cluster.ts';

const { TOPIC, BROKER, GROUP, CLIENT_METRICS } = ConfigResourceType;
const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

function withTopic(properties: Readonly<Record<string, string>> = {}): Cluster {
  const cluster = new Cluster({ properties });
  cluster.create('a');
  return cluster;
}

function shown(cluster: Cluster, type: number, resource: string, config: string) {
  const found = describedConfigs({ type, name: resource }, cluster.image, 1, cluster.properties);
  if (!found.ok) throw new Error(`${found.error.message}`);
  const one = found.configs.find(({ name }) => name === config);
  return one === undefined ? undefined : { value: one.value, source: one.source, synonyms: one.synonyms };
}

describe('altering configs', () => {
  it('sets, deletes, appends and takes away', () => {
    const cluster = withTopic();
    const policy = () => cluster.image.configsOf(TOPIC, 'a').get('cleanup.policy');
    expect(cluster.alter(TOPIC, 'a', [['cleanup.policy', APPEND, 'compact']])).to.deep.equal([0, null]);
    expect(policy()).to.equal('delete,compact');
    expect(cluster.alter(TOPIC, 'a', [['cleanup.policy', SUBTRACT, 'delete']])).to.deep.equal([0, null]);
    expect(policy()).to.equal('compact');
    expect(cluster.alter(TOPIC, 'a', [['cleanup.policy', SET, 'delete']])).to.deep.equal([0, null]);
    expect(cluster.changes).to.deep.equal([
      { kind: 'configsChanged', resource: { type: TOPIC, name: 'a' }, names: ['cleanup.policy'] },
    ]);
    expect(cluster.alter(TOPIC, 'a', [['cleanup.policy', DELETE, null]])).to.deep.equal([0, null]);
    expect(policy()).to.equal(undefined);
  });

  it('writes nothing when nothing changes, except for brokers', () => {
    const cluster = withTopic();
    cluster.alter(TOPIC, 'a', [['retention.ms', SET, '5']]);
    cluster.alter(TOPIC, 'a', [['retention.ms', SET, '5']]);
    expect(cluster.records).to.deep.equal([]);
    cluster.alter(BROKER, '', [['message.max.bytes', SET, '5']]);
    cluster.alter(BROKER, '', [['message.max.bytes', SET, '5']]);
    expect(cluster.records).to.have.length(1);
  });

  it('changes nothing when it is only to be checked', () => {
    const cluster = withTopic();
    expect(cluster.alter(TOPIC, 'a', [['retention.ms', SET, '5']], true)).to.deep.equal([0, null]);
    expect(cluster.image.configsOf(TOPIC, 'a').size).to.equal(0);
  });

  const REFUSALS: readonly [string, number, string, Parameters<Cluster['alter']>[2], number, string][] = [
    [
      'a topic that is not there',
      TOPIC,
      'x',
      [['retention.ms', SET, '5']],
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      "The topic 'x' does not exist.",
    ],
    [
      'all topics',
      TOPIC,
      '',
      [['retention.ms', SET, '5']],
      ErrorCode.INVALID_REQUEST,
      'Default topic resources are not allowed.',
    ],
    [
      'a config twice',
      TOPIC,
      'a',
      [
        ['retention.ms', SET, '5'],
        ['retention.ms', SET, '6'],
      ],
      ErrorCode.INVALID_REQUEST,
      'Error due to duplicate config keys',
    ],
    [
      'a null to set',
      TOPIC,
      'a',
      [['retention.ms', SET, null]],
      ErrorCode.INVALID_REQUEST,
      'Null value not supported for : retention.ms',
    ],
    [
      'appending to a number',
      TOPIC,
      'a',
      [['retention.ms', APPEND, '5']],
      ErrorCode.INVALID_CONFIG,
      "Can't APPEND to key retention.ms because its type is not LIST.",
    ],
    [
      'the first of several values in the order in which they are defined, and not of their names',
      TOPIC,
      'a',
      [
        ['cleanup.policy', SET, 'burn'],
        ['segment.bytes', SET, 'many'],
      ],
      ErrorCode.INVALID_CONFIG,
      'Invalid value many for configuration segment.bytes: Not a number of type INT',
    ],
    [
      'a name that is not defined before any value, and of two the first of a hash map',
      GROUP,
      'a',
      [
        ['share.session.timeout.ms', SET, 'long'],
        ['x', SET, '1'],
        ['a', SET, '1'],
      ],
      ErrorCode.INVALID_CONFIG,
      'Unknown group config name: a',
    ],
    [
      'the first of several changes that cannot be as a hash map has them',
      GROUP,
      'a',
      [
        ['x', SUBTRACT, '1'],
        ['a', APPEND, '1'],
      ],
      ErrorCode.INVALID_CONFIG,
      "Can't APPEND to key a because its type is not LIST.",
    ],
    [
      'an undefined name of client metrics before a value',
      CLIENT_METRICS,
      'a',
      [
        ['interval.ms', SET, 'long'],
        ['x', SET, '1'],
      ],
      ErrorCode.INVALID_REQUEST,
      'Unknown client metrics configuration: x',
    ],
    [
      'the same tag twice, before any value',
      GROUP,
      'a',
      [
        ['share.session.timeout.ms', SET, 'long'],
        ['streams.rack.aware.assignment.tags', SET, 'zone , zone'],
      ],
      ErrorCode.INVALID_CONFIG,
      'streams.rack.aware.assignment.tags must not contain duplicate tag keys.',
    ],
    [
      'a value that is none of those allowed',
      TOPIC,
      'a',
      [['compression.type', SET, 'zip']],
      ErrorCode.INVALID_CONFIG,
      'Invalid value zip for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer',
    ],
    [
      'a level of lz4 that there is not',
      TOPIC,
      'a',
      [['compression.lz4.level', SET, '18']],
      ErrorCode.INVALID_CONFIG,
      'Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17',
    ],
    [
      'a level of gzip that there is not',
      TOPIC,
      'a',
      [['compression.gzip.level', SET, '0']],
      ErrorCode.INVALID_CONFIG,
      'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
    ],
    [
      'a compaction lag above its maximum',
      TOPIC,
      'a',
      [
        ['min.compaction.lag.ms', SET, '10'],
        ['max.compaction.lag.ms', SET, '5'],
      ],
      ErrorCode.INVALID_CONFIG,
      'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
    ],
    ['another broker', BROKER, '2', [], ErrorCode.INVALID_REQUEST, 'Unexpected broker id, expected 1, but received 2'],
    ['a broker that is no number', BROKER, 'one', [], ErrorCode.INVALID_REQUEST, 'Node id must be an integer, but it is: one'],
    [
      'a broker config that is fixed',
      BROKER,
      '1',
      [['broker.rack', SET, 'r']],
      ErrorCode.INVALID_REQUEST,
      'Cannot update these configs dynamically: [broker.rack]',
    ],
    [
      "one broker's config for all",
      BROKER,
      '',
      [['listeners', SET, 'PLAINTEXT://:1']],
      ErrorCode.INVALID_REQUEST,
      'Cannot update these configs at default cluster level, broker id must be specified: [listeners]',
    ],
    [
      'removing the least in-sync count',
      BROKER,
      '',
      [['min.insync.replicas', DELETE, null]],
      ErrorCode.INVALID_CONFIG,
      'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.',
    ],
    ['an unknown group config', GROUP, 'g', [['x', SET, '1']], ErrorCode.INVALID_CONFIG, 'Unknown group config name: x'],
    [
      'a group session that is too short',
      GROUP,
      'g',
      [['consumer.session.timeout.ms', SET, '1']],
      ErrorCode.INVALID_CONFIG,
      'consumer.session.timeout.ms must be in the range 45000 to 60000 inclusive.',
    ],
    [
      'a group assignor that nobody registered',
      GROUP,
      'g',
      [['streams.assignor.name', SET, 'x']],
      ErrorCode.INVALID_CONFIG,
      "streams.assignor.name 'x' is not a registered task assignor. Registered assignors are: [sticky].",
    ],
    [
      'an unknown group config before a value that is wrong',
      GROUP,
      'g',
      [
        ['consumer.session.timeout.ms', SET, 'x'],
        ['none', SET, '1'],
      ],
      ErrorCode.INVALID_CONFIG,
      'Unknown group config name: none',
    ],
    [
      'a metrics interval that is too short',
      CLIENT_METRICS,
      'm',
      [['interval.ms', SET, '10']],
      ErrorCode.INVALID_REQUEST,
      'Invalid value 10 for interval.ms, interval must be between 100 and 3600000 (1 hour)',
    ],
    ['a resource of no known type', 99, 'a', [], ErrorCode.INVALID_REQUEST, 'Unknown resource type 99'],
  ];
  for (const [what, type, resource, configs, error, message] of REFUSALS) {
    it(`refuses ${what}`, () => {
      const cluster = withTopic();
      expect(cluster.alter(type, resource, configs)).to.deep.equal([error, message]);
      expect(cluster.records).to.deep.equal([]);
    });
  }

  it('answers no text that an answer has no room for', () => {
    const cluster = withTopic();
    const long = 'x'.repeat(32_767);
    const UNKNOWN = [ErrorCode.UNKNOWN_SERVER_ERROR, null];
    expect(cluster.alter(TOPIC, 'a', [['compression.type', SET, long]])).to.deep.equal(UNKNOWN);
    expect(cluster.create('b', { configs: { 'compression.type': long } })).to.deep.equal(UNKNOWN);
    expect(cluster.alter(BROKER, '1', [['process.roles', APPEND, 'x']]), 'nothing to add to').to.deep.equal(UNKNOWN);
  });

  it('replaces everything with AlterConfigs', () => {
    const cluster = withTopic();
    cluster.alter(TOPIC, 'a', [
      ['retention.ms', SET, '5'],
      ['segment.ms', SET, '6'],
    ]);
    const resources = [{ resourceType: TOPIC, resourceName: 'a', configs: [{ name: 'segment.ms', value: '7' }] }];
    cluster.perform('alterConfigs', { validateOnly: false, resources });
    expect([...cluster.image.configsOf(TOPIC, 'a')]).to.deep.equal([['segment.ms', '7']]);
  });

  it('refuses a resource that a request names twice, and alters the others', () => {
    const cluster = withTopic();
    cluster.create('b');
    const one = (resourceName: string) => ({
      resourceType: TOPIC,
      resourceName,
      configs: [{ name: 'retention.ms', configOperation: SET, value: '5' }],
    });
    const reply = cluster.perform('incrementalAlterConfigs', { validateOnly: false, resources: [one('a'), one('b'), one('a')] });
    expect(reply.map(({ errorCode }) => errorCode)).to.deep.equal([ErrorCode.INVALID_REQUEST, 0, ErrorCode.INVALID_REQUEST]);
    expect(cluster.image.configsOf(TOPIC, 'a').size).to.equal(0);
  });

  it('forgets eligible leaders when the least in-sync count changes', () => {
    const cluster = withTopic();
    cluster.alter(TOPIC, 'a', [['min.insync.replicas', SET, '2']]);
    expect(cluster.records.map(({ kind }) => kind)).to.deep.equal(['ConfigRecord', 'ClearElrRecord']);
  });
});

describe('describing configs', () => {
  it('ranks topic, broker, all brokers, properties and defaults', () => {
    const cluster = withTopic({ 'message.max.bytes': '100' });
    const config = () => shown(cluster, TOPIC, 'a', 'max.message.bytes');
    expect(config()).to.deep.include({ value: '100', source: ConfigSource.STATIC_BROKER_CONFIG });
    cluster.alter(BROKER, '', [['message.max.bytes', SET, '200']]);
    expect(config()).to.deep.include({ value: '200', source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG });
    cluster.alter(BROKER, '1', [['message.max.bytes', SET, '300']]);
    expect(config()).to.deep.include({ value: '300', source: ConfigSource.DYNAMIC_BROKER_CONFIG });
    cluster.alter(TOPIC, 'a', [['max.message.bytes', SET, ' 400 ']]);
    expect(config()).to.deep.equal({
      value: '400',
      source: ConfigSource.DYNAMIC_TOPIC_CONFIG,
      synonyms: [
        { name: 'max.message.bytes', value: '400', source: ConfigSource.DYNAMIC_TOPIC_CONFIG },
        { name: 'message.max.bytes', value: '300', source: ConfigSource.DYNAMIC_BROKER_CONFIG },
        { name: 'message.max.bytes', value: '200', source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG },
        { name: 'message.max.bytes', value: '100', source: ConfigSource.STATIC_BROKER_CONFIG },
        { name: 'message.max.bytes', value: '1048588', source: ConfigSource.DEFAULT_CONFIG },
      ],
    });
  });

  it('turns hours into milliseconds, and never into -1', () => {
    expect(shown(withTopic({ 'log.retention.hours': '2' }), TOPIC, 'a', 'retention.ms')?.value).to.equal('7200000');
    expect(shown(withTopic({ 'log.retention.hours': '-5' }), TOPIC, 'a', 'retention.ms')?.value).to.equal('-1');
    expect(shown(withTopic({ 'log.retention.minutes': '1' }), TOPIC, 'a', 'retention.ms')?.value).to.equal('60000');
  });

  it('shows internal configs only where they are set', () => {
    const cluster = withTopic();
    expect(shown(cluster, TOPIC, 'a', 'internal.segment.bytes')).to.equal(undefined);
    expect(cluster.alter(TOPIC, 'a', [['internal.segment.bytes', SET, '1000']])).to.deep.equal([0, null]);
    expect(shown(cluster, TOPIC, 'a', 'internal.segment.bytes')?.value).to.equal('1000');
  });
});
