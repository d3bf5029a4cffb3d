/**
 * A broker's work with its disk from the first start to the last stop, and a look whether all of it that was acknowledged is there afterwards. For tests
 * that let the disk fail, or take its power, in the midst of it.
 */
import { expect } from 'chai';
import { verifiedDirectory } from '../../src/cli/verify.ts';
import { checkInvariants } from '../../src/log/invariants.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import type { FakeFiles } from '../sim/fake-files.ts';
import { DATA, SmallWorld, within } from './small-world.ts';

const TOPIC = 'w';
/** Its records may go as soon as their segment has ended. */
const AGED_TOPIC = 'aged';
/** Of each key the last value stays. */
const KEYED_TOPIC = 'keyed';
const GROUP = 'g';
export const SETTINGS: Readonly<Record<string, string>> = {
  'offsets.topic.num.partitions': '1',
  'log.flush.interval.messages': '1',
  'log.roll.ms': '60000',
  'log.retention.ms': '600000',
  'log.segment.delete.delay.ms': '1000',
  'log.cleaner.dedupe.buffer.size': '2097152',
  'metadata.log.max.record.bytes.between.snapshots': '1500',
};
export const TWO_DIRECTORIES = `${DATA},/other`;

export interface Owed {
  /** Acknowledged values by `topic-partition` and offset. */
  readonly records: Map<string, Map<number, string>>;
  /** Of the compacted topic, by key. */
  readonly latest: Map<string, { readonly offset: number; readonly value: string }>;
  readonly topics: Map<string, number>;
  /** Deleted topics: never back. */
  readonly deleted: Set<string>;
  committed: number;
  /** What deletions of records may have been done, by `topic-partition`. */
  readonly startsAtMost: Map<string, number>;
}

export const newOwed = (): Owed => ({
  records: new Map(),
  latest: new Map(),
  topics: new Map(),
  deleted: new Set(),
  committed: -1,
  startsAtMost: new Map([[`${AGED_TOPIC}-0`, Number.MAX_SAFE_INTEGER]]),
});

type Configs = readonly { readonly name: string; readonly value: string }[];

export async function create(
  world: SmallWorld,
  owed: Owed,
  name: string,
  numPartitions: number,
  configs: Configs = [],
): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [...configs] }];
  owed.deleted.delete(name);
  const answer = await world.ask('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false });
  if (answer?.topics[0]?.errorCode === 0) owed.topics.set(name, numPartitions);
}

let valueNumber = 0;

export interface Sent {
  readonly topic?: string;
  readonly partition?: number;
  readonly producerId?: number;
  readonly sequence?: number;
  readonly key?: string;
}

export async function produce(world: SmallWorld, owed: Owed, sent: Sent): Promise<void> {
  const { topic = TOPIC, partition = 0, producerId = -1, sequence = -1, key = 'k' } = sent;
  const value = `value ${valueNumber++}`;
  const records = buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: [{ key: Buffer.from(key), value: Buffer.from(value), timestamp: world.clock.now() }],
    ...(producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence: sequence }),
  });
  const answer = await world.ask('produce', 9, {
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  });
  const [done] = answer?.responses[0]?.partitionResponses ?? [];
  if (done?.errorCode !== 0) return;
  if (topic === KEYED_TOPIC) return void owed.latest.set(key, { offset: Number(done.baseOffset), value });
  const known = owed.records.get(`${topic}-${partition}`) ?? new Map<number, string>();
  owed.records.set(`${topic}-${partition}`, known.set(Number(done.baseOffset), value));
}

async function commit(world: SmallWorld, owed: Owed, offset: number): Promise<void> {
  const answer = await world.ask('offsetCommit', 8, {
    groupId: GROUP,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, committedOffset: BigInt(offset), committedMetadata: null }] }],
  });
  if (answer?.topics[0]?.partitions[0]?.errorCode === 0) owed.committed = offset;
}

/** To the other data directory, with a record on its way. */
async function move(world: SmallWorld, owed: Owed, path: string, producerId: number): Promise<void> {
  const dirs = [{ path, topics: [{ name: TOPIC, partitions: [0, 1] }] }];
  const answer = await world.ask('alterReplicaLogDirs', 2, { dirs });
  expect(answer?.results[0]?.partitions.map(({ errorCode }) => errorCode)).to.deep.equal([0, 0]);
  await produce(world, owed, { partition: 1, producerId, sequence: 4 });
  await within(world.clock.advance(2000), 'time');
}

/** Every kind of thing that touches the disk. Requests may fail; whatever was acknowledged is noted. */
export async function workload(world: SmallWorld, owed: Owed, moveTo?: string): Promise<void> {
  await create(world, owed, TOPIC, 2);
  await create(world, owed, 'short-lived', 1);
  await create(world, owed, AGED_TOPIC, 1, [{ name: 'retention.ms', value: '1000' }]);
  await create(world, owed, KEYED_TOPIC, 1, [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'min.cleanable.dirty.ratio', value: '0.01' },
  ]);
  const id = await world.ask('initProducerId', 4, { transactionalId: null, transactionTimeoutMs: 1000 });
  const producerId = id?.errorCode === 0 ? Number(id.producerId) : -1;
  for (let i = 0; i < 3; i++) {
    for (const key of ['a', 'b']) await produce(world, owed, { topic: KEYED_TOPIC, key });
    await produce(world, owed, {});
    await produce(world, owed, { partition: 1, producerId, sequence: i });
  }
  await world.ask('findCoordinator', 4, { keyType: 0, coordinatorKeys: [GROUP] });
  await commit(world, owed, owed.committed + 1);
  await produce(world, owed, { topic: AGED_TOPIC });
  await within(world.clock.advance(61_000), 'time');
  await produce(world, owed, {});
  await produce(world, owed, { partition: 1, producerId, sequence: 3 });
  await commit(world, owed, owed.committed + 1);
  await produce(world, owed, { topic: AGED_TOPIC });
  for (const key of ['b', 'c']) await produce(world, owed, { topic: KEYED_TOPIC, key });
  if (moveTo !== undefined) await move(world, owed, moveTo, producerId);
  await world.ask('createPartitions', 3, {
    topics: [{ name: TOPIC, count: 3, assignments: null }],
    timeoutMs: 1000,
    validateOnly: false,
  });
  await produce(world, owed, { partition: 2 });
  owed.startsAtMost.set(`${TOPIC}-0`, 1);
  await world.ask('deleteRecords', 2, {
    topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, offset: 1n }] }],
    timeoutMs: 1000,
  });
  await world.ask('incrementalAlterConfigs', 1, {
    resources: [
      { resourceType: 2, resourceName: TOPIC, configs: [{ name: 'retention.bytes', configOperation: 0, value: '1000000' }] },
    ],
    validateOnly: false,
  });
  owed.topics.delete('short-lived');
  const deleted = await world.ask('deleteTopics', 6, { topics: [{ name: 'short-lived' }], timeoutMs: 1000 });
  if (deleted?.responses[0]?.errorCode === 0) owed.deleted.add('short-lived');
  await within(world.clock.advance(61_000), 'time');
  await produce(world, owed, {});
  await world.ask('fetch', 12, {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ topic: TOPIC, partitions: [{ partition: 0, fetchOffset: 1n, partitionMaxBytes: 1_000_000 }] }],
  });
  await world.ask('listOffsets', 7, {
    replicaId: -1,
    topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, timestamp: 1_700_000_030_000n }] }],
  });
}

/** The logs, whole, against what was acknowledged. */
async function lookAtRecords(world: SmallWorld, owed: Owed): Promise<void> {
  const shown = new Set<string>();
  for (const { topic, index, log } of world.broker.services.partitions.all()) {
    if (topic !== TOPIC && topic !== AGED_TOPIC && topic !== KEYED_TOPIC) continue;
    const place = `${topic}-${index}`;
    checkInvariants(log);
    expect(log.logStartOffset, `log start of ${place}`).to.be.at.most(owed.startsAtMost.get(place) ?? 0);
    const found = new Map<number, string>();
    const latest = new Map<string, { offset: number; value: string }>();
    for await (const batch of log.batches()) {
      for (const { offset, key, value } of recordsOf(batch)) {
        expect(shown.has(String(value)), `${String(value)} twice, again at ${place}@${offset}`).to.equal(false);
        shown.add(String(value));
        found.set(offset, String(value));
        latest.set(String(key), { offset, value: String(value) });
      }
    }
    for (const [key, { offset, value }] of topic === KEYED_TOPIC ? owed.latest : []) {
      const last = latest.get(key);
      expect(last?.offset ?? -1, `the last record of ${key}, ${value}`).to.be.at.least(offset);
      if (last?.offset === offset) expect(last.value, `the last value of ${key}`).to.equal(value);
    }
    for (const [offset, value] of owed.records.get(place) ?? []) {
      if (offset < log.logStartOffset) continue;
      expect(found.get(offset), `what was acknowledged at ${place}@${offset}`).to.equal(value);
    }
  }
}

export async function everythingIsThere(files: FakeFiles, owed: Owed, dataDir = DATA, settings = SETTINGS): Promise<void> {
  const world = new SmallWorld(files, 0xb1f);
  await world.start(settings, { dataDir });
  const { image } = world.broker.services;
  for (const [name, count] of owed.topics) {
    expect(image.topicsByName.get(name)?.partitions.size ?? 0, `partitions of ${name}`).to.be.at.least(count);
  }
  for (const name of owed.deleted) expect(image.topicsByName.has(name), `${name} is gone`).to.equal(false);
  await lookAtRecords(world, owed);
  if (owed.committed >= 0) {
    const groups = [{ groupId: GROUP, topics: [{ name: TOPIC, partitionIndexes: [0] }] }];
    const answer = await world.ask('offsetFetch', 8, { groups, requireStable: false });
    expect(Number(answer?.groups[0]?.topics[0]?.partitions[0]?.committedOffset)).to.be.at.least(owed.committed);
  }
  await create(world, newOwed(), 'after', 1);
  expect(image.topicsByName.has('after'), 'it serves').to.equal(true);
  expect(world.errors, 'errors after the restart').to.deep.equal([]);
  await world.stop();
  for (const path of dataDir.split(',')) {
    const { all } = await verifiedDirectory(files, path);
    // A snapshot of producers that was torn is dropped by who needs it, and not before.
    const wrong = all.filter(({ isHarmless, what }) => !isHarmless && !what.includes('producers are read from the log'));
    expect(wrong.map(({ path: file, position, what }) => `${file} at ${position}: ${what}`).join(', '), path).to.equal('');
  }
}
