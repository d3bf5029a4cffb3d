/**
 * The same requests to Apache Kafka and to Blumfeld, each on a directory of its own, and what they leave on disk after a clean stop: names of files,
 * batches, index entries, aborted transactions, producer snapshots, checkpoints. `node build/compat/apache-kafka/files.js BROKER-JARS`
 *
 * Where clients give the times and nothing is packed anew, logs and indexes are compared byte by byte. Elsewhere what may differ is left out: the times
 * that a broker gives (LogAppendTime, ends of transactions) with the entries of time indexes, since batches of one millisecond share one, and bytes of batches that the broker has packed itself, since the compressors are not the
 * same. Also left out: the file of an epoch that has no records yet, which Apache Kafka writes when a leader takes office.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import type { PlainClient } from '../../test/support/plain-client.ts';
import { parseProducerSnapshot } from '../../src/log/producer-snapshot.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { difference, factsOfPartition } from './compaction/facts.ts';
import { load, TOPICS } from './compaction/load.ts';
import { CLIENT, produce, settled } from './graduation/calls.ts';
import { newDirectory, type Owner, ownedBy } from './directory-owner.ts';
import { LASTING } from './graduation/settings.ts';

const checks = new Checks();
const { check } = checks;

const SETTINGS = [...LASTING, 'offsets.topic.num.partitions=2', 'transaction.state.log.num.partitions=2'];
/** Packed anew by the broker, one for each type; `cut` is one whose records are deleted up to within a batch. */
const PACKED_ANEW = ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'] as const;
const CUT_AT = 7;
/** Kept as the client sent them, with the client's times. */
const EXACT: readonly string[] = ['plain', 'packed', 'idempotent', 'cut'];
const FIRST_TIMESTAMP = Date.now() - 600_000;

const jars = process.argv[2];
if (jars === undefined) throw new Error('name the folder of the jars of Apache Kafka');

async function create(client: PlainClient, name: string, configs: Readonly<Record<string, string>>): Promise<void> {
  const pairs = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: pairs }];
  await settled(`creation of ${name}`, async () => {
    const answer = await client.call('createTopics', { topics, timeoutMs: 30_000, validateOnly: false }, 7, CLIENT);
    return answer.topics[0]?.errorCode ?? -1;
  });
}

async function fill(client: PlainClient, topic: string): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const records = Array.from({ length: 3 }, (_, n) => ({
      key: Buffer.from(`key-${n}`),
      value: Buffer.from(`${i} ${'v'.repeat(200)}`),
      timestamp: FIRST_TIMESTAMP + i * 3 + n,
    }));
    const codec = topic === 'uncompressed' ? 1 : 0;
    await produce(client, topic, 0, buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, codec }));
  }
}

async function everything(client: PlainClient): Promise<void> {
  await load(client);
  const small = { 'internal.segment.bytes': '4000', 'index.interval.bytes': '300', 'retention.ms': '-1' };
  for (const type of PACKED_ANEW) {
    await create(client, `to-${type}`, { ...small, 'compression.type': type });
    await fill(client, `to-${type}`);
  }
  await create(client, 'cut', small);
  await fill(client, 'cut');
  const partitions = [{ partitionIndex: 0, offset: BigInt(CUT_AT) }];
  await settled('deletion of records', async () => {
    const answer = await client.call('deleteRecords', { topics: [{ name: 'cut', partitions }], timeoutMs: 30_000 }, 2, CLIENT);
    return answer.topics[0]?.partitions[0]?.errorCode ?? -1;
  });
}

/** Apache Kafka starts on no directory that was not formatted: Blumfeld has been there for a moment, in both. */
async function run(owner: Owner, folder: string): Promise<void> {
  const directory = await newDirectory(folder, SETTINGS);
  await ownedBy(directory, 'Blumfeld', jars as string, () => Promise.resolve());
  await ownedBy(directory, owner, jars as string, everything);
}

/** Without what Apache Kafka alone writes for an epoch that has no records. */
const namesIn = (partition: string): string[] =>
  readdirSync(partition)
    .filter((name) => name !== 'leader-epoch-checkpoint')
    .toSorted();

const bytesIn = (partition: string): string[] =>
  namesIn(partition)
    .filter((name) => /\.(log|index|timeindex|txnindex|snapshot)$/.test(name))
    .map((name) => `${name} ${readFileSync(join(partition, name)).toString('hex')}`);

/** The facts without times of the broker's own, and without what depends on them. */
function timeless(partition: string): string[] {
  const facts = factsOfPartition(partition)
    .filter((fact) => !/\.snapshot: |\.timeindex entry/.test(fact))
    .map((fact) => fact.replaceAll(/"(maxTimestamp|baseTimestamp|timestamp|crc)":"?-?\d+"?/g, '"$1":0'));
  for (const name of readdirSync(partition).filter((each) => each.endsWith('.snapshot'))) {
    for (const entry of parseProducerSnapshot(readFileSync(join(partition, name))) ?? []) {
      const { producerId, producerEpoch, lastSequence, coordinatorEpoch, currentTxnFirstOffset, lastBatch } = entry;
      const place = lastBatch && [lastBatch.lastOffset, lastBatch.offsetDelta];
      facts.push(
        `${name}: ${JSON.stringify({ producerId, producerEpoch, lastSequence, coordinatorEpoch, currentTxnFirstOffset, place })}`,
      );
    }
  }
  return facts;
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').toSorted();

const began = Date.now();
const folder = temporaryFolder('files');
const theirs = join(folder, 'kafka');
const ours = join(folder, 'blumfeld');
const both = (what: (folder: string) => string[], ...path: readonly string[]): string | undefined =>
  difference(what(join(theirs, 'data', ...path)), what(join(ours, 'data', ...path)));
try {
  await run('Apache Kafka', theirs);
  await run('Blumfeld', ours);
  for (const topic of [...TOPICS, ...PACKED_ANEW.map((type) => `to-${type}`), 'cut']) {
    const partition = `${topic}-0`;
    check(`${topic}: names of files`, both(namesIn, partition));
    if (EXACT.includes(topic)) check(`${topic}: every byte`, both(bytesIn, partition));
    else check(`${topic}: every fact`, both(timeless, partition));
  }
  for (const name of ['recovery-point-offset-checkpoint', 'replication-offset-checkpoint', 'log-start-offset-checkpoint'])
    check(name, both(linesOf, name));
} catch (error) {
  checks.broke('files beside Apache Kafka', error);
} finally {
  removeFolder(folder);
}
console.log(`${checks.passed} checks in ${Math.round((Date.now() - began) / 1000)} s`);
checks.end();
