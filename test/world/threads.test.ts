import { expect } from 'chai';
import { InlineThreads } from '../../src/world/inline-threads.ts';
import { NodeThreads, parentOfThread } from '../../src/world/node-threads.ts';
import type { Thread } from '../../src/world/threads.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';

const messageFrom = (thread: Thread): Promise<unknown> => new Promise((resolve) => thread.onMessage(resolve));

describe('Threads', () => {
  it('of the machine run a file, and tell when they end by themselves', async () => {
    const echo = `data:text/javascript,${encodeURIComponent(
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', (m) => { if (m.end) process.exit(3); parentPort.postMessage({ echo: m }); });",
    )}`;
    const thread = new NodeThreads(new URL(echo)).start();
    const reason = new Promise<Error>((resolve) => thread.onEnd(resolve));
    const answer = messageFrom(thread);
    thread.post({ n: 1 });
    expect(await answer).to.deep.equal({ echo: { n: 1 } });
    thread.post({ end: true });
    expect((await reason).message).to.equal('a thread ended with code 3');
  });

  it('of the machine end when they are told, wherever they stand', async () => {
    const busy = new NodeThreads(new URL(`data:text/javascript,${encodeURIComponent('for (;;);')}`)).start();
    let ended = false;
    busy.onEnd(() => (ended = true));
    await busy.end();
    expect(ended).to.equal(false);
  });

  it('of the machine have no parent where there is no thread', () => {
    expect(() => parentOfThread()).to.throw('this is no thread');
  });

  it('that are none deliver messages at the end of a turn, in order, and none after their end', async () => {
    const turns: (() => void)[] = [];
    const clock = new VirtualClock(0, (run) => void turns.push(run));
    const heard: unknown[] = [];
    const threads = new InlineThreads(clock, (parent) => parent.onMessage((message) => parent.post({ echo: message })));
    const thread = threads.start();
    thread.onMessage((message) => void heard.push(message));
    thread.post({ n: 1 });
    thread.post({ n: 2 });
    expect(heard).to.deep.equal([]);
    for (let run = turns.shift(); run !== undefined; run = turns.shift()) run();
    expect(heard).to.deep.equal([{ echo: { n: 1 } }, { echo: { n: 2 } }]);
    thread.post({ n: 3 });
    await thread.end();
    for (let run = turns.shift(); run !== undefined; run = turns.shift()) run();
    expect(heard).to.have.length(2);
  });
});
