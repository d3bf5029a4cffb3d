import { expect } from 'chai';
import { OffsetWaiters } from '../../src/partition/offset-waiters.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';

describe('offset waiters', () => {
  it('run in the order of their offsets, however they came', () => {
    const waiters = new OffsetWaiters();
    const seen: number[] = [];
    for (const offset of [3, 5, 4, 1, 5]) waiters.add(offset, () => seen.push(offset));
    waiters.reached(4);
    expect(seen).to.deep.equal([1, 3, 4]);
    waiters.reached(9);
    expect(seen).to.deep.equal([1, 3, 4, 5, 5]);
    expect(waiters.size).to.equal(0);
  });

  it('fail once, all of them', () => {
    const waiters = new OffsetWaiters();
    const seen: ErrorCode[] = [];
    waiters.add(1, (failure) => seen.push(failure));
    waiters.add(2, (failure) => seen.push(failure));
    waiters.reached(1);
    waiters.fail(ErrorCode.KAFKA_STORAGE_ERROR);
    waiters.reached(2);
    expect(seen).to.deep.equal([ErrorCode.NONE, ErrorCode.KAFKA_STORAGE_ERROR]);
  });

  it('may wait again while they run', () => {
    const waiters = new OffsetWaiters();
    const seen: string[] = [];
    waiters.add(1, () => {
      seen.push('first');
      waiters.add(1, () => seen.push('second'));
    });
    waiters.reached(1);
    expect(seen).to.deep.equal(['first']);
    waiters.reached(1);
    expect(seen).to.deep.equal(['first', 'second']);
  });
});
