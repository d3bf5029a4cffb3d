/**
 * Every file that a start reads, damaged: a broker over a disk in memory either starts or says in one sentence why not. It does not hang, raises no error of the
 * language, and what lies in other files is served as before.
 */
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { DATA, SmallWorld } from '../../test/hostile/small-world.ts';
import { FakeFiles } from '../../test/sim/fake-files.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { mutated } from './grammar.ts';
import type { Outcome } from './requests.ts';

const SETTINGS = { 'offsets.topic.num.partitions': '1', 'transaction.state.log.num.partitions': '1', 'log.roll.ms': '60000' };
const TOPICS = ['one', 'two'];
const OF_THE_LANGUAGE = /TypeError|RangeError|ReferenceError|SyntaxError|is not a function|Cannot read propert/;

async function produce(world: SmallWorld, topic: string, value: string, sequence: number): Promise<void> {
  const records = [{ key: Buffer.from('k'), value: Buffer.from(value), timestamp: world.clock.now() }];
  const batch = buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records,
    producerId: 0,
    producerEpoch: 0,
    baseSequence: sequence,
    codec: 1,
  });
  await world.ask('produce', 9, {
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: batch }] }],
  });
}

/** One that is committed, with an offset of a group, and one that is open. */
async function transactions(world: SmallWorld): Promise<void> {
  for (const transactionalId of ['committed', 'open']) {
    await world.ask('findCoordinator', 4, { keyType: 1, coordinatorKeys: [transactionalId] });
    await world.clock.advance(1000);
    const identity = await world.ask('initProducerId', 4, { transactionalId, transactionTimeoutMs: 600_000 });
    const { producerId = -1n, producerEpoch = -1 } = identity ?? {};
    const producer = { producerId, producerEpoch };
    const topics = [{ name: 'two', partitions: [0] }];
    await world.ask('addPartitionsToTxn', 3, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: topics,
    });
    const records = buildBatch({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      records: [{ key: null, value: Buffer.from(transactionalId), timestamp: world.clock.now() }],
      producerId: Number(producerId),
      producerEpoch,
      baseSequence: 0,
      transactional: true,
    });
    const topicData = [{ name: 'two', partitionData: [{ index: 0, records }] }];
    await world.ask('produce', 9, { transactionalId, acks: -1, timeoutMs: 1000, topicData });
    await world.ask('addOffsetsToTxn', 3, { transactionalId, ...producer, groupId: 'g' });
    await world.ask('txnOffsetCommit', 3, {
      transactionalId,
      groupId: 'g',
      ...producer,
      topics: [{ name: 'two', partitions: [{ partitionIndex: 0, committedOffset: 2n, committedMetadata: transactionalId }] }],
    });
    if (transactionalId === 'committed') await world.ask('endTxn', 3, { transactionalId, ...producer, committed: true });
    await world.clock.advance(1000);
  }
}

/** A disk with a bit of everything on it, as a clean stop and as death leave it. */
async function disks(): Promise<{ readonly clean: FakeFiles; readonly killed: FakeFiles }> {
  const files = new FakeFiles(() => 1_700_000_000_000);
  const world = new SmallWorld(files, 1);
  await world.start(SETTINGS);
  const topics = TOPICS.map((name) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }));
  await world.ask('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false });
  for (let round = 0; round < 4; round++) {
    for (const topic of TOPICS) await produce(world, topic, `${topic} ${round}`, round);
    await world.clock.advance(61_000);
  }
  await world.ask('findCoordinator', 4, { keyType: 0, coordinatorKeys: ['g'] });
  await world.clock.advance(1000);
  await world.ask('offsetCommit', 8, {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: 'one', partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }],
  });
  await transactions(world);
  const partitions = [{ partitionIndex: 0, offset: 1n }];
  await world.ask('deleteRecords', 2, { topics: [{ name: 'two', partitions }], timeoutMs: 1000 });
  await world.clock.advance(61_000);
  const left = files.kill();
  const killed = left.kill();
  const again = new SmallWorld(killed.kill(), 3);
  await again.start(SETTINGS);
  await again.stop();
  return { clean: again.files.kill(), killed: killed.kill() };
}

function filesBelow(files: FakeFiles, path: string): string[] {
  return files
    .list(path)
    .flatMap(({ name, directory }) => (directory ? filesBelow(files, `${path}/${name}`) : [`${path}/${name}`]))
    .filter((found) => !found.endsWith('/.lock'));
}

function damage(files: FakeFiles, path: string, random: SeededRandom): string {
  const bytes = files.readFile(path);
  const way = random.below(8);
  if (way === 0) {
    files.remove(path);
    return 'removed';
  }
  if (way === 1) {
    files.writeFile(path, Buffer.alloc(0));
    return 'emptied';
  }
  if (way === 2) {
    files.writeFile(path, Buffer.concat([bytes, random.bytes(random.between(1, 100))]));
    return 'longer';
  }
  if (way === 3) {
    files.writeFile(path, random.bytes(bytes.length));
    return 'noise';
  }
  files.writeFile(path, mutated(bytes, random));
  return 'mutated';
}

async function values(world: SmallWorld, topic: string): Promise<string[]> {
  const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000_000 }];
  const found: string[] = [];
  for (let at = 0; at < 10; at++) {
    const [asked] = partitions;
    const answer = await world.ask('fetch', 12, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic, partitions: asked === undefined ? [] : [asked] }],
    });
    const records = answer?.responses[0]?.partitions[0]?.records;
    if (records === undefined || records === null || records.length === 0) break;
    const read = batchesOf(Buffer.from(records)).flatMap((batch) => recordsOf(batch));
    found.push(...read.map(({ value }) => String(value)));
    partitions[0] = { partition: 0, fetchOffset: BigInt((read.at(-1)?.offset ?? 0) + 1), partitionMaxBytes: 1_000_000 };
  }
  return found;
}

/** Whoever wrote it, bytes that are damaged are handed out as they are: clients check them. */
async function readEverything(world: SmallWorld, path: string): Promise<void> {
  await world.ask('metadata', 12, { topics: null });
  for (const topic of TOPICS) {
    if (path.includes(`/${topic}-0/`)) {
      await values(world, topic).catch(() => undefined);
      const listed = [{ partitionIndex: 0, timestamp: 1_700_000_050_000n }];
      await world.ask('listOffsets', 7, { replicaId: -1, topics: [{ name: topic, partitions: listed }] });
      continue;
    }
    if (path.includes('/__cluster_metadata-0/') || path.endsWith('-checkpoint') || path.endsWith('meta.properties')) continue;
    const found = await values(world, topic);
    if (topic === 'one' && found.length !== 4) throw new Error(`${topic} has ${JSON.stringify(found)} after ${path} was damaged`);
  }
  await askEveryone(world);
  await produce(world, 'one', 'new', 9);
  await world.clock.advance(61_000);
}

/** Whoever has something to tell of what was read at the start. */
async function askEveryone(world: SmallWorld): Promise<void> {
  const groups = [{ groupId: 'g', topics: TOPICS.map((name) => ({ name, partitionIndexes: [0] })) }];
  const asked = TOPICS.map((name) => ({ name, partitionIndexes: [0] }));
  const resources = TOPICS.map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: null }));
  await world.ask('offsetFetch', 8, { groups, requireStable: false });
  await world.ask('listGroups', 5, { statesFilter: [], typesFilter: [] });
  await world.ask('describeGroups', 5, { groups: ['g'] });
  await world.ask('listTransactions', 1, { stateFilters: [], producerIdFilters: [], durationFilter: 0n });
  await world.ask('describeTransactions', 0, { transactionalIds: ['committed', 'open'] });
  await world.ask('describeProducers', 0, { topics: asked });
  await world.ask('describeConfigs', 4, { resources, includeSynonyms: true, includeDocumentation: false });
  await world.ask('describeLogDirs', 4, { topics: null });
  await world.ask('describeCluster', 1, { includeClusterAuthorizedOperations: false });
  await world.ask('initProducerId', 4, { transactionalId: 'open', transactionTimeoutMs: 600_000 });
  for (const topic of TOPICS) {
    const partitions = [-1n, -2n, -3n].map((timestamp) => ({ partitionIndex: 0, timestamp }));
    for (const one of partitions)
      await world.ask('listOffsets', 7, { replicaId: -1, topics: [{ name: topic, partitions: [one] }] });
    const epochs = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }];
    await world.ask('offsetForLeaderEpoch', 4, { replicaId: -1, topics: [{ topic, partitions: epochs }] });
  }
}

async function tryOne(files: FakeFiles, path: string): Promise<void> {
  const world = new SmallWorld(files, 5);
  try {
    await world.start(SETTINGS);
  } catch (error) {
    const { name, message } = error as Error;
    if (
      name === 'Hangs' ||
      OF_THE_LANGUAGE.test(name) ||
      OF_THE_LANGUAGE.test(message) ||
      message.includes('\n') ||
      message === ''
    )
      throw new Error('the start does not end in a sentence', { cause: error });
    return;
  }
  await readEverything(world, path);
  await world.stop();
  const bad = world.errors.find((text) => OF_THE_LANGUAGE.test(text));
  if (bad !== undefined) throw new Error(`logged: ${bad}`);
}

export async function fuzzFiles(seed: number, seconds: number): Promise<Outcome> {
  const random = new SeededRandom(seed);
  const { clean, killed } = await disks();
  const end = performance.now() + seconds * 1000;
  const findings: string[] = [];
  const uncaught: unknown[] = [];
  const note = (reason: unknown): void => void uncaught.push(reason);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  let tries = 0;
  while (performance.now() < end && findings.length < 5) {
    const own = random.fork();
    const isClean = own.oneIn(2);
    const files = (isClean ? clean : killed).kill();
    const path = own.pick(filesBelow(files, DATA));
    const way = damage(files, path, own);
    tries++;
    try {
      await tryOne(files, path);
      for (const reason of uncaught.splice(0)) throw new Error('raised, and nobody caught it', { cause: reason });
    } catch (error) {
      const { stack, cause } = error as Error;
      const why = cause instanceof Error ? `\n  because of ${cause.stack}` : '';
      findings.push(`${path} ${way} after a ${isClean ? 'clean stop' : 'kill'}, seed ${seed}, try ${tries}: ${stack}${why}`);
    }
  }
  process.off('unhandledRejection', note).off('uncaughtException', note);
  return { requests: tries, findings };
}
