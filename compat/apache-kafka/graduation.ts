/**
 * One data directory, handed back and forth between Blumfeld and Apache Kafka, after clean stops and after kills: every topic with its id and configs, every
 * record, every start and end of a log, every committed offset has to be there each time, and each adds to it before it hands over.
 * `node build/compat/apache-kafka/graduation.js JARS`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../test/support/child-broker.ts';
import { NoAnswer, PlainClient } from '../../test/support/plain-client.ts';
import { GZIP, LZ4, NONE, SNAPPY, ZSTD } from '../../src/wire/compression/codec.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';

const CLIENT = 'graduation';
/** Inside a batch. */
const DELETED_BEFORE = 33;
const PATIENCE_MS = 90_000;
const CODECS = [NONE, GZIP, SNAPPY, LZ4, ZSTD] as const;

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly client: PlainClient;
}

interface Ports {
  readonly client: number;
  readonly controller: number;
}

type Owner = 'Blumfeld' | 'Apache Kafka';
type Facts = ReadonlyMap<string, string>;

let passed = 0;
let failed = 0;

function check(name: string, fault: string | undefined): void {
  if (fault === undefined) passed++;
  else failed++;
  console.log(fault === undefined ? `ok ${name}` : `not ok ${name}\n    ${fault}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The same settings for both. */
function propertiesIn(folder: string, ports: Ports): string {
  const path = join(folder, 'server.properties');
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=PLAINTEXT://127.0.0.1:${ports.client},CONTROLLER://localhost:${ports.controller}`,
    'controller.listener.names=CONTROLLER',
    `controller.quorum.bootstrap.servers=localhost:${ports.controller}`,
    `log.dirs=${join(folder, 'data')}`,
    'offsets.topic.num.partitions=5',
    'offsets.topic.replication.factor=1',
    // Apache Kafka leaves snapshots of its metadata; Blumfeld begins at the newest.
    'metadata.log.max.record.bytes.between.snapshots=4000',
    // What DeleteRecords moved is kept by this checkpoint alone, in both.
    'log.flush.start.offset.checkpoint.interval.ms=100',
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

function spawned(owner: Owner, jars: string, properties: string): { process: ChildProcess; ended: Promise<unknown> } {
  if (owner === 'Blumfeld') return runCommand(['start', properties]);
  const logging = '-Dlog4j2.configurationFile=compat/apache-kafka/log4j2.properties';
  const child = spawn('java', ['-Xmx512m', logging, '-cp', `${jars}/*`, 'kafka.Kafka', properties], {
    stdio: ['ignore', 'ignore', process.env['SHOW'] === undefined ? 'ignore' : 'inherit'],
  });
  return { process: child, ended: once(child, 'exit') };
}

async function start(owner: Owner, jars: string, properties: string, port: number): Promise<Running> {
  const { process: child, ended } = spawned(owner, jars, properties);
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const client = new PlainClient({ host: '127.0.0.1', port });
    try {
      const { brokers } = await client.call('metadata', { topics: [] }, 12, CLIENT);
      if (brokers.length > 0) return { process: child, ended, client };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
    client.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`${owner} did not answer on this directory within ${PATIENCE_MS / 1000} s`);
}

async function stop(running: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  running.client.close();
  running.process.kill(signal);
  await running.ended;
}

/** Nothing that a client can ask for says whether a start of a log is in its checkpoint. */
async function startIsKept(folder: string, topic: string, partition: number, offset: number): Promise<void> {
  const path = join(folder, 'data', 'log-start-offset-checkpoint');
  const isThere = (): boolean => existsSync(path) && readFileSync(path, 'utf8').includes(`${topic} ${partition} ${offset}\n`);
  await settled(`${path} with ${topic}-${partition}`, () => Promise.resolve(isThere() ? 0 : 1));
}

/** Tries until the answer is no error that passes: partitions may have no leader yet, groups no coordinator. */
async function settled(what: string, ask: () => Promise<number>): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const error = await ask();
    if (error === 0) return;
    if (Date.now() > deadline) throw new Error(`${what}: error ${error}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Topics with configs, records of every codec, offsets of groups; a topic that goes again, records that are deleted, partitions that come later. */
async function add(client: PlainClient, round: number): Promise<void> {
  const name = `round-${round}`;
  const configs = [
    { name: 'retention.ms', value: '-1' },
    { name: 'segment.bytes', value: '1048576' },
    { name: 'max.message.bytes', value: String(700_000 + round) },
  ];
  const topics = [name, `gone-${round}`].map((topic) => ({
    name: topic,
    numPartitions: 2,
    replicationFactor: 1,
    assignments: [],
    configs,
  }));
  const created = await client.call('createTopics', { topics, timeoutMs: 30_000, validateOnly: false }, 7, CLIENT);
  for (const { errorCode, errorMessage } of created.topics) if (errorCode !== 0) throw new Error(`createTopics: ${errorMessage}`);
  await client.call(
    'deleteTopics',
    { topics: [{ name: `gone-${round}`, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], timeoutMs: 30_000 },
    6,
    CLIENT,
  );
  const more = { topics: [{ name, count: 3, assignments: null }], timeoutMs: 30_000, validateOnly: false };
  await settled(
    'createPartitions',
    async () => (await client.call('createPartitions', more, 3, CLIENT)).results[0]?.errorCode ?? -1,
  );
  const { producerId, producerEpoch } = await client.call(
    'initProducerId',
    { transactionalId: null, transactionTimeoutMs: 1000 },
    4,
    CLIENT,
  );
  for (const topic of new Set(['round-1', name])) {
    for (const index of [0, 1, 2]) {
      for (const [i, codec] of CODECS.entries()) {
        const records = recordsOfRound(round, topic, index, i);
        const producer = { producerId: Number(producerId), producerEpoch, baseSequence: i * records.length };
        await produce(client, topic, index, buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, codec, records, ...producer }));
      }
    }
  }
  const deletion = { topics: [{ name, partitions: [{ partitionIndex: 1, offset: BigInt(DELETED_BEFORE) }] }], timeoutMs: 30_000 };
  await settled(
    'deleteRecords',
    async () => (await client.call('deleteRecords', deletion, 2, CLIENT)).topics[0]?.partitions[0]?.errorCode ?? -1,
  );
  for (const groupId of [`group-${round}`, 'group-of-all']) await commit(client, groupId, name, 40 + round);
}

function recordsOfRound(round: number, topic: string, index: number, batch: number) {
  return Array.from({ length: 20 }, (_unused, i) => ({
    key: Buffer.from(`${round}-${i}`),
    value: i % 7 === 0 ? null : Buffer.from(`${topic}/${index} ${'ä'.repeat((batch * 97 + i * 31) % 400)}`),
    timestamp: 1_700_000_000_000 + round * 1000 + i,
    headers: i % 5 === 0 ? [{ key: 'h', value: Buffer.from([round, batch]) }] : [],
  }));
}

async function produce(client: PlainClient, topic: string, index: number, records: Buffer): Promise<void> {
  await settled(`produce to ${topic}-${index}`, async () => {
    const request = {
      transactionalId: null,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: topic, partitionData: [{ index, records }] }],
    };
    return (await client.call('produce', request, 9, CLIENT)).responses[0]?.partitionResponses[0]?.errorCode ?? -1;
  });
}

async function commit(client: PlainClient, groupId: string, topic: string, offset: number): Promise<void> {
  const partitions = [0, 1, 2].map((partitionIndex) => ({
    partitionIndex,
    committedOffset: offset + partitionIndex,
    committedLeaderEpoch: -1,
    committedMetadata: `of ${topic}`,
  }));
  const request = {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name: topic, partitions }],
  };
  await settled(
    `coordinator of ${groupId}`,
    async () =>
      (await client.call('findCoordinator', { keyType: 0, coordinatorKeys: [groupId] }, 4, CLIENT)).coordinators[0]?.errorCode ??
      -1,
  );
  await settled(
    `offsetCommit of ${groupId}`,
    async () => (await client.call('offsetCommit', request, 8, CLIENT)).topics[0]?.partitions[0]?.errorCode ?? -1,
  );
}

/** Everything that a client can find out, each fact by a name of its own. */
async function factsOf(client: PlainClient, groups: readonly string[]): Promise<Facts> {
  const facts = new Map<string, string>();
  const { topics, clusterId } = await client.call('metadata', { topics: null }, 12, CLIENT);
  facts.set('cluster', clusterId ?? '');
  for (const { name, topicId, partitions } of topics) {
    if (name === null || name.startsWith('__')) continue;
    facts.set(`topic ${name}`, `${topicId} ${partitions.length}`);
    facts.set(`configs of ${name}`, await configsOf(client, name));
    for (const { partitionIndex } of partitions) await factsOfLog(client, name, partitionIndex, facts);
  }
  for (const groupId of groups) facts.set(`offsets of ${groupId}`, await offsetsOf(client, groupId));
  return facts;
}

async function configsOf(client: PlainClient, name: string): Promise<string> {
  const topicConfig = 2;
  const setOnTopic = 1;
  const request = { resources: [{ resourceType: topicConfig, resourceName: name, configurationKeys: null }] };
  const { results } = await client.call('describeConfigs', request, 4, CLIENT);
  const own = (results[0]?.configs ?? []).filter(({ configSource }) => configSource === setOnTopic);
  return own
    .map((config) => `${config.name}=${config.value}`)
    .sort()
    .join(' ');
}

async function factsOfLog(client: PlainClient, topic: string, index: number, facts: Map<string, string>): Promise<void> {
  const log = `${topic}-${index}`;
  const ends: number[] = [];
  for (const timestamp of [-2n, -1n]) {
    await settled(`listOffsets of ${log}`, async () => {
      const partitions = [{ partitionIndex: index, currentLeaderEpoch: -1, timestamp }];
      const answer = await client.call(
        'listOffsets',
        { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] },
        7,
        CLIENT,
      );
      const found = answer.topics[0]?.partitions[0];
      if (found?.errorCode === 0) ends.push(Number(found.offset));
      return found?.errorCode ?? -1;
    });
  }
  const [first = 0, end = 0] = ends;
  facts.set(`range of ${log}`, `${first} to ${end}`);
  for (let offset = first; offset < end; ) {
    const records = await fetched(client, topic, index, offset);
    for (const record of records) {
      const headers = record.headers.map(({ key, value }) => `${key}=${value?.toString('hex')}`).join(',');
      const value = record.value?.toString('base64') ?? null;
      facts.set(`record ${record.offset} of ${log}`, `${record.timestamp} ${record.key?.toString('base64')} ${value} ${headers}`);
    }
    const last = records.at(-1);
    if (last === undefined) throw new Error(`${log} ends at ${offset} instead of ${end}`);
    offset = last.offset + 1;
  }
}

async function fetched(client: PlainClient, topic: string, partition: number, offset: number) {
  const request = {
    replicaId: -1,
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic,
        partitions: [
          {
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: offset,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: 1 << 20,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  };
  const answer = await client.call('fetch', request, 12, CLIENT);
  const data = answer.responses[0]?.partitions[0];
  if (data === undefined || data.errorCode !== 0)
    throw new Error(`fetch of ${topic}-${partition} at ${offset}: error ${data?.errorCode}`);
  return batchesOf(data.records ?? Buffer.alloc(0))
    .flatMap((batch) => recordsOf(batch))
    .filter((record) => record.offset >= offset);
}

async function offsetsOf(client: PlainClient, groupId: string): Promise<string> {
  let found = '';
  await settled(
    `coordinator of ${groupId}`,
    async () =>
      (await client.call('findCoordinator', { keyType: 0, coordinatorKeys: [groupId] }, 4, CLIENT)).coordinators[0]?.errorCode ??
      -1,
  );
  await settled(`offsetFetch of ${groupId}`, async () => {
    const request = { groups: [{ groupId, memberId: null, memberEpoch: -1, topics: null }], requireStable: true };
    const group = (await client.call('offsetFetch', request, 9, CLIENT)).groups[0];
    found = (group?.topics ?? [])
      .flatMap(({ name, partitions }) => partitions.map((p) => `${name}-${p.partitionIndex}@${p.committedOffset}(${p.metadata})`))
      .sort()
      .join(' ');
    return group?.errorCode ?? -1;
  });
  return found;
}

function difference(before: Facts, after: Facts): string | undefined {
  const wrong = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  if (wrong.length === 0) return undefined;
  const shown = wrong
    .slice(0, 5)
    .map((key) => `${key}: was ${before.get(key)?.slice(0, 80)}, is ${after.get(key)?.slice(0, 80)}`);
  return `${wrong.length} of ${before.size} facts differ\n    ${shown.join('\n    ')}`;
}

/** Who has the directory, and how it gives it up. */
const ROUNDS: readonly (readonly [owner: Owner, end: 'SIGTERM' | 'SIGKILL'])[] = [
  ['Blumfeld', 'SIGTERM'],
  ['Apache Kafka', 'SIGTERM'],
  ['Blumfeld', 'SIGKILL'],
  ['Apache Kafka', 'SIGKILL'],
  ['Blumfeld', 'SIGKILL'],
  ['Blumfeld', 'SIGTERM'],
];

async function graduate(jars: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'blumfeld-graduation-'));
  const ports = { client: await freePort(), controller: await freePort() };
  const properties = propertiesIn(folder, ports);
  const groups = ['group-of-all'];
  let before: Facts | undefined;
  let came = 'nothing';
  try {
    for (const [index, [owner, end]] of ROUNDS.entries()) {
      const round = index + 1;
      const running = await start(owner, jars, properties, ports.client);
      try {
        if (before !== undefined) {
          check(
            `${owner} finds all ${before.size} facts after ${came}`,
            difference(before, await factsOf(running.client, groups)),
          );
        }
        await add(running.client, round);
        await startIsKept(folder, `round-${round}`, 1, DELETED_BEFORE);
        groups.push(`group-${round}`);
        before = await factsOf(running.client, groups);
        came = end === 'SIGTERM' ? `a clean stop of ${owner}` : `a kill -9 of ${owner}`;
      } finally {
        await stop(running, end);
      }
    }
  } catch (error) {
    check(`round after ${came}`, error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    if (process.env['KEEP'] === undefined) rmSync(folder, { recursive: true, force: true });
    else console.log(`kept ${folder}`);
  }
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error("name the folder of Apache Kafka's jars");
await graduate(jars);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
