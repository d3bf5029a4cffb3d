import { expect } from 'chai';
import { lookupTimestamp, TimeIndex } from '../../src/log/time-index.ts';
import { FakeFiles } from '../sim/fake-files.ts';

describe('TimeIndex', () => {
  function sample(): TimeIndex {
    const index = new TimeIndex(10);
    index.maybeAppend(1000, 12);
    index.maybeAppend(2000, 20);
    return index;
  }

  it('takes only greater timestamps', () => {
    const index = sample();
    index.maybeAppend(2000, 30);
    index.maybeAppend(1500, 40);
    expect(index.count).to.equal(2);
    expect(index.last).to.deep.equal({ timestamp: 2000, offset: 20 });
  });

  it('finds the last entry at or below a timestamp', () => {
    expect(sample().lookup(999)).to.deep.equal({ timestamp: -1, offset: 10 });
    expect(sample().lookup(1999)).to.deep.equal({ timestamp: 1000, offset: 12 });
    expect(sample().lookup(2000)).to.deep.equal({ timestamp: 2000, offset: 20 });
  });

  it('stands in its file as timestamp and relative offset', () => {
    expect(sample().entries.bytes().toString('hex')).to.equal('00000000000003e80000000200000000000007d00000000a');
  });

  it('keeps the entries below an offset when truncated', () => {
    const index = sample();
    index.truncateTo(20);
    expect(index.last).to.deep.equal({ timestamp: 1000, offset: 12 });
    index.truncateTo(12);
    expect(index.last).to.deep.equal({ timestamp: -1, offset: 10 });
  });

  it('answers from the file as from memory, with timestamps beyond 2^32', () => {
    const large = new TimeIndex(0);
    for (let i = 1; i <= 2000; i++) large.maybeAppend(1_700_000_000_000 + i * 10, i);
    const files = new FakeFiles();
    files.makeDirectory('/d');
    files.writeFile('/d/t', Buffer.concat([large.entries.bytes(), Buffer.alloc(120)]));
    const file = files.open('/d/t', 'read');
    for (const ahead of [0, 10, 15, 9999, 20_000, 50_000]) {
      expect(lookupTimestamp(file, 0, 1_700_000_000_000 + ahead)).to.deep.equal(large.lookup(1_700_000_000_000 + ahead));
    }
  });
});
