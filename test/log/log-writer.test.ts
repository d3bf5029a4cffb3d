/** What a turn queues goes out in one write; what is asked to be synced meanwhile shares a sync. */
import { expect } from 'chai';
import { LeaderEpochs } from '../../src/log/leader-epochs.ts';
import { LogWriter } from '../../src/log/log-writer.ts';
import type { Segment } from '../../src/log/segment.ts';
import { StorageFailure } from '../../src/world/files.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { FilesInMemory } from '../support/files-in-memory.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A writer over a segment that notes what is done to it; syncs end when the test says so. */
class Bench {
  readonly events: string[] = [];
  readonly syncs: { end: () => void; fail: (error: Error) => void }[] = [];
  readonly failures: StorageFailure[] = [];
  failing: StorageFailure | undefined;
  readonly #turns: (() => void)[] = [];
  readonly segment: { size: number; baseOffset: number };
  readonly writer: LogWriter;
  #offset = 0;

  constructor() {
    const file = {
      write: (chunks: readonly Buffer[], position: number) => {
        if (this.failing !== undefined) throw this.failing;
        this.events.push(`write ${Buffer.concat(chunks).toString()} at ${position}`);
      },
    };
    const segment = {
      baseOffset: 0,
      size: 0,
      path: '/data/0.log',
      handles: { file: () => file },
      sync: () =>
        new Promise<void>((resolve, reject) => {
          this.events.push('sync');
          this.syncs.push({ end: resolve, fail: reject });
        }),
    };
    this.segment = segment;
    const files = new FilesInMemory();
    this.writer = new LogWriter({
      clock: new VirtualClock(0, (run) => this.#turns.push(run)),
      files,
      directory: () => '/data',
      leaderEpochs: new LeaderEpochs(files, '/data'),
      segments: { active: segment as unknown as Segment },
      onWritten: () => void this.events.push(`written ${this.writer.writtenOffset}`),
      onFailure: (failure) => void this.failures.push(failure),
    });
  }

  enqueue(text: string): void {
    this.segment.size += text.length;
    this.writer.enqueue(Buffer.from(text), ++this.#offset);
  }

  async turn(): Promise<void> {
    for (const run of this.#turns.splice(0)) run();
    await settled();
  }

  async endSync(): Promise<void> {
    this.syncs.shift()?.end();
    for (let i = 0; i < 5; i++) await settled();
  }
}

describe('the log writer', () => {
  it('writes all of a turn at once, and only then says so', async () => {
    const bench = new Bench();
    for (const text of ['a', 'b', 'c']) bench.enqueue(text);
    expect(bench.events).to.deep.equal([]);
    expect([bench.writer.queuedOffset, bench.writer.fileOffset, bench.writer.writtenSize]).to.deep.equal([3, 0, 0]);
    await bench.turn();
    bench.enqueue('d');
    await bench.turn();
    expect(bench.events).to.deep.equal(['write abc at 0', 'written 3', 'write d at 3', 'written 4']);
    expect(bench.writer.recoveryPoint).to.equal(0);
  });

  it('shares one sync among all who ask while another is running', async () => {
    const bench = new Bench();
    bench.enqueue('a');
    const done: string[] = [];
    const flush = (name: string): void => void bench.writer.flush().then(() => done.push(name));
    flush('first');
    bench.enqueue('b');
    flush('second');
    bench.enqueue('c');
    flush('third');
    await settled();
    expect(bench.events.filter((event) => event === 'sync').length).to.equal(1);
    await bench.endSync();
    expect([done, bench.writer.recoveryPoint]).to.deep.equal([['first'], 1]);
    await bench.endSync();
    expect([done, bench.writer.recoveryPoint]).to.deep.equal([['first', 'second', 'third'], 3]);
    expect(bench.events.filter((event) => event === 'sync').length).to.equal(2);
    expect(bench.writer.isIdle).to.equal(true);
  });

  it('says nothing is written before it is synced, where flush.messages asks for that', async () => {
    const bench = new Bench();
    bench.writer.flushMessages = 2;
    bench.enqueue('a');
    await bench.turn();
    expect(bench.events).to.deep.equal(['write a at 0', 'written 1']);
    bench.enqueue('b');
    await bench.turn();
    expect(bench.events.slice(2)).to.deep.equal(['write b at 1', 'sync']);
    expect(bench.writer.writtenOffset).to.equal(1);
    await bench.endSync();
    expect(bench.events.slice(4)).to.deep.equal(['written 2']);
  });

  it('tries a failed write or sync never again', async () => {
    for (const kind of ['write', 'sync']) {
      const bench = new Bench();
      const failure = new StorageFailure(kind, '/data/0.log', 'EIO');
      bench.enqueue('a');
      if (kind === 'write') bench.failing = failure;
      const refused = bench.writer.flush().catch((error: unknown) => error);
      bench.syncs.shift()?.fail(failure);
      expect(await refused).to.equal(failure);
      bench.failing = undefined;
      const events = bench.events.length;
      bench.enqueue('b');
      await bench.turn();
      expect(await bench.writer.flush().catch((error: unknown) => error)).to.equal(failure);
      expect([bench.events.length, bench.failures]).to.deep.equal([events, [failure]]);
      expect(bench.writer.recoveryPoint).to.equal(0);
    }
  });

  it('tells those who wait when everything is dropped', async () => {
    const bench = new Bench();
    bench.enqueue('a');
    const refused = bench.writer.flush().catch((error: unknown) => error);
    bench.writer.abandon();
    expect(await refused).to.be.instanceOf(StorageFailure);
    bench.enqueue('b');
    await bench.turn();
    expect(bench.events).to.deep.equal(['write a at 0', 'written 1', 'sync']);
  });
});
