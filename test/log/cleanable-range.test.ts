import { expect } from 'chai';
import { cleanableRange, groupSegments, segmentsBetween } from '../../src/log/cleanable-range.ts';
import type { Segment } from '../../src/log/segment.ts';
import { type CleanerFixture, NOW, openCompacted, put } from './cleaner-fixture.ts';

/** Segments at 0, 2, 4 and, active, 6; a second of time for each record. */
async function fourSegments(config = {}): Promise<CleanerFixture> {
  const fixture = await openCompacted(config);
  for (let n = 0; n < 8; n += 2) {
    if (n > 0) fixture.log.roll();
    await put(fixture.log, [
      { key: 'a', value: '1', timestamp: NOW + n * 1000 },
      { key: 'b', value: '1', timestamp: NOW + n * 1000 + 1000 },
    ]);
  }
  return fixture;
}

const bounds = ({ log }: CleanerFixture, noted?: number, nowMs = NOW + 8000): (number | boolean)[] => {
  const { firstDirtyOffset, firstUncleanableOffset, isReset } = cleanableRange(log, noted, nowMs);
  return [firstDirtyOffset, firstUncleanableOffset, isReset];
};

describe('What of a log can be compacted', () => {
  it('goes from where the last compaction ended, or the start, to the active segment', async () => {
    const fixture = await fourSegments();
    expect(bounds(fixture)).to.deep.equal([0, 6, false]);
    expect(bounds(fixture, 4)).to.deep.equal([4, 6, false]);
    expect(bounds(fixture, 6)).to.deep.equal([6, 6, false]);
  });

  it('begins at the start of the log where what was noted is outside', async () => {
    const fixture = await fourSegments();
    fixture.log.advanceLogStartOffset(3);
    expect(bounds(fixture, 2)).to.deep.equal([3, 6, true]);
    expect(bounds(fixture, 9)).to.deep.equal([3, 6, true]);
    expect(bounds(fixture, 8)).to.deep.equal([8, 6, false]);
  });

  it('ends before the segment of the last stable offset, and before records younger than min.compaction.lag.ms', async () => {
    const fixture = await fourSegments();
    fixture.log.setHighWatermark(3);
    expect(bounds(fixture)).to.deep.equal([0, 2, false]);
    fixture.log.setHighWatermark(8);
    fixture.log.updateConfig({ ...fixture.log.config, minCompactionLagMs: 4000 });
    expect(bounds(fixture, undefined, NOW + 8000)).to.deep.equal([0, 4, false]);
    expect(bounds(fixture, undefined, NOW + 9000)).to.deep.equal([0, 6, false]);
    expect(bounds(fixture, undefined, NOW + 4000)).to.deep.equal([0, 0, false]);
  });

  it('is as dirty as its cleanable bytes are to all before the first uncleanable one', async () => {
    const { log } = await fourSegments();
    expect(cleanableRange(log, undefined, NOW).dirtyRatio).to.equal(1);
    expect(cleanableRange(log, 2, NOW).dirtyRatio).to.be.closeTo(2 / 3, 1e-9);
    expect(cleanableRange(log, 6, NOW).dirtyRatio).to.equal(0);
    expect(cleanableRange(log, 2, NOW).cleanableBytes).to.equal((log.sizeInBytes * 2) / 4);
  });

  it('is overdue when the first record of a dirty segment has waited for max.compaction.lag.ms', async () => {
    const { log } = await fourSegments({ maxCompactionLagMs: 10_000 });
    expect(cleanableRange(log, undefined, NOW + 11_000).isOverdue).to.equal(false);
    expect(cleanableRange(log, undefined, NOW + 11_001).isOverdue).to.equal(true);
    expect(cleanableRange(log, 2, NOW + 11_001).isOverdue).to.equal(false);
  });

  it('counts segments from the one that holds the first offset', async () => {
    const { log } = await fourSegments();
    const between = (from: number, to: number): number[] =>
      segmentsBetween(log.segmentList(), from, to).map(({ baseOffset }) => baseOffset);
    expect(between(3, 6)).to.deep.equal([2, 4]);
    expect(between(-1, 5)).to.deep.equal([0, 2, 4]);
    expect(between(3, 3)).to.deep.equal([]);
  });
});

describe('Grouping segments for compaction', () => {
  const segment = (baseOffset: number, size: number, offsets = 8, times = 12): Segment =>
    ({ baseOffset, size, indexSizes: () => ({ offsets, times }) }) as unknown as Segment;
  const grouped = (segments: readonly Segment[], segmentIndexBytes = 1000, firstUncleanableOffset = 1000): number[][] =>
    groupSegments(segments, { segmentBytes: 100, segmentIndexBytes }, firstUncleanableOffset).map((group) =>
      group.map(({ baseOffset }) => baseOffset),
    );

  it('fills groups up to segment.bytes, in order', () => {
    expect(grouped([segment(0, 60), segment(10, 40), segment(20, 1), segment(30, 99), segment(40, 1)])).to.deep.equal([
      [0, 10],
      [20, 30],
      [40],
    ]);
  });

  it('keeps each index within segment.index.bytes', () => {
    expect(grouped([segment(0, 1), segment(10, 1), segment(20, 1)], 16)).to.deep.equal([[0], [10], [20]]);
    expect(grouped([segment(0, 1), segment(10, 1), segment(20, 1)], 24)).to.deep.equal([[0, 10], [20]]);
  });

  it('keeps offsets within 2^31 of the first, unless a segment is empty', () => {
    const far = 2 ** 31;
    expect(grouped([segment(0, 1), segment(10, 1), segment(far, 1)], 1000, far + 10)).to.deep.equal([[0, 10], [far]]);
    expect(grouped([segment(0, 1), segment(10, 0), segment(far + 20, 1)], 1000, far + 30)).to.deep.equal([[0, 10], [far + 20]]);
  });
});
