/** Partitions that move between two directories of a whole broker, on disks in memory and in a time that tests move. */
import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import type { Partition } from '../../src/partition/partition.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SmallWorld, within } from '../hostile/small-world.ts';

const ONE = '/one';
const TWO = '/two';
const SETTINGS = { 'log.dirs': `${ONE},${TWO}` };
const RATE = 'replica.alter.log.dirs.io.max.bytes.per.second';

async function started(files = new FakeFiles(() => 1_700_000_000_000), settings = {}): Promise<SmallWorld> {
  const world = new SmallWorld(files, 1);
  await world.start({ ...SETTINGS, ...settings });
  return world;
}

/** Partitions 0, 2, … of the topic are in the first directory, the others in the second. */
async function create(world: SmallWorld, name: string, numPartitions = 1, configs: Record<string, string> = {}): Promise<void> {
  const pairs = Object.entries(configs).map(([config, value]) => ({ name: config, value }));
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: pairs }];
  const answer = await world.ask('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false });
  expect(answer?.topics[0]?.errorCode).to.equal(ErrorCode.NONE);
}

interface Batch {
  readonly producerId?: number;
  readonly sequence?: number;
  readonly values?: readonly string[];
}

async function produce(world: SmallWorld, topic: string, o: Batch = {}, index = 0): Promise<number> {
  const { producerId, sequence = 0, values = ['x'.repeat(1000)] } = o;
  const records = buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: values.map((value) => ({ key: null, value: Buffer.from(value), timestamp: world.clock.now() })),
    ...(producerId === undefined ? {} : { producerId, producerEpoch: 0, baseSequence: sequence }),
  });
  const topicData = [{ name: topic, partitionData: [{ index, records }] }];
  const answer = await world.ask('produce', 9, { acks: -1, timeoutMs: 1000, topicData });
  const done = answer?.responses[0]?.partitionResponses[0];
  expect(done?.errorCode).to.equal(ErrorCode.NONE);
  return Number(done?.baseOffset);
}

async function alter(world: SmallWorld, topic: string, path: string, ...partitions: number[]): Promise<readonly number[]> {
  const answer = await world.ask('alterReplicaLogDirs', 2, { dirs: [{ path, topics: [{ name: topic, partitions }] }] });
  return answer?.results[0]?.partitions.map(({ errorCode }) => errorCode) ?? [];
}

async function throttle(world: SmallWorld, bytesPerSecond: number): Promise<void> {
  const configs = [{ name: RATE, configOperation: 0, value: String(bytesPerSecond) }];
  const resources = [{ resourceType: 4, resourceName: '', configs }];
  const answer = await world.ask('incrementalAlterConfigs', 1, { resources, validateOnly: false });
  expect(answer?.responses[0]?.errorCode).to.equal(ErrorCode.NONE);
}

function partition(world: SmallWorld, topic: string, index = 0): Partition {
  const found = world.broker.services.partitions.find(topic, index);
  if (found === undefined) throw new Error(`no partition ${topic}-${index}`);
  return found;
}

const settled = (world: SmallWorld): Promise<void> => within(world.broker.services.partitions.movesSettled(), 'a move');

/** What DescribeLogDirs tells of the topic, as `directory index size lag`, with an F where it is a future one. */
async function described(world: SmallWorld, topic: string): Promise<string[]> {
  const answer = await world.ask('describeLogDirs', 4, { topics: null });
  const lines = (answer?.results ?? []).flatMap(({ logDir, topics }) =>
    topics
      .filter(({ name }) => name === topic)
      .flatMap(({ partitions }) =>
        partitions.map((p) => `${logDir} ${p.partitionIndex} ${p.partitionSize} ${p.offsetLag}${p.isFutureKey ? ' F' : ''}`),
      ),
  );
  return lines.toSorted();
}

const namesIn = (world: SmallWorld, path: string, topic: string): string[] =>
  world.files
    .list(path)
    .map(({ name }) => name.replace(/[0-9a-f]{32}/, 'UUID'))
    .filter((name) => name.startsWith(`${topic}-`))
    .toSorted();

const recorded = (world: SmallWorld, topic: string, index = 0): string | undefined => {
  const { image, logDirectories } = world.broker.services;
  const id = image.partition(topic, index)?.directories[0];
  return logDirectories.find(({ directoryId }) => directoryId === id)?.path;
};

async function valuesOf({ log }: Partition): Promise<string[]> {
  checkInvariants(log);
  const values: string[] = [];
  for await (const batch of log.batches()) for (const { value } of recordsOf(batch)) values.push(String(value));
  return values;
}

describe('moving a partition', () => {
  it('takes along all it has, what is written meanwhile too, and its producers', async () => {
    const world = await started();
    await create(world, 'a');
    const producerId = 5;
    const sent = Array.from({ length: 30 }, (_unused, i) => `value ${i}`);
    for (const [i, value] of sent.slice(0, 10).entries()) await produce(world, 'a', { producerId, sequence: i, values: [value] });
    expect(await alter(world, 'a', TWO, 0)).to.deep.equal([ErrorCode.NONE]);
    for (const [i, value] of sent.slice(10).entries())
      await produce(world, 'a', { producerId, sequence: 10 + i, values: [value] });
    await settled(world);
    expect(await produce(world, 'a', { producerId, sequence: 29, values: ['value 29'] }), 'a batch that is repeated').to.equal(
      29,
    );
    const moved = partition(world, 'a');
    expect(moved.log.directory).to.equal(`${TWO}/a-0`);
    expect(await valuesOf(moved)).to.deep.equal(sent);
    expect([moved.log.highWatermark, moved.log.logEndOffset, moved.leaderEpoch]).to.deep.equal([30, 30, 0]);
    expect(moved.log.endOffsetForEpoch(0)).to.deep.equal({ leaderEpoch: 0, endOffset: 30 });
    expect(recorded(world, 'a')).to.equal(TWO);
    expect([namesIn(world, ONE, 'a'), namesIn(world, TWO, 'a')]).to.deep.equal([['a-0.UUID-delete'], ['a-0']]);
    await within(world.clock.advance(61_000), 'time');
    expect(namesIn(world, ONE, 'a')).to.deep.equal([]);
    await world.stop();
  });

  it('keeps the epoch of a leader that has written nothing yet', async () => {
    const files = new FakeFiles(() => 1_700_000_000_000);
    const first = await started(files);
    await create(first, 'a');
    await produce(first, 'a');
    await first.stop();
    const world = await started(files.kill());
    const { leaderEpoch, log } = partition(world, 'a');
    const ends = log.endOffsetForEpoch(leaderEpoch);
    await alter(world, 'a', TWO, 0);
    await settled(world);
    expect(partition(world, 'a').log.endOffsetForEpoch(leaderEpoch)).to.deep.equal(ends);
    await world.stop();
  });

  it('begins where the log begins, also in the middle of a batch', async () => {
    const world = await started();
    await create(world, 'a');
    await produce(world, 'a', { values: ['one', 'two', 'three'] });
    await produce(world, 'a', { values: ['four'] });
    const deletion = [{ name: 'a', partitions: [{ partitionIndex: 0, offset: 2n }] }];
    await world.ask('deleteRecords', 2, { topics: deletion, timeoutMs: 1000 });
    await alter(world, 'a', TWO, 0);
    await settled(world);
    const { log } = partition(world, 'a');
    expect([log.directory, log.logStartOffset, log.logEndOffset]).to.deep.equal([`${TWO}/a-0`, 2, 4]);
    const again = await started(world.files.kill());
    expect(partition(again, 'a').log.logStartOffset).to.equal(2);
    await again.stop();
  });

  it('keeps to the rate, tells how far it is, and lets itself be hurried', async () => {
    const world = await started();
    await create(world, 'a');
    for (let i = 0; i < 10; i++) await produce(world, 'a');
    const size = partition(world, 'a').log.sizeInBytes;
    await throttle(world, size / 10);
    await alter(world, 'a', TWO, 0);
    await within(world.clock.advance(5500), 'time');
    const [current, copy] = await described(world, 'a');
    expect(current).to.equal(`${ONE} 0 ${size} 0`);
    const [, , copied, lag, future] = (copy ?? '').split(' ');
    expect(future).to.equal('F');
    expect(Number(lag)).to.be.within(3, 6);
    expect(Number(copied) + (Number(lag) * size) / 10).to.equal(size);
    await throttle(world, 1_000_000);
    await within(world.clock.advance(2000), 'time');
    await settled(world);
    expect(await described(world, 'a')).to.deep.equal([`${TWO} 0 ${size} 0`]);
    await world.stop();
  });

  it('shares the rate with other moves, and waits where as many are under way as may be', async () => {
    for (const threads of ['1', '2']) {
      const world = await started(undefined, { 'num.replica.alter.log.dirs.threads': threads });
      for (const topic of ['a', 'b']) await create(world, topic);
      await alter(world, 'b', ONE, 0);
      await settled(world);
      for (const topic of ['a', 'b']) for (let i = 0; i < 10; i++) await produce(world, topic);
      const size = partition(world, 'a').log.sizeInBytes;
      await throttle(world, size / 10);
      for (const topic of ['a', 'b']) await alter(world, topic, TWO, 0);
      await within(world.clock.advance(5500), 'time');
      const copied = ['a', 'b'].map((topic) => world.broker.services.logDirectories[1]?.future(topic, 0)?.logEndOffset ?? -1);
      const [first = -1, second = -1] = copied;
      expect(first + second, `${threads} at once`).to.be.within(6, 7);
      expect(second, `${threads} at once`).to.be.within(threads === '1' ? 0 : 3, threads === '1' ? 0 : 4);
      await world.stop();
    }
  });

  it('stands still at a rate of nothing, and is no reason for a stop to wait', async () => {
    const world = await started();
    await create(world, 'a');
    await produce(world, 'a');
    await throttle(world, 0);
    await alter(world, 'a', TWO, 0);
    await within(world.clock.advance(60_000), 'time');
    expect((await described(world, 'a')).map((line) => line.endsWith('F'))).to.deep.equal([false, true]);
    await world.stop();
  });

  it('is given up for the directory it comes from, or for a third one', async () => {
    const world = await started(undefined, { 'log.dirs': `${ONE},${TWO},/three` });
    await create(world, 'a');
    await produce(world, 'a', { values: ['one'] });
    await throttle(world, 0);
    await alter(world, 'a', TWO, 0);
    expect(namesIn(world, TWO, 'a')).to.deep.equal(['a-0.UUID-future']);
    expect(await alter(world, 'a', TWO, 0)).to.deep.equal([ErrorCode.NONE]);
    expect(namesIn(world, TWO, 'a')).to.deep.equal(['a-0.UUID-future']);
    await alter(world, 'a', '/three', 0);
    expect([namesIn(world, TWO, 'a'), namesIn(world, '/three', 'a')]).to.deep.equal([['a-0.UUID-delete'], ['a-0.UUID-future']]);
    await alter(world, 'a', ONE, 0);
    expect(namesIn(world, '/three', 'a')).to.deep.equal(['a-0.UUID-delete']);
    expect([namesIn(world, ONE, 'a'), recorded(world, 'a')]).to.deep.equal([['a-0'], ONE]);
    expect(await valuesOf(partition(world, 'a'))).to.deep.equal(['one']);
    await world.stop();
  });

  it('ends with the topic', async () => {
    const world = await started();
    await create(world, 'a');
    await throttle(world, 0);
    await produce(world, 'a');
    await alter(world, 'a', TWO, 0);
    await world.ask('deleteTopics', 6, { topics: [{ name: 'a' }], timeoutMs: 1000 });
    expect([namesIn(world, ONE, 'a'), namesIn(world, TWO, 'a')]).to.deep.equal([['a-0.UUID-delete'], ['a-0.UUID-delete']]);
    await create(world, 'a');
    await produce(world, 'a');
    expect(world.errors).to.deep.equal([]);
    await world.stop();
  });

  for (const how of ['a clean stop', 'a kill'] as const) {
    it(`goes on after ${how}`, async () => {
      const first = await started();
      await create(first, 'a');
      const sent = Array.from({ length: 10 }, (_unused, i) => `value ${i} ${'x'.repeat(500)}`);
      for (const value of sent) await produce(first, 'a', { values: [value] });
      await throttle(first, 1000);
      await alter(first, 'a', TWO, 0);
      await within(first.clock.advance(3500), 'time');
      const copied = partition(first, 'a').log.logEndOffset - Number((await described(first, 'a'))[1]?.split(' ')[3]);
      expect(copied).to.be.within(1, 9);
      if (how === 'a clean stop') await first.stop();
      const world = await started(first.files.kill());
      expect(namesIn(world, TWO, 'a')).to.deep.equal(['a-0.UUID-future']);
      await produce(world, 'a', { values: ['afterwards'] });
      await within(world.clock.advance(60_000), 'time');
      await settled(world);
      expect(partition(world, 'a').log.directory).to.equal(`${TWO}/a-0`);
      expect(await valuesOf(partition(world, 'a'))).to.deep.equal([...sent, 'afterwards']);
      await world.stop();
    });
  }

  it('of many partitions leaves each where it was sent', async () => {
    const world = await started();
    await create(world, 'many', 20);
    for (let index = 0; index < 20; index++) await produce(world, 'many', { values: [`value ${index}`] }, index);
    const all = Array.from({ length: 20 }, (_unused, index) => index);
    expect(new Set(await alter(world, 'many', TWO, ...all))).to.deep.equal(new Set([ErrorCode.NONE]));
    await settled(world);
    for (const index of all) {
      expect(partition(world, 'many', index).log.directory).to.equal(`${TWO}/many-${index}`);
      expect(await valuesOf(partition(world, 'many', index))).to.deep.equal([`value ${index}`]);
    }
    await world.stop();
  });
});

describe('partitions in several directories', () => {
  it('are made where the fewest are, or where they were sent before they were', async () => {
    const world = await started();
    await create(world, 'a', 4);
    expect([namesIn(world, ONE, 'a'), namesIn(world, TWO, 'a')]).to.deep.equal([
      ['a-0', 'a-2'],
      ['a-1', 'a-3'],
    ]);
    const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    expect(await alter(world, 'sent', TWO, 0, 1)).to.deep.equal([unknown, unknown]);
    expect([0, 1, 2, 3].map((index) => recorded(world, 'a', index))).to.deep.equal([ONE, TWO, ONE, TWO]);
    await create(world, 'sent', 3);
    expect(namesIn(world, TWO, 'sent')).to.deep.equal(['sent-0', 'sent-1']);
    expect(namesIn(world, ONE, 'sent')).to.deep.equal(['sent-2']);
    await world.stop();
  });

  it('are set aside where the metadata log does not say they are, and refused where it says neither', async () => {
    const files = new FakeFiles(() => 1_700_000_000_000);
    const first = await started(files, { 'log.dirs': `${ONE},${TWO},/three` });
    await create(first, 'a', 1);
    await produce(first, 'a', { values: ['kept'] });
    await first.stop();
    const left = files.kill();
    copyDirectory(left, `${ONE}/a-0`, `${TWO}/a-0`);
    const world = await started(left);
    expect(await valuesOf(partition(world, 'a'))).to.deep.equal(['kept']);
    expect(namesIn(world, TWO, 'a')).to.deep.equal(['a-0.UUID-stray']);
    await world.stop();
    const three = left.kill();
    for (const to of [`${TWO}/a-0`, '/three/a-0']) copyDirectory(three, `${ONE}/a-0`, to);
    const refusal = await new SmallWorld(three, 1).start({ 'log.dirs': `${TWO},/three`, 'metadata.log.dir': ONE }).catch(String);
    expect(refusal).to.contain('Duplicate log directories for a-0 are found in both');
  });
});

function copyDirectory(files: FakeFiles, from: string, to: string): void {
  files.makeDirectory(to);
  for (const { name } of files.list(from)) files.writeFile(`${to}/${name}`, files.readFile(`${from}/${name}`));
}
