/** The machine's clock is set forth and back under a running broker: what is stored stays, what waits is answered, and time that only passed on paper deletes nothing early. */
import { expect } from 'chai';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import type { Clock } from '../../src/world/clock.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SmallWorld } from './small-world.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

/** Sets what the wall shows; timers and durations go on as they were. */
function setWall(world: SmallWorld, byMs: number): void {
  const { clock } = world;
  const now = clock.now.bind(clock);
  (clock as Clock).now = () => now() + byMs;
}

async function produce(world: SmallWorld, timestamp: number): Promise<number | undefined> {
  const records = buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: [{ key: null, value: Buffer.from('v'), timestamp }],
  });
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }];
  const answer = await world.ask('produce', 9, { acks: -1, timeoutMs: 1000, topicData });
  return answer?.responses[0]?.partitionResponses[0]?.errorCode;
}

async function startOffset(world: SmallWorld): Promise<[number, number]> {
  const log = world.broker.services.partitions.find('t', 0)?.log;
  if (log === undefined) throw new Error('no log');
  return [log.logStartOffset, log.logEndOffset];
}

describe('a clock that jumps', () => {
  const settings = {
    'log.roll.ms': '3600000',
    'log.retention.ms': String(7 * DAY_MS),
    'log.retention.check.interval.ms': '60000',
  };
  let world: SmallWorld;

  beforeEach(async () => {
    world = new SmallWorld(new FakeFiles(() => world.clock.now()), 3);
    await world.start(settings);
    const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
    await world.ask('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false });
    for (let i = 0; i < 3; i++) expect(await produce(world, world.clock.now())).to.equal(0);
  });

  afterEach(async () => {
    await world.stop();
    expect([world.errors, world.fatal]).to.deep.equal([[], []]);
  });

  it('back by a year: nothing is deleted, records go on', async () => {
    setWall(world, -YEAR_MS);
    expect(await produce(world, world.clock.now())).to.equal(0);
    await world.clock.advance(10 * 60_000);
    expect(await startOffset(world)).to.deep.equal([0, 4]);
    setWall(world, YEAR_MS);
    expect(await produce(world, world.clock.now())).to.equal(0);
    expect(await startOffset(world)).to.deep.equal([0, 5]);
  });

  it('forth by a day and back: records go on, nothing is deleted before its time', async () => {
    setWall(world, DAY_MS);
    expect(await produce(world, world.clock.now())).to.equal(0);
    await world.clock.advance(10 * 60_000);
    setWall(world, -DAY_MS);
    expect(await produce(world, world.clock.now())).to.equal(0);
    await world.clock.advance(10 * 60_000);
    expect(await startOffset(world)).to.deep.equal([0, 5]);
  });

  it('forth by a year: retention does what it says by the clock, and the log goes on at its offsets', async () => {
    setWall(world, YEAR_MS);
    await world.clock.advance(10 * 60_000);
    expect(await startOffset(world)).to.deep.equal([3, 3]);
    expect(await produce(world, world.clock.now())).to.equal(0);
    expect(await startOffset(world)).to.deep.equal([3, 4]);
  });

  it('while a fetch waits: it is answered when its time has passed, not when the wall says so', async () => {
    const partitions = [{ partition: 0, fetchOffset: 3n, partitionMaxBytes: 1000 }];
    const waiting = world.ask('fetch', 12, { maxWaitMs: 500, minBytes: 1, topics: [{ topic: 't', partitions }] });
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    setWall(world, -YEAR_MS);
    await world.clock.advance(600);
    expect((await waiting)?.errorCode).to.equal(0);
  });

  it('back across a restart: what is stored is there and goes on', async () => {
    await world.stop();
    const earlier = new SmallWorld(world.files.kill(), 4);
    setWall(earlier, -YEAR_MS);
    await earlier.start(settings);
    expect(await startOffset(earlier)).to.deep.equal([0, 3]);
    expect(await produce(earlier, earlier.clock.now())).to.equal(0);
    await earlier.stop();
    expect(earlier.errors).to.deep.equal([]);
  });
});
