/**
 * A disk that fails at its n-th operation, for every n of a workload. Whatever n is: a start says in one sentence why there is none, a running broker answers with
 * storage errors or closes and says that it cannot go on; nothing hangs and nothing is raised that nobody catches. On the healed disk, after the death of
 * the process or a loss of power, everything acknowledged is there.
 */
import { expect } from 'chai';
import { StorageFailure } from '../../src/world/files.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { SEED } from '../support/property.ts';
import { everythingIsThere, newOwed, SETTINGS, workload } from './disk-workload.ts';
import { SmallWorld, within } from './small-world.ts';

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
/** Without it, every so many operations, other ones in each run. */
const STEP = THOROUGH ? 1 : 3;

describe('a disk that fails at its n-th operation', function () {
  this.timeout(THOROUGH ? 600_000 : 60_000);
  const uncaught: unknown[] = [];
  const note = (reason: unknown): void => void uncaught.push(reason);

  before(() => process.on('unhandledRejection', note));
  after(() => process.off('unhandledRejection', note));

  it('refuses, or gives up in one sentence, and has lost nothing that was acknowledged', async () => {
    const wrong: string[] = [];
    let n = FAIL_AT ?? 1 + (Math.abs(SEED) % STEP);
    for (let goesOn = true; goesOn && wrong.length < 5; n += STEP) {
      for (const [i, way] of WAYS.entries()) {
        if (!THOROUGH && i !== Math.floor(n / STEP) % WAYS.length) continue;
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
