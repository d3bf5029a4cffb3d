/**
 * Histories of transactions from seeds. `TX_SEED=n` replays one (with `TRACE=1` step by step), `TX_SEEDS=n` runs so many.
 */
import { expect } from 'chai';
import { spoilReleased } from '../../src/wire/recycled-memory.ts';
import { simulateTransactions, type TransactionOutcome } from './transaction-simulation.ts';

const SEEDS = Number(process.env['TX_SEEDS'] ?? 60);
const FIRST = Number(process.env['TX_FIRST'] ?? 1);
const ONLY = process.env['TX_SEED'] === undefined ? undefined : Number(process.env['TX_SEED']);
const SEEDS_PER_TEST = 20;

describe('simulation of transactions', function () {
  this.timeout(600_000);

  before(() => spoilReleased(true));

  if (ONLY !== undefined) {
    it(`seed ${ONLY}`, async () => {
      const { steps } = await simulateTransactions(ONLY, process.env['TRACE'] === '1');
      expect(steps).to.be.greaterThan(0);
    });
    return;
  }

  const outcomes: TransactionOutcome[] = [];
  for (let first = FIRST; first < FIRST + SEEDS; first += SEEDS_PER_TEST) {
    const last = Math.min(FIRST + SEEDS, first + SEEDS_PER_TEST) - 1;
    it(`ends every transaction one way, wholly, with seeds ${first} to ${last}`, async () => {
      for (let seed = first; seed <= last; seed++) outcomes.push(await simulateTransactions(seed));
      expect(outcomes.some(({ committed }) => committed > 0)).to.equal(true);
    });
  }

  it('has seen everything that can befall a transaction', () => {
    const times = (event: string): number => outcomes.reduce((sum, { events }) => sum + (events.get(event) ?? 0), 0);
    for (const event of ['kill', 'power cut', 'clean stop', 'connections cut', 'clock set', 'machine stalled', 'disk fails'])
      expect(times(event), event).to.be.greaterThan(SEEDS / 20);
    const sumOf = (count: (outcome: TransactionOutcome) => number): number => outcomes.reduce((sum, one) => sum + count(one), 0);
    expect(sumOf(({ committed }) => committed)).to.be.greaterThan(2 * SEEDS);
    expect(sumOf(({ aborted }) => aborted)).to.be.greaterThan(2 * SEEDS);
    expect(sumOf(({ partlyMarked }) => partlyMarked)).to.be.greaterThan(SEEDS / 10);
  });

  it('replays exactly', async () => {
    for (const seed of [3, 7]) {
      const once = await simulateTransactions(seed);
      const again = await simulateTransactions(seed);
      expect([again.hash, again.steps], `TX_SEED=${seed}`).to.deep.equal([once.hash, once.steps]);
    }
    expect((await simulateTransactions(3)).hash).to.not.equal((await simulateTransactions(4)).hash);
  });
});
