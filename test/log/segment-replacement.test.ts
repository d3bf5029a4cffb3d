/** Which state of the files is which state of the log: what Apache Kafka's LogLoader makes of an interrupted replacement, and so do we. */
import { expect } from 'chai';
import type { FakeFiles } from '../sim/fake-files.ts';
import { clean, type CleanerFixture, contents, entries, fileNames, openCompacted, put } from './cleaner-fixture.ts';

const DIRECTORY = '/data/keyed-0';
const FIRST = '0'.repeat(20);
const SECOND = `${'0'.repeat(19)}2`;
const COMPACTED = ['2:a=2', '3:b=2', '4:c=1'];
const AS_BEFORE = ['0:a=1', '1:b=1', ...COMPACTED];

type Contents = ReadonlyMap<string, Buffer>;

const filesOf = (files: FakeFiles): Contents =>
  new Map(fileNames(files).map((name) => [name, files.readFile(`${DIRECTORY}/${name}`)]));

interface Before {
  readonly fixture: CleanerFixture;
  /** Of the directory before and after its compaction. */
  readonly old: Contents;
  readonly compacted: Contents;
}

/** Two segments that become one, and an active one. */
async function replaced(): Promise<Before> {
  const fixture = await openCompacted();
  await put(fixture.log, entries('a=1 b=1'));
  fixture.log.roll();
  await put(fixture.log, entries('a=2 b=2'));
  fixture.log.roll();
  await put(fixture.log, entries('c=1'));
  await fixture.log.flush();
  const old = filesOf(fixture.files);
  await clean(fixture);
  return { fixture, old, compacted: filesOf(fixture.files) };
}

/** The log that is opened on these files. */
async function opened(
  { fixture }: Before,
  contentsOf: ReadonlyMap<string, Buffer | undefined>,
): Promise<{ records: string[]; names: string[] }> {
  const files = fixture.files.kill();
  for (const { name } of files.list(DIRECTORY)) if (/^\d/.test(name)) files.remove(`${DIRECTORY}/${name}`);
  for (const [name, bytes] of contentsOf) if (bytes !== undefined) files.writeFile(`${DIRECTORY}/${name}`, bytes);
  const { log, directory } = await openCompacted({}, { files, clock: fixture.clock });
  const records = await contents(log);
  const names = fileNames(files);
  await directory.stop({ clean: false, brokerEpoch: 1 });
  return { records, names: names.filter((name) => /\.(?:cleaned|swap|deleted|log)$/.test(name)) };
}

const numbered = (all: Contents): [string, Buffer][] =>
  [...all].filter(([name]) => /^\d/.test(name) && !name.endsWith('.deleted'));
const ofFirst = (all: Contents): [string, Buffer][] => numbered(all).filter(([name]) => name.startsWith(FIRST));

const LOGS_BEFORE = [`${FIRST}.log`, `${SECOND}.log`, `${'0'.repeat(19)}4.log`];
const LOGS_AFTER = [`${FIRST}.log`, `${'0'.repeat(19)}4.log`];

describe('Replacing segments', () => {
  it('is forgotten while files are named .cleaned', async () => {
    const before = await replaced();
    const files = new Map(numbered(before.old));
    for (const [name, bytes] of ofFirst(before.compacted)) files.set(`${name}.cleaned`, bytes);
    expect(await opened(before, files)).to.deep.equal({ records: AS_BEFORE, names: LOGS_BEFORE });
  });

  it('is forgotten while some of them are still .cleaned and some are .swap', async () => {
    const before = await replaced();
    const files = new Map(numbered(before.old));
    for (const [name, bytes] of ofFirst(before.compacted))
      files.set(`${name}.${name.endsWith('.log') ? 'swap' : 'cleaned'}`, bytes);
    expect(await opened(before, files)).to.deep.equal({ records: AS_BEFORE, names: LOGS_BEFORE });
  });

  it('is finished once all of them are .swap, whichever of the old ones are left', async () => {
    const before = await replaced();
    for (const left of [[FIRST, SECOND], [SECOND], [FIRST], []]) {
      const files = new Map(
        numbered(before.old).filter(([name]) => name.startsWith(`${'0'.repeat(19)}4`) || left.includes(name.slice(0, 20))),
      );
      for (const [name, bytes] of ofFirst(before.compacted)) files.set(`${name}.swap`, bytes);
      expect(await opened(before, files), left.join()).to.deep.equal({ records: COMPACTED, names: LOGS_AFTER });
    }
  });

  it('is finished when only indexes are still .swap', async () => {
    const before = await replaced();
    const files = new Map(numbered(before.compacted).filter(([name]) => !name.startsWith(FIRST)));
    for (const [name, bytes] of ofFirst(before.compacted)) files.set(name.endsWith('.log') ? name : `${name}.swap`, bytes);
    expect(await opened(before, files)).to.deep.equal({ records: COMPACTED, names: LOGS_AFTER });
  });

  it('makes the indexes anew that were renamed before the log was', async () => {
    const before = await replaced();
    const files = new Map(numbered(before.compacted).filter(([name]) => !name.startsWith(FIRST)));
    for (const [name, bytes] of ofFirst(before.compacted)) files.set(name.endsWith('.log') ? `${name}.swap` : name, bytes);
    expect(await opened(before, files)).to.deep.equal({ records: COMPACTED, names: LOGS_AFTER });
  });
});
