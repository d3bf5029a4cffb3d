import { expect } from 'chai';
import { UnstableTransactions } from '../../src/log/unstable-transactions.ts';

describe('Unstable transactions', () => {
  it('keep the first offset of the oldest until its marker is below the high watermark', () => {
    const transactions = new UnstableTransactions();
    expect(transactions.firstOffset).to.equal(undefined);
    transactions.begin(1, 10);
    transactions.begin(2, 12);
    transactions.end({ producerId: 1, firstOffset: 10, lastOffset: 20, aborted: false });
    expect([...transactions.openFirstOffsets()]).to.deep.equal([12]);
    transactions.onHighWatermark(20);
    expect(transactions.firstOffset).to.equal(10);
    transactions.onHighWatermark(21);
    expect(transactions.firstOffset).to.equal(12);
    transactions.end({ producerId: 2, firstOffset: 12, lastOffset: 21, aborted: true });
    expect(transactions.isEmpty).to.equal(false);
    transactions.onHighWatermark(22);
    expect(transactions.isEmpty).to.equal(true);
  });

  it('know up to where the log is stable once one ends', () => {
    const transactions = new UnstableTransactions();
    transactions.begin(1, 10);
    const ended = { producerId: 1, firstOffset: 10, lastOffset: 20, aborted: false };
    expect(transactions.lastStableOffsetAfter(ended)).to.equal(21);
    transactions.begin(2, 12);
    expect(transactions.lastStableOffsetAfter(ended)).to.equal(12);
  });

  it('may end where their begin has been deleted', () => {
    const transactions = new UnstableTransactions();
    transactions.end({ producerId: 1, firstOffset: 3, lastOffset: 5, aborted: true });
    expect(transactions.firstOffset).to.equal(3);
    transactions.onHighWatermark(6);
    expect(transactions.firstOffset).to.equal(undefined);
  });
});
