/**
 * Small logs of many kinds, each in partition 0 of a topic of its own: what is damaged later is a copy of one of them. The same bytes each time, but for the
 * times that brokers give themselves: those of markers and horizons of deletion.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GZIP, LZ4, NONE, SNAPPY, ZSTD } from '../../../src/wire/compression/codec.ts';
import { batchesOf, type RecordBatch } from '../../../src/wire/record-batch.ts';
import { buildBatch } from '../../../src/wire/record-batch-builder.ts';
import type { PlainClient } from '../../../test/support/plain-client.ts';
import { CLIENT, coordinated, produce, settled } from '../graduation/calls.ts';

const CODECS = [NONE, GZIP, SNAPPY, LZ4, ZSTD] as const;
const MAX = '9223372036854775807';
const SMALL = {
  'retention.ms': '-1',
  'internal.segment.bytes': '1500',
  'index.interval.bytes': '200',
  'segment.ms': MAX,
  'message.timestamp.after.max.ms': MAX,
};

/** The topics, with their configs. */
export const LOGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: SMALL,
  producers: SMALL,
  transactions: SMALL,
  compacted: { ...SMALL, 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' },
  trimmed: SMALL,
  single: { ...SMALL, 'internal.segment.bytes': '1000000' },
};

/** One batch of a few records; the third of each five is late. */
function batch(round: number, number: number, more: object = {}): Buffer {
  const records = Array.from({ length: 1 + (number % 4) }, (_unused, i) => ({
    key: Buffer.from(`key-${(number + i) % 9}`),
    value: (number + i) % 11 === 0 ? null : Buffer.from(`${round}/${number}/${i} ${'x'.repeat((number * 37 + i * 13) % 120)}`),
    timestamp: START_MS + round * 100_000 + number * 1000 - (number % 5 === 2 ? 3500 : 0) + i,
  }));
  return buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, codec: CODECS[number % CODECS.length] ?? NONE, ...more });
}

/** Behind every clock, the first day of 2100: producers are forgotten by the times of their batches, and not one of these before. */
export const START_MS = 4_102_444_800_000;

export async function createTopics(client: PlainClient, partitions: number): Promise<void> {
  const topics = Object.entries(LOGS).map(([name, configs]) => ({
    name,
    numPartitions: partitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }));
  const created = await client.call('createTopics', { topics, timeoutMs: 60_000, validateOnly: false }, 7, CLIENT);
  for (const { errorCode, errorMessage } of created.topics) if (errorCode !== 0) throw new Error(`createTopics: ${errorMessage}`);
}

async function idempotent(client: PlainClient, topic: string, round: number, batches: number): Promise<void> {
  const request = { transactionalId: null, transactionTimeoutMs: 1000 };
  const { producerId, producerEpoch } = await client.call('initProducerId', request, 4, CLIENT);
  for (let i = 0, baseSequence = 0; i < batches; baseSequence += 1 + (i++ % 4))
    await produce(client, topic, 0, batch(round, i, { producerId: Number(producerId), producerEpoch, baseSequence }));
}

/** Of one transactional id in one partition: batches, and an end unless it stays open. */
async function transaction(client: PlainClient, id: string, round: number, number: number, committed?: boolean): Promise<void> {
  const topic = 'transactions';
  await coordinated(client, id, 1);
  let [producerId, producerEpoch] = [0n, 0];
  await settled(`initProducerId of ${id}`, async () => {
    const answer = await client.call('initProducerId', { transactionalId: id, transactionTimeoutMs: 900_000 }, 4, CLIENT);
    [producerId, producerEpoch] = [answer.producerId, answer.producerEpoch];
    return answer.errorCode;
  });
  await settled(`addPartitionsToTxn of ${id}`, async () => {
    const v3AndBelowTopics = [{ name: topic, partitions: [0] }];
    const request = {
      v3AndBelowTransactionalId: id,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics,
    };
    const answer = await client.call('addPartitionsToTxn', request, 3, CLIENT);
    return answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1;
  });
  for (let i = number, baseSequence = 0; i < number + 2; baseSequence += 1 + (i++ % 4)) {
    const producer = { producerId: Number(producerId), producerEpoch, baseSequence, transactional: true };
    await produce(client, topic, 0, batch(round, i, producer), id);
  }
  if (committed === undefined) return;
  const request = { transactionalId: id, producerId, producerEpoch, committed };
  await settled(`endTxn of ${id}`, async () => (await client.call('endTxn', request, 3, CLIENT)).errorCode);
  await settled(`the state of ${id}`, async () => {
    const { transactionStates } = await client.call('describeTransactions', { transactionalIds: [id] }, 0, CLIENT);
    return transactionStates[0]?.transactionState.startsWith('Complete') === true ? 0 : 1;
  });
}

/** Compacts the log that is to be, once: how often it would be while it is written is chance. */
async function compact(client: PlainClient, data: string): Promise<void> {
  const name = 'min.compaction.lag.ms';
  await alter(client, 'compacted', { name, configOperation: 0, value: '0' });
  const folder = join(data, 'compacted-0');
  const bases = readdirSync(folder).flatMap((file) => (file.endsWith('.log') ? [Number.parseInt(file, 10)] : []));
  await settled('compaction', async () => {
    const checkpoint = join(data, 'cleaner-offset-checkpoint');
    const lines = existsSync(checkpoint) ? readFileSync(checkpoint, 'utf8').split('\n') : [];
    return lines.includes(`compacted 0 ${Math.max(...bases)}`) ? 0 : 1;
  });
  await alter(client, 'compacted', { name, configOperation: 1, value: null });
}

async function alter(
  client: PlainClient,
  resourceName: string,
  config: { name: string; configOperation: number; value: string | null },
): Promise<void> {
  const resources = [{ resourceType: 2, resourceName, configs: [config] }];
  const { responses } = await client.call('incrementalAlterConfigs', { resources, validateOnly: false }, 1, CLIENT);
  for (const { errorCode, errorMessage } of responses)
    if (errorCode !== 0) throw new Error(`incrementalAlterConfigs: ${errorMessage}`);
}

/** All logs in the directory `data` grow by some segments; in the last round a transaction stays open. */
export async function load(client: PlainClient, data: string, round: number, isLast: boolean): Promise<void> {
  for (let i = 0; i < 14; i++) {
    for (const topic of ['plain', 'compacted', 'trimmed', 'single']) await produce(client, topic, 0, batch(round, i));
  }
  await idempotent(client, 'producers', round, 8);
  await idempotent(client, 'producers', round, 6);
  for (let i = 0; i < 5; i++) {
    await transaction(client, `id-${i % 3}`, round, 2 * i, i % 2 === 0);
    await produce(client, 'transactions', 0, batch(round, i));
  }
  await idempotent(client, 'transactions', round, 2);
  if (isLast) await transaction(client, 'open', round, 3);
  const partitions = [{ partitionIndex: 0, offset: BigInt(round * 15 + 4) }];
  const deletion = { topics: [{ name: 'trimmed', partitions }], timeoutMs: 30_000 };
  await settled(
    'deleteRecords',
    async () => (await client.call('deleteRecords', deletion, 2, CLIENT)).topics[0]?.partitions[0]?.errorCode ?? -1,
  );
  await compact(client, data);
}

/** The batches of a partition's directory, oldest first. */
export function batchesIn(folder: string): RecordBatch[] {
  const logs = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .toSorted();
  return logs.flatMap((name) => batchesOf(readFileSync(join(folder, name))));
}
