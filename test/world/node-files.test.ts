import { expect } from 'chai';
import { mkdtempSync, promises, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageFailure } from '../../src/world/files.ts';
import { NodeFiles } from '../../src/world/node-files.ts';

describe('NodeFiles', () => {
  const files = new NodeFiles();
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'blumfeld-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function failureOf(run: () => unknown): StorageFailure {
    try {
      run();
    } catch (error) {
      if (error instanceof StorageFailure) return error;
      throw error;
    }
    throw new Error('nothing failed');
  }

  /** Gives the lock, and how often the kernel's list of locks was read for it. */
  async function asking(
    lock: () => Promise<(() => void) | undefined>,
  ): Promise<{ unlock: (() => void) | undefined; asked: number }> {
    const { readFile } = promises;
    let asked = 0;
    promises.readFile = ((...args: Parameters<typeof readFile>) => {
      if (args[0] === '/proc/locks') asked++;
      return readFile(...args);
    }) as typeof readFile;
    try {
      const unlock = await lock();
      return { unlock, asked };
    } finally {
      promises.readFile = readFile;
    }
  }

  it('writes many chunks at a position and reads them back, at once and later', async () => {
    const file = files.open(`${directory}/f`, 'write');
    const chunks = Array.from({ length: 3000 }, (_, i) => Buffer.from(String(i % 10)));
    file.write([Buffer.from('head')], 0);
    file.write(chunks, 4);
    const whole = `head${Buffer.concat(chunks).toString()}`;
    expect(file.size()).to.equal(whole.length);
    const now = Buffer.alloc(whole.length);
    expect(file.read(now, 0)).to.equal(whole.length);
    expect(now.toString()).to.equal(whole);
    const later = Buffer.alloc(10);
    expect(await file.readLater(later, whole.length - 4)).to.equal(4);
    expect(file.read(later, whole.length + 100)).to.equal(0);
    await file.sync();
    file.truncate(2);
    expect(file.size()).to.equal(2);
    file.close();
    expect(files.readFile(`${directory}/f`).toString()).to.equal('he');
  });

  it('opens for writing without cutting off, for reading only what exists', () => {
    files.writeFile(`${directory}/f`, 'abc');
    files.open(`${directory}/f`, 'write').close();
    expect(files.readFile(`${directory}/f`).toString()).to.equal('abc');
    const failure = failureOf(() => files.open(`${directory}/none`, 'read'));
    expect([failure.code, failure.path]).to.deep.equal(['ENOENT', `${directory}/none`]);
  });

  it('replaces a file whole and leaves nothing else', async () => {
    await files.replaceFile(`${directory}/f`, 'one');
    await files.replaceFile(`${directory}/f`, 'two');
    expect(files.readFile(`${directory}/f`).toString()).to.equal('two');
    expect(files.list(directory)).to.deep.equal([{ name: 'f', directory: false }]);
  });

  it('lists, stats, renames and removes', async () => {
    files.makeDirectory(`${directory}/a/b`);
    files.makeDirectory(`${directory}/a/b`);
    files.writeFile(`${directory}/a/f`, 'x');
    expect(files.list(`${directory}/a`)).to.have.deep.members([
      { name: 'b', directory: true },
      { name: 'f', directory: false },
    ]);
    expect(files.stat(`${directory}/a/f`)).to.deep.include({ size: 1, directory: false });
    expect(files.stat(`${directory}/a/g`)).to.equal(undefined);
    files.rename(`${directory}/a/f`, `${directory}/a/g`);
    await files.syncDirectory(`${directory}/a`);
    files.remove(`${directory}/a/g`);
    files.remove(`${directory}/a/g`);
    files.removeDirectory(`${directory}/a`);
    files.removeDirectory(`${directory}/a`);
    expect(files.list(directory)).to.deep.equal([]);
    expect(failureOf(() => files.rename(`${directory}/x`, `${directory}/y`)).code).to.equal('ENOENT');
    expect(failureOf(() => files.list(`${directory}/x`)).code).to.equal('ENOENT');
  });

  it('tells everyone who asks for the sync of one directory how it went', async () => {
    files.makeDirectory(`${directory}/a`);
    const asked = [1, 2, 3].map(() => files.syncDirectory(`${directory}/a`));
    files.removeDirectory(`${directory}/a`);
    const ends = await Promise.allSettled([...asked, files.syncDirectory(`${directory}/a`)]);
    expect(ends.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'rejected', 'rejected']);
    files.makeDirectory(`${directory}/a`);
    await files.syncDirectory(`${directory}/a`);
  });

  it('says how much room there is', () => {
    const { totalBytes, usableBytes } = files.space(directory);
    expect(usableBytes).to.be.greaterThan(0).and.at.most(totalBytes);
  });

  it('gives a lock to one at a time, and leaves the file empty', async function () {
    if (process.platform !== 'linux') this.skip();
    const path = `${directory}/.lock`;
    const unlock = await files.lock(path);
    expect(await files.lock(path)).to.equal(undefined);
    expect(files.stat(path)?.size).to.equal(0);
    unlock?.();
    await new Promise((resolve) => setImmediate(resolve));
    const again = await files.lock(path);
    expect(again).not.to.equal(undefined);
    again?.();
  });

  it('asks the kernel who has locked a file that was there, and not about one that is new', async function () {
    if (process.platform !== 'linux') this.skip();
    const path = `${directory}/.lock`;
    const { unlock, asked } = await asking(() => files.lock(path));
    expect([typeof unlock, asked]).to.deep.equal(['function', 0]);
    unlock?.();
    await new Promise((resolve) => setImmediate(resolve));
    const again = await asking(() => files.lock(path));
    expect([typeof again.unlock, again.asked]).to.deep.equal(['function', 1]);
    again.unlock?.();
  });

  it('does not take a new file for one that is locked and was removed, whose inode the file system gives out again', async function () {
    if (process.platform !== 'linux') this.skip();
    const unlock = await files.lock(`${directory}/.lock`);
    expect(unlock).not.to.equal(undefined);
    files.remove(`${directory}/.lock`);
    for (let i = 0; i < 20; i++) {
      const other = await files.lock(`${directory}/${i}.lock`);
      expect(other, `lock ${i}`).not.to.equal(undefined);
      other?.();
    }
    unlock?.();
  });
});
