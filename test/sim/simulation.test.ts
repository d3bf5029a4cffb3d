/**
 * Hundreds of simulated histories. `SEED=n` replays one (with `TRACE=1` step by step), `SEEDS=n` runs so many.
 */
import { expect } from 'chai';
import { spoilReleased } from '../../src/wire/recycled-memory.ts';
import { type Outcome, simulate } from './simulation.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 200);
const ONLY = process.env['SEED'] === undefined ? undefined : Number(process.env['SEED']);
const SEEDS_PER_TEST = 50;

describe('simulation', function () {
  this.timeout(600_000);

  before(() => spoilReleased(true));

  if (ONLY !== undefined) {
    it(`seed ${ONLY}`, async () => {
      const outcome = await simulate(ONLY, process.env['TRACE'] === '1');
      expect(outcome.acknowledged).to.be.greaterThan(0);
    });
    return;
  }

  const happened = new Map<string, number>();
  for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
    const last = Math.min(SEEDS, first + SEEDS_PER_TEST - 1);
    it(`keeps every promise with seeds ${first} to ${last}`, async () => {
      for (let seed = first; seed <= last; seed++) note(happened, await simulate(seed));
    });
  }

  it('has seen everything that can befall a broker', () => {
    for (const event of ['kill', 'power cut', 'clean stop', 'connections cut', 'clock set', 'machine stalled']) {
      expect(happened.get(event) ?? 0, event).to.be.greaterThan(SEEDS / 20);
    }
    expect(happened.get('kill, in the midst of an operation') ?? 0).to.be.greaterThan(SEEDS / 40);
    expect(happened.get('power cut, in the midst of an operation') ?? 0).to.be.greaterThan(SEEDS / 40);
  });

  it('replays exactly', async () => {
    for (const seed of [3, 7, 1001]) {
      const once = await simulate(seed);
      const again = await simulate(seed);
      expect(again.hash, `SEED=${seed}`).to.equal(once.hash);
      expect(again.steps).to.equal(once.steps);
    }
    expect((await simulate(3)).hash).to.not.equal((await simulate(4)).hash);
  });
});

function note(happened: Map<string, number>, outcome: Outcome): void {
  expect(outcome.acknowledged).to.be.greaterThan(0);
  for (const [event, count] of outcome.events) happened.set(event, (happened.get(event) ?? 0) + count);
}
