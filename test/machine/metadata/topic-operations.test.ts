/** Topics are created, deleted and grown with Kafka's errors and texts. */
import { expect } from 'chai';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { ZERO_UUID } from '../../../src/wire/uuid.ts';
import { Cluster } from './cluster.ts';

const NO_CHANGE = { timeoutMs: 0, validateOnly: false };
const plain = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] });

describe('creating topics', () => {
  it('gives partitions to the broker and tells of the topic once, whole', () => {
    const cluster = new Cluster();
    expect(cluster.create('orders', { partitions: 3, configs: { 'retention.ms': '5' } })).to.deep.equal([0, null]);
    expect(cluster.changes.map((change) => change.kind)).to.deep.equal(['topicCreated']);
    const topic = cluster.image.topicsByName.get('orders');
    expect([...(topic?.partitions.keys() ?? [])]).to.deep.equal([0, 1, 2]);
    expect(topic?.partitions.get(2)).to.deep.include({ replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 });
    expect(topic?.partitions.get(0)?.directories).to.deep.equal(cluster.image.brokers.get(1)?.logDirs);
    expect(cluster.image.configsOf(2, 'orders').get('retention.ms')).to.equal('5');
  });

  it('answers with counts, ids and the configs in force', () => {
    const cluster = new Cluster({ properties: { 'log.retention.hours': '2', 'num.partitions': '4' } });
    const topics = [{ ...plain('a'), numPartitions: -1, replicationFactor: -1, configs: [{ name: 'segment.ms', value: '77' }] }];
    const [reply] = cluster.perform('createTopics', { ...NO_CHANGE, topics });
    expect(reply).to.deep.include({ errorCode: 0, numPartitions: 4, replicationFactor: 1 });
    expect(reply?.topicId).to.equal(cluster.image.topicsByName.get('a')?.id);
    const byName = new Map(reply?.configs?.map((config) => [config.name, config]));
    expect(byName.get('retention.ms')).to.deep.include({ value: '7200000', configSource: 4 });
    expect(byName.get('segment.ms')).to.deep.include({ value: '77', configSource: 1 });
    expect(byName.get('cleanup.policy')).to.deep.include({ value: 'delete', configSource: 5 });
    expect(byName.has('internal.segment.bytes')).to.equal(false);
    const names = reply?.configs?.map((config) => config.name ?? '') ?? [];
    expect(names).to.deep.equal([...names].sort());
  });

  it('changes nothing when it is only to be checked', () => {
    const cluster = new Cluster();
    const [reply] = cluster.perform('createTopics', { timeoutMs: 0, validateOnly: true, topics: [plain('a')] });
    expect(reply?.errorCode).to.equal(0);
    expect(cluster.records).to.deep.equal([]);
  });

  const REFUSALS: readonly [string, string, Parameters<Cluster['create']>[1], number, string][] = [
    ['an empty name', '', {}, ErrorCode.INVALID_TOPIC_EXCEPTION, 'Topic name is invalid: the empty string is not allowed'],
    ['two dots', '..', {}, ErrorCode.INVALID_TOPIC_EXCEPTION, "Topic name is invalid: '..' is not allowed"],
    [
      'other characters',
      'a b',
      {},
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ],
    ['a name that exists', 'old.one', {}, ErrorCode.TOPIC_ALREADY_EXISTS, "Topic 'old.one' already exists."],
    [
      'a colliding name',
      'old_one',
      {},
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      "Topic 'old_one' collides with existing topic: old.one",
    ],
    [
      'no partitions',
      'a',
      { partitions: 0 },
      ErrorCode.INVALID_PARTITIONS,
      'Number of partitions was set to an invalid non-positive value.',
    ],
    [
      'no replicas',
      'a',
      { replicationFactor: 0 },
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    ],
    [
      'more replicas than brokers',
      'a',
      { replicationFactor: 2 },
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached because only 1 broker(s) are ' +
        'registered or some brokers have all their log directories cordoned.',
    ],
    [
      'an assignment and a count',
      'a',
      { partitions: 2, assignments: { 0: [1] } },
      ErrorCode.INVALID_REQUEST,
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    ],
    [
      'an unknown broker',
      'a',
      { assignments: { 0: [9] } },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes broker 9, but no such broker is registered.',
    ],
    [
      'a broker twice',
      'a',
      { assignments: { 0: [1, 1] } },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes the broker 1 more than once.',
    ],
    [
      'gaps in an assignment',
      'a',
      { assignments: { 0: [1], 2: [1] } },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'partitions should be a consecutive 0-based integer sequence',
    ],
    ['an unknown config', 'a', { configs: { nope: '1' } }, ErrorCode.INVALID_CONFIG, 'Unknown topic config name: nope'],
    [
      'a config of the wrong type',
      'a',
      { configs: { 'retention.ms': 'abc' } },
      ErrorCode.INVALID_CONFIG,
      'Invalid value abc for configuration retention.ms: Not a number of type LONG',
    ],
    [
      'a null config',
      'a',
      { configs: { 'retention.ms': null } },
      ErrorCode.INVALID_CONFIG,
      'Null value not supported for topic configs: retention.ms',
    ],
    [
      'a segment below a mebibyte',
      'a',
      { configs: { 'segment.bytes': '1000' } },
      ErrorCode.INVALID_CONFIG,
      'Invalid value 1000 for configuration segment.bytes: Value must be at least 1048576',
    ],
    [
      'tiered storage',
      'a',
      { configs: { 'remote.storage.enable': 'true' } },
      ErrorCode.INVALID_CONFIG,
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    ],
    [
      'too many partitions',
      'a',
      { partitions: 10_001 },
      ErrorCode.POLICY_VIOLATION,
      'Excessively large number of partitions per request.',
    ],
    [
      'too many records',
      'a',
      { partitions: 10_000 },
      ErrorCode.POLICY_VIOLATION,
      'Unable to perform excessively large batch operation.',
    ],
  ];
  for (const [what, name, options, error, message] of REFUSALS) {
    it(`refuses ${what}`, () => {
      const cluster = new Cluster();
      cluster.create('old.one');
      expect(cluster.create(name, options)).to.deep.equal([error, message]);
      expect(cluster.image.topicsByName.size).to.equal(1);
    });
  }

  it('refuses what a request names twice, and creates the rest', () => {
    const cluster = new Cluster();
    const topics = ['a', 'b', 'a', '__cluster_metadata'].map(plain);
    const reply = cluster.perform('createTopics', { ...NO_CHANGE, topics });
    expect(reply.map(({ name, errorCode, errorMessage }) => [name, errorCode, errorMessage])).to.deep.equal([
      ['b', 0, null],
      ['a', ErrorCode.INVALID_REQUEST, 'Duplicate topic name.'],
      ['__cluster_metadata', ErrorCode.INVALID_REQUEST, 'Creation of internal topic __cluster_metadata is prohibited.'],
    ]);
  });

  it('decides nearly as many partitions as one change may have well within the time of a test', () => {
    const cluster = new Cluster();
    cluster.create('wide', { partitions: 9_000 });
    expect(cluster.image.partitionCount).to.equal(9_000);
  });
});

describe('deleting topics', () => {
  const request = (topicNames: string[], topics: { name: string | null; topicId: string }[] = []) => ({
    timeoutMs: 0,
    topicNames,
    topics,
  });

  it('takes name or id, drops the configs, and says what is not there', () => {
    const cluster = new Cluster();
    for (const name of ['a', 'b', 'c']) cluster.create(name, { configs: { 'retention.ms': '9' } });
    const id = cluster.image.topicsByName.get('b')?.id ?? '';
    const idOfA = cluster.image.topicsByName.get('a')?.id ?? '';
    const unknownId = 'ZZZZZZZZZZZZZZZZZZZZZA';
    const reply = cluster.perform(
      'deleteTopics',
      request(
        ['a', 'x'],
        [
          { name: null, topicId: id },
          { name: null, topicId: unknownId },
        ],
      ),
    );
    expect(
      reply.map(({ name, topicId, errorCode, errorMessage }) => [name, topicId, errorCode, errorMessage]),
    ).to.have.deep.members([
      ['a', idOfA, 0, null],
      ['b', id, 0, null],
      ['x', ZERO_UUID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.'],
      [null, unknownId, ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.'],
    ]);
    expect([...cluster.image.topicsByName.keys()]).to.deep.equal(['c']);
    expect(cluster.image.configsOf(2, 'a').size).to.equal(0);
    expect(cluster.changes.map((change) => change.kind)).to.have.members(['topicDeleted', 'topicDeleted']);
    expect(cluster.create('a')).to.deep.equal([0, null]);
  });

  it('refuses what is named twice, in whichever way', () => {
    const cluster = new Cluster();
    cluster.create('a');
    const id = cluster.image.topicsByName.get('a')?.id ?? '';
    const texts = (reply: readonly { readonly errorMessage?: string | null }[]) => reply.map(({ errorMessage }) => errorMessage);
    expect(texts(cluster.perform('deleteTopics', request(['a', 'a'])))).to.deep.equal(['Duplicate topic name.']);
    expect(texts(cluster.perform('deleteTopics', request(['a'], [{ name: null, topicId: id }])))).to.deep.equal([
      'The provided topic name maps to an ID that was already supplied.',
    ]);
    expect(texts(cluster.perform('deleteTopics', request([], [{ name: 'a', topicId: id }])))).to.deep.equal([
      'You may not specify both topic name and topic id.',
    ]);
    expect(texts(cluster.perform('deleteTopics', request([], [{ name: null, topicId: ZERO_UUID }])))).to.deep.equal([
      'Neither topic name nor id were specified.',
    ]);
    expect(cluster.image.topicsByName.size).to.equal(1);
  });
});

describe('adding partitions', () => {
  const grow = (cluster: Cluster, name: string, count: number, assignments: number[][] | null = null) => {
    const topics = [{ name, count, assignments: assignments === null ? null : assignments.map((brokerIds) => ({ brokerIds })) }];
    const [reply] = cluster.perform('createPartitions', { ...NO_CHANGE, topics });
    return [reply?.errorCode, reply?.errorMessage];
  };

  it('adds and tells of those added', () => {
    const cluster = new Cluster();
    cluster.create('a', { partitions: 2 });
    expect(grow(cluster, 'a', 5)).to.deep.equal([0, null]);
    const [change] = cluster.changes;
    expect(change?.kind === 'partitionsAdded' && change.partitions.map((p) => p.index)).to.deep.equal([2, 3, 4]);
    expect(grow(cluster, 'a', 6, [[1]])).to.deep.equal([0, null]);
  });

  it('refuses with the reason', () => {
    const cluster = new Cluster();
    cluster.create('a', { partitions: 2 });
    expect(grow(cluster, 'x', 3)).to.deep.equal([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null]);
    const tooMany = 'Excessively large number of additional partitions per request.';
    expect(grow(cluster, 'a', 2_147_483_647)).to.deep.equal([ErrorCode.POLICY_VIOLATION, tooMany]);
    expect(grow(cluster, 'a', 10_003)).to.deep.equal([ErrorCode.POLICY_VIOLATION, tooMany]);
    expect(grow(cluster, 'a', 2)).to.deep.equal([ErrorCode.INVALID_PARTITIONS, 'Topic already has 2 partition(s).']);
    expect(grow(cluster, 'a', 1)).to.deep.equal([
      ErrorCode.INVALID_PARTITIONS,
      'The topic a currently has 2 partition(s); 1 would not be an increase.',
    ]);
    expect(grow(cluster, 'a', 4, [[1]])).to.deep.equal([
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
    ]);
    expect(cluster.image.partitionCount).to.equal(2);
  });
});
