import { expect } from 'chai';
import { CleanerThread, CleaningAborted } from '../../src/log/cleaner-thread.ts';
import { Throttle } from '../../src/log/throttle.ts';
import { StorageFailure } from '../../src/world/files.ts';
import type { Thread } from '../../src/world/threads.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';

const JOB = {
  directory: '/data/keyed-0',
  segments: [],
  firstDirtyOffset: 0,
  endOffset: 0,
  aborted: [],
  maxKeys: 1,
  loadFactor: 0.9,
  readBytes: 100,
  maxRecordBytes: 100,
};

/** A thread that does what the test says. */
function scripted(bytesPerSecond = Number.MAX_VALUE) {
  const clock = new VirtualClock();
  const posted: string[] = [];
  let say: (message: unknown) => void = () => undefined;
  let die: (reason: Error) => void = () => undefined;
  let started = 0;
  const thread: Thread = {
    post: (message) => void posted.push((message as { kind: string }).kind),
    onMessage: (listener) => (say = listener),
    onEnd: (listener) => (die = listener),
    end: () => Promise.resolve(),
  };
  const threads = {
    start: () => {
      started++;
      return thread;
    },
  };
  const cleaner = new CleanerThread({ threads, clock, throttle: new Throttle(clock, bytesPerSecond) });
  return { clock, posted, cleaner, say: (m: unknown) => say(m), die: (e: Error) => die(e), starts: () => started };
}

const fateOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    return await work;
  } catch (error) {
    return error;
  }
};

describe('CleanerThread', () => {
  it('starts a thread with the first job, and lets it go on as long as it is below the rate', async () => {
    const { clock, posted, cleaner, say, starts } = scripted(1000);
    expect(starts()).to.equal(0);
    const mapped = cleaner.mapDirtyPart(JOB);
    await clock.advance(1000);
    say({ kind: 'worked', bytes: 900 });
    expect(posted).to.deep.equal(['map', 'goOn']);
    await clock.advance(400);
    say({ kind: 'worked', bytes: 2000 });
    expect(posted).to.deep.equal(['map', 'goOn']);
    await clock.advance(1599);
    expect(posted).to.deep.equal(['map', 'goOn']);
    await clock.advance(1);
    expect(posted).to.deep.equal(['map', 'goOn', 'goOn']);
    const result = { latestOffset: 3, keys: 1, bytesRead: 2900 };
    say({ kind: 'mapped', result });
    expect(await mapped).to.deep.equal(result);
    expect(starts()).to.equal(1);
    await cleaner.end();
  });

  it('tells the thread of an abort at once, also when it waits for its share', async () => {
    const { clock, posted, cleaner, say } = scripted(1);
    const fate = fateOf(cleaner.mapDirtyPart(JOB));
    await clock.advance(1000);
    say({ kind: 'worked', bytes: 1_000_000 });
    expect(posted).to.deep.equal(['map']);
    cleaner.abort();
    expect(posted).to.deep.equal(['map', 'abort', 'goOn']);
    say({ kind: 'aborted' });
    expect(await fate).to.be.instanceOf(CleaningAborted);
    expect(clock.nextAt()).to.equal(undefined);
    cleaner.abort();
    expect(posted).to.have.length(3);
  });

  it('tells a disk that failed from what is wrong with a log, and from a thread that broke', async () => {
    const { cleaner, say, die, starts } = scripted();
    const disk = fateOf(cleaner.mapDirtyPart(JOB));
    say({ kind: 'failed', message: 'read failed', storage: { path: '/data/x', code: 'EIO' } });
    const failure = await disk;
    expect(failure).to.be.instanceOf(StorageFailure);
    expect(failure).to.include({ path: '/data/x', code: 'EIO' });
    const log = fateOf(cleaner.mapDirtyPart(JOB));
    say({ kind: 'failed', message: 'no batch' });
    expect(String(await log)).to.equal('Error: no batch');
    const broken = fateOf(cleaner.mapDirtyPart(JOB));
    die(new Error('out of memory'));
    expect(String(await broken)).to.equal('Error: out of memory');
    void fateOf(cleaner.mapDirtyPart(JOB));
    expect(starts()).to.equal(2);
    await cleaner.end();
  });
});
