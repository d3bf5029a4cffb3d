import { expect } from 'chai';
import { LogTail, TailMemory } from '../../src/log/tail-memory.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { release } from '../../src/wire/recycled-memory.ts';
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
    const network = batch({ size: 20_000 });
    const kept = tail.append(network, 0, 1);
    expect(kept.buffer).not.to.equal(network.buffer);
    expect(kept.equals(network)).to.equal(true);
  });

  it('leaves large batches to the file, and holds nothing that ends before them', () => {
    const tail = new LogTail(new TailMemory());
    const [small, large] = [batch({ size: 100 }), batch({ size: 100_000 })];
    tail.append(small, 0, 1);
    expect(tail.append(large, 1, 2).buffer).to.equal(large.buffer);
    expect(tail.firstOffset).to.equal(undefined);
    tail.append(batch({ size: 100 }), 2, 3);
    expect(tail.firstOffset).to.equal(2);
  });

  it('does not touch what a reader still looks at, however much follows; and uses its memory again when none does', () => {
    const memory = new TailMemory(300_000);
    const tail = new LogTail(memory);
    const append = (from: number, count: number): Set<ArrayBufferLike> => {
      const used = new Set<ArrayBufferLike>();
      for (let offset = from; offset < from + count; offset++) {
        const bytes = batch({ size: 30_000 });
        new RecordBatch(bytes).setBaseOffset(offset);
        const kept = tail.append(bytes, offset, offset + 1);
        used.add(kept.buffer);
        release(kept);
      }
      return used;
    };
    append(0, 10);
    const { chunks } = tail.read(9, 100_000, true, 10) ?? { chunks: [] };
    const before = bytesOf(chunks);
    expect(offsetsIn(chunks)).to.deep.equal([9]);
    const used = append(10, 100);
    expect(bytesOf(chunks).equals(before)).to.equal(true);
    expect(used.size).to.be.below(6);
  });

  it('holds nothing with a budget of nothing', () => {
    const tail = new LogTail(new TailMemory(0));
    fill(tail, 3, 100);
    expect(tail.read(4, 1000, true, 6)).to.equal(undefined);
  });
});
