import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { randomOf, SEED } from '../support/property.ts';
import { clean, type CleanerFixture, DATA, fileNames, NOW, openCompacted } from './cleaner-fixture.ts';
import { checkAgainst, committedView, RandomHistory } from './compaction-model.ts';
import { turn } from './log-fixture.ts';

const DAY_MS = 86_400_000;
const CONFIG = { segmentBytes: 1200, indexIntervalBytes: 150, fileDeleteDelayMs: 1000 };
const THOROUGH = process.env['THOROUGH'] !== undefined;

/**
 * Appends, and reads again and again while the log is cleaned. In some lives the map takes few keys, in the others delete horizons pass: a tombstone
 * gets its horizon too where the map has not come to it, and may go, as with Apache Kafka, in the same cleaning as what it deletes, but later: a reader
 * that comes between would see the one without the other.
 */
async function life(seed: number): Promise<void> {
  const random = randomOf(seed);
  // A disk that takes its time, so that readers come between the steps of a replacement.
  const pause = async (): Promise<void> => {
    for (let turns = Math.floor(random() * 6); turns > 0; turns--) await turn();
  };
  const fixture = await openCompacted(CONFIG, { files: new FakeFiles(() => NOW, { pause }) });
  const { log, clock } = fixture;
  const history = new RandomHistory(random, clock);
  const smallMap = random() < 0.4;
  let firstDirty: number | undefined;
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 30; i++) await history.step(log);
    await clock.advance(!smallMap && random() < 0.5 ? DAY_MS * 2 : 1000);
    let ended = false;
    const cleaning = clean(fixture, firstDirty, smallMap && random() < 0.7 ? 4 : 1000).finally(() => (ended = true));
    for (let reads = 0; !ended || reads === 0; reads++) {
      await turn();
      const seen = await committedView(log, turn);
      expect(seen, `read ${reads} of round ${round}`).to.deep.equal(history.viewBelow(log.lastStableOffset));
    }
    firstDirty = Math.max(firstDirty ?? 0, (await cleaning).endOffset);
    await checkAgainst(history, log);
  }
  await fixture.directory.stop({ clean: true, brokerEpoch: 1 });
  const again = await openCompacted(CONFIG, { files: fixture.files, clock });
  again.log.setHighWatermark(again.log.logEndOffset);
  await checkAgainst(history, again.log);
  await again.directory.stop({ clean: true, brokerEpoch: 1 });
  expect([...fixture.files.openFiles].map(({ path }) => path)).to.deep.equal([]);
}

/** A log that is worth cleaning; the same one for the same seed. */
async function prepared(seed: number, files: FakeFiles): Promise<{ fixture: CleanerFixture; history: RandomHistory }> {
  const random = randomOf(seed);
  const fixture = await openCompacted({ ...CONFIG, segmentBytes: 2500 }, { files });
  const history = new RandomHistory(random, fixture.clock);
  for (let i = 0; i < 40; i++) await history.step(fixture.log);
  await history.endAll(fixture.log);
  fixture.log.roll();
  await clean(fixture);
  await fixture.clock.advance(DAY_MS * 2);
  for (let i = 0; i < 20; i++) await history.step(fixture.log);
  await history.endAll(fixture.log);
  fixture.log.roll();
  await history.step(fixture.log);
  await fixture.log.flush();
  await fixture.directory.checkpoint();
  return { fixture, history };
}

/** Cleans until the disk is taken away before operation `at`, and goes on with what is left. False when the cleaning has ended before that. */
async function cutAt(seed: number, at: number, cut: (files: FakeFiles) => FakeFiles): Promise<boolean> {
  let left: FakeFiles | undefined;
  let countdown = Infinity;
  const files: FakeFiles = new FakeFiles(() => 0, {
    beforeOperation: () => {
      if (countdown-- === 0) left = cut(files);
    },
  });
  const { fixture, history } = await prepared(seed, files);
  countdown = at;
  await clean(fixture).catch(() => undefined);
  if (left === undefined) return false;
  const again = await openCompacted(CONFIG, { files: left, clock: fixture.clock });
  again.log.setHighWatermark(again.log.logEndOffset);
  expect(again.log.logEndOffset, 'log end').to.equal(fixture.log.logEndOffset);
  await checkAgainst(history, again.log);
  expect(fileNames(left).filter((name) => /\.(?:cleaned|swap|deleted)$/.test(name))).to.deep.equal([]);
  await clean(again);
  await checkAgainst(history, again.log);
  checkInvariants(again.log);
  await again.directory.stop({ clean: true, brokerEpoch: 1 });
  expect(left.stat(`${DATA}/.kafka_cleanshutdown`)).to.not.equal(undefined);
  return true;
}

async function cutEverywhere(seed: number, cut: (files: FakeFiles, at: number) => FakeFiles): Promise<number> {
  for (let at = 0; ; at++) {
    try {
      if (!(await cutAt(seed, at, (files) => cut(files, at)))) return at;
    } catch (error) {
      throw new Error(`SEED=${seed}, before operation ${at}: ${String(error)}`, { cause: error });
    }
  }
}

describe('Compaction, by a model', () => {
  it('shows a reader the latest committed values at every moment, for random histories', async function () {
    this.timeout(120_000);
    for (let i = 0; i < (THOROUGH ? 400 : 12); i++) {
      const seed = SEED + i;
      await life(seed).catch((error: unknown) => {
        throw new Error(`SEED=${seed}: ${String(error)}`, { cause: error });
      });
    }
  });

  it('loses nothing and doubles nothing when the process dies before any of its file operations', async function () {
    this.timeout(120_000);
    expect(await cutEverywhere(SEED, (files) => files.kill())).to.be.greaterThan(50);
  });

  it('loses nothing and doubles nothing when the power is cut before any of its file operations', async function () {
    this.timeout(120_000);
    expect(await cutEverywhere(SEED, (files, at) => files.crash(new SeededRandom(SEED + at)))).to.be.greaterThan(50);
  });
});
