import { expect } from 'chai';
import { LogTail, TailMemory } from '../../src/log/tail-memory.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { batch, bytesOf, offsetsIn } from './log-fixture.ts';

function fill(tail: LogTail, count: number, size: number): void {
  for (let i = 0; i < count; i++) {
    const bytes = batch({ count: 2, size });
    new RecordBatch(bytes).setBaseOffset(i * 2);
    tail.append(bytes, i * 2, i * 2 + 2);
  }
}

describe('Tail memory', () => {
  it('gives small batches in few chunks', () => {
    const tail = new LogTail(new TailMemory());
    fill(tail, 100, 10);
    const read = tail.read(0, 1_000_000, true, 200);
    expect(read?.chunks.length).to.be.below(10);
    expect(offsetsIn(read?.chunks ?? [])).to.have.length(100);
    expect(read?.nextOffset).to.equal(200);
  });

  it('begins anywhere, stops at the bound and at the limit', () => {
    const tail = new LogTail(new TailMemory());
    fill(tail, 300, 60);
    for (let offset = 0; offset < 600; offset += 37) {
      for (const bound of [offset + 2, offset + 50, 600]) {
        const read = tail.read(offset, 3000, true, bound);
        const wanted = offset % 2 === 0 ? offset : offset - 1;
        const got = offsetsIn(read?.chunks ?? []);
        expect(got[0]).to.equal(wanted);
        expect(got.every((each, i) => each === wanted + 2 * i)).to.equal(true);
        expect(got[got.length - 1]).to.be.below(bound);
        expect(bytesOf(read?.chunks ?? []).length).to.be.at.most(3000);
      }
    }
  });

  it('keeps its budget over all logs, oldest first, and says what it no longer has', () => {
    const memory = new TailMemory(100_000);
    const first = new LogTail(memory);
    const second = new LogTail(memory);
    fill(first, 100, 200);
    fill(second, 2000, 200);
    expect(memory.usedBytes).to.be.at.most(100_000);
    expect(first.read(0, 1000, true, 200)).to.equal(undefined);
    expect(second.read(0, 1000, true, 4000)).to.equal(undefined);
    expect(offsetsIn(second.read(3998, 1000, true, 4000)?.chunks ?? [])).to.deep.equal([3998]);
    second.clear();
    expect(memory.usedBytes).to.equal(0);
  });

  it('does not pin the buffer that a batch came in', () => {
    const tail = new LogTail(new TailMemory());
    const network = Buffer.alloc(1_000_000);
    const large = batch({ size: 20_000 });
    large.copy(network);
    const kept = tail.append(network.subarray(0, large.length), 0, 1);
    expect(kept.buffer.byteLength).to.be.below(100_000);
    const own = Buffer.alloc(large.length, large);
    expect(tail.append(own, 1, 2).buffer).to.equal(own.buffer);
  });

  it('holds nothing with a budget of nothing', () => {
    const tail = new LogTail(new TailMemory(0));
    fill(tail, 3, 100);
    expect(tail.read(4, 1000, true, 6)).to.equal(undefined);
  });
});
