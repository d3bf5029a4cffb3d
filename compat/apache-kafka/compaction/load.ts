/** Logs that are worth compacting: overwritten keys, tombstones, every codec, idempotent producers, transactions that ended either way. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlainClient } from '../../../test/support/plain-client.ts';
import { randomOf } from '../../../test/support/property.ts';
import { BASE_TIMESTAMP_AT, batchesOf, CRC_AT, MAX_TIMESTAMP_AT } from '../../../src/wire/record-batch.ts';
import { buildBatch } from '../../../src/wire/record-batch-builder.ts';
import { CLIENT, coordinated, produce, settled } from '../graduation/calls.ts';

export const TOPICS = ['plain', 'packed', 'idempotent', 'transactional', 'stamped', 'distant'] as const;

const CODEC_OF = {
  plain: [0],
  packed: [1, 2, 3],
  idempotent: [0, 2],
  transactional: [0],
  stamped: [0, 1],
  distant: [0, 2],
} as const;
const NEVER = '9000000000000';
/** Before everything: what compaction makes of a record does not depend on when it came. */
const FIRST_TIMESTAMP = Date.now() - 600_000;

const configsOf = (topic: string): Readonly<Record<string, string>> => ({
  'cleanup.policy': 'compact',
  'retention.ms': '-1',
  'internal.segment.bytes': topic === 'packed' ? '2000' : '4000',
  'index.interval.bytes': '300',
  'min.compaction.lag.ms': NEVER,
  'min.cleanable.dirty.ratio': '0.01',
  'delete.retention.ms': '1000',
  'file.delete.delay.ms': '100',
  'message.timestamp.type': topic === 'stamped' ? 'LogAppendTime' : 'CreateTime',
});

interface Producer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

async function newProducer(client: PlainClient, transactionalId: string | null): Promise<Producer> {
  if (transactionalId !== null) await coordinated(client, transactionalId, 1);
  let made = { producerId: -1n, producerEpoch: -1 };
  await settled(`initProducerId of ${transactionalId ?? 'nobody'}`, async () => {
    const answer = await client.call('initProducerId', { transactionalId, transactionTimeoutMs: 60_000 }, 4, CLIENT);
    made = { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
    return answer.errorCode;
  });
  return made;
}

class Keys {
  private readonly random: () => number;
  private n = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  private below(bound: number): number {
    return Math.floor(this.random() * bound);
  }

  records(): { key: Buffer; value: Buffer | null; timestamp: number }[] {
    return Array.from({ length: 1 + this.below(6) }, () => ({
      key: Buffer.from(`key-${this.below(25)}`),
      value: this.below(5) === 0 ? null : Buffer.from(`${this.n}-${'v'.repeat(this.below(80))}`),
      timestamp: FIRST_TIMESTAMP + this.n++,
    }));
  }
}

async function fill(client: PlainClient, topic: (typeof TOPICS)[number]): Promise<void> {
  const keys = new Keys(TOPICS.indexOf(topic) + 1);
  const codecs = CODEC_OF[topic];
  const producers = topic === 'idempotent' ? [await newProducer(client, null), await newProducer(client, null)] : [];
  const sequences = [0, 0];
  for (let i = 0; i < 100; i++) {
    const records = keys.records();
    const producer = producers[i % 2];
    const more = producer && {
      producerId: Number(producer.producerId),
      producerEpoch: producer.producerEpoch,
      baseSequence: sequences[i % 2] ?? 0,
    };
    sequences[i % 2] = (sequences[i % 2] ?? 0) + records.length;
    const codec = codecs[i % codecs.length] ?? 0;
    await produce(client, topic, 0, buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, codec, ...more }));
  }
}

async function fillTransactions(client: PlainClient): Promise<void> {
  const keys = new Keys(99);
  for (const id of ['one', 'two']) {
    for (let round = 0; round < 12; round++) {
      const { producerId, producerEpoch } = await newProducer(client, id);
      const v3 = { v3AndBelowTransactionalId: id, v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch };
      await settled(`addPartitionsToTxn of ${id}`, async () => {
        const request = { ...v3, v3AndBelowTopics: [{ name: 'transactional', partitions: [0] }] };
        const answer = await client.call('addPartitionsToTxn', request, 3, CLIENT);
        return answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1;
      });
      let baseSequence = 0;
      for (let i = 0; i < 3; i++) {
        const records = keys.records();
        const producer = { producerId: Number(producerId), producerEpoch, baseSequence, transactional: true };
        await produce(
          client,
          'transactional',
          0,
          buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, ...producer }),
          id,
        );
        baseSequence += records.length;
        if (i === 1)
          await produce(
            client,
            'transactional',
            0,
            buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records: keys.records() }),
          );
      }
      await settled(`endTxn of ${id}`, async () => {
        const request = { transactionalId: id, producerId, producerEpoch, committed: round % 3 !== 1 };
        return (await client.call('endTxn', request, 3, CLIENT)).errorCode;
      });
    }
  }
}

export async function load(client: PlainClient): Promise<void> {
  const topics = TOPICS.map((name) => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configsOf(name)).map(([key, value]) => ({ name: key, value })),
  }));
  const created = await client.call('createTopics', { topics, timeoutMs: 30_000, validateOnly: false }, 7, CLIENT);
  for (const { errorCode, errorMessage } of created.topics) if (errorCode !== 0) throw new Error(`createTopics: ${errorMessage}`);
  for (const topic of TOPICS) await (topic === 'transactional' ? fillTransactions(client) : fill(client, topic));
}

/**
 * Timestamps of closed segments become such that no number holds them: Blumfeld takes none like that from a client, Apache Kafka does. Half of them
 * are not above those of the records before.
 */
export function moveTimesAway(folder: string): void {
  const logs = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .toSorted();
  for (const name of logs.slice(0, -1)) {
    const bytes = readFileSync(join(folder, name));
    for (const [index, batch] of batchesOf(bytes).entries()) {
      const by = index % 2 === 0 ? 2n ** 61n + 1n : 2n ** 62n + 3n;
      for (const at of [BASE_TIMESTAMP_AT, MAX_TIMESTAMP_AT])
        bytes.writeBigInt64BE(bytes.readBigInt64BE(batch.position + at) + by, batch.position + at);
      bytes.writeUInt32BE(batch.computeCrc(), batch.position + CRC_AT);
    }
    writeFileSync(join(folder, name), bytes);
    rmSync(join(folder, name.replace(/log$/, 'timeindex')));
  }
}

/** From now on everything but the active segments may be compacted. */
export const compactNow = (client: PlainClient): Promise<void> => lag(client, '0');

/** From now on nothing may: so that what is added is compacted in one go, however long the adding takes. */
export const compactLater = (client: PlainClient): Promise<void> => lag(client, '600000000');

async function lag(client: PlainClient, value: string): Promise<void> {
  const resources = TOPICS.map((resourceName) => ({
    resourceType: 2,
    resourceName,
    configs: [{ name: 'min.compaction.lag.ms', configOperation: 0, value }],
  }));
  const { responses } = await client.call('incrementalAlterConfigs', { resources, validateOnly: false }, 1, CLIENT);
  for (const { errorCode, errorMessage } of responses)
    if (errorCode !== 0) throw new Error(`incrementalAlterConfigs: ${errorMessage}`);
}

/** So much that a segment ends; nothing where the broker stamps the records, which it does at another time than the other. */
export async function addMore(client: PlainClient): Promise<void> {
  for (const topic of TOPICS) {
    if (topic === 'stamped') continue;
    const records = Array.from({ length: 12 }, (_unused, i) => ({
      key: Buffer.from(`key-${i}`),
      value: Buffer.from(`last-${i}-${'w'.repeat(300)}`),
      timestamp: FIRST_TIMESTAMP + 500_000 + i,
    }));
    for (const half of [records.slice(0, 6), records.slice(6)])
      await produce(client, topic, 0, buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records: half }));
  }
}
