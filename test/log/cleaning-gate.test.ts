import { expect } from 'chai';
import { CleaningGate } from '../../src/log/cleaning-gate.ts';
import { turn } from './log-fixture.ts';

describe('The gate of compaction', () => {
  it('is closed while somebody compacts, and between a pause and the end of the last one', async () => {
    const gate = new CleaningGate();
    const seen = [gate.isOpen];
    gate.begin({ abort: async () => undefined });
    seen.push(gate.isOpen, gate.isCleaning);
    gate.end();
    seen.push(gate.isOpen, gate.isCleaning);
    expect(seen).to.deep.equal([true, false, true, true, false]);
    await gate.pause();
    await gate.pause();
    gate.resume();
    expect(gate.isOpen).to.equal(false);
    gate.resume();
    expect(gate.isOpen).to.equal(true);
  });

  it('lets who pauses wait for what is under way', async () => {
    const gate = new CleaningGate();
    const order: string[] = [];
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    gate.begin({
      async abort() {
        order.push('told to end');
        await ended;
      },
    });
    const paused = gate.pause().then(() => order.push('goes on'));
    await turn();
    expect(order).to.deep.equal(['told to end']);
    end();
    await paused;
    expect(order).to.deep.equal(['told to end', 'goes on']);
  });
});
