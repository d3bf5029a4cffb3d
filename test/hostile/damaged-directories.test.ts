/**
 * A whole broker on a data directory of Apache Kafka in which any one file is damaged: it starts and serves, or refuses in one sentence that names the
 * file and says what to do. Requests are answered, new topics can be made, and it stops. `SEED` replays a run.
 */
import { expect } from 'chai';
import type { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { type Damage, doDamage, drawDamage } from '../support/damage.ts';
import { filesBelow, GOLDEN_NOW, goldenDisk } from '../support/golden-disk.ts';
import { SEED } from '../support/property.ts';
import { batchOf } from '../support/small-broker.ts';
import { DATA, SmallWorld } from './small-world.ts';

const CASES = process.env['THOROUGH'] === undefined ? 150 : 5000;
const OF_THE_LANGUAGE = /TypeError|RangeError|ReferenceError|SyntaxError|is not a function|Cannot read propert/;
/** What a broker cannot do without. */
const NEEDED =
  /\/data\/meta\.properties$|\/data\/__cluster_metadata-0\/[^/]*\.checkpoint$|\/quorum-state$|\/__cluster_metadata-0\/([^/]*\.log|partition\.metadata)$/;
const WHAT_TO_DO = /restore|remove|put |correct |move |open it|set node\.id/;

/** A refusal: what is wrong with it, or undefined. */
function flawOf(error: Error, damage: Damage): string | undefined {
  const { name, message } = error;
  if (name === 'Hangs' || OF_THE_LANGUAGE.test(`${name} ${message}`)) return 'is no refusal';
  if (message.includes('\n') || !message.includes(DATA)) return 'is not one sentence that names the place';
  if (!WHAT_TO_DO.test(message)) return 'does not say what to do';
  return NEEDED.test(damage.path) ? undefined : 'is for a file that a broker can do without';
}

async function useEverything(world: SmallWorld): Promise<void> {
  const metadata = await world.ask('metadata', 12, { topics: null });
  for (const topic of metadata?.topics ?? []) {
    const name = topic.name ?? '';
    const partitions = topic.partitions.map(({ partitionIndex }) => partitionIndex);
    const listed = await world.ask('listOffsets', 7, {
      replicaId: -1,
      topics: [{ name, partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp: 1_700_000_000_000n })) }],
    });
    expect(listed, `offsets of ${name}`).not.to.equal(undefined);
    const fetched = await world.ask('fetch', 12, {
      maxWaitMs: 0,
      minBytes: 0,
      isolationLevel: 1,
      topics: [
        {
          topic: name,
          partitions: partitions.map((partition) => ({ partition, fetchOffset: 20n, partitionMaxBytes: 100_000 })),
        },
      ],
    });
    expect(fetched, `records of ${name}`).not.to.equal(undefined);
  }
  for (const groupId of ['classic-group', 'consumer-group']) {
    const groups = [{ groupId, topics: null }];
    expect(await world.ask('offsetFetch', 8, { groups, requireStable: false }), groupId).not.to.equal(undefined);
  }
  const topics = [{ name: 'after', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
  const made = await world.ask('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false });
  expect(made?.topics[0]?.errorCode, 'creation of a topic').to.equal(0);
  const topicData = [{ name: 'after', partitionData: [{ index: 0, records: batchOf(['x']) }] }];
  const produced = await world.ask('produce', 9, { acks: -1, timeoutMs: 1000, topicData });
  expect(produced?.responses[0]?.partitionResponses[0]?.errorCode, 'a record produced').to.equal(0);
}

async function tryOne(disk: FakeFiles, damage: Damage): Promise<void> {
  const files = disk.copy();
  doDamage(files, damage);
  const world = new SmallWorld(files, 1, GOLDEN_NOW);
  try {
    await world.start({});
  } catch (error) {
    const flaw = flawOf(error as Error, damage);
    if (flaw !== undefined) throw new Error(`the refusal ${flaw}`, { cause: error });
    return;
  }
  await useEverything(world);
  await world.clock.advance(400_000);
  await world.stop();
  expect(world.errors.filter((text) => OF_THE_LANGUAGE.test(text))).to.deep.equal([]);
  const again = new SmallWorld(files.kill(), 2, GOLDEN_NOW);
  await again.start({});
  await again.stop();
}

describe('a broker on a directory with a damaged file', function () {
  this.timeout(600_000);
  const uncaught: unknown[] = [];
  const note = (reason: unknown): void => void uncaught.push(reason);

  before(() => process.on('unhandledRejection', note));
  after(() => process.off('unhandledRejection', note));

  for (const name of ['before-cleaning', 'killed']) {
    it(`serves, or refuses in one sentence (${name})`, async () => {
      const disk = await goldenDisk(name, DATA);
      const paths = filesBelow(disk, DATA).filter((path) => !path.endsWith('.lock') && !path.includes('-delete/'));
      const vital = paths.filter((path) => NEEDED.test(path) || !path.slice(DATA.length + 1).includes('/'));
      const random = new SeededRandom(SEED);
      const wrong: string[] = [];
      for (let i = 0; i < CASES && wrong.length < 5; i++) {
        const damage = drawDamage(disk, random.pick(i % 2 === 0 ? vital : paths), random);
        try {
          await tryOne(disk, damage);
          for (const reason of uncaught.splice(0)) throw new Error('nobody caught a rejection', { cause: reason });
        } catch (error) {
          const { stack, cause } = error as Error;
          const why = cause instanceof Error ? `\n  because of ${cause.stack}` : '';
          wrong.push(`SEED=${SEED}, case ${i}, ${JSON.stringify(damage)}: ${stack}${why}`);
        }
      }
      expect(wrong.join('\n')).to.equal('');
    });
  }
});
