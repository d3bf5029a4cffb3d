import { expect } from 'chai';
import { LENT_FROM_BYTES, lend, release, retain, spoilReleased, takeMemory } from '../../src/wire/recycled-memory.ts';

describe('Recycled memory', () => {
  it('has the size that is asked for, and less than twice that behind it where it is new', () => {
    for (const size of [8193, 16_384, 16_385, 1_000_000, 1 << 24, (1 << 24) + 1]) {
      const bytes = takeMemory(size);
      expect(bytes.length).to.equal(size);
      expect(bytes.buffer.byteLength).to.be.below(size * 2);
    }
  });

  it('is given out again when its last user has released it, and not before', () => {
    const first = takeMemory(50_000);
    retain(first.subarray(10, 20));
    release(first);
    const second = takeMemory(50_000);
    expect(second.buffer).not.to.equal(first.buffer);
    release(first.subarray(30_000));
    const third = takeMemory(40_000);
    expect(third.buffer).to.equal(first.buffer);
    release(second);
    release(third);
  });

  it('says who uses or releases what is nobody’s any more', () => {
    const bytes = takeMemory(70_000);
    release(bytes);
    expect(() => release(bytes)).to.throw('released more often');
    expect(() => retain(bytes)).to.throw('after it was released');
  });

  it('takes no notice of memory from elsewhere', () => {
    const other = Buffer.alloc(10_000);
    retain(other);
    release(other);
    release(other);
    expect(takeMemory(10_000).buffer).not.to.equal(other.buffer);
  });

  it('is lent in long views; short ones are copies that nobody has to give back', () => {
    const bytes = takeMemory(60_000);
    const short = lend(bytes.subarray(0, LENT_FROM_BYTES - 1));
    expect(short.buffer).not.to.equal(bytes.buffer);
    const long = lend(bytes.subarray(0, LENT_FROM_BYTES));
    expect(long.buffer).to.equal(bytes.buffer);
    release(bytes);
    const other = takeMemory(60_000);
    expect(other.buffer).not.to.equal(bytes.buffer);
    release(long);
    expect(takeMemory(60_000).buffer).to.equal(bytes.buffer);
    release(other);
  });

  it('is overwritten when it is released, where tests want that', () => {
    const bytes = takeMemory(10_000).fill(1);
    spoilReleased(true);
    retain(bytes);
    release(bytes);
    expect(bytes.every((byte) => byte === 1)).to.equal(true);
    release(bytes);
    expect(bytes.some((byte) => byte === 1)).to.equal(false);
  });

  it('is rather a piece of up to eight times the size than new, where it is large', () => {
    const kept = takeMemory(1 << 23);
    const others = [20, 21, 22].map((shift) => takeMemory(1 << shift));
    release(kept);
    const small = takeMemory((1 << 20) - 1);
    expect(small.length).to.equal((1 << 20) - 1);
    expect(small.buffer).to.equal(kept.buffer);
    release(small);
    const smaller = takeMemory(1 << 19);
    expect(smaller.buffer).not.to.equal(kept.buffer);
    release(smaller);
    const held = takeMemory(1 << 17);
    expect(held.buffer.byteLength).to.equal(1 << 17);
    for (const bytes of [...others, held]) release(bytes);
  });

  it('is kept up to a limit', () => {
    const all = Array.from({ length: 20 }, () => takeMemory(4 << 20));
    for (const bytes of all) release(bytes);
    const again = Array.from({ length: 20 }, () => takeMemory(4 << 20));
    const kept = again.filter(({ buffer }) => all.some((bytes) => bytes.buffer === buffer));
    expect(kept.length).to.equal(12);
    for (const bytes of again) release(bytes);
  });

  it('is kept rather in sizes that are asked for', () => {
    const small = Array.from({ length: 1000 }, () => takeMemory(1 << 16));
    const large = Array.from({ length: 2 }, () => takeMemory(1 << 24));
    for (const bytes of small) release(bytes);
    for (const bytes of large) release(bytes);
    const again = Array.from({ length: 2 }, () => takeMemory(1 << 24));
    expect(again.every(({ buffer }) => large.some((bytes) => bytes.buffer === buffer))).to.equal(true);
    for (const bytes of again) release(bytes);
  });
});
