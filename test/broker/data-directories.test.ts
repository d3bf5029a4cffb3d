/** Which directories a broker takes for its own, which it refuses, and which it goes on without. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { createLogger } from '../../src/broker/logger.ts';
import { NodeClock } from '../../src/world/node-clock.ts';

describe('data directories', () => {
  let folder = '';
  let one = '';
  let two = '';
  let logged = '';
  const log = createLogger('warn', new NodeClock(), (line) => void (logged += line));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blumfeld-directories-'));
    [one, two] = [join(folder, 'one'), join(folder, 'two')];
    logged = '';
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const start = (logDirs: string, settings: Record<string, string> = {}): Promise<Broker> =>
    Broker.start({ port: 0, log, settings: { 'log.dirs': logDirs, ...settings } });

  /** A start and a stop. */
  const live = async (logDirs: string, settings: Record<string, string> = {}): Promise<void> =>
    (await start(logDirs, settings)).stop();

  const refusal = (logDirs: string, settings: Record<string, string> = {}): Promise<string> =>
    live(logDirs, settings).then(
      () => 'no refusal',
      (error: unknown) => (error as Error).message,
    );

  const property = (directory: string, name: string): string | undefined =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(join(directory, 'meta.properties'), 'utf8'))?.[1];

  it('are formatted as of one cluster and node, each with an id of its own', async () => {
    await live(`${one},${two}`);
    expect(property(one, 'cluster.id')).to.equal(property(two, 'cluster.id'));
    expect([property(one, 'node.id'), property(two, 'node.id')]).to.deep.equal(['1', '1']);
    expect(property(one, 'directory.id')).to.not.equal(property(two, 'directory.id'));
    expect(logged).to.equal('');
  });

  it('may become more, which is said', async () => {
    await live(one);
    await live(`${one},${two}`);
    expect(property(two, 'cluster.id')).to.equal(property(one, 'cluster.id'));
    expect(logged).to.contain(`the data directory ${two} was empty and is formatted`);
  });

  it('are known by the paths that clients are told', async () => {
    const broker = await start(`${folder}//one/,${two}`);
    expect(broker.dataDirs).to.deep.equal([one, two]);
    await broker.stop();
  });

  it('are refused when two entries lead to the same place', async () => {
    expect(await refusal(`${one},${one}/`)).to.contain('Duplicate log directory found');
    symlinkSync(one, two);
    expect(await refusal(`${one},${two}`)).to.contain('Duplicate log directory found');
  });

  it('are refused when one is a copy of another, of another cluster or of another node', async () => {
    await live(`${one},${two}`);
    const three = join(folder, 'three');
    cpSync(two, three, { recursive: true });
    expect(await refusal(`${one},${two},${three}`)).to.contain(`Duplicate directory ID ${property(two, 'directory.id')}`);
    const [other, stranger] = [join(folder, 'other'), join(folder, 'stranger')];
    await live(`${other},${stranger}`);
    expect(await refusal(`${one},${stranger}`)).to.contain('log.dirs hold data of two clusters');
    expect(await refusal(`${one},${two}`, { 'node.id': '7' })).to.contain('holds the data of node.id=1, not of node.id=7');
  });

  it('keep the metadata log where metadata.log.dir says, be it one of them or not', async () => {
    const metadata = join(folder, 'metadata');
    const broker = await start(`${one},${two}`, { 'metadata.log.dir': metadata });
    expect(broker.dataDirs).to.deep.equal([one, two]);
    expect(broker.services.image.brokers.get(1)?.logDirs).to.have.lengthOf(2);
    await broker.stop();
    await live(`${one},${two}`, { 'metadata.log.dir': metadata });
    expect(await refusal(`${one},${two},${metadata}`)).to.contain(
      `${metadata} holds a metadata log, but metadata.log.dir is ${one}`,
    );
  });

  it('are gone on without while they cannot be used, and used again when they can', async () => {
    await live(`${one},${two}`);
    for (const spoil of ['a file in its place', 'meta.properties that is none']) {
      renameSync(two, `${two}-away`);
      if (spoil === 'a file in its place') writeFileSync(two, '');
      else mkdirSync(two);
      if (spoil !== 'a file in its place') writeFileSync(join(two, 'meta.properties'), 'version=7\n');
      const broker = await start(`${one},${two}`);
      expect(broker.services.image.brokers.get(1)?.logDirs, spoil).to.deep.equal([property(one, 'directory.id')]);
      expect(logged, spoil).to.contain(`data directory ${two} is offline`);
      await broker.stop();
      rmSync(two, { recursive: true });
      renameSync(`${two}-away`, two);
    }
    const broker = await start(`${one},${two}`);
    expect(broker.services.image.brokers.get(1)?.logDirs).to.have.lengthOf(2);
    await broker.stop();
  });

  it('are no use when none can be used, or not the one with the metadata log', async () => {
    const metadata = join(folder, 'metadata');
    for (const path of [one, two]) writeFileSync(path, '');
    expect(await refusal(`${one},${two}`)).to.contain(`make directory of ${one} failed`);
    expect(await refusal(`${one},${two}`, { 'metadata.log.dir': metadata })).to.contain('none of log.dirs can be used');
  });
});
