/**
 * The machine's disk through node:fs.
 *
 * Writes are one vectored call; short ones are gone on with. Syncs are fdatasync: data and the size that is needed to read it.
 */
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { type FileStat, type Files, type OpenFile, StorageFailure } from './files.ts';

/**
 * Thousands of partitions replace small files at a start, and all would use up the process's file descriptors. One less than Node.js has threads for the
 * disk, so that a sync that somebody waits for finds one.
 */
const REPLACED_AT_ONCE = 3;
/** More chunks than one writev takes (IOV_MAX). */
const CHUNKS_PER_WRITE = 1024;

function failure(operation: string, path: string, error: unknown): StorageFailure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
  return new StorageFailure(operation, path, code);
}

function attempt<T>(operation: string, path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw failure(operation, path, error);
  }
}

function later<T>(operation: string, path: string, start: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null || error === undefined) resolve(value);
      else reject(failure(operation, path, error));
    });
  });
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

class NodeFile implements OpenFile {
  readonly path: string;
  private readonly descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.descriptor = descriptor;
  }

  size(): number {
    return attempt('stat', this.path, () => fs.fstatSync(this.descriptor).size);
  }

  read(target: Buffer, position: number): number {
    return attempt('read', this.path, () => {
      let done = 0;
      while (done < target.length) {
        const read = fs.readSync(this.descriptor, target, done, target.length - done, position + done);
        if (read === 0) break;
        done += read;
      }
      return done;
    });
  }

  async readLater(target: Buffer, position: number): Promise<number> {
    let done = 0;
    while (done < target.length) {
      const at = done;
      const read = await later<number>('read', this.path, (then) =>
        fs.read(this.descriptor, target, at, target.length - at, position + at, then),
      );
      if (read === 0) break;
      done += read;
    }
    return done;
  }

  write(chunks: readonly Buffer[], position: number): void {
    attempt('write', this.path, () => {
      let at = position;
      for (let i = 0; i < chunks.length; i += CHUNKS_PER_WRITE) {
        const some = chunks.length <= CHUNKS_PER_WRITE ? chunks : chunks.slice(i, i + CHUNKS_PER_WRITE);
        at += this.writeAll(some, at);
      }
    });
  }

  private writeAll(chunks: readonly Buffer[], position: number): number {
    let rest = chunks;
    let done = 0;
    for (;;) {
      const [only] = rest;
      let written =
        rest.length === 1 && only !== undefined
          ? fs.writeSync(this.descriptor, only, 0, only.length, position + done)
          : fs.writevSync(this.descriptor, rest, position + done);
      done += written;
      let whole = 0;
      for (const chunk of rest) {
        if (written < chunk.length) break;
        written -= chunk.length;
        whole++;
      }
      if (whole === rest.length) return done;
      const cut = rest[whole];
      rest = cut === undefined ? [] : [cut.subarray(written), ...rest.slice(whole + 1)];
    }
  }

  truncate(size: number): void {
    attempt('truncate', this.path, () => fs.ftruncateSync(this.descriptor, size));
  }

  async sync(): Promise<void> {
    await later<void>('sync', this.path, (then) => fs.fdatasync(this.descriptor, (error) => then(error, undefined)));
  }

  close(): void {
    attempt('close', this.path, () => fs.closeSync(this.descriptor));
  }
}

/**
 * Whether some process holds a POSIX record lock on the inode, as Apache Kafka does; Node.js itself can take none. Linux only, where the kernel lists
 * them as `major:minor:inode` in hexadecimal and decimal. It takes some ten milliseconds for that: it stops all who lock for a moment.
 */
async function hasRecordLock(device: number, inode: number): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const major = ((device >>> 8) & 0xfff).toString(16).padStart(2, '0');
  const minor = ((device & 0xff) | ((device >>> 12) & 0xfff00)).toString(16).padStart(2, '0');
  try {
    const locks = await fs.promises.readFile('/proc/locks', 'utf8');
    return locks
      .split('\n')
      .some((line) => / (POSIX|OFDLCK) .* WRITE /.test(line) && line.includes(` ${major}:${minor}:${inode} `));
  } catch {
    return false;
  }
}

/** Makes an empty file, unless there is one. */
function madeNow(path: string): boolean {
  try {
    fs.closeSync(fs.openSync(path, 'wx', 0o644));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** A name that only one process at a time can have: a listening abstract socket, which the kernel drops with the process. Linux only. */
function claimName(name: string): Promise<(() => void) | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(() => undefined);
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen(`\0${name}`, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}

async function syncDirectoryNow(path: string): Promise<void> {
  const descriptor = attempt('open', path, () => fs.openSync(path, 'r'));
  try {
    await later<void>('sync', path, (then) => fs.fsync(descriptor, (error) => then(error, undefined)));
  } finally {
    fs.closeSync(descriptor);
  }
}

interface DirectorySync {
  readonly running: Promise<void>;
  /** Of all that have asked while this one runs. */
  next: Promise<void> | undefined;
}

export class NodeFiles implements Files {
  /** Thousands of new partitions ask for a sync of the one directory they are in: those that come during one share the next. */
  private readonly directorySyncs = new Map<string, DirectorySync>();
  private replacing = 0;
  private readonly waiting: (() => void)[] = [];

  open(path: string, mode: 'read' | 'write'): OpenFile {
    const flags = mode === 'read' ? fs.constants.O_RDONLY : fs.constants.O_RDWR | fs.constants.O_CREAT;
    return new NodeFile(
      path,
      attempt('open', path, () => fs.openSync(path, flags, 0o644)),
    );
  }

  stat(path: string): FileStat | undefined {
    const stat = attempt('stat', path, () => fs.statSync(path, { throwIfNoEntry: false }));
    return stat && { size: stat.size, directory: stat.isDirectory(), modifiedMs: stat.mtimeMs, inode: stat.ino };
  }

  realPath(path: string): string {
    return attempt('resolve', path, () => fs.realpathSync(path));
  }

  list(path: string): { name: string; directory: boolean }[] {
    const entries = attempt('list', path, () => fs.readdirSync(path, { withFileTypes: true }));
    return entries.map((entry) => ({ name: entry.name, directory: entry.isDirectory() }));
  }

  readFile(path: string): Buffer {
    return attempt('read', path, () => fs.readFileSync(path));
  }

  writeFile(path: string, content: Buffer | string): void {
    attempt('write', path, () => fs.writeFileSync(path, content));
  }

  async replaceFile(path: string, content: Buffer | string): Promise<void> {
    while (this.replacing >= REPLACED_AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.replacing++;
    try {
      await this.replaceNow(path, content);
    } finally {
      this.replacing--;
      this.waiting.shift()?.();
    }
  }

  private async replaceNow(path: string, content: Buffer | string): Promise<void> {
    const temporary = `${path}.tmp`;
    const descriptor = attempt('open', temporary, () => fs.openSync(temporary, 'w', 0o644));
    try {
      attempt('write', temporary, () => fs.writeFileSync(descriptor, content));
      await later<void>('sync', temporary, (then) => fs.fdatasync(descriptor, (error) => then(error, undefined)));
    } finally {
      fs.closeSync(descriptor);
    }
    this.rename(temporary, path);
    await this.syncDirectory(dirname(path));
  }

  makeDirectory(path: string): void {
    attempt('make directory', path, () => fs.mkdirSync(path, { recursive: true }));
  }

  rename(from: string, to: string): void {
    attempt(`rename to ${to}`, from, () => fs.renameSync(from, to));
  }

  setModified(path: string, modifiedMs: number): void {
    attempt('set the time', path, () => fs.utimesSync(path, modifiedMs / 1000, modifiedMs / 1000));
  }

  remove(path: string): void {
    try {
      fs.unlinkSync(path);
    } catch (error) {
      if (!isMissing(error)) throw failure('remove', path, error);
    }
  }

  removeDirectory(path: string): void {
    attempt('remove', path, () => fs.rmSync(path, { recursive: true, force: true }));
  }

  syncDirectory(path: string): Promise<void> {
    const current = this.directorySyncs.get(path);
    if (current === undefined) return this.startDirectorySync(path);
    const start = (): Promise<void> => this.startDirectorySync(path);
    current.next ??= current.running.then(start, start);
    return current.next;
  }

  private startDirectorySync(path: string): Promise<void> {
    const sync: DirectorySync = { running: syncDirectoryNow(path), next: undefined };
    this.directorySyncs.set(path, sync);
    const ended = (): void => {
      if (sync.next === undefined) this.directorySyncs.delete(path);
    };
    sync.running.then(ended, ended);
    return sync.running;
  }

  space(path: string): { totalBytes: number; usableBytes: number } {
    const stat = attempt('stat', path, () => fs.statfsSync(path));
    return { totalBytes: stat.blocks * stat.bsize, usableBytes: stat.bavail * stat.bsize };
  }

  /** The file stays open as long as it is locked: its inode is in the name that is claimed, and the file system gives out none that is open. */
  async lock(path: string): Promise<(() => void) | undefined> {
    const isNew = attempt('open', path, () => madeNow(path));
    const file = this.open(path, 'write');
    const { dev, ino } = attempt('stat', path, () => fs.statSync(path));
    // Nobody has locked what was not there.
    const isLocked = !isNew && (await hasRecordLock(dev, ino));
    const release = isLocked ? undefined : await claimName(`blumfeld-${dev}-${ino}`);
    if (release === undefined) {
      file.close();
      return undefined;
    }
    return () => {
      release();
      file.close();
    };
  }
}
