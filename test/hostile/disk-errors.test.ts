/**
 * A disk that fails at its n-th operation, for every n of a workload. Whatever n is: a start says in one sentence why there is none, a running broker answers with
 * storage errors or closes and says that it cannot go on; nothing hangs and nothing is raised that nobody catches. On the healed disk, after the death of
 * the process or a loss of power, everything acknowledged is there.
 */
import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { StorageFailure } from '../../src/world/files.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { SmallWorld, within } from './small-world.ts';

const TOPIC = 'w';
const GROUP = 'g';
const SETTINGS = {
  'offsets.topic.num.partitions': '1',
  'log.flush.interval.messages': '1',
  'log.roll.ms': '60000',
  'log.retention.ms': '600000',
  'log.segment.delete.delay.ms': '1000',
};

interface Owed {
  /** Acknowledged values by partition and offset. */
  readonly records: Map<string, string>;
  readonly topics: Map<string, number>;
  /** Deleted topics: never back. */
  readonly deleted: Set<string>;
  committed: number;
  /** Deletions of records that may have been done. */
  startsAtMost: number;
  readonly ids: Set<bigint>;
}

const newOwed = (): Owed => ({
  records: new Map(),
  topics: new Map(),
  deleted: new Set(),
  committed: -1,
  startsAtMost: 0,
  ids: new Set(),
});

async function create(world: SmallWorld, owed: Owed, name: string, numPartitions: number): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }];
  const answer = await world.ask('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false });
  if (answer?.topics[0]?.errorCode === 0) owed.topics.set(name, numPartitions);
}

let valueNumber = 0;

async function produce(world: SmallWorld, owed: Owed, partition: number, producerId = -1, sequence = -1): Promise<void> {
  const value = `value ${valueNumber++}`;
  const records = buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: [{ key: Buffer.from('k'), value: Buffer.from(value), timestamp: world.clock.now() }],
    ...(producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence: sequence }),
  });
  const answer = await world.ask('produce', 9, {
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: TOPIC, partitionData: [{ index: partition, records }] }],
  });
  const [done] = answer?.responses[0]?.partitionResponses ?? [];
  if (done?.errorCode === 0) owed.records.set(`${partition}@${done.baseOffset}`, value);
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

/** Every kind of thing that touches the disk. Requests may fail; whatever was acknowledged is noted. */
async function workload(world: SmallWorld, owed: Owed): Promise<void> {
  await create(world, owed, TOPIC, 2);
  await create(world, owed, 'short-lived', 1);
  const id = await world.ask('initProducerId', 4, { transactionalId: null, transactionTimeoutMs: 1000 });
  const producerId = id?.errorCode === 0 ? Number(id.producerId) : -1;
  for (let i = 0; i < 3; i++) {
    await produce(world, owed, 0);
    await produce(world, owed, 1, producerId, i);
  }
  await world.ask('findCoordinator', 4, { keyType: 0, coordinatorKeys: [GROUP] });
  await commit(world, owed, 1);
  await within(world.clock.advance(61_000), 'time');
  await produce(world, owed, 0);
  await produce(world, owed, 1, producerId, 3);
  await commit(world, owed, 2);
  await world.ask('createPartitions', 3, {
    topics: [{ name: TOPIC, count: 3, assignments: null }],
    timeoutMs: 1000,
    validateOnly: false,
  });
  await produce(world, owed, 2);
  owed.startsAtMost = 1;
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
  const deleted = await world.ask('deleteTopics', 6, { topics: [{ name: 'short-lived' }], timeoutMs: 1000 });
  owed.topics.delete('short-lived');
  if (deleted?.responses[0]?.errorCode === 0) owed.deleted.add('short-lived');
  await within(world.clock.advance(61_000), 'time');
  await produce(world, owed, 0);
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

/** The log of a partition, whole, against what was acknowledged. */
async function lookAtRecords(world: SmallWorld, owed: Owed): Promise<void> {
  const found = new Map<string, string>();
  for (let partition = 0; partition < 3; partition++) {
    const log = world.broker.services.partitions.find(TOPIC, partition)?.log;
    if (log === undefined) continue;
    checkInvariants(log);
    expect(log.logStartOffset, 'log start').to.be.at.most(partition === 0 ? owed.startsAtMost : 0);
    for await (const batch of log.batches()) {
      for (const record of recordsOf(batch)) found.set(`${partition}@${record.offset}`, String(record.value));
    }
  }
  for (const [place, value] of owed.records) {
    if (place === '0@0' && owed.startsAtMost > 0) continue;
    expect(found.get(place), `what was acknowledged at ${place}`).to.equal(value);
  }
}

async function everythingIsThere(files: FakeFiles, owed: Owed): Promise<void> {
  const world = new SmallWorld(files, 2);
  await world.start(SETTINGS);
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
}

type Code = 'EIO' | 'ENOSPC';

/** Runs the workload on a disk whose n-th operation fails. False when the workload ended before. */
async function runWithFailure(n: number, { code, forever, fate }: Way): Promise<boolean> {
  const random = new SeededRandom(n);
  const files = new FakeFiles(() => 1_700_000_000_000);
  const world = new SmallWorld(files, 1);
  const owed = newOwed();
  files.failAfter(n, code, forever);
  let started = false;
  try {
    await world.start(SETTINGS);
    started = true;
  } catch (error) {
    expect(error).to.be.instanceOf(StorageFailure);
    expect((error as Error).message).to.match(new RegExp(`^[^\\n]+ failed: ${code}$`));
  }
  if (started) {
    await workload(world, owed);
    const before = files.operations;
    if (before >= n && world.fatal.length === 0) await within(world.clock.advance(400_000), 'time');
    if (files.operations >= n) {
      expect(
        world.fatal.map(({ message }) => message),
        'what the broker gave up with',
      ).to.have.lengthOf(1);
      expect(world.errors.length, 'what was logged').to.be.at.least(1);
    }
    await stop(world, files.operations >= n);
  }
  const failed = files.operations >= n;
  files.failNever();
  await everythingIsThere(fate === 'kill' ? files.kill() : files.crash(random), owed);
  return failed;
}

/** A stop of a broker that has given up is quiet; one that meets the failure itself says so. */
async function stop(world: SmallWorld, hasFailed: boolean): Promise<void> {
  try {
    await world.stop();
  } catch (error) {
    if (hasFailed || !(error instanceof StorageFailure)) throw error;
  }
}

type Fate = 'kill' | 'power cut';

interface Way {
  readonly code: Code;
  readonly forever: boolean;
  readonly fate: Fate;
}

const WAYS: readonly Way[] = [
  { code: 'EIO', forever: true, fate: 'kill' },
  { code: 'EIO', forever: false, fate: 'power cut' },
  { code: 'ENOSPC', forever: false, fate: 'kill' },
  { code: 'ENOSPC', forever: true, fate: 'power cut' },
];

/** `FAIL_AT=n` for one operation in all ways; `THOROUGH=1` for all operations in all ways. */
const FAIL_AT = process.env['FAIL_AT'] === undefined ? undefined : Number(process.env['FAIL_AT']);
const THOROUGH = process.env['THOROUGH'] !== undefined || FAIL_AT !== undefined;

describe('a disk that fails at its n-th operation', function () {
  this.timeout(THOROUGH ? 600_000 : 60_000);
  const uncaught: unknown[] = [];
  const note = (reason: unknown): void => void uncaught.push(reason);

  before(() => process.on('unhandledRejection', note));
  after(() => process.off('unhandledRejection', note));

  it('refuses, or gives up in one sentence, and has lost nothing that was acknowledged', async () => {
    const wrong: string[] = [];
    let n = FAIL_AT ?? 1;
    for (let goesOn = true; goesOn && wrong.length < 5; n++) {
      for (const [i, way] of WAYS.entries()) {
        if (!THOROUGH && i !== n % WAYS.length) continue;
        try {
          goesOn = await runWithFailure(n, way);
          for (const reason of uncaught.splice(0)) throw new Error('nobody caught a rejection', { cause: reason });
        } catch (error) {
          const { stack, cause } = error as Error;
          wrong.push(`FAIL_AT=${n} ${JSON.stringify(way)}: ${stack}${cause === undefined ? '' : ` ${(cause as Error).stack}`}`);
        }
      }
      goesOn &&= FAIL_AT === undefined;
    }
    expect(wrong.join('\n')).to.equal('');
    if (FAIL_AT === undefined) expect(n, 'operations of the workload').to.be.greaterThan(300);
  });
});
