/**
 * The power is cut at every moment of a broker's work: before each thing it does to its disk, the disks that a power cut could leave are put by, and a
 * broker is started on each. Whatever was synced and acknowledged is there, nothing is there twice, and it always starts; also when the power goes
 * again while it starts.
 *
 * `SEED` replays a run, `THOROUGH=1` looks at more disks of each moment.
 */
import { expect } from 'chai';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { SEED } from '../support/property.ts';
import { everythingIsThere, newOwed, type Owed, SETTINGS, TWO_DIRECTORIES, workload } from './disk-workload.ts';
import { DATA, SmallWorld } from './small-world.ts';

const THOROUGH = process.env['THOROUGH'] !== undefined;
const DISKS_PER_MOMENT = THOROUGH ? 20 : 1;
/** One of so many starts loses its power as well. */
const SECOND_CUT_IN = 4;
const READING = new Set(['read', 'stat', 'list']);

interface Moment {
  readonly number: number;
  /** What comes next. */
  readonly operation: string;
  readonly owed: Owed;
  readonly disks: readonly FakeFiles[];
}

/** Calls `see` before each operation that changes something. */
class WatchedFiles {
  readonly files: FakeFiles;
  readonly #see: (operation: string) => void;
  #seeing = false;

  constructor(see: (operation: string) => void) {
    this.#see = see;
    this.files = new FakeFiles(() => 1_700_000_000_000, { beforeOperation: (operation, path) => this.#before(operation, path) });
  }

  #before(operation: string, path: string): void {
    if (READING.has(operation) || this.#seeing) return;
    this.#seeing = true;
    this.#see(`${operation} ${path}`);
    this.#seeing = false;
  }
}

/** A first life, a clean stop, a second life that ends in the midst of it. */
async function lives(seed: number): Promise<Moment[]> {
  const random = new SeededRandom(seed);
  const moments: Moment[] = [];
  const owed = newOwed();
  const { files } = new WatchedFiles((operation) => {
    const disks = Array.from({ length: DISKS_PER_MOMENT }, () => files.imagineCrash(random));
    moments.push({ number: moments.length, operation, owed: structuredClone(owed), disks });
  });
  const first = new SmallWorld(files, seed);
  await first.start(SETTINGS, { dataDir: TWO_DIRECTORIES });
  await workload(first, owed, '/other');
  await first.stop();
  const second = new SmallWorld(files, seed + 1);
  await second.start(SETTINGS, { dataDir: TWO_DIRECTORIES });
  await workload(second, owed, DATA);
  expect(second.errors).to.deep.equal([]);
  return moments;
}

/** Starts on what a power cut has left; the power may go once more meanwhile. */
async function startOn(disk: FakeFiles, owed: Owed, random: SeededRandom): Promise<void> {
  let cutAt = random.below(SECOND_CUT_IN) === 0 ? 1 + random.below(60) : 0;
  let left: FakeFiles | undefined;
  const watched = disk.kill({
    beforeOperation: (operation) => {
      if (!READING.has(operation) && --cutAt === 0) left = watched.imagineCrash(random);
    },
  });
  await everythingIsThere(watched, owed, TWO_DIRECTORIES);
  if (left !== undefined) await everythingIsThere(left, owed, TWO_DIRECTORIES);
}

describe('a power cut at any moment', function () {
  this.timeout(THOROUGH ? 3_600_000 : 120_000);

  it('takes nothing that was synced and acknowledged, doubles nothing, and keeps no broker from starting', async () => {
    const wrong: string[] = [];
    const random = new SeededRandom(SEED + 1);
    const moments = await lives(SEED);
    for (const { number, operation, owed, disks } of moments) {
      for (const disk of disks) {
        if (wrong.length > 4) break;
        try {
          await startOn(disk, owed, random);
        } catch (error) {
          wrong.push(`SEED=${SEED}, moment ${number}, before ${operation}: ${(error as Error).stack}`);
        }
      }
    }
    expect(wrong.join('\n')).to.equal('');
    const seen = (what: RegExp): number => moments.filter(({ operation }) => what.test(operation)).length;
    expect(moments.length, 'moments').to.be.greaterThan(600);
    expect(seen(/rename .*keyed-0.*\.swap$/), 'compactions').to.be.greaterThan(0);
    expect(seen(/rename .*checkpoint\.part$/), 'snapshots of the metadata').to.be.greaterThan(1);
    expect(seen(/rename .*-future$/), 'moves').to.be.greaterThan(1);
    expect(seen(/remove .*\.deleted$/), 'removals of old segments').to.be.greaterThan(1);
  });
});
