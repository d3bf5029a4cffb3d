import { expect } from 'chai';
import { NodeRandom } from '../../src/world/node-random.ts';

describe('NodeRandom', () => {
  const random = new NodeRandom();

  it('gives as many bytes as are asked for, and others each time', () => {
    for (const size of [0, 1, 16, 100_000]) expect(random.bytes(size).length).to.equal(size);
    const drawn = new Set(Array.from({ length: 1000 }, () => random.bytes(16).toString('hex')));
    expect(drawn.size).to.equal(1000);
  });

  it('gives every number below a bound, and no other', () => {
    const drawn = new Set(Array.from({ length: 1000 }, () => random.below(7)));
    expect([...drawn].toSorted((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
    expect(random.below(1)).to.equal(0);
    expect(random.below(2 ** 31 - 1)).to.be.within(0, 2 ** 31 - 2);
  });
});
