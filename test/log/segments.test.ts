import { expect } from 'chai';
import type { Segment } from '../../src/log/segment.ts';
import { Segments } from '../../src/log/segments.ts';

const segment = (baseOffset: number, size = 1): Segment => ({ baseOffset, size }) as unknown as Segment;

function of(...baseOffsets: number[]): Segments {
  const segments = new Segments();
  for (const baseOffset of baseOffsets) segments.add(segment(baseOffset));
  return segments;
}

const bases = (segments: readonly Segment[]): number[] => segments.map(({ baseOffset }) => baseOffset);

describe('segments', () => {
  it('stand in the order of their base offsets, however they came', () => {
    const segments = of(20, 0, 10);
    expect(bases(segments.values())).to.deep.equal([0, 10, 20]);
    expect([segments.first.baseOffset, segments.active.baseOffset, segments.count]).to.deep.equal([0, 20, 3]);
    expect(segments.sizeInBytes).to.equal(3);
  });

  it('replace the one with the same base offset', () => {
    const segments = of(0, 10);
    segments.add(segment(0, 7));
    expect([segments.count, segments.first.size]).to.deep.equal([2, 7]);
  });

  it('are found by an offset, at every boundary', () => {
    const segments = of(5, 10, 30);
    const found = [4, 5, 9, 10, 29, 30, 99].map((offset) => [
      segments.floor(offset)?.baseOffset,
      segments.higher(offset)?.baseOffset,
      bases(segments.from(offset)),
    ]);
    expect(found).to.deep.equal([
      [undefined, 5, [5, 10, 30]],
      [5, 10, [5, 10, 30]],
      [5, 10, [5, 10, 30]],
      [10, 30, [10, 30]],
      [10, 30, [10, 30]],
      [30, undefined, [30]],
      [30, undefined, [30]],
    ]);
  });

  it('are never none', () => {
    const segments = of(5);
    segments.remove(segments.first);
    expect(() => segments.active).to.throw('a log without segments');
  });
});
