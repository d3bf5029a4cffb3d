import { expect } from 'chai';
import { ProducerEntry } from '../../src/log/producer-entry.ts';
import { formatProducerSnapshot, parseProducerSnapshot } from '../../src/log/producer-snapshot.ts';

function entryOf(producerId: number, currentTxnFirstOffset = -1): ProducerEntry {
  const entry = new ProducerEntry(producerId, 3, 7, 1000, currentTxnFirstOffset);
  for (let i = 0; i < 6; i++)
    entry.addBatch(3, { lastSequence: i * 2 + 1, lastOffset: 10 + i * 2, offsetDelta: 1, timestamp: 1000 + i });
  return entry;
}

describe('A snapshot of producers', () => {
  it('keeps what a log knows of each, and its last batch alone, in the order of their ids', () => {
    const [first, second] = parseProducerSnapshot(formatProducerSnapshot([entryOf(9, 20), entryOf(2)])) ?? [];
    expect([first?.producerId, second?.producerId]).to.deep.equal([2, 9]);
    expect(second).to.deep.include({ producerEpoch: 3, coordinatorEpoch: 7, lastTimestamp: 1005, currentTxnFirstOffset: 20 });
    expect(second?.batches).to.deep.equal([{ lastSequence: 11, lastOffset: 20, offsetDelta: 1, timestamp: 1005 }]);
  });

  it('has room for a time that a damaged marker has', () => {
    const entry = entryOf(9);
    entry.lastTimestamp = -9_187_201_950_435_760_000;
    expect(parseProducerSnapshot(formatProducerSnapshot([entry]))?.[0]?.lastTimestamp).to.equal(entry.lastTimestamp);
  });

  it('is nothing when cut short at any byte or of another version', () => {
    const bytes = formatProducerSnapshot([entryOf(1)]);
    for (let size = 0; size < bytes.length; size++)
      expect(parseProducerSnapshot(bytes.subarray(0, size)), String(size)).to.equal(undefined);
    bytes.writeInt16BE(2, 0);
    expect(parseProducerSnapshot(bytes)).to.equal(undefined);
  });
});
