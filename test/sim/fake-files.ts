/**
 * A disk in memory that knows what has been synced, so that a simulation can take the power away.
 *
 * A file's content and a directory's entries are each kept twice: as the running system sees them, and as they are on the platter. `sync` copies a
 * file's content, `syncDirectory` a directory's entries. `crash(random)` gives the disk that a power cut leaves: everything synced, and of the rest
 * what chance lets through (any subset of the writes and truncations to a file in any order of 512-byte sectors, any prefix of a directory's
 * changes). `kill()` gives the disk that the death of the process leaves: everything written.
 */
import { type FileStat, type Files, type OpenFile, StorageFailure } from '../../src/world/files.ts';
import type { Random } from '../../src/world/random.ts';

const SECTOR_BYTES = 512;

interface Content {
  readonly inode: number;
  modifiedMs: number;
  bytes: Buffer;
  synced: Buffer;
  /** What has happened to `bytes` since the last sync, oldest first. */
  changes: Change[];
}

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly size: number };

/** New contents of entries, all at once; undefined: gone. */
type DirectoryChange = readonly (readonly [name: string, content: Content | undefined])[];

interface Directory {
  entries: Map<string, Content>;
  synced: Map<string, Content>;
  /** What has happened to the entries since the last sync, oldest first. */
  changes: DirectoryChange[];
}

function written(bytes: Buffer, at: number, chunk: Buffer): Buffer {
  const size = Math.max(bytes.length, at + chunk.length);
  // The bytes may be shared with `synced`, so that they are never changed in place.
  const larger = Buffer.alloc(size);
  bytes.copy(larger);
  chunk.copy(larger, at);
  return larger;
}

function truncated(bytes: Buffer, size: number): Buffer {
  return size <= bytes.length ? bytes.subarray(0, size) : written(bytes, size, Buffer.alloc(0));
}

function apply(entries: Map<string, Content>, change: DirectoryChange): void {
  for (const [name, content] of change) {
    if (content === undefined) entries.delete(name);
    else entries.set(name, content);
  }
}

/** What came after `last`; undefined when `last` is gone, because a later sync has ended first, or was never there. */
function after<T>(changes: readonly T[], last: T | undefined): T[] | undefined {
  const index = last === undefined ? -1 : changes.indexOf(last);
  return index < 0 ? undefined : changes.slice(index + 1);
}

function split(path: string): [directory: string, name: string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}

export interface FakeFilesHooks {
  /** How long the disk takes for what is asynchronous. Default: one turn of the microtask queue. */
  readonly pause?: () => Promise<void>;
  /** Called before each operation; may kill the disk, and the operation then does not happen. */
  readonly beforeOperation?: (operation: string, path: string) => void;
}

export class FakeFiles implements Files {
  private directories = new Map<string, Directory>();
  private nextInode = 1;
  private readonly locks = new Set<string>();
  private readonly now: () => number;
  /** Files that are open, for tests that nothing stays so. */
  readonly openFiles = new Set<OpenFile>();
  /** Calls that touched the disk so far. */
  operations = 0;
  private failAt: { readonly operation: number; readonly code: string; readonly forever: boolean } | undefined;
  /** Set once the power was cut or the process died: nothing of before may touch the disk any more. */
  private dead = false;

  private readonly hooks: FakeFilesHooks;

  constructor(now: () => number = () => 0, hooks: FakeFilesHooks = {}) {
    this.now = now;
    this.hooks = hooks;
  }

  private async pause(): Promise<void> {
    await (this.hooks.pause?.() ?? Promise.resolve());
  }

  /** Lets the `count`-th operation from now on fail, and with `forever` all after it. */
  failAfter(count: number, code: 'ENOSPC' | 'EIO', forever = true): void {
    this.failAt = { operation: this.operations + count, code, forever };
  }

  failNever(): void {
    this.failAt = undefined;
  }

  private operate(operation: string, path: string): void {
    if (!this.dead) this.hooks.beforeOperation?.(operation, path);
    if (this.dead) throw new StorageFailure(operation, path, 'DEAD');
    this.operations++;
    const { failAt } = this;
    if (failAt === undefined) return;
    if (this.operations === failAt.operation || (failAt.forever && this.operations > failAt.operation)) {
      throw new StorageFailure(operation, path, failAt.code);
    }
  }

  private directory(path: string, operation: string): Directory {
    const directory = this.directories.get(path);
    if (directory === undefined) throw new StorageFailure(operation, path, 'ENOENT');
    return directory;
  }

  private find(path: string): Content | undefined {
    const [directory, name] = split(path);
    return this.directories.get(directory)?.entries.get(name);
  }

  private change(directory: Directory, change: DirectoryChange): void {
    apply(directory.entries, change);
    directory.changes.push(change);
  }

  private link(path: string, content: Content | undefined, operation: string): void {
    const [parent, name] = split(path);
    this.change(this.directory(parent, operation), [[name, content]]);
  }

  private create(path: string): Content {
    const empty = Buffer.alloc(0);
    const content: Content = { inode: this.nextInode++, modifiedMs: this.now(), bytes: empty, synced: empty, changes: [] };
    this.link(path, content, 'open');
    return content;
  }

  private write(content: Content, at: number, chunk: Buffer): void {
    content.bytes = written(content.bytes, at, chunk);
    content.changes.push({ kind: 'write', at, bytes: Buffer.from(chunk) });
    content.modifiedMs = this.now();
  }

  private truncate(content: Content, size: number): void {
    content.bytes = truncated(content.bytes, size);
    content.changes.push({ kind: 'truncate', size });
    content.modifiedMs = this.now();
  }

  open(path: string, mode: 'read' | 'write'): OpenFile {
    this.operate('open', path);
    const content = this.find(path) ?? (mode === 'write' ? this.create(path) : undefined);
    if (content === undefined) throw new StorageFailure('open', path, 'ENOENT');
    let open = true;
    const use = (operation: string): void => {
      if (!open) throw new Error(`${operation} of ${path} after it was closed`);
      this.operate(operation, path);
    };
    const read = (target: Buffer, position: number): number =>
      content.bytes.copy(target, 0, Math.min(position, content.bytes.length), position + target.length);
    const file: OpenFile = {
      path,
      size: () => content.bytes.length,
      read: (target, position) => {
        use('read');
        return read(target, position);
      },
      readLater: async (target, position) => {
        use('read');
        await this.pause();
        return read(target, position);
      },
      write: (chunks, position) => {
        use('write');
        this.write(content, position, Buffer.concat(chunks));
      },
      truncate: (size) => {
        use('truncate');
        this.truncate(content, size);
      },
      sync: async () => {
        use('sync');
        const { bytes } = content;
        const last = content.changes.at(-1);
        await this.pause();
        if (this.dead) throw new StorageFailure('sync', path, 'DEAD');
        const rest = after(content.changes, last);
        if (rest === undefined) return;
        content.synced = bytes;
        content.changes = rest;
      },
      close: () => {
        open = false;
        this.openFiles.delete(file);
      },
    };
    this.openFiles.add(file);
    return file;
  }

  stat(path: string): FileStat | undefined {
    this.operate('stat', path);
    if (this.directories.has(path)) return { size: 0, directory: true, modifiedMs: 0, inode: 0 };
    const content = this.find(path);
    return content && { size: content.bytes.length, directory: false, modifiedMs: content.modifiedMs, inode: content.inode };
  }

  list(path: string): { name: string; directory: boolean }[] {
    this.operate('list', path);
    const found = [...this.directory(path, 'list').entries.keys()].map((name) => ({ name, directory: false }));
    for (const other of this.directories.keys()) {
      const [parent, name] = split(other);
      if (parent === path) found.push({ name, directory: true });
    }
    return found;
  }

  readFile(path: string): Buffer {
    this.operate('read', path);
    const content = this.find(path);
    if (content === undefined) throw new StorageFailure('read', path, 'ENOENT');
    return Buffer.from(content.bytes);
  }

  writeFile(path: string, content: Buffer | string): void {
    this.operate('write', path);
    const file = this.find(path) ?? this.create(path);
    this.truncate(file, 0);
    this.write(file, 0, Buffer.from(content));
  }

  async replaceFile(path: string, content: Buffer | string): Promise<void> {
    const temporary = `${path}.tmp`;
    this.writeFile(temporary, content);
    const file = this.open(temporary, 'write');
    await file.sync();
    file.close();
    this.rename(temporary, path);
    await this.syncDirectory(split(path)[0]);
  }

  /** Directories themselves are never lost, only what is in them: a simplification that hides nothing the log relies on. */
  makeDirectory(path: string): void {
    this.operate('make directory', path);
    for (let at = path; at !== ''; at = split(at)[0]) {
      if (this.directories.has(at)) continue;
      this.directories.set(at, { entries: new Map(), synced: new Map(), changes: [] });
    }
  }

  rename(from: string, to: string): void {
    this.operate('rename', from);
    if (this.directories.has(from)) {
      for (const [path, directory] of [...this.directories]) {
        if (path !== from && !path.startsWith(`${from}/`)) continue;
        this.directories.delete(path);
        this.directories.set(to + path.slice(from.length), directory);
      }
      return;
    }
    const content = this.find(from);
    if (content === undefined) throw new StorageFailure('rename', from, 'ENOENT');
    const [parent, name] = split(from);
    const [newParent, newName] = split(to);
    if (parent !== newParent) throw new Error(`rename of ${from} to another directory, ${to}`);
    this.change(this.directory(parent, 'rename'), [
      [name, undefined],
      [newName, content],
    ]);
  }

  remove(path: string): void {
    this.operate('remove', path);
    if (this.find(path) !== undefined) this.link(path, undefined, 'remove');
  }

  removeDirectory(path: string): void {
    this.operate('remove', path);
    for (const other of [...this.directories.keys()]) {
      if (other === path || other.startsWith(`${path}/`)) this.directories.delete(other);
    }
  }

  async syncDirectory(path: string): Promise<void> {
    this.operate('sync', path);
    const directory = this.directory(path, 'sync');
    const synced = new Map(directory.entries);
    const last = directory.changes.at(-1);
    await this.pause();
    if (this.dead) throw new StorageFailure('sync', path, 'DEAD');
    const rest = after(directory.changes, last);
    if (rest === undefined) return;
    directory.synced = synced;
    directory.changes = rest;
  }

  space(): { totalBytes: number; usableBytes: number } {
    return { totalBytes: 2 ** 40, usableBytes: 2 ** 39 };
  }

  lock(path: string): Promise<(() => void) | undefined> {
    if (this.find(path) === undefined) this.create(path);
    if (this.locks.has(path)) return Promise.resolve(undefined);
    this.locks.add(path);
    return Promise.resolve(() => void this.locks.delete(path));
  }

  /** The disk after a power cut. This one is dead from now on. */
  crash(random: Random, hooks: FakeFilesHooks = {}): FakeFiles {
    const contents = new Map<Content, Content>();
    const left = (content: Content): Content => {
      let copy = contents.get(content);
      if (copy === undefined) {
        const bytes = survivingBytes(content, random);
        copy = { inode: content.inode, modifiedMs: content.modifiedMs, bytes, synced: bytes, changes: [] };
        contents.set(content, copy);
      }
      return copy;
    };
    return this.successor(hooks, (directory) => {
      const entries = new Map(directory.synced);
      const kept = random.below(directory.changes.length + 1);
      for (const change of directory.changes.slice(0, kept)) apply(entries, change);
      const surviving = new Map([...entries].map(([name, content]) => [name, left(content)]));
      return { entries: surviving, synced: new Map(surviving), changes: [] };
    });
  }

  /**
   * The disk after the process has died: all that was written, synced or not; what was not synced may still be lost to a later power cut. This one is
   * dead from now on.
   */
  kill(hooks: FakeFilesHooks = {}): FakeFiles {
    const contents = new Map<Content, Content>();
    const same = (content: Content): Content => {
      const copy = contents.get(content) ?? { ...content, changes: [...content.changes] };
      contents.set(content, copy);
      return copy;
    };
    const all = (entries: Map<string, Content>): Map<string, Content> =>
      new Map([...entries].map(([name, content]) => [name, same(content)]));
    return this.successor(hooks, ({ entries, synced, changes }) => ({
      entries: all(entries),
      synced: all(synced),
      changes: changes.map((change) => change.map(([name, content]) => [name, content && same(content)] as const)),
    }));
  }

  private successor(hooks: FakeFilesHooks, left: (directory: Directory) => Directory): FakeFiles {
    const next = new FakeFiles(this.now, hooks);
    next.nextInode = this.nextInode;
    for (const [path, directory] of this.directories) next.directories.set(path, left(directory));
    this.dead = true;
    return next;
  }
}

/** Synced bytes, and of each later change what chance lets through, sector by sector. */
function survivingBytes(content: Content, random: Random): Buffer {
  let bytes = content.synced;
  const fate = random.below(3);
  if (fate === 0) return bytes;
  for (const change of content.changes) {
    if (fate === 1 && random.below(2) === 0) return cutWrite(bytes, change, random);
    if (change.kind === 'truncate') {
      bytes = truncated(bytes, change.size);
      continue;
    }
    for (let at = 0; at < change.bytes.length; ) {
      const end = Math.min(change.bytes.length, at + SECTOR_BYTES - ((change.at + at) % SECTOR_BYTES));
      const lost = fate === 2 && random.below(8) === 0;
      // The size grew before the data came: what is lost reads as zeros.
      bytes = written(bytes, change.at + at, lost ? Buffer.alloc(0) : change.bytes.subarray(at, end));
      if (lost) bytes = bytes.length < change.at + end ? written(bytes, change.at + end, Buffer.alloc(0)) : bytes;
      at = end;
    }
  }
  return bytes;
}

/** The last change that came through, and of it only the beginning. */
function cutWrite(bytes: Buffer, change: Change, random: Random): Buffer {
  if (change.kind === 'truncate') return bytes;
  return written(bytes, change.at, change.bytes.subarray(0, random.below(change.bytes.length + 1)));
}
