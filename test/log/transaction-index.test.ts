import { expect } from 'chai';
import { collectAborted, formatTransactionIndex, parseTransactionIndex } from '../../src/log/transaction-index.ts';

describe('Transaction index', () => {
  const entries = [
    { producerId: 6, firstOffset: 4, lastOffset: 7, lastStableOffset: 8 },
    { producerId: 9, firstOffset: 16, lastOffset: 19, lastStableOffset: 20 },
  ];

  it('is written and read as Kafka has it', () => {
    const bytes = formatTransactionIndex(entries);
    expect(bytes.length).to.equal(68);
    expect(bytes.subarray(0, 34).toString('hex')).to.equal(
      '00000000000000000006000000000000000400000000000000070000000000000008',
    );
    expect(parseTransactionIndex(bytes, 0)).to.deep.equal(entries);
  });

  it('ignores a torn entry, and is nothing when it belongs to a later segment or another version', () => {
    const bytes = formatTransactionIndex(entries);
    expect(parseTransactionIndex(bytes.subarray(0, 60), 0)).to.deep.equal(entries.slice(0, 1));
    expect(parseTransactionIndex(bytes, 8)).to.equal(undefined);
    bytes.writeInt16BE(1, 0);
    expect(parseTransactionIndex(bytes, 0)).to.equal(undefined);
  });

  it('tells a reader of the transactions that touch its range, and whether there can be more', () => {
    const collect = (from: number, to: number): [number[], boolean] => {
      const found: { producerId: number; firstOffset: number }[] = [];
      const complete = collectAborted(entries, from, to, found);
      return [found.map((each) => each.producerId), complete];
    };
    expect(collect(0, 4)).to.deep.equal([[], true]);
    expect(collect(0, 5)).to.deep.equal([[6], true]);
    expect(collect(8, 17)).to.deep.equal([[9], true]);
    expect(collect(7, 100)).to.deep.equal([[6, 9], false]);
  });

  it('is nothing with numbers that no log can have', () => {
    const bytes = formatTransactionIndex([{ producerId: 7, firstOffset: 1, lastOffset: 3, lastStableOffset: 4 }]);
    expect(parseTransactionIndex(bytes, 0)).to.have.length(1);
    for (const at of [2, 10, 18, 26]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = 65;
      expect(parseTransactionIndex(damaged, 0), `byte ${at}`).to.equal(undefined);
    }
  });
});
