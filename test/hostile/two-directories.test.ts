/**
 * A broker with two data directories, between which partitions are moved while they are written. The power is cut at every moment: each partition is found
 * once, with all that was acknowledged. Or the second directory fails at its n-th operation, for every n: the first goes on serving, and on the healed
 * disk everything is there.
 *
 * `SEED` replays a run, `FAIL_AT=n` one failure.
 */
import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { StorageFailure } from '../../src/world/files.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { SEED } from '../support/property.ts';
import { create, everythingIsThere, newOwed, type Owed, produce, SETTINGS } from './disk-workload.ts';
import { SmallWorld, within } from './small-world.ts';

const ONE = '/one';
const TWO = '/two';
const TOPIC = 'w';
const GOING = 'short-lived';
const TWO_DIRECTORIES = { ...SETTINGS, 'log.dirs': `${ONE},${TWO}` };
const READING = new Set(['read', 'stat', 'list']);
const FAIL_AT = process.env['FAIL_AT'] === undefined ? undefined : Number(process.env['FAIL_AT']);

async function move(world: SmallWorld, topic: string, path: string, ...partitions: number[]): Promise<void> {
  await world.ask('alterReplicaLogDirs', 2, { dirs: [{ path, topics: [{ name: topic, partitions }] }] });
}

const settled = (world: SmallWorld): Promise<void> => within(world.broker.services.partitions.movesSettled(), 'a move');

/** Moves there and back, of what is written meanwhile, of what has lost records, of what is given up and of what is deleted. */
async function moves(world: SmallWorld, owed: Owed): Promise<void> {
  await create(world, owed, TOPIC, 3);
  await create(world, owed, GOING, 2);
  const id = await world.ask('initProducerId', 4, { transactionalId: null, transactionTimeoutMs: 1000 });
  const producerId = id?.errorCode === ErrorCode.NONE ? Number(id.producerId) : -1;
  for (let i = 0; i < 3; i++) {
    for (const partition of [0, 1]) await produce(world, owed, { partition });
    await produce(world, owed, { partition: 2, producerId, sequence: i });
  }
  await within(world.clock.advance(61_000), 'time');
  for (const partition of [0, 1, 2]) await produce(world, owed, { partition });
  owed.startsAtMost.set(`${TOPIC}-0`, 2);
  await world.ask('deleteRecords', 2, {
    topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, offset: 2n }] }],
    timeoutMs: 1000,
  });
  for (const path of [TWO, ONE]) {
    const began = move(world, TOPIC, path, 0, 1, 2);
    for (let i = 0; i < 2; i++) for (const partition of [0, 1, 2]) await produce(world, owed, { partition });
    await began;
    await settled(world);
    for (const partition of [0, 1, 2]) await produce(world, owed, { partition });
  }
  await move(world, GOING, TWO, 0, 1);
  await move(world, GOING, ONE, 0, 1);
  owed.topics.delete(GOING);
  const deleted = await world.ask('deleteTopics', 6, { topics: [{ name: GOING }], timeoutMs: 1000 });
  if (deleted?.responses[0]?.errorCode === ErrorCode.NONE) owed.deleted.add(GOING);
  await settled(world);
  await move(world, TOPIC, TWO, 1, 2);
  await settled(world);
  for (const partition of [0, 1, 2]) await produce(world, owed, { partition });
}

interface Moment {
  readonly operation: string;
  readonly owed: Owed;
  readonly disk: FakeFiles;
}

async function momentsOf(seed: number): Promise<Moment[]> {
  const random = new SeededRandom(seed);
  const found: Moment[] = [];
  const owed = newOwed();
  let seeing = false;
  const files = new FakeFiles(() => 1_700_000_000_000, {
    beforeOperation: (operation, path) => {
      if (READING.has(operation) || seeing) return;
      seeing = true;
      found.push({ operation: `${operation} ${path}`, owed: structuredClone(owed), disk: files.imagineCrash(random) });
      seeing = false;
    },
  });
  const world = new SmallWorld(files, seed);
  await world.start(TWO_DIRECTORIES);
  await moves(world, owed);
  expect(world.errors).to.deep.equal([]);
  await world.stop();
  return found;
}

function inBoth(disk: FakeFiles): string[] {
  const namesIn = (path: string): string[] => (disk.stat(path) === undefined ? [] : disk.list(path).map(({ name }) => name));
  const inOne = new Set(namesIn(ONE));
  return namesIn(TWO).filter((name) => /-\d+$/.test(name) && inOne.has(name));
}

describe('two data directories', function () {
  this.timeout(120_000);

  it('hold each partition once, with all that was acknowledged, whenever the power is cut amid moves', async () => {
    const wrong: string[] = [];
    const moments = await momentsOf(SEED);
    for (const [number, { operation, owed, disk }] of moments.entries()) {
      if (wrong.length > 3) break;
      try {
        expect(inBoth(disk), 'what Apache Kafka would refuse to start with').to.deep.equal([]);
        await everythingIsThere(disk, owed, ONE, TWO_DIRECTORIES);
      } catch (error) {
        wrong.push(`SEED=${SEED}, moment ${number}, before ${operation}: ${(error as Error).stack}`);
      }
    }
    expect(wrong.join('\n')).to.equal('');
    expect(moments.length, 'moments').to.be.greaterThan(300);
  });

  describe('of which one fails', () => {
    const uncaught: unknown[] = [];
    const note = (reason: unknown): void => void uncaught.push(reason);
    before(() => process.on('unhandledRejection', note));
    after(() => process.off('unhandledRejection', note));

    it('serve what is in the other, and lose nothing that was acknowledged', async () => {
      const wrong: string[] = [];
      let n = FAIL_AT ?? 1;
      for (let goesOn = true; goesOn && wrong.length < 4; n += FAIL_AT === undefined ? 3 : 1) {
        try {
          goesOn = await failingAt(n);
          for (const reason of uncaught.splice(0)) throw new Error('nobody caught a rejection', { cause: reason });
        } catch (error) {
          const { stack, cause } = error as Error;
          wrong.push(`FAIL_AT=${n}: ${stack}${cause === undefined ? '' : ` ${(cause as Error).stack}`}`);
        }
        goesOn &&= FAIL_AT === undefined;
      }
      expect(wrong.join('\n')).to.equal('');
      if (FAIL_AT === undefined) expect(n, 'operations on the second directory').to.be.greaterThan(150);
    });
  });
});

/** False when the work ended before the n-th operation on the second directory, which fails, as do all after it. */
async function failingAt(n: number): Promise<boolean> {
  let operations = 0;
  const files = new FakeFiles(() => 1_700_000_000_000, {
    beforeOperation: (operation, path) => {
      if (path !== TWO && !path.startsWith(`${TWO}/`)) return;
      if (++operations >= n) throw new StorageFailure(operation, path, 'EIO');
    },
  });
  const world = new SmallWorld(files, 1);
  const owed = newOwed();
  await world.start(TWO_DIRECTORIES);
  await moves(world, owed);
  const failed = operations >= n;
  if (failed) {
    expect(world.fatal, 'what the broker gave up with').to.deep.equal([]);
    await theOtherServes(world, owed);
  }
  await world.stop().catch((error: unknown) => {
    if (!(error instanceof StorageFailure)) throw error;
  });
  await everythingIsThere(files.kill(), owed, ONE, TWO_DIRECTORIES);
  return failed;
}

async function theOtherServes(world: SmallWorld, owed: Owed): Promise<void> {
  await create(world, owed, 'later', 2);
  for (const partition of [0, 1]) await produce(world, owed, { topic: 'later', partition });
  const later = [0, 1].map((index) => world.broker.services.partitions.find('later', index));
  expect(later.map((partition) => partition?.log.directory)).to.deep.equal([`${ONE}/later-0`, `${ONE}/later-1`]);
  expect(later.map((partition) => partition?.highWatermark)).to.deep.equal([1, 1]);
  const answer = await world.ask('describeLogDirs', 4, { topics: null });
  const errors = answer?.results.map(({ logDir, errorCode }) => [logDir, errorCode]);
  expect(errors).to.deep.equal([
    [ONE, ErrorCode.NONE],
    [TWO, ErrorCode.KAFKA_STORAGE_ERROR],
  ]);
  const metadata = await world.ask('metadata', 12, { topics: [{ name: TOPIC }], allowAutoTopicCreation: false });
  for (const { partitionIndex, leaderId, offlineReplicas } of metadata?.topics[0]?.partitions ?? []) {
    const { failure } = world.broker.services.partitions.find(TOPIC, partitionIndex) ?? { failure: ErrorCode.NONE };
    const expected = failure === ErrorCode.NONE ? [1, []] : [-1, [1]];
    expect([leaderId, offlineReplicas], `${TOPIC}-${partitionIndex} with ${failure}`).to.deep.equal(expected);
  }
}
