import { expect } from 'chai';
import { Throttle } from '../../src/log/throttle.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';

describe('Throttle', () => {
  it('lets a burst pass, and makes who is above the rate wait until it is not', async () => {
    const clock = new VirtualClock();
    const throttle = new Throttle(clock, 1000);
    expect(throttle.delayAfter(5000)).to.equal(0);
    await clock.advance(301);
    expect(throttle.delayAfter(1000)).to.equal(5699);
    await clock.advance(5699);
    expect(throttle.delayAfter(100)).to.equal(0);
    await clock.advance(301);
    expect(throttle.delayAfter(200)).to.equal(0);
    await clock.advance(400);
    expect(throttle.delayAfter(400)).to.equal(0);
  });

  it('keeps the rate on average, whatever the pieces are', async () => {
    const clock = new VirtualClock();
    const throttle = new Throttle(clock, 4000);
    let done = 0;
    while (clock.monotonic() < 60_000) {
      const piece = 1 + ((done * 7919) % 3000);
      done += piece;
      await clock.advance(10 + throttle.delayAfter(piece));
    }
    expect(done / (clock.monotonic() / 1000)).to.be.within(3800, 4200);
  });

  it('stands still at a rate of nothing, and knows no bounds at rates that are none', async () => {
    for (const [rate, delayMs] of [
      [0, 1e12],
      [-1, 0],
      [Number.NaN, 0],
      [Number.POSITIVE_INFINITY, 0],
    ] as const) {
      const clock = new VirtualClock();
      const throttle = new Throttle(clock, rate);
      await clock.advance(301);
      expect([rate, throttle.delayAfter(1)]).to.deep.equal([rate, delayMs]);
    }
  });
});
