import { expect } from 'chai';
import { Deadlines } from '../../src/partition/deadlines.ts';
import type { Clock, Timer } from '../../src/world/clock.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { randomOf, SEED } from '../support/property.ts';

/** Counts the timers that are set and neither fired nor cancelled. */
class CountingClock implements Clock {
  readonly inner = new VirtualClock();
  timers = 0;
  now = (): number => this.inner.now();
  monotonic = (): number => this.inner.monotonic();
  endOfTurn = (run: () => void): void => this.inner.endOfTurn(run);

  after(delayMs: number, run: () => void): Timer {
    this.timers++;
    let live = true;
    const end = (): void => {
      if (live) this.timers--;
      live = false;
    };
    const timer = this.inner.after(delayMs, () => {
      end();
      run();
    });
    return {
      cancel: () => {
        end();
        timer.cancel();
      },
    };
  }
}

describe('deadlines', () => {
  it('come in the order of their time, with one timer for all', async () => {
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const seen: number[] = [];
    for (const ms of [30, 10, 50, 20, 40]) deadlines.after(ms, () => seen.push(ms));
    expect(clock.timers).to.equal(1);
    await clock.inner.advance(25);
    expect(seen).to.deep.equal([10, 20]);
    expect(clock.timers).to.equal(1);
    await clock.inner.advance(100);
    expect(seen).to.deep.equal([10, 20, 30, 40, 50]);
    expect([clock.timers, deadlines.size]).to.deep.equal([0, 0]);
  });

  it('do not come when cancelled, and are forgotten', async () => {
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const seen: string[] = [];
    const cancelled = Array.from({ length: 1000 }, (_, n) => deadlines.after(10 + n, () => seen.push('cancelled')));
    deadlines.after(500, () => seen.push('kept'));
    for (const each of cancelled) each.cancel();
    for (const each of cancelled) each.cancel();
    expect(deadlines.size).to.equal(1);
    await clock.inner.advance(2000);
    expect(seen).to.deep.equal(['kept']);
    expect(deadlines.size).to.equal(0);
  });

  it('leave no timer behind when the last one is cancelled', () => {
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const [first, second] = [deadlines.after(10, () => {}), deadlines.after(20, () => {})];
    first.cancel();
    expect(clock.timers).to.equal(1);
    second.cancel();
    expect([clock.timers, deadlines.size]).to.deep.equal([0, 0]);
  });

  it('may set others when they come', async () => {
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const seen: number[] = [];
    const again = (): void => {
      seen.push(clock.monotonic());
      if (seen.length < 3) deadlines.after(10, again);
    };
    deadlines.after(10, again);
    await clock.inner.advance(100);
    expect(seen).to.deep.equal([10, 20, 30]);
  });

  it('all drop on stop', async () => {
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const seen: number[] = [];
    deadlines.after(10, () => seen.push(1));
    deadlines.stop();
    await clock.inner.advance(100);
    expect(seen).to.deep.equal([]);
    expect(clock.timers).to.equal(0);
  });

  it('of any times, cancelled anyhow, come as a sorted list would', async () => {
    const random = randomOf(SEED);
    const below = (bound: number): number => Math.floor(random() * bound);
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const seen: number[] = [];
    const expected: number[] = [];
    for (let n = 0; n < 2000; n++) {
      const ms = below(500);
      const deadline = deadlines.after(ms, () => seen.push(ms));
      if (below(3) === 0) deadline.cancel();
      else expected.push(ms);
    }
    await clock.inner.advance(500);
    expect(seen, `SEED=${SEED}`).to.deep.equal(expected.sort((a, b) => a - b));
  });
});
