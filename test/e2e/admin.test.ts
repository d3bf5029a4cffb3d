/** The whole admin client of kafkajs, but for ACLs and reassignments. */
import { expect } from 'chai';
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs';
import { startBroker, type BrokerUnderTest } from '../support/broker-under-test.ts';
import { byValue, client, eventually, join, readAll, unique } from '../support/kafkajs.ts';

const TOPIC = kafkajs.ConfigResourceTypes.TOPIC;
/** The name of the protocol error that a call failed with, wherever kafkajs has wrapped it. */
async function typeOf(call: Promise<unknown>): Promise<unknown> {
  let error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  while (typeof error === 'object' && error !== null) {
    if ('type' in error && typeof error.type === 'string') return error.type;
    if ('errors' in error && Array.isArray(error.errors)) [error] = error.errors as unknown[];
    else error = 'cause' in error ? error.cause : undefined;
  }
  return undefined;
}

describe('kafkajs administers', function () {
  this.timeout(30_000);
  let broker: BrokerUnderTest;
  let kafka: Kafka;
  let admin: Admin;
  /** Says at once what the broker answers, where kafkajs would ask again. */
  let impatient: Admin;
  let producer: Producer;

  before(async () => {
    broker = await startBroker();
    kafka = client(broker.bootstrapServers);
    admin = kafka.admin();
    impatient = kafka.admin({ retry: { retries: 0 } });
    producer = kafka.producer({ allowAutoTopicCreation: false });
    await Promise.all([admin.connect(), impatient.connect(), producer.connect()]);
  });

  after(async () => {
    await Promise.all([admin.disconnect(), impatient.disconnect(), producer.disconnect()]);
    await broker.stop();
  });

  async function createTopic(name: string, numPartitions = 1): Promise<string> {
    const topic = unique(name);
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }] });
    return topic;
  }

  it('the cluster', async () => {
    const cluster = await admin.describeCluster();
    expect(cluster.clusterId).to.match(/^[\w-]{22}$/);
    expect(cluster.brokers).to.have.length(1);
    const [node] = cluster.brokers;
    expect(`${node?.host}:${node?.port}`.replace('localhost', '127.0.0.1')).to.equal(
      broker.bootstrapServers.replace('localhost', '127.0.0.1'),
    );
    expect(cluster.controller).to.equal(node?.nodeId);
  });

  it('topics: made, listed, described, deleted', async () => {
    const topic = unique('topic');
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] })).to.equal(true);
    expect(await admin.createTopics({ topics: [{ topic }] })).to.equal(false);
    expect(await admin.listTopics()).to.include(topic);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.name).to.equal(topic);
    const partitions = [...(topics[0]?.partitions ?? [])].sort((a, b) => a.partitionId - b.partitionId);
    expect(partitions.map((one) => one.partitionId)).to.deep.equal([0, 1, 2]);
    for (const one of partitions) {
      expect(one.replicas).to.deep.equal([one.leader]);
      expect(one.isr).to.deep.equal([one.leader]);
    }
    await admin.deleteTopics({ topics: [topic] });
    await eventually(
      () => admin.listTopics(),
      (names) => !names.includes(topic),
    );
    expect(await typeOf(impatient.deleteTopics({ topics: [topic] }))).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('topics that cannot be, with Kafka’s reasons', async () => {
    const only = (topic: string, more: object = {}): Promise<unknown> =>
      typeOf(admin.createTopics({ topics: [{ topic, numPartitions: 1, ...more }] }));
    expect(await only('not/a/name')).to.equal('INVALID_TOPIC_EXCEPTION');
    expect(await only(unique('t'), { replicationFactor: 3 })).to.equal('INVALID_REPLICATION_FACTOR');
    expect(await only(unique('t'), { numPartitions: 0 })).to.equal('INVALID_PARTITIONS');
    expect(await only(unique('t'), { configEntries: [{ name: 'retention.ms', value: 'soon' }] })).to.equal('INVALID_CONFIG');
    const valid = unique('valid');
    await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic: valid }] });
    expect(await admin.listTopics()).not.to.include(valid);
  });

  it('partitions: more, never fewer', async () => {
    const topic = await createTopic('grow', 2);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    await eventually(
      () => admin.fetchTopicMetadata({ topics: [topic] }),
      ({ topics }) => topics[0]?.partitions.length === 5,
    );
    await producer.send({ topic, messages: [0, 1, 2, 3, 4].map((partition) => ({ value: `${partition}`, partition })) });
    const received = await readAll(kafka, [topic], 5, byValue);
    expect(received.map((record) => record.partition).sort((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4]);
    expect(await typeOf(admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }))).to.equal('INVALID_PARTITIONS');
  });

  it('configs: given at creation, altered, described', async () => {
    const topic = unique('configs');
    await admin.createTopics({
      topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries: [{ name: 'retention.ms', value: '123456' }] }],
    });
    const entries = async (): Promise<Map<string, string>> => {
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC, name: topic }] });
      return new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]));
    };
    const before = await entries();
    expect(before.get('retention.ms')).to.equal('123456');
    expect(before.get('cleanup.policy')).to.equal('delete');
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: TOPIC, name: topic, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }],
    });
    const after = await eventually(entries, (now) => now.get('cleanup.policy') === 'compact');
    expect(after.get('retention.ms')).not.to.equal('123456');
    const wrong = admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: TOPIC, name: topic, configEntries: [{ name: 'segment.bytes', value: '-5' }] }],
    });
    expect(await typeOf(wrong)).to.equal('INVALID_CONFIG');
  });

  it('offsets of topics, by end and by timestamp', async () => {
    const topic = await createTopic('offsets', 2);
    const start = Date.now() - 100_000;
    await producer.send({
      topic,
      messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: 0, timestamp: String(start + i * 1000) })),
    });
    const ends = (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition);
    expect(ends).to.deep.equal([
      { partition: 0, offset: '10', high: '10', low: '0' },
      { partition: 1, offset: '0', high: '0', low: '0' },
    ]);
    const at = async (timestamp: number): Promise<Record<number, string>> =>
      Object.fromEntries(
        (await admin.fetchTopicOffsetsByTimestamp(topic, timestamp)).map(({ partition, offset }) => [partition, offset]),
      );
    expect(await at(start + 4500)).to.deep.equal({ 0: '5', 1: '0' });
    expect(await at(start - 5)).to.deep.equal({ 0: '0', 1: '0' });
    expect(await at(Date.now() + 100_000)).to.deep.equal({ 0: '10', 1: '0' });
  });

  it('records: deleted up to an offset', async () => {
    const topic = await createTopic('delete-records');
    await producer.send({ topic, messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}` })) });
    expect(await admin.fetchTopicOffsets(topic)).to.deep.equal([{ partition: 0, offset: '10', high: '10', low: '0' }]);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] });
    expect(await admin.fetchTopicOffsets(topic)).to.deep.equal([{ partition: 0, offset: '10', high: '10', low: '7' }]);
    expect((await readAll(kafka, [topic], 3)).map((record) => record.offset)).to.deep.equal(['7', '8', '9']);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] });
    expect(await admin.fetchTopicOffsets(topic)).to.deep.equal([{ partition: 0, offset: '10', high: '10', low: '10' }]);
  });

  it('groups: listed, described, offsets set and reset, deleted', async () => {
    const topic = await createTopic('groups', 2);
    const groupId = unique('group');
    await producer.send({ topic, messages: Array.from({ length: 20 }, (_, i) => ({ value: `${i}`, partition: i % 2 })) });
    const member = await join(kafka, groupId, { topics: [topic] });
    await member.until(() => member.received.length === 20);
    expect((await admin.listGroups()).groups).to.deep.include({ groupId, protocolType: 'consumer' });
    const refused = await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '3' }] }).catch(String);
    expect(refused).to.contain('must have no running instances');
    expect((await admin.describeGroups([groupId])).groups[0]?.state).to.equal('Stable');
    await member.stop();
    await eventually(
      () => admin.describeGroups([groupId]),
      ({ groups }) => groups[0]?.state === 'Empty',
    );
    const offsets = async (): Promise<Record<number, string>> => {
      const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return Object.fromEntries((answer?.partitions ?? []).map(({ partition, offset }) => [partition, offset]));
    };
    expect(await offsets()).to.deep.equal({ 0: '10', 1: '10' });
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '4' }] });
    expect(await offsets()).to.deep.equal({ 0: '4', 1: '10' });
    await admin.resetOffsets({ groupId, topic, earliest: true });
    const again = await join(kafka, groupId, { topics: [topic] });
    await again.until(() => again.received.length === 20);
    await again.stop();
    await eventually(
      () => admin.describeGroups([groupId]),
      ({ groups }) => groups[0]?.state === 'Empty',
    );
    expect(await admin.deleteGroups([groupId])).to.deep.equal([{ groupId, errorCode: 0 }]);
    expect((await admin.describeGroups([groupId])).groups[0]?.state).to.equal('Dead');
    expect((await admin.listGroups()).groups.map((group) => group.groupId)).not.to.include(groupId);
  });
});
