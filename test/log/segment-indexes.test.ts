import { expect } from 'chai';
import { FileHandles } from '../../src/log/file-handles.ts';
import { SegmentIndexes } from '../../src/log/segment-indexes.ts';
import { FakeFiles } from '../sim/fake-files.ts';

const BASE = 100;
const ABORTED = { producerId: 7, firstOffset: 104, lastOffset: 106, lastStableOffset: 107 };

interface Fixture {
  readonly files: FakeFiles;
  readonly indexes: SegmentIndexes;
  /** What opens the same files anew. */
  again(): SegmentIndexes;
}

/** Batches of 50 bytes and one record, an index entry before every third of them. */
function filled(batchCount: number): Fixture {
  const files = new FakeFiles();
  files.makeDirectory('/d');
  const again = (): SegmentIndexes => new SegmentIndexes({ files, baseOffset: BASE, pathOf: (suffix) => `/d/segment${suffix}` });
  const indexes = again();
  indexes.begin();
  for (let i = 0; i < batchCount; i++) indexes.noteBatch(BASE + i, 1000 + i, i * 50, 50, 100);
  return { files, indexes, again };
}

describe('Indexes of a segment', () => {
  it('get an entry before a batch when more than the interval has gone by, and leave it to the files what they say', () => {
    const { indexes, again } = filled(8);
    const asked = [99, 100, 102, 103, 105, 106, 200];
    const inMemory = asked.map((offset) => indexes.lookup(offset));
    expect(inMemory.map(({ position }) => position)).to.deep.equal([0, 0, 0, 150, 150, 300, 300]);
    indexes.deactivate();
    expect(asked.map((offset) => indexes.lookup(offset))).to.deep.equal(inMemory);
    expect(asked.map((offset) => again().lookup(offset))).to.deep.equal(inMemory);
  });

  it('know the greatest timestamp, which gets an entry when the segment ends', () => {
    const { indexes, again } = filled(5);
    indexes.noteBatch(105, 500, 250, 50, 100);
    expect(indexes.greatestTimestamp()).to.deep.equal({ timestamp: 1004, offset: 104 });
    indexes.deactivate();
    expect(again().greatestTimestamp()).to.deep.equal({ timestamp: 1004, offset: 104 });
    expect(again().lookupTimestamp(1003)).to.deep.equal({ timestamp: 1003, offset: 103 });
    expect(again().lookupTimestamp(999)).to.deep.equal({ timestamp: -1, offset: BASE });
  });

  it('have a file of aborted transactions only where there are some', () => {
    const { files, indexes, again } = filled(8);
    indexes.noteAborted(ABORTED);
    indexes.deactivate();
    expect(again().abortedTransactions()).to.deep.equal([ABORTED]);
    const cut = again();
    cut.truncateTo(106);
    cut.deactivate();
    expect(files.stat('/d/segment.txnindex')).to.equal(undefined);
    expect(cut.abortedTransactions()).to.deep.equal([]);
  });

  it('are sane only where they belong to a file of that size, and know whether they pass its end', () => {
    const { files, indexes, again } = filled(8);
    indexes.deactivate();
    const found = again();
    expect([found.areSane(400), found.pass(107), found.pass(108)]).to.deep.equal([true, true, false]);
    expect(again().areSane(300), 'an entry points past the end').to.equal(false);
    files.writeFile('/d/segment.txnindex', Buffer.alloc(34, 1));
    expect(again().areSane(400), 'no transactions of this segment').to.equal(false);
    files.remove('/d/segment.txnindex');
    files.remove('/d/segment.timeindex');
    expect(again().areSane(400), 'one is missing').to.equal(false);
  });

  it('are forgotten with their files when the segment is to be scanned', () => {
    const { files, indexes, again } = filled(8);
    indexes.noteAborted(ABORTED);
    indexes.deactivate();
    const scanned = again();
    scanned.reset();
    scanned.deactivate();
    const sizes = ['index', 'timeindex', 'txnindex'].map((suffix) => files.stat(`/d/segment.${suffix}`)?.size);
    expect(sizes).to.deep.equal([0, 0, undefined]);
  });

  it('are full where another entry would not fit, one of the time index being kept for the end', () => {
    const { indexes } = filled(8);
    expect(
      [3 * 12, 4 * 12 - 1, 4 * 12].map((bytes) => indexes.areFull(bytes)),
      'offsets 2 of 8 bytes, times 2 of 12',
    ).to.deep.equal([true, true, false]);
  });

  it('are unsynced from when their files are written until these are on disk', async () => {
    const { files, indexes } = filled(8);
    expect(indexes.areUnsynced).to.equal(false);
    indexes.deactivate();
    expect(indexes.areUnsynced).to.equal(true);
    await indexes.sync(new FileHandles(files));
    expect(indexes.areUnsynced).to.equal(false);
    expect(files.openFiles.size, 'no handle stays').to.equal(0);
  });
});
