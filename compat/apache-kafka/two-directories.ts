/**
 * Brokers with two data directories. Side by side: partitions are moved, a directory goes away while the broker runs, is away at its start and comes back, and all
 * answers are compared with Apache Kafka's, field by field. Then one pair of directories is handed from Blumfeld to Apache Kafka and back, in the midst of moves.
 * `node build/compat/apache-kafka/two-directories.js JARS`
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import { PlainClient } from '../../test/support/plain-client.ts';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { type Directory, format, newDirectory, type Owner, type OwnerProcess, startOn } from './directory-owner.ts';

const PATIENCE_MS = 60_000;
const AWAY = 'one is away at the start';
const CORDONED = 'cordoned.log.dirs';
const RATE = 'replica.alter.log.dirs.io.max.bytes.per.second';

const EVERY_BROKER = { includeClusterAuthorizedOperations: false, endpointType: 1, includeFencedBrokers: true };

const checks = new Checks();

function check(name: string, expected: unknown, found: unknown): void {
  const [first, second] = [JSON.stringify(expected), JSON.stringify(found)];
  checks.check(name, first === second ? undefined : `Apache Kafka ${first}\nBlumfeld     ${second}`);
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what} did not come about`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A broker on two directories, started by either of the two. */
class Side {
  readonly one: string;
  readonly two: string;
  readonly #directory: Directory;
  readonly #jars: string;
  #running: OwnerProcess | undefined;
  #client: PlainClient | undefined;

  private constructor(directory: Directory, jars: string) {
    [this.one = '', this.two = ''] = directory.dataDirs;
    this.#directory = directory;
    this.#jars = jars;
  }

  static async in(folder: string, jars: string): Promise<Side> {
    const dataDirs = [join(folder, 'one'), join(folder, 'two')];
    return new Side(await newDirectory(folder, ['log.retention.ms=-1'], dataDirs), jars);
  }

  format(): Promise<void> {
    return format(this.#jars, this.#directory);
  }

  async start(owner: Owner): Promise<void> {
    this.#running = await startOn(this.#directory, owner, this.#jars);
    this.#client = new PlainClient({ host: '127.0.0.1', port: this.#directory.port });
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
    await this.#running?.stop(signal);
    this.#running = undefined;
  }

  call<N extends ApiName>(name: N, request: ApiTypes[N]['requestDraft'], version: number): Promise<ApiTypes[N]['response']> {
    if (this.#client === undefined) throw new Error('the broker is not running');
    return this.#client.call(name, request, version, 'two-directories');
  }

  create(name: string, numPartitions: number): Promise<unknown> {
    const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }];
    return this.call('createTopics', { topics, timeoutMs: 10_000, validateOnly: false }, 7);
  }

  alter(path: string, name: string, ...partitions: number[]): Promise<unknown> {
    return this.call('alterReplicaLogDirs', { dirs: [{ path, topics: [{ name, partitions }] }] }, 2);
  }

  async produce(topic: string, index: number, values: readonly string[]): Promise<unknown> {
    const records = values.map((value) => ({ key: null, value: Buffer.from(value), timestamp: 1_700_000_000_000 }));
    const topicData = [
      { name: topic, partitionData: [{ index, records: buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records }) }] },
    ];
    return (await this.call('produce', { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData }, 9)).responses;
  }

  async values(topic: string, partition: number): Promise<string[]> {
    const values: string[] = [];
    for (let offset = 0n; ; ) {
      const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: 1_000_000 }];
      const answer = await this.call('fetch', { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] }, 11);
      const [found] = answer.responses[0]?.partitions ?? [];
      const batches = batchesOf(Buffer.from(found?.records ?? []));
      if (batches.length === 0) return values;
      for (const batch of batches) for (const { value } of recordsOf(batch)) values.push(String(value));
      offset = BigInt((batches.at(-1)?.lastOffset ?? 0) + 1);
    }
  }

  /** Where the topic's partitions are: `ONE 0`, with an F for one that is on its way there. */
  async places(topic: string): Promise<string[]> {
    const { results } = await this.call('describeLogDirs', { topics: null }, 4);
    const lines = results.flatMap(({ logDir, topics }) =>
      topics
        .filter(({ name }) => name === topic)
        .flatMap(({ partitions }) => partitions.map((p) => `${logDir} ${p.partitionIndex}${p.isFutureKey ? ' F' : ''}`)),
    );
    return lines.map((line) => this.plain(line)).toSorted();
  }

  settled(topic: string, ...places: string[]): Promise<void> {
    const wanted = JSON.stringify(places.toSorted());
    return until(`${topic} at ${wanted}`, async () => JSON.stringify(await this.places(topic)) === wanted);
  }

  /** Without what is each broker's own. */
  plain(text: string): string {
    return text.replaceAll(this.one, 'ONE').replaceAll(this.two, 'TWO');
  }
}

/** An answer in the order of its fields, hash maps sorted, with what differs by chance left out. */
function normal(side: Side, answer: unknown): unknown {
  const drop = new Set(['totalBytes', 'usableBytes', 'topicId', 'port', 'clusterId', 'nextCursor', 'lastTimestamp']);
  const walk = (value: unknown): unknown => {
    if (typeof value === 'bigint') return Number(value);
    if (typeof value === 'string') return side.plain(value);
    if (Buffer.isBuffer(value)) return value.length;
    if (Array.isArray(value)) return value.map(walk).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (drop.has(name) ? [] : [[name, walk(field)]])));
  };
  return walk(answer);
}

type Said = Map<string, unknown>;

/** What one of them says to everything that may be asked about t, of which 0 and 1 are in the first directory, and 2 and 3 in the second. */
async function interview(side: Side, when: string): Promise<Said> {
  const said: Said = new Map();
  const ask = async (what: string, answer: Promise<unknown>): Promise<void> =>
    void said.set(`${when}: ${what}`, normal(side, await answer));
  for (const version of [1, 2, 3, 4, 5])
    await ask(`DescribeLogDirs v${version}`, side.call('describeLogDirs', { topics: null }, version));
  const named = { topics: [{ topic: 't', partitions: [0, 2, 2, 9] }] };
  await ask('DescribeLogDirs of some', side.call('describeLogDirs', named, 5));
  await ask('Metadata', side.call('metadata', { topics: [{ name: 't' }], allowAutoTopicCreation: false }, 12));
  const dtp = { topics: [{ name: 't' }], responsePartitionLimit: 100, cursor: null };
  await ask('DescribeTopicPartitions', side.call('describeTopicPartitions', dtp, 0));
  await ask('DescribeCluster', side.call('describeCluster', EVERY_BROKER, 2));
  for (const index of [0, 2]) {
    await ask(`Produce ${index}`, side.produce('t', index, ['a']));
    const fetched = [{ partition: index, fetchOffset: 0n, partitionMaxBytes: 1_000_000 }];
    await ask(
      `Fetch ${index}`,
      side.call('fetch', { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions: fetched }] }, 11),
    );
    const looked = [{ partitionIndex: index, currentLeaderEpoch: -1, timestamp: -1n }];
    await ask(
      `ListOffsets ${index}`,
      side.call('listOffsets', { replicaId: -1, topics: [{ name: 't', partitions: looked }] }, 7),
    );
    const epochs = [{ partition: index, currentLeaderEpoch: -1, leaderEpoch: 0 }];
    await ask(
      `OffsetForLeaderEpoch ${index}`,
      side.call('offsetForLeaderEpoch', { replicaId: -1, topics: [{ topic: 't', partitions: epochs }] }, 4),
    );
    await ask(
      `DescribeProducers ${index}`,
      side.call('describeProducers', { topics: [{ name: 't', partitionIndexes: [index] }] }, 0),
    );
    const deletion = [{ name: 't', partitions: [{ partitionIndex: index, offset: 0n }] }];
    await ask(`DeleteRecords ${index}`, side.call('deleteRecords', { topics: deletion, timeoutMs: 1000 }, 2));
  }
  const places = { one: side.one, two: side.two, nowhere: '/nowhere', relative: 'one', slash: `${side.one}/` };
  for (const [place, path] of Object.entries(places)) {
    await ask(`to ${place}: unknown topic`, side.alter(path, 'nope', 0));
    await ask(`to ${place}: unknown partition`, side.alter(path, 't', 9, -1));
    await ask(`to ${place}: a name too long for a copy`, side.alter(path, 'x'.repeat(220), 0));
  }
  await ask('to where it is', side.alter(side.one, 't', 0));
  await ask('from the second where it is', side.alter(side.two, 't', 2));
  await ask('nothing', side.call('alterReplicaLogDirs', { dirs: [] }, 1));
  return said;
}

/**
 * What was away at the start already is NOT_LEADER_OR_FOLLOWER in Apache Kafka, or KAFKA_STORAGE_ERROR when a change of the partition came before its first image of
 * the metadata, which is chance. Here it is always the first.
 */
const offlineEitherWay = (answer: unknown): unknown =>
  JSON.parse(
    JSON.stringify(answer).replaceAll('"errorCode":56,', '"errorCode":6,').replaceAll('"errorCode":56}', '"errorCode":6}'),
  );

function compare(kafka: Said, blumfeld: Said): void {
  for (const [what, answer] of kafka) {
    const either =
      what.startsWith(AWAY) && /: (?:Produce|Fetch|ListOffsets|OffsetFor|DescribeProducers|DeleteRecords)/.test(what);
    const [first, second] = [answer, blumfeld.get(what)].map((one) => (either ? offlineEitherWay(one) : one));
    check(what, first, second);
  }
}

async function sideBySide(jars: string, folder: string): Promise<void> {
  const kafka = await Side.in(join(folder, 'kafka'), jars);
  const blumfeld = await Side.in(join(folder, 'blumfeld'), jars);
  const sides = [kafka, blumfeld] as const;
  const both = (run: (side: Side) => Promise<unknown>): Promise<unknown> => Promise.all(sides.map(run));
  const started = (): Promise<unknown> => Promise.all([kafka.start('Apache Kafka'), blumfeld.start('Blumfeld')]);
  const interviews = async (when: string): Promise<void> => {
    compare(await interview(kafka, when), await interview(blumfeld, when));
  };
  try {
    await kafka.format();
    await started();
    await both(async (side) => {
      await side.create('t', 4);
      await until('leaders', async () => (await side.places('t')).length === 4);
      for (const index of [0, 1, 2, 3]) await side.produce('t', index, ['one', 'two']);
      await side.alter(side.one, 't', 0, 1);
      await side.alter(side.two, 't', 2, 3);
      await side.settled('t', 'ONE 0', 'ONE 1', 'TWO 2', 'TWO 3');
    });
    await interviews('both there');
    await both(async (side) => {
      renameSync(side.two, `${side.two}-away`);
      await until('an offline directory', async () => {
        const { topics } = await side.call('metadata', { topics: [{ name: 't' }], allowAutoTopicCreation: false }, 12);
        return topics[0]?.partitions.some(({ leaderId }) => leaderId === -1) === true;
      });
    });
    await interviews('one went away');
    await both((side) => side.stop());
    await both((side) => Promise.resolve(writeFileSync(side.two, 'in the way')));
    await started();
    await both((side) => until('leaders', async () => (await side.places('t')).length === 2));
    await interviews(AWAY);
    await both((side) => side.stop());
    await both(async (side) => {
      rmSync(side.two);
      renameSync(`${side.two}-away`, side.two);
    });
    await started();
    await both((side) => side.settled('t', 'ONE 0', 'ONE 1', 'TWO 2', 'TWO 3'));
    await interviews('it is back');
    for (const which of ['two', 'one', 'all', 'none'] as const) {
      const when = `cordoned: ${which}`;
      compare(await cordoned(kafka, which, when), await cordoned(blumfeld, which, when));
      await interviews(when);
    }
  } finally {
    await both((side) => side.stop());
  }
}

function configure(side: Side, resourceName: string, name: string, value: string | null): Promise<unknown> {
  const configs = [{ name, configOperation: value === null ? 1 : 0, value }];
  return side.call(
    'incrementalAlterConfigs',
    { resources: [{ resourceType: 4, resourceName, configs }], validateOnly: false },
    1,
  );
}

const throttle = (side: Side, bytesPerSecond: string | null): Promise<unknown> => configure(side, '', RATE, bytesPerSecond);

/** What comes of cordoning: what is said to it, which directories are, and where new partitions go. */
async function cordoned(side: Side, which: 'one' | 'two' | 'all' | 'none', when: string): Promise<Said> {
  const said: Said = new Map();
  const ask = async (what: string, answer: Promise<unknown>): Promise<void> =>
    void said.set(`${when}: ${what}`, normal(side, await answer));
  const paths: readonly string[] = { one: [side.one], two: [side.two], all: [side.one, side.two], none: [] }[which];
  for (const wrong of [`${side.one},/nowhere`, `${side.one}/`, `*,${side.one}`, `${side.one},${side.one}`, `${side.one},`])
    await ask(`cordoned.log.dirs ${side.plain(wrong)}`, configure(side, '1', CORDONED, wrong));
  const value = { one: side.one, two: ` ${side.two} `, all: '*', none: null }[which];
  await ask('cordoned.log.dirs', configure(side, '1', CORDONED, value));
  const isCordoned = async (): Promise<readonly string[]> => {
    const { results } = await side.call('describeLogDirs', { topics: [] }, 5);
    return results.flatMap((directory) => (directory.isCordoned ? [directory.logDir] : []));
  };
  await until(when, async () => JSON.stringify((await isCordoned()).toSorted()) === JSON.stringify(paths.toSorted()));
  const described = [{ resourceType: 4, resourceName: '1', configurationKeys: [CORDONED] }];
  const described4 = { resources: described, includeSynonyms: true, includeDocumentation: false };
  await ask('DescribeConfigs', side.call('describeConfigs', described4, 4));
  const topic = `to-${which}`;
  // The controller of Apache Kafka hears of it by the broker's next heartbeat.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  // Where both are as full as each other it is chance which comes first.
  await ask('CreateTopics', which === 'none' ? Promise.resolve([]) : side.create(topic, 2));
  const assigned = { numPartitions: -1, replicationFactor: -1, configs: [] };
  const assignments = (...brokerIds: number[]) => [{ partitionIndex: 0, brokerIds }];
  for (const brokers of [[1], [1, 1], [1, 7], [0, 1]]) {
    const topics = [{ name: `${topic}-${brokers.join('-')}`, assignments: assignments(...brokers), ...assigned }];
    await ask(
      `CreateTopics on ${brokers.join()}`,
      side.call('createTopics', { topics, timeoutMs: 10_000, validateOnly: true }, 7),
    );
  }
  for (const more of [null, [{ brokerIds: [1] }]]) {
    const topics = [{ name: 't', count: 5, assignments: more }];
    const request = { topics, timeoutMs: 10_000, validateOnly: true };
    await ask(`CreatePartitions ${JSON.stringify(more)}`, side.call('createPartitions', request, 3));
  }
  if (which === 'one' || which === 'two') await until(topic, async () => (await side.places(topic)).length === 2);
  await ask('places', side.places(topic));
  return said;
}

/** What was sent to each partition; each of the two adds to it, and leaves a move behind that is not at its end. */
async function handedOver(jars: string, folder: string): Promise<void> {
  const side = await Side.in(join(folder, 'handed'), jars);
  const sent: string[][] = [[], [], [], []];
  const add = async (who: string): Promise<void> => {
    for (const [index, values] of sent.entries()) {
      const more = Array.from({ length: 20 }, (_unused, i) => `${who} ${index} ${values.length + i} ${'x'.repeat(100)}`);
      for (const value of more) await side.produce('h', index, [value]);
      values.push(...more);
    }
  };
  const all = async (what: string): Promise<void> => {
    for (const [index, values] of sent.entries()) check(`${what}: records of ${index}`, values, await side.values('h', index));
  };
  const [ones, twos] = ['ONE', 'TWO'].map((place) => [0, 1, 2, 3].map((index) => `${place} ${index}`)) as [string[], string[]];
  try {
    await side.start('Blumfeld');
    await side.create('h', 4);
    await side.alter(side.one, 'h', 0, 1, 2, 3);
    await side.settled('h', ...ones);
    await add('Blumfeld');
    await throttle(side, '1000');
    await side.alter(side.two, 'h', 0, 1, 2, 3);
    await side.stop();

    await side.start('Apache Kafka');
    await until('leaders', async () => (await side.places('h')).length >= 4);
    await throttle(side, null);
    await side.settled('h', ...twos);
    await all('moved by Blumfeld and Apache Kafka');
    await add('Apache Kafka');
    await throttle(side, '1000');
    await side.alter(side.one, 'h', 0, 1, 2, 3);
    await side.stop('SIGKILL');

    await side.start('Blumfeld');
    await throttle(side, null);
    await side.settled('h', ...ones);
    await all('moved by Apache Kafka and Blumfeld');
    await add('Blumfeld again');
    await all('written again');
  } finally {
    await side.stop();
  }
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error("name the folder of Apache Kafka's jars");
const folder = temporaryFolder('two-directories');
try {
  await sideBySide(jars, folder);
  await handedOver(jars, folder);
} finally {
  removeFolder(folder);
}
checks.end();
