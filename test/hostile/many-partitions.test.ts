/** Very many partitions: memory, start and open files are bounded. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NodeFiles } from '../../src/world/node-files.ts';
import { Victim } from './victim.ts';

const KIB = 1024;
const PARTITIONS = 300;
/** What FileHandles keeps, and what a process has anyway. */
const MOST_OPEN_FILES = 1100;

const openFilesOf = (pid: number | 'self'): number => readdirSync(`/proc/${pid}/fd`).length;

describe('very many partitions', function () {
  this.timeout(60_000);

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('replace their small files a few at a time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'blumfeld-handles-'));
    try {
      const files = new NodeFiles();
      const before = openFilesOf('self');
      const replaced = Promise.all(
        Array.from({ length: 300 }, (_, i) => files.replaceFile(join(folder, `${i}`), `content ${i}`)),
      );
      expect(openFilesOf('self') - before).to.be.below(40);
      await replaced;
      expect(readdirSync(folder).length).to.equal(300);
      expect(files.readFile(join(folder, '299')).toString()).to.equal('content 299');
      expect(openFilesOf('self') - before).to.be.below(5);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('take little memory each while idle, and a start opens few files at once', async () => {
    // In memory where there is such a place: thousands of syncs would measure the disk.
    const dataDir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'blumfeld-many-'));
    const victim = await Victim.start({ dataDir });
    const before = victim.rssBytes();
    const topics = [{ name: 'many', numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] }];
    const created = await victim.ask('createTopics', 7, { topics, timeoutMs: 60_000, validateOnly: false });
    expect(created.topics[0]?.errorCode).to.equal(0);
    expect((victim.rssBytes() - before) / PARTITIONS / KIB, 'KiB per partition').to.be.below(60);
    expect(openFilesOf(victim.pid)).to.be.below(MOST_OPEN_FILES);
    await victim.restart('SIGKILL');
    expect(openFilesOf(victim.pid), 'right after a start').to.be.below(MOST_OPEN_FILES);
    const { topics: shown } = await victim.ask('metadata', 12, { topics: [{ name: 'many' }] });
    expect(shown[0]?.partitions.length).to.equal(PARTITIONS);
    await victim.serves();
    expect((await victim.stop()).code).to.equal(0);
    rmSync(dataDir, { recursive: true, force: true });
  });
});
