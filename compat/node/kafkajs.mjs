/** kafkajs, with codec plug-ins. */
import { createRequire } from 'node:module';
import { compress as zstdCompress, decompress as zstdDecompress } from '@mongodb-js/zstd';
import kafkajs from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { BOOTSTRAP, EARLIEST, LATEST, PREFIX, run, TopicExists } from './scenario.mjs';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
const { CompressionCodecs, CompressionTypes, AssignerProtocol } = kafkajs;
CompressionCodecs[CompressionTypes.Snappy] = createRequire(import.meta.url)('kafkajs-snappy');
CompressionCodecs[CompressionTypes.LZ4] = () => ({ compress: (encoder) => compressFrame(encoder.buffer), decompress: (data) => decompressFrame(data) });
CompressionCodecs[CompressionTypes.ZSTD] = () => ({ compress: (encoder) => zstdCompress(encoder.buffer), decompress: (data) => zstdDecompress(data) });
const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD };

const kafka = (clientId) => new kafkajs.Kafka({ clientId, brokers: [BOOTSTRAP], logLevel: kafkajs.logLevel.NOTHING, retry: { initialRetryTime: 20, retries: 12 } });
const admin = kafka('admin').admin();
await admin.connect();
let groups = 0;

/** It gives headers as an object, and those of one name as an array. */
const pairs = (headers) => Object.entries(headers ?? {}).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, one]));

function headersOf(list) {
  const headers = {};
  for (const [name, value] of list) headers[name] = name in headers ? [headers[name], value].flat() : value;
  return headers;
}

/** Every reader is a member of a group: the client knows no other. */
async function reader(groupId, topic, { clientId = 'reader', fromBeginning = true, partition, readUncommitted = false } = {}) {
  const consumer = kafka(clientId).consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 500, rebalanceTimeout: 5000, maxWaitTimeInMs: 200, readUncommitted });
  const records = [];
  let assigned = 0;
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment[topic]?.length ?? 0;
  });
  const joined = new Promise((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, resolve);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition: from, message: { key, value, headers, timestamp } }) => {
      if (partition === undefined || partition === from) records.push({ key, value, headers: pairs(headers), time: Number(timestamp) });
    },
  });
  await joined;
  return {
    consumer,
    records,
    assigned: () => assigned,
    commit: (topic, partition, offset) => consumer.commitOffsets([{ topic, partition, offset: String(offset) }]),
    close: () => consumer.disconnect(),
  };
}

const messagesOf = (partition, records) => records.map(({ key, value, headers, time }) => ({ key, value, partition, headers: headersOf(headers), timestamp: String(time) }));

await run({
  /** It refuses a header that is null. */
  sendable: (record) => ({ ...record, headers: record.headers.map(([name, value]) => [name, value ?? Buffer.alloc(0)]) }),

  async createTopic(topic, numPartitions, configs) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    // It says false, and throws nothing, when the topic exists.
    if (!(await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] }))) throw new TopicExists(topic);
  },
  isTopicExists: (error) => error instanceof TopicExists,
  deleteTopic: (name) => admin.deleteTopics({ topics: [name] }),
  topics: () => admin.listTopics(),
  async topic(name) {
    const [{ topics }, { brokers }] = [await admin.fetchTopicMetadata({ topics: [name] }), await admin.describeCluster()];
    return { leaders: topics[0].partitions.map(({ leader }) => leader), brokers: brokers.length };
  },
  async topicConfig(name, key) {
    const { resources } = await admin.describeConfigs({ resources: [{ type: 2, name }], includeSynonyms: false });
    return resources[0].configEntries.find(({ configName }) => configName === key).configValue;
  },
  alterTopicConfig: (name, key, value) => admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries: [{ name: key, value }] }] }),
  addPartitions: (topic, count) => admin.createPartitions({ topicPartitions: [{ topic, count }] }),

  async produce(topic, partition, records, codec, acks, idempotent) {
    const producer = kafka('producer').producer({ idempotent });
    await producer.connect();
    const [told] = await producer.send({ topic, acks: acks === 'all' ? -1 : Number(acks), compression: CODECS[codec], messages: messagesOf(partition, records) });
    await producer.disconnect();
    return told === undefined ? undefined : Number(told.baseOffset);
  },

  async transactional(transactionalId, transactionTimeout) {
    const producer = kafka('producer').producer({ transactionalId, transactionTimeout, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    let transaction;
    return {
      async begin() {
        transaction = await producer.transaction();
      },
      send: (topic, partition, records) => transaction.send({ topic, messages: messagesOf(partition, records) }),
      sendOffset: (_member, consumerGroupId, topic, offset) =>
        transaction.sendOffsets({ consumerGroupId, topics: [{ topic, partitions: [{ partition: 0, offset: String(offset) }] }] }),
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
  async deleteRecords(topic, partition, offset) {
    // It looks for the leader in what it knows, and it knows only topics that it was asked for before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  },

  join: (group, topic, clientId) => reader(group, topic, { clientId }),
  groups: async () => (await admin.listGroups()).groups.map(({ groupId }) => groupId),
  async group(name) {
    const [{ state, members }] = (await admin.describeGroups([name])).groups;
    const described = members.flatMap(({ clientId, memberAssignment }) =>
      Object.entries(AssignerProtocol.MemberAssignment.decode(memberAssignment).assignment).map(([topic, partitions]) => ({ clientId, topic, partitions })),
    );
    return { state, members: described };
  },
  async committed(groupId, topic, partition) {
    const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return Number(partitions.find((one) => one.partition === partition).offset);
  },
  deleteGroup: (name) => admin.deleteGroups([name]),
});
