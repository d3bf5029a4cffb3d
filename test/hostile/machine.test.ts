/** A machine that does not give what the broker needs: a directory that cannot be written or is somebody else's, a disk that fills up, a clock that jumps. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { type Ended, runCommand } from '../support/child-broker.ts';
import { NoAnswer } from '../support/plain-client.ts';
import { batchOf, Victim } from './victim.ts';

const MIB = 1024 * 1024;
const STORAGE_ERROR = 56;

const run = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** What mounting needs; where it is missing the tests that mount say so and are counted as pending. */
const mayMount = process.platform === 'linux' && process.getuid?.() === 0;

const startOn = (dataDir: string): Promise<Ended> => runCommand(['start', '--port', '0', '--data-dir', dataDir]).ended;

function saysOneSentence({ code, stdout, stderr }: Ended, about: string): void {
  expect([code, stdout], stderr).to.deep.equal([1, '']);
  expect(stderr).to.match(/^blumfeld: [^\n]+\n$/);
  expect(stderr).to.contain(about);
}

describe('a data directory', function () {
  this.timeout(60_000);
  let folder: string;
  const mounts: string[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blumfeld-machine-'));
  });

  afterEach(() => {
    for (const path of mounts.splice(0)) run('umount', '-l', path);
    rmSync(folder, { recursive: true, force: true });
  });

  it('with a file in its way is said to be so', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'not a directory');
    saysOneSentence(await startOn(file), file);
    saysOneSentence(await startOn(join(file, 'below')), file);
  });

  it('that may only be read is said to be so, and nothing in it changes', async function () {
    if (!mayMount) return this.skip();
    const path = join(folder, 'data');
    mkdirSync(path);
    if (!run('mount', '--bind', path, path)) return this.skip();
    mounts.push(path);
    expect(run('mount', '-o', 'remount,ro,bind', path)).to.equal(true);
    saysOneSentence(await startOn(path), path);
    expect(existsSync(join(path, 'meta.properties'))).to.equal(false);
  });

  it('of a running broker is refused to a second one, and neither harmed', async () => {
    const path = join(folder, 'data');
    const victim = await Victim.start({ dataDir: path });
    saysOneSentence(await startOn(path), path);
    await victim.serves();
    await victim.restart('SIGKILL');
    await victim.serves();
    expect((await victim.stop()).code).to.equal(0);
  });

  it('that another process has locked as Apache Kafka does is refused', async function () {
    if (process.platform !== 'linux' || !run('python3', '--version')) return this.skip();
    const path = join(folder, 'data');
    mkdirSync(path);
    const script = `import fcntl,sys;f=open(sys.argv[1],'w');fcntl.lockf(f,fcntl.LOCK_EX);print('locked',flush=True);sys.stdin.read()`;
    const holder: ChildProcess = spawn('python3', ['-c', script, join(path, '.lock')], { stdio: ['pipe', 'pipe', 'ignore'] });
    if (holder.stdout === null) throw new Error('no output of the one that locks');
    await once(holder.stdout, 'data');
    saysOneSentence(await startOn(path), `${path} is in use`);
    holder.stdin?.end();
    await once(holder, 'close');
    const broker = runCommand(['start', '--port', '0', '--data-dir', path]);
    await broker.ready;
    broker.process.kill('SIGTERM');
    expect((await broker.ended).code).to.equal(0);
  });

  interface Filling {
    readonly settings: Readonly<Record<string, string>>;
    /** Uses the broker until it refuses; the values that it acknowledged. */
    use(victim: Victim, fill: () => void): Promise<readonly string[]>;
  }

  /** Sends until an error comes; what was acknowledged. */
  async function produceUntilRefused(victim: Victim, size: number): Promise<string[]> {
    const acknowledged: string[] = [];
    for (let i = 0; i < 2000; i++) {
      const value = `${i} ${'x'.repeat(size)}`;
      try {
        const { errorCode } = await victim.produce('filled', batchOf([value]));
        if (errorCode !== 0) {
          expect(errorCode).to.equal(STORAGE_ERROR);
          return acknowledged;
        }
        acknowledged.push(value);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        return acknowledged;
      }
    }
    throw new Error('the disk does not fill up');
  }

  function keyedBatch(value: string): Buffer {
    const record = { key: Buffer.from(value.slice(0, 8)), value: Buffer.from(value), timestamp: Date.now() };
    return buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records: [record] });
  }

  const FILLINGS: Readonly<Record<string, Filling>> = {
    'appends of much': { settings: {}, use: (victim) => produceUntilRefused(victim, 900_000) },
    'appends of little': {
      settings: {},
      use: async (victim, fill) => {
        fill();
        return produceUntilRefused(victim, 100);
      },
    },
    'rolls and their indexes': {
      settings: { 'log.segment.bytes': String(MIB), 'log.index.interval.bytes': '1' },
      use: async (victim) => produceUntilRefused(victim, 500_000),
    },
    checkpoints: {
      settings: { 'log.flush.offset.checkpoint.interval.ms': '100', 'log.flush.interval.messages': '1' },
      use: async (victim, fill) => {
        const acknowledged: string[] = [];
        for (let i = 0; i < 3; i++) {
          if ((await victim.produce('filled', batchOf([`${i}`]))).errorCode === 0) acknowledged.push(`${i}`);
        }
        fill();
        return acknowledged.concat(await produceUntilRefused(victim, 10));
      },
    },
    compactions: {
      settings: { 'log.cleaner.backoff.ms': '200', 'log.segment.bytes': String(MIB) },
      use: async (victim, fill) => {
        const acknowledged: string[] = [];
        const configs = Object.entries({ 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' }).map(
          ([name, value]) => ({ name, configOperation: 0, value }),
        );
        const resources = [{ resourceType: 2, resourceName: 'filled', configs }];
        await victim.ask('incrementalAlterConfigs', 1, { resources, validateOnly: false });
        // Of one key after the other, so that all of it stays.
        const put = async (value: string): Promise<boolean> => {
          const { errorCode } = await victim.produce('filled', keyedBatch(value)).catch((error: unknown) => {
            if (error instanceof NoAnswer) return { errorCode: STORAGE_ERROR };
            throw error;
          });
          if (errorCode === 0) acknowledged.push(value);
          return errorCode === 0;
        };
        for (let i = 0; i < 4; i++) await put(`${i} ${'x'.repeat(600_000)}`);
        fill();
        for (let i = 4; await put(String(i)); i++) if (i > 10_000) throw new Error('the disk does not fill up');
        return acknowledged;
      },
    },
    'metadata writes': {
      settings: {},
      use: async (victim, fill) => {
        fill();
        for (let i = 0; i < 2000; i++) {
          const topics = [{ name: `t${i}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
          try {
            const answer = await victim.ask('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false });
            if (answer.topics[0]?.errorCode !== 0) return [];
          } catch (error) {
            if (!(error instanceof NoAnswer) && (error as { code?: string }).code !== 'ECONNREFUSED') throw error;
            return [];
          }
        }
        throw new Error('the disk does not fill up');
      },
    },
  };

  for (const [what, { settings, use }] of Object.entries(FILLINGS)) {
    it(`that fills up during ${what}: errors, an end in one sentence, and service again once there is room`, async function () {
      if (!mayMount) return this.skip();
      if (!run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder)) return this.skip();
      mounts.push(folder);
      const ballast = join(folder, 'ballast');
      const fill = (): void => {
        const { bavail, bsize } = statfsSync(folder);
        writeFileSync(ballast, Buffer.alloc(bavail * bsize));
      };
      const victim = await Victim.start({ dataDir: join(folder, 'data'), topics: ['filled'], settings });
      const acknowledged = await use(victim, fill);
      const { code, stderr } = await victim.ended;
      expect(code).to.equal(1);
      expect(stderr).to.match(/^[^\n]*data directory [^\n]* is offline: [^\n]* failed: ENOSPC[^\n]*\n$/);
      rmSync(ballast, { force: true });
      expect(run('mount', '-o', 'remount,size=64m', folder)).to.equal(true);
      await victim.restart();
      await victim.serves();
      const values = await victim.values('filled');
      expect(values.slice(0, acknowledged.length)).to.deep.equal(acknowledged);
      expect(values.length - acknowledged.length, 'records that were written and not acknowledged').to.be.below(2);
      expect((await victim.stop()).code).to.equal(0);
    });
  }
});
