/** @confluentinc/kafka-javascript, by the interface that it shares with kafkajs; librdkafka below it. */
import confluent from '@confluentinc/kafka-javascript';
import { BOOTSTRAP, EARLIEST, LATEST, NoSuchCall, PREFIX, run, TopicExists } from './scenario.mjs';

const { Kafka, logLevel, ErrorCodes } = confluent.KafkaJS;
const kafka = (clientId, settings = {}) => new Kafka({ 'client.id': clientId, kafkaJS: { brokers: [BOOTSTRAP], logLevel: logLevel.NOTHING }, ...settings });
const admin = kafka('admin').admin();
await admin.connect();
let groups = 0;

/** It gives headers as an array of objects. */
const pairs = (headers) => [headers ?? []].flat().flatMap((one) => Object.entries(one)).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, one]));

function headersOf(list) {
  const headers = {};
  for (const [name, value] of list) headers[name] = name in headers ? [headers[name], value].flat() : value;
  return headers;
}

/** Every reader is a member of a group: the client knows no other. */
async function reader(groupId, topic, { clientId = 'reader', fromBeginning = true, partition, readUncommitted = false } = {}) {
  const consumer = kafka(clientId).consumer({ kafkaJS: { groupId, fromBeginning, readUncommitted, autoCommit: false, sessionTimeout: 10_000, heartbeatInterval: 500, rebalanceTimeout: 10_000 } });
  const records = [];
  let connected = true;
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  await consumer.run({
    eachMessage: async ({ partition: from, message: { key, value, headers, timestamp } }) => {
      if (partition === undefined || partition === from) records.push({ key, value, headers: pairs(headers), time: Number(timestamp) });
    },
  });
  return {
    consumer,
    records,
    assigned: () => (connected ? consumer.assignment().length : 0),
    commit: (name, partition, offset) => consumer.commitOffsets([{ topic: name, partition, offset: String(offset) }]),
    close() {
      connected = false;
      return consumer.disconnect();
    },
  };
}

const messagesOf = (partition, records) => records.map(({ key, value, headers, time }) => ({ key, value, partition, headers: headersOf(headers), timestamp: String(time) }));

await run({
  /** It refuses a header that is null, and gives a key or value of no bytes as null. */
  sendable: ({ key, value, headers, time }) => ({ key: key?.length ? key : null, value: value?.length ? value : null, time, headers: headers.map(([name, value]) => [name, value ?? Buffer.alloc(0)]) }),

  async createTopic(topic, numPartitions, configs) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    if (!(await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] }))) throw new TopicExists(topic);
  },
  isTopicExists: (error) => error instanceof TopicExists || error.code === ErrorCodes.ERR_TOPIC_ALREADY_EXISTS,
  deleteTopic: (name) => admin.deleteTopics({ topics: [name] }),
  topics: () => admin.listTopics(),
  async topic(name) {
    const [{ partitions }] = await admin.fetchTopicMetadata({ topics: [name] });
    return { leaders: partitions.map(({ leader }) => leader), brokers: 1 };
  },
  async topicConfig() {
    throw new NoSuchCall('its admin client knows no configs');
  },
  async alterTopicConfig() {
    throw new NoSuchCall('its admin client knows no configs');
  },
  async addPartitions() {
    throw new NoSuchCall('its admin client adds no partitions');
  },

  async produce(topic, partition, records, compression, acks, idempotent) {
    const producer = kafka('producer').producer({ kafkaJS: { idempotent, acks: acks === 'all' ? -1 : Number(acks), compression } });
    await producer.connect();
    const told = await producer.send({ topic, messages: messagesOf(partition, records) });
    await producer.disconnect();
    return Number(told[0].baseOffset);
  },

  async transactional(transactionalId, transactionTimeout) {
    const producer = kafka('producer').producer({ kafkaJS: { transactionalId, transactionTimeout, idempotent: true }, 'message.timeout.ms': Math.min(transactionTimeout, 20_000) });
    await producer.connect();
    let transaction;
    return {
      async begin() {
        transaction = await producer.transaction();
      },
      send: (topic, partition, records) => transaction.send({ topic, messages: messagesOf(partition, records) }),
      sendOffset: ({ consumer }, _group, topic, offset) => transaction.sendOffsets({ consumer, topics: [{ topic, partitions: [{ partition: 0, offset: String(offset) }] }] }),
      end: (commit) => (commit ? transaction.commit() : transaction.abort()),
      close: () => producer.disconnect(),
    };
  },
  consumeIsolated: (topic, partition, isolation) =>
    reader(`${PREFIX}-reader-${groups++}`, topic, { partition, readUncommitted: isolation === 'read_uncommitted' }),

  async consume(topic, partition, offset) {
    const one = await reader(`${PREFIX}-reader-${groups++}`, topic, { fromBeginning: offset === EARLIEST });
    if (offset >= 0) one.consumer.seek({ topic, partition, offset: String(offset) });
    return one;
  },
  async offsetAt(topic, partition, at) {
    const ends = (await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition);
    if (at === EARLIEST) return Number(ends.low);
    if (at === LATEST) return Number(ends.high);
    const found = (await admin.fetchTopicOffsetsByTimestamp(topic, at)).find((one) => one.partition === partition);
    // Where the broker has none for the time it gives the end's.
    return found.offset === ends.high ? -1 : Number(found.offset);
  },
  deleteRecords: (topic, partition, offset) => admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] }),

  join: (group, topic, clientId) => reader(group, topic, { clientId }),
  groups: async () => (await admin.listGroups()).groups.map(({ groupId }) => groupId),
  async group(name) {
    const [{ state, members }] = (await admin.describeGroups([name])).groups;
    const described = members.flatMap(({ clientId, assignment: { topicPartitions } }) => topicPartitions.map(({ topic, partition }) => ({ clientId, topic, partitions: [partition] })));
    return { state: Object.entries(confluent.KafkaJS.ConsumerGroupStates).find(([, value]) => value === state)?.[0] ?? String(state), members: described };
  },
  async committed(groupId, topic, partition) {
    const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return Number(partitions.find((one) => one.partition === partition).offset);
  },
  deleteGroup: (name) => admin.deleteGroups([name]),
});
