import { expect } from 'chai';
import { NodeClock } from '../../src/world/node-clock.ts';

describe("the machine's clock", () => {
  it('ends a turn once for all who asked, in their order; what is asked for meanwhile belongs to the next', async () => {
    const clock = new NodeClock();
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      clock.endOfTurn(() => {
        order.push('first');
        clock.endOfTurn(() => {
          order.push('next turn');
          resolve();
        });
      });
      clock.endOfTurn(() => void order.push('second'));
      order.push('now');
    });
    expect(order).to.deep.equal(['now', 'first', 'second', 'next turn']);
  });

  it('takes delays that are longer than a timer can be', () => {
    const clock = new NodeClock();
    let fired = false;
    clock.after(Number.MAX_SAFE_INTEGER, () => void (fired = true)).cancel();
    clock.after(2 ** 31, () => void (fired = true)).cancel();
    expect(fired).to.equal(false);
  });

  it('fires once after the delay, unless cancelled', async () => {
    const clock = new NodeClock();
    const before = clock.monotonic();
    let cancelled = true;
    const timer = clock.after(1, () => void (cancelled = false));
    timer.cancel();
    await new Promise<void>((resolve) => void clock.after(5, resolve));
    expect(clock.monotonic() - before).to.be.at.least(4);
    expect(cancelled).to.equal(true);
  });
});
