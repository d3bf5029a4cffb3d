import { expect } from 'chai';
import { VirtualClock } from '../../src/world/virtual-clock.ts';

describe('the virtual clock', () => {
  it('fires timers in the order of their deadlines, each at its own time, and none that were cancelled', async () => {
    const clock = new VirtualClock(1000);
    const fired: [string, number, number][] = [];
    const note = (name: string) => () => void fired.push([name, clock.now(), clock.monotonic()]);
    clock.after(20, note('b'));
    clock.after(10, note('a'));
    clock.after(20, note('c'));
    clock.after(15, note('never')).cancel();
    await clock.advance(19);
    expect(fired).to.deep.equal([['a', 1010, 10]]);
    expect(clock.nextAt()).to.equal(20);
    await clock.advance(1);
    expect(fired.slice(1)).to.deep.equal([
      ['b', 1020, 20],
      ['c', 1020, 20],
    ]);
    expect(clock.nextAt()).to.equal(undefined);
    expect(clock.monotonic()).to.equal(20);
  });

  it('fires what timers set on the way, and lets promises have their turns between', async () => {
    const clock = new VirtualClock();
    let ticks = 0;
    const tick = async (): Promise<void> => {
      await Promise.resolve();
      ticks++;
      clock.after(100, () => void tick());
    };
    clock.after(100, () => void tick());
    await clock.advance(1000);
    expect(ticks).to.equal(10);
  });

  it('moves in one go for owners that run turns themselves', () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    clock.after(1, () => void fired.push(1));
    clock.after(2, () => void fired.push(2));
    clock.advanceNow(1);
    expect(fired).to.deep.equal([1]);
  });
});
