/** Which segments retention takes: always the oldest, never beyond the high watermark. */
import { expect } from 'chai';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import { type RetentionView, segmentsBeforeLogStart, segmentsBeyondSize, segmentsBeyondTime } from '../../src/log/retention.ts';
import type { Segment } from '../../src/log/segment.ts';

const NOW = 1_000_000;

/** Segments of ten offsets, each with its size and the age of its newest record; the last is the active one. */
function view(sizes: readonly number[], ages: readonly number[], o: Partial<RetentionView> = {}): RetentionView {
  const segments = sizes.map((size, i) => ({
    baseOffset: i * 10,
    size,
    largestTimestamp: () => NOW - (ages[i] ?? 0),
  }));
  const logEndOffset = sizes.at(-1) === 0 ? (sizes.length - 1) * 10 : sizes.length * 10;
  return {
    segments: segments as unknown as readonly Segment[],
    config: { ...DEFAULT_LOG_CONFIG, retentionMs: 100, retentionBytes: -1 },
    logStartOffset: 0,
    logEndOffset,
    highWatermark: logEndOffset,
    nowMs: NOW,
    ...o,
  };
}

const bases = (segments: readonly Segment[]): number[] => segments.map(({ baseOffset }) => baseOffset);
const withSize = (retentionBytes: number) => ({ config: { ...DEFAULT_LOG_CONFIG, retentionBytes } });

describe('retention', () => {
  it('by time takes what is older than retention.ms, up to the first that is not', () => {
    expect(bases(segmentsBeyondTime(view([5, 5, 5, 5], [500, 101, 100, 500])))).to.deep.equal([0, 10]);
    const forever = { config: { ...DEFAULT_LOG_CONFIG, retentionMs: -1 } };
    expect(segmentsBeyondTime(view([5, 5], [500, 500], forever))).to.deep.equal([]);
  });

  it('by time takes the active segment too, unless it is empty', () => {
    expect(bases(segmentsBeyondTime(view([5, 5], [500, 500])))).to.deep.equal([0, 10]);
    expect(bases(segmentsBeyondTime(view([5, 0], [500, 500])))).to.deep.equal([0]);
  });

  it('by size never falls below retention.bytes', () => {
    expect(bases(segmentsBeyondSize(view([5, 5, 5, 5], [], withSize(10))))).to.deep.equal([0, 10]);
    expect(bases(segmentsBeyondSize(view([5, 5, 5, 5], [], withSize(11))))).to.deep.equal([0]);
    expect(bases(segmentsBeyondSize(view([5, 5, 5, 5], [], withSize(20))))).to.deep.equal([]);
    expect(bases(segmentsBeyondSize(view([9, 1, 1, 1], [], withSize(4))))).to.deep.equal([]);
    expect(bases(segmentsBeyondSize(view([5, 5], [], withSize(-1))))).to.deep.equal([]);
  });

  it('by log start takes what lies wholly before it, and never the active segment', () => {
    expect(bases(segmentsBeforeLogStart(view([5, 5, 5], [], { logStartOffset: 20 })))).to.deep.equal([0, 10]);
    expect(bases(segmentsBeforeLogStart(view([5, 5, 5], [], { logStartOffset: 19 })))).to.deep.equal([0]);
    expect(bases(segmentsBeforeLogStart(view([5, 5, 5], [], { logStartOffset: 30 })))).to.deep.equal([0, 10]);
  });

  it('waits for the high watermark, whatever the rule', () => {
    expect(bases(segmentsBeyondTime(view([5, 5, 5], [500, 500, 500], { highWatermark: 19 })))).to.deep.equal([0]);
    expect(bases(segmentsBeyondSize(view([5, 5, 5], [], { ...withSize(0), highWatermark: 10 })))).to.deep.equal([0]);
    expect(bases(segmentsBeforeLogStart(view([5, 5, 5], [], { logStartOffset: 20, highWatermark: 9 })))).to.deep.equal([]);
  });
});
