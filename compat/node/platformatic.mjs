/** @platformatic/kafka. */
import { Admin, Consumer, Producer } from '@platformatic/kafka';
import { BOOTSTRAP, EARLIEST, LATEST, NoSuchCall, PREFIX, run } from './scenario.mjs';

const TOPIC = 2;
const SET = 0;
const bootstrapBrokers = [BOOTSTRAP];
const admin = new Admin({ clientId: 'admin', bootstrapBrokers });
let groups = 0;

/** The codes of the protocol's errors, which it nests. */
const codesOf = (error) => [error.apiId, ...(error.errors ?? []).flatMap(codesOf), ...(error.cause ? codesOf(error.cause) : [])];
const bytes = (value) => value ?? null;

/** Every reader is a member of a group: the client knows no other. */
async function reader(groupId, topic, clientId, options) {
  const consumer = new Consumer({ clientId, groupId, bootstrapBrokers, sessionTimeout: 10_000, heartbeatInterval: 500, rebalanceTimeout: 10_000, maxWaitTime: 200, autocommit: false });
  const records = [];
  const stream = await consumer.consume({ topics: [topic], ...options });
  let last;
  stream.on('data', (message) => {
    const { key, value, headers, timestamp, partition } = message;
    if (options.partition !== undefined && options.partition !== partition) return;
    last = message;
    const list = [...headers].map(([name, text]) => [String(name), bytes(text)]);
    records.push({ key: bytes(key), value: bytes(value), headers: list, time: Number(timestamp) });
  });
  return {
    consumer,
    records,
    last: () => last,
    assigned: () => consumer.assignments?.find((one) => one.topic === topic)?.partitions.length ?? 0,
    commit: (name, partition, offset) => consumer.commit({ offsets: [{ topic: name, partition, offset: BigInt(offset), leaderEpoch: 0 }] }),
    async close() {
      await stream.close();
      await consumer.close(true);
    },
  };
}

const messagesOf = (topic, partition, records) =>
  records.map(({ key, value, headers, time }) => ({
    topic,
    partition,
    key: key ?? undefined,
    value: value ?? undefined,
    headers: new Map(headers.map(([name, text]) => [Buffer.from(name), text])),
    timestamp: BigInt(time),
  }));

await run({
  sendable: (record) => record,

  createTopic: (name, partitions, configs) =>
    admin.createTopics({ topics: [name], partitions, replicas: 1, configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })) }),
  isTopicExists: (error) => codesOf(error).includes('TOPIC_ALREADY_EXISTS'),
  deleteTopic: (name) => admin.deleteTopics({ topics: [name] }),
  topics: () => admin.listTopics(),
  async topic(name) {
    const { topics, brokers } = await admin.metadata({ topics: [name], forceUpdate: true });
    return { leaders: topics.get(name).partitions.map(({ leader }) => leader), brokers: brokers.size };
  },
  async topicConfig(resourceName, key) {
    const [{ configs }] = await admin.describeConfigs({ resources: [{ resourceType: TOPIC, resourceName }] });
    return configs.find(({ name }) => name === key).value;
  },
  alterTopicConfig: (resourceName, name, value) =>
    admin.incrementalAlterConfigs({ resources: [{ resourceType: TOPIC, resourceName, configs: [{ name, value, configOperation: SET }] }] }),
  addPartitions: (name, count) => admin.createPartitions({ topics: [{ name, count, assignments: null }] }),

  async produce(topic, partition, records, compression, acks, idempotent) {
    if (compression === 'zstd' && process.versions.node.startsWith('20.')) throw new NoSuchCall("its zstd is Node's own, which came with Node 22.15");
    const producer = new Producer({ clientId: 'producer', bootstrapBrokers, idempotent });
    try {
      const { offsets } = await producer.send({ messages: messagesOf(topic, partition, records), compression, acks: acks === 'all' ? -1 : Number(acks) });
      return offsets === undefined ? undefined : Number(offsets[0].offset);
    } finally {
      await producer.close();
    }
  },

  async transactional(transactionalId, timeout) {
    const producer = new Producer({ clientId: 'producer', bootstrapBrokers, transactionalId, idempotent: true, producerId: -1n, producerEpoch: -1, timeout });
    let transaction;
    return {
      async begin() {
        transaction = await producer.beginTransaction();
      },
      send: (topic, partition, records) => transaction.send({ messages: messagesOf(topic, partition, records) }),
      /** It takes a message that was read, not an offset. */
      async sendOffset(member, _group, topic, offset) {
        await transaction.addConsumer(member.consumer);
        await transaction.addOffset({ ...member.last(), topic, partition: 0, offset: BigInt(offset) - 1n });
      },
      end: (commit) => (commit ? transaction.commit() : transaction.abort()),
      close: () => producer.close(),
    };
  },
  consumeIsolated: (topic, partition, isolation) =>
    reader(`${PREFIX}-reader-${groups++}`, topic, 'reader', { mode: 'earliest', partition, isolationLevel: isolation === 'read_uncommitted' ? 0 : 1 }),

  consume(topic, partition, offset) {
    const options = offset === EARLIEST ? { mode: 'earliest' } : offset === LATEST ? { mode: 'latest' } : { mode: 'manual', offsets: [{ topic, partition, offset: BigInt(offset) }] };
    return reader(`${PREFIX}-reader-${groups++}`, topic, 'reader', options);
  },
  async offsetAt(name, partitionIndex, at) {
    const [{ partitions }] = await admin.listOffsets({ topics: [{ name, partitions: [{ partitionIndex, timestamp: BigInt(at) }] }] });
    return Number(partitions[0].offset);
  },
  deleteRecords: (name, partition, offset) => admin.deleteRecords({ topics: [{ name, partitions: [{ partition, offset: BigInt(offset) }] }] }),

  join: (group, topic, clientId) => reader(group, topic, clientId, { mode: 'committed', fallbackMode: 'earliest' }),
  groups: async () => [...(await admin.listGroups()).keys()],
  async group(name) {
    const { state, members } = (await admin.describeGroups({ groups: [name] })).get(name);
    const described = [...members.values()].flatMap(({ clientId, assignments }) => [...assignments.values()].map(({ topic, partitions }) => ({ clientId, topic, partitions })));
    return { state, members: described };
  },
  async committed(group, topic, partition) {
    const [{ topics }] = await admin.listConsumerGroupOffsets({ groups: [group] });
    return Number(topics.find(({ name }) => name === topic).partitions.find(({ partitionIndex }) => partitionIndex === partition).committedOffset);
  },
  deleteGroup: (name) => admin.deleteGroups({ groups: [name] }),
});
