import { expect } from 'chai';
import { IndexEntries, readEntries } from '../../src/log/index-entries.ts';
import { lookupOffset, OFFSET_ENTRY_SIZE, OffsetIndex } from '../../src/log/offset-index.ts';
import { FakeFiles } from '../sim/fake-files.ts';

function indexOf(baseOffset: number, entries: readonly (readonly [number, number])[]): OffsetIndex {
  const index = new OffsetIndex(baseOffset);
  for (const [offset, position] of entries) index.append(offset, position);
  return index;
}

describe('OffsetIndex', () => {
  const index = indexOf(100, [
    [104, 50],
    [110, 90],
    [120, 200],
  ]);

  it('finds the last entry at or below an offset', () => {
    expect(index.lookup(103)).to.deep.equal({ offset: 100, position: 0 });
    expect(index.lookup(104)).to.deep.equal({ offset: 104, position: 50 });
    expect(index.lookup(119)).to.deep.equal({ offset: 110, position: 90 });
    expect(index.lookup(Number.MAX_SAFE_INTEGER)).to.deep.equal({ offset: 120, position: 200 });
  });

  it('stands in its file as relative offset and position', () => {
    expect(index.entries.bytes().toString('hex')).to.equal('00000004000000320000000a0000005a00000014000000c8');
  });

  it('takes only rising offsets', () => {
    expect(() => indexOf(0, [[5, 10]]).append(5, 20)).to.throw('offset 5 after 5');
  });

  it('keeps the entries below an offset when truncated', () => {
    const cut = indexOf(100, [
      [104, 50],
      [110, 90],
    ]);
    cut.truncateTo(110);
    expect(cut.count).to.equal(1);
    cut.truncateTo(100);
    expect(cut.count).to.equal(0);
  });

  it('is not sane when it falls or points beyond the log', () => {
    expect(index.isSane(201)).to.equal(true);
    expect(index.isSane(200)).to.equal(false);
    const bytes = Buffer.from('0000000a0000005a0000000400000064', 'hex');
    expect(new OffsetIndex(0, new IndexEntries(OFFSET_ENTRY_SIZE, bytes, 2)).isSane(1000)).to.equal(false);
  });

  it('answers from the file as from memory, with preallocated zeros behind it', () => {
    const large = new OffsetIndex(7);
    for (let i = 1; i <= 3000; i++) large.append(7 + i * 3, i * 11);
    const files = new FakeFiles();
    files.makeDirectory('/d');
    files.writeFile('/d/i', Buffer.concat([large.entries.bytes(), Buffer.alloc(8000)]));
    const file = files.open('/d/i', 'read');
    for (const offset of [0, 7, 9, 10, 11, 500, 5000, 9006, 9007, 9008, 100_000]) {
      expect(lookupOffset(file, 7, offset), String(offset)).to.deep.equal(large.lookup(offset));
    }
    expect(readEntries(files, '/d/i', OFFSET_ENTRY_SIZE)?.count).to.equal(3000);
  });

  it('is nothing when its file is missing or of an odd size', () => {
    const files = new FakeFiles();
    files.makeDirectory('/d');
    expect(readEntries(files, '/d/i', OFFSET_ENTRY_SIZE)).to.equal(undefined);
    files.writeFile('/d/i', Buffer.alloc(9));
    expect(readEntries(files, '/d/i', OFFSET_ENTRY_SIZE)).to.equal(undefined);
  });
});
