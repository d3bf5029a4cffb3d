import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import { MAGIC_AT } from '../../src/wire/record-batch.ts';
import {
  checkpoint,
  type CleanerFixture,
  contents,
  entries,
  fileNames,
  openCompacted,
  put,
  SETTINGS,
  startCleaner,
  turns,
} from './cleaner-fixture.ts';

/** Two segments of overwritten keys, and an active one. */
async function dirty(fixture: CleanerFixture): Promise<void> {
  const { log } = fixture;
  await put(log, entries('a=1 b=1 c=1'));
  log.roll();
  await put(log, entries('a=2 b=2'));
  log.roll();
  await put(log, entries('a=3'));
}

describe('LogCleaner', () => {
  it('cleans at once, notes up to where, and rests for log.cleaner.backoff.ms', async () => {
    const fixture = await openCompacted({ minCleanableDirtyRatio: 0.1 });
    await dirty(fixture);
    const { cleaner, cleaned } = startCleaner(fixture);
    await fixture.clock.advance(0);
    await turns();
    expect(await contents(fixture.log)).to.deep.equal(['2:c=1', '3:a=2', '4:b=2', '5:a=3']);
    expect(checkpoint(fixture.files)).to.equal('0\n1\nkeyed 0 5\n');
    expect(cleaned).to.have.length(1);
    await put(fixture.log, entries('a=4'));
    fixture.log.roll();
    await put(fixture.log, entries('a=5'));
    await fixture.clock.advance(14_999);
    await turns();
    expect(cleaned).to.have.length(1);
    await fixture.clock.advance(1);
    await turns();
    expect(cleaned).to.have.length(2);
    expect(await contents(fixture.log)).to.deep.equal(['2:c=1', '4:b=2', '6:a=4', '7:a=5']);
    checkInvariants(fixture.log);
    await cleaner.stop();
  });

  it('leaves a log alone that is not dirty enough, unless it has waited for max.compaction.lag.ms', async () => {
    const fixture = await openCompacted({ minCleanableDirtyRatio: 1, maxCompactionLagMs: 60_000 });
    await dirty(fixture);
    const { cleaner, cleaned } = startCleaner(fixture);
    await fixture.clock.advance(60_000);
    await turns();
    expect(cleaned).to.deep.equal([]);
    await fixture.clock.advance(15_000);
    await turns();
    expect(cleaned).to.have.length(1);
    await cleaner.stop();
  });

  it('takes back a noted offset that lies outside the log', async () => {
    const fixture = await openCompacted({ minCleanableDirtyRatio: 1 });
    await dirty(fixture);
    await fixture.directory.setCleanedOffset(fixture.log, 7);
    const { cleaner } = startCleaner(fixture);
    await fixture.clock.advance(0);
    await turns();
    expect(checkpoint(fixture.files)).to.equal('0\n1\nkeyed 0 0\n');
    await cleaner.stop();
  });

  it('forgets a log that is deleted, and aborts what it is doing with it', async () => {
    const fixture = await openCompacted();
    await dirty(fixture);
    await fixture.directory.setCleanedOffset(fixture.log, 1);
    const { cleaner, cleaned } = startCleaner(fixture);
    await fixture.clock.advance(0);
    await fixture.directory.delete('keyed', 0);
    await turns();
    expect(cleaned).to.deep.equal([]);
    expect(checkpoint(fixture.files)).to.equal('0\n0\n');
    await cleaner.stop();
    expect([...fixture.files.openFiles]).to.deep.equal([]);
  });

  it('begins again where a log was truncated', async () => {
    const fixture = await openCompacted();
    await dirty(fixture);
    const { cleaner, cleaned } = startCleaner(fixture);
    await fixture.clock.advance(0);
    await turns();
    await fixture.log.truncateTo(4);
    await turns();
    expect(checkpoint(fixture.files)).to.equal('0\n1\nkeyed 0 4\n');
    expect(cleaned).to.have.length(1);
    await cleaner.stop();
  });

  for (const [what, bytes, at, reason] of [
    ['length', [0x7f, 0xff], 8, 'has no whole batch at position 0'],
    ['magic', [0x17], MAGIC_AT, 'has a batch of magic 23 at position 0'],
  ] as const) {
    it(`marks a log with a ${what} that cannot be as uncleanable, and goes on with the others`, async () => {
      const fixture = await openCompacted();
      await dirty(fixture);
      const path = fixture.log.segmentList()[0]?.path ?? '';
      const file = fixture.files.open(path, 'write');
      file.write([Buffer.from(bytes)], at);
      file.close();
      const { cleaner, uncleanable } = startCleaner(fixture);
      await fixture.clock.advance(100_000);
      await turns();
      expect(uncleanable.map(({ message }) => message)).to.deep.equal([`${path} ${reason}; it may be corrupt`]);
      expect(fileNames(fixture.files).filter((name) => name.endsWith('.cleaned'))).to.deep.equal([]);
      await cleaner.stop();
    });
  }

  it('does retention of compacted logs too, where cleanup.policy says so', async () => {
    const fixture = await openCompacted({ cleanupPolicy: ['compact', 'delete'], retentionMs: 1000, minCleanableDirtyRatio: 1 });
    await dirty(fixture);
    const { cleaner } = startCleaner(fixture);
    await fixture.clock.advance(15_000);
    await turns();
    expect(fixture.log.logStartOffset).to.equal(6);
    await cleaner.stop();
  });

  it('starts a thread when there is something to do, and ends it after a minute of nothing', async () => {
    const fixture = await openCompacted({ minCleanableDirtyRatio: 0.1 });
    let running = 0;
    let started = 0;
    const threads = {
      start: () => {
        const thread = fixture.threads.start();
        running++;
        started++;
        const end = (): Promise<void> => {
          running--;
          return thread.end();
        };
        return { ...thread, end };
      },
    };
    const { cleaner, cleaned } = startCleaner(fixture, {}, { threads });
    await fixture.clock.advance(100_000);
    expect(started).to.equal(0);
    await dirty(fixture);
    await fixture.clock.advance(15_000);
    await turns();
    expect([cleaned.length, running]).to.deep.equal([1, 1]);
    await fixture.clock.advance(44_000);
    await turns();
    expect(running).to.equal(1);
    await fixture.clock.advance(30_000);
    await turns();
    expect([started, running]).to.deep.equal([1, 0]);
    await dirty(fixture);
    await fixture.clock.advance(15_000);
    await turns();
    expect([cleaned.length, started, running]).to.deep.equal([2, 2, 1]);
    await cleaner.stop();
    expect(running).to.equal(0);
  });

  it('takes the directory offline when the disk fails, at whatever operation', async () => {
    for (let at = 1; ; at += 3) {
      const fixture = await openCompacted();
      await dirty(fixture);
      const { cleaner, cleaned, uncleanable } = startCleaner(fixture);
      fixture.files.failAfter(at, 'EIO');
      await fixture.clock.advance(0);
      await turns();
      expect(uncleanable).to.deep.equal([]);
      const isDone = cleaned.length > 0 && fixture.directory.failure === undefined;
      if (!isDone) expect([at, fixture.directory.failure?.code, fixture.log.failure?.code]).to.deep.equal([at, 'EIO', 'EIO']);
      await cleaner.stop();
      if (!isDone) continue;
      expect(at).to.be.greaterThan(50);
      return;
    }
  });

  it('obeys a change of cleanup.policy at once', async () => {
    const fixture = await openCompacted();
    await dirty(fixture);
    const { cleaner, cleaned } = startCleaner(fixture);
    await fixture.clock.advance(0);
    fixture.log.updateConfig({ ...fixture.log.config, cleanupPolicy: ['delete'] });
    await turns();
    await fixture.clock.advance(60_000);
    await turns();
    expect(cleaned).to.deep.equal([]);
    expect(fileNames(fixture.files).filter((name) => /\.(?:cleaned|swap)$/.test(name))).to.deep.equal([]);
    fixture.log.updateConfig({ ...fixture.log.config, cleanupPolicy: ['compact'] });
    await fixture.clock.advance(15_000);
    await turns();
    expect(cleaned).to.have.length(1);
    await cleaner.stop();
  });

  it('goes on by other settings at once, and begins what it was doing again', async () => {
    const fixture = await openCompacted({ minCleanableDirtyRatio: 0.1 });
    const { cleaner, cleaned } = startCleaner(fixture);
    await fixture.clock.advance(0);
    await dirty(fixture);
    await cleaner.reconfigure({ ...SETTINGS, backoffMs: 60_000 });
    expect(cleaned).to.deep.equal([]);
    await fixture.clock.advance(0);
    await cleaner.reconfigure({ ...SETTINGS, threads: 2, backoffMs: 60_000 });
    expect(cleaned).to.deep.equal([]);
    await fixture.clock.advance(0);
    await turns();
    expect(cleaned).to.have.length(1);
    await put(fixture.log, entries('a=4'));
    fixture.log.roll();
    await put(fixture.log, entries('a=5'));
    await fixture.clock.advance(59_999);
    await turns();
    expect(cleaned).to.have.length(1);
    await fixture.clock.advance(1);
    await turns();
    expect(cleaned).to.have.length(2);
    checkInvariants(fixture.log);
    const last = cleaner.reconfigure(SETTINGS);
    await cleaner.stop();
    await last;
    await cleaner.reconfigure(SETTINGS);
    await dirty(fixture);
    await fixture.clock.advance(60_000);
    await turns();
    expect(cleaned).to.have.length(2);
  });

  it('rests where nothing fits into the dedupe buffer, and cleans once something does', async () => {
    for (const loadFactor of [0, -1, Number.NaN]) {
      const fixture = await openCompacted({ minCleanableDirtyRatio: 0.1 });
      await dirty(fixture);
      const { cleaner, cleaned, uncleanable } = startCleaner(fixture, { loadFactor });
      await fixture.clock.advance(0);
      await turns();
      expect(cleaned.map(({ endOffset }) => endOffset)).to.deep.equal([0]);
      expect(uncleanable).to.deep.equal([]);
      await cleaner.reconfigure(SETTINGS);
      await fixture.clock.advance(0);
      await turns();
      expect(checkpoint(fixture.files)).to.equal('0\n1\nkeyed 0 5\n');
      await cleaner.stop();
    }
  });
});
