import { expect } from 'chai';
import { OffsetMap } from '../../src/log/offset-map.ts';
import { randomOf, SEED } from '../support/property.ts';

describe('OffsetMap', () => {
  it('knows the latest offset of each key, like a map, until it is full', () => {
    const random = randomOf(SEED);
    const map = new OffsetMap(500);
    const model = new Map<string, number>();
    for (let offset = 0; model.size < 499; offset++) {
      const key = Buffer.from(String(Math.floor(random() * 700)));
      map.put(key, 0, key.length, offset);
      model.set(String(key), offset);
    }
    for (let i = 0; i < 700; i++) {
      const key = Buffer.from(`..${i}..`);
      expect(map.get(key, 2, key.length - 2), `seed ${SEED}, key ${i}`).to.equal(model.get(String(i)) ?? -1);
    }
    expect(map.size).to.equal(499);
    expect(() => map.put(Buffer.from('one more'), 0, 8, 1)).to.throw('an offset map of 500 slots is full');
  });

  it('holds offsets beyond 2^32, offset 0, and empty keys', () => {
    const map = new OffsetMap(8);
    const empty = Buffer.alloc(0);
    expect(map.get(empty, 0, 0)).to.equal(-1);
    map.put(empty, 0, 0, 0);
    expect(map.get(empty, 0, 0)).to.equal(0);
    map.put(empty, 0, 0, 2 ** 40);
    expect(map.get(empty, 0, 0)).to.equal(2 ** 40);
    expect(map.latestOffset).to.equal(2 ** 40);
    expect(map.size).to.equal(1);
  });
});
