/** `blumfeld verify`: nothing is wrong with Apache Kafka's own directories, and whatever is damaged in them is found, by file and byte. */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../src/broker/broker.ts';
import type { Finding } from '../../src/cli/findings.ts';
import { verifiedDirectory } from '../../src/cli/verify.ts';
import { TIME_ENTRY_SIZE } from '../../src/log/time-index.ts';
import { readInt64 } from '../../src/wire/int64.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import type { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { runCommand } from '../support/child-broker.ts';
import { type Damage, doDamage, drawDamage } from '../support/damage.ts';
import { filesBelow, goldenDisk } from '../support/golden-disk.ts';
import { FACTS } from '../support/protocol-data.ts';
import { SEED } from '../support/property.ts';

const DATA = '/data';
const CASES = process.env['THOROUGH'] === undefined ? 150 : 5000;
const READING = new Set(['read', 'stat', 'list', 'open']);

/** What is wrong; any attempt to change something fails. */
async function wrongIn(files: FakeFiles): Promise<Finding[]> {
  const watched = files.copy({
    beforeOperation: (operation, path) => {
      if (!READING.has(operation)) throw new Error(`verify does ${operation} ${path}`);
    },
  });
  return (await verifiedDirectory(watched, DATA)).all.filter(({ isHarmless }) => !isHarmless);
}

/** An entry of a time index speaks of all batches up to its offset: where another offset came to be, what it says may hold all the same. */
function isStillTrue(files: FakeFiles, index: Buffer, { path, at, mask }: Damage & { readonly kind: 'flipped' }): boolean {
  const entry = at - (at % TIME_ENTRY_SIZE);
  if (at - entry < 8) return false;
  const baseOffset = Number(/(\d{20})\.timeindex$/.exec(path)?.[1]);
  const offset = baseOffset + (index.readInt32BE(entry + 8) ^ (mask << (8 * (entry + TIME_ENTRY_SIZE - 1 - at))));
  const batches = batchesOf(files.readFile(path.replace(/\.timeindex$/, '.log')));
  const spokenOf = batches.filter((batch) => batch.baseOffset <= offset);
  return offset >= baseOffset && spokenOf.every(({ maxTimestamp }) => maxTimestamp <= readInt64(index, entry));
}

/** Damage that no check can tell from what could have been written, or that a start puts right. */
function isUndetectable(files: FakeFiles, damage: Damage): boolean {
  const { path, kind } = damage;
  if (
    path.endsWith('.lock') ||
    (kind === 'missing' && path.includes('/__cluster_metadata-0/partition')) ||
    (kind === 'missing' && !/\.log$|meta\.properties$|partition\.metadata$/.test(path))
  )
    return true;
  // Text: a digit for another digit, a letter of a name.
  if (!/\.(log|index|timeindex|txnindex|snapshot)$|-\d{10}\.checkpoint$/.test(path))
    return kind === 'flipped' || kind === 'truncated';
  // Of entries, or batches, those that are left are sound.
  if (kind === 'truncated' || kind === 'emptied') return !path.endsWith('.snapshot');
  if (kind !== 'flipped') return false;
  const bytes = files.readFile(path);
  if (/\.(log|checkpoint)$/.test(path)) {
    const batch = batchesOf(bytes).find(({ position, sizeInBytes }) => damage.at < position + sizeInBytes);
    return batch === undefined || damage.at - batch.position < 17;
  }
  if (path.endsWith('.timeindex') && isStillTrue(files, bytes, damage)) return true;
  // The zeros of an index that was open.
  return /\.(time)?index$/.test(path) && bytes.subarray(damage.at - (damage.at % 12)).every((byte) => byte === 0);
}

describe('blumfeld verify', function () {
  this.timeout(120_000);

  for (const name of ['before-cleaning', 'after-cleaning', 'killed']) {
    it(`finds nothing wrong with ${name}, and every damage`, async () => {
      const disk = await goldenDisk(name, DATA);
      expect(await wrongIn(disk)).to.deep.equal([]);
      const paths = filesBelow(disk, DATA).filter((path) => !path.includes('-delete/'));
      const random = new SeededRandom(SEED);
      for (let i = 0; i < CASES; i++) {
        const damage = drawDamage(disk, random.pick(paths), random);
        const files = disk.copy();
        doDamage(files, damage);
        const wrong = await wrongIn(files);
        const told = wrong.some(({ path, position }) => {
          if (damage.kind === 'missing') return true;
          const isThere = `${DATA}/${path}` === damage.path || damage.path.startsWith(`${DATA}/${path}/`);
          return isThere && (position === undefined || damage.kind !== 'flipped' || position <= damage.at);
        });
        if (!isUndetectable(disk, damage))
          expect(told, `SEED=${SEED}, case ${i}, ${JSON.stringify(damage)}: ${JSON.stringify(wrong)}`).to.equal(true);
      }
    });
  }

  it('knows a batch that is torn, a topic that does not exist, and what does not belong in a directory', async () => {
    const files = await goldenDisk('before-cleaning', DATA);
    const log = `${DATA}/plain-0/00000000000000000052.log`;
    const size = files.stat(log)?.size ?? 0;
    files.writeFile(log, files.readFile(log).subarray(0, size - 1));
    files.makeDirectory(`${DATA}/nobody`);
    files.rename(`${DATA}/stamped-0`, `${DATA}/stamped-7`);
    files.writeFile(`${DATA}/txn-0/notes.txt`, 'x');
    const found = (await wrongIn(files)).map(({ path, what }) => `${path}: ${what}`).join('\n');
    expect(found).to.match(/^plain-0\/00000000000000000052\.log: \d+ bytes that are no whole batch$/m);
    expect(found).to.contain('nobody: a directory that is no partition');
    expect(found).to.match(/^stamped-7: topic id .* is that of stamped, with 1 partitions/m);
    expect(found).to.contain('txn-0/notes.txt: a file that does not belong here');
  });

  it('runs as a command: 0 when all is well, 1 when not, and not beside a broker', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'blumfeld-'));
    try {
      execFileSync('tar', ['xzf', join(FACTS, 'disk', 'before-cleaning.tar.gz'), '-C', directory]);
      const well = await runCommand(['verify', directory]).ended;
      expect([well.code, well.stderr]).to.deep.equal([0, '']);
      expect(well.stdout).to.match(/\d+ files looked at, 0 things wrong\n$/);
      rmSync(join(directory, 'meta.properties'));
      const ill = await runCommand(['verify', '--json', directory]).ended;
      expect(ill.code).to.equal(1);
      expect(ill.stdout.split('\n').map((line) => (line === '' ? {} : (JSON.parse(line) as object)))).to.deep.include({
        path: 'meta.properties',
        what: 'missing: it says whose data this is',
        isHarmless: false,
      });
      expect((await runCommand(['verify']).ended).code).to.equal(1);
      const [wrong, away] = [
        await runCommand(['verify', '--jsno']).ended,
        await runCommand(['verify', `${directory}/no. 7`]).ended,
      ];
      expect([wrong.stderr, away.stderr]).to.deep.equal([
        "Unknown option '--jsno'; see blumfeld --help\n",
        `${directory}/no. 7 is no directory; name a data directory\n`,
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
    await using broker = await Broker.start({ port: 0 });
    const busy = await runCommand(['verify', broker.dataDirs[0] ?? '']).ended;
    expect([busy.code, busy.stderr]).to.deep.equal([
      1,
      `${broker.dataDirs[0]} is in use by a broker (.lock is locked); stop it first\n`,
    ]);
  });
});
