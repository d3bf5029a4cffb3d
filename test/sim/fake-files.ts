/**
 * A disk in memory that knows what has been synced, so that a simulation can take the power away.
 *
 * `crash(random)` gives the disk that a power cut leaves, `kill()` the one that the death of the process leaves; this one is dead from then on.
 * `imagineCrash` gives the same as `crash` and goes on: what a power cut would leave at this moment.
 */
import { type FileStat, type Files, type OpenFile, StorageFailure } from '../../src/world/files.ts';
import type { Random } from '../../src/world/random.ts';
import {
  afterDeath,
  afterPowerCut,
  changeEntries,
  changesAfter,
  type DirectoryNode,
  type FileNode,
  newDirectory,
  newFile,
  type Node,
  truncated,
  written,
} from './fake-disk.ts';

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
  private root = newDirectory();
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

  private find(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of path === '/' ? [] : path.split('/').slice(1))
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    return node;
  }

  private file(path: string): FileNode | undefined {
    const node = this.find(path);
    return node?.kind === 'file' ? node : undefined;
  }

  private directory(path: string, operation: string): DirectoryNode {
    const node = this.find(path);
    if (node === undefined) throw new StorageFailure(operation, path, 'ENOENT');
    if (node.kind !== 'directory') throw new StorageFailure(operation, path, 'ENOTDIR');
    return node;
  }

  private link(path: string, node: Node | undefined, operation: string): void {
    const [parent, name] = split(path);
    changeEntries(this.directory(parent, operation), [[name, node]]);
  }

  private create(path: string): FileNode {
    if (this.find(path) !== undefined) throw new StorageFailure('open', path, 'EISDIR');
    const file = newFile(this.nextInode++, this.now());
    this.link(path, file, 'open');
    return file;
  }

  private write(file: FileNode, at: number, chunk: Buffer): void {
    file.bytes = written(file.bytes, at, chunk);
    file.changes = [...file.changes, { kind: 'write', at, bytes: Buffer.from(chunk) }];
    file.modifiedMs = this.now();
  }

  private truncate(file: FileNode, size: number): void {
    file.bytes = truncated(file.bytes, size);
    file.changes = [...file.changes, { kind: 'truncate', size }];
    file.modifiedMs = this.now();
  }

  open(path: string, mode: 'read' | 'write'): OpenFile {
    this.operate('open', path);
    const node = this.file(path) ?? (mode === 'write' ? this.create(path) : undefined);
    if (node === undefined) throw new StorageFailure('open', path, 'ENOENT');
    let open = true;
    const use = (operation: string): void => {
      if (!open) throw new Error(`${operation} of ${path} after it was closed`);
      this.operate(operation, path);
    };
    const read = (target: Buffer, position: number): number =>
      node.bytes.copy(target, 0, Math.min(position, node.bytes.length), position + target.length);
    const file: OpenFile = {
      path,
      size: () => node.bytes.length,
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
        this.write(node, position, Buffer.concat(chunks));
      },
      truncate: (size) => {
        use('truncate');
        this.truncate(node, size);
      },
      sync: async () => {
        use('sync');
        await this.syncFile(path, node);
      },
      close: () => {
        open = false;
        this.openFiles.delete(file);
      },
    };
    this.openFiles.add(file);
    return file;
  }

  private async syncFile(path: string, file: FileNode): Promise<void> {
    const { bytes } = file;
    const last = file.changes.at(-1);
    await this.pause();
    if (this.dead) throw new StorageFailure('sync', path, 'DEAD');
    const rest = changesAfter(file.changes, last);
    if (rest === undefined) return;
    file.synced = bytes;
    file.changes = rest;
  }

  stat(path: string): FileStat | undefined {
    this.operate('stat', path);
    const node = this.find(path);
    if (node?.kind === 'directory') return { size: 0, directory: true, modifiedMs: 0, inode: 0 };
    return node && { size: node.bytes.length, directory: false, modifiedMs: node.modifiedMs, inode: node.inode };
  }

  realPath(path: string): string {
    return path;
  }

  list(path: string): { name: string; directory: boolean }[] {
    this.operate('list', path);
    return [...this.directory(path, 'list').entries].map(([name, { kind }]) => ({ name, directory: kind === 'directory' }));
  }

  readFile(path: string): Buffer {
    this.operate('read', path);
    const file = this.file(path);
    if (file === undefined) throw new StorageFailure('read', path, this.find(path) === undefined ? 'ENOENT' : 'EISDIR');
    return Buffer.from(file.bytes);
  }

  writeFile(path: string, content: Buffer | string): void {
    this.operate('write', path);
    const file = this.file(path) ?? this.create(path);
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

  makeDirectory(path: string): void {
    this.operate('make directory', path);
    const [parent] = split(path);
    if (path === '' || this.find(path)?.kind === 'directory') return;
    if (parent !== '') this.makeDirectory(parent);
    if (this.find(path) !== undefined) throw new StorageFailure('make directory', path, 'EEXIST');
    this.link(path, newDirectory(), 'make directory');
  }

  rename(from: string, to: string): void {
    this.operate('rename', from);
    const node = this.find(from);
    if (node === undefined) throw new StorageFailure('rename', from, 'ENOENT');
    const [parent, name] = split(from);
    const [newParent, newName] = split(to);
    if (parent !== newParent) throw new Error(`rename of ${from} to another directory, ${to}`);
    changeEntries(this.directory(parent, 'rename'), [
      [name, undefined],
      [newName, node],
    ]);
  }

  setModified(path: string, modifiedMs: number): void {
    this.operate('set the time', path);
    const content = this.file(path);
    if (content === undefined) throw new StorageFailure('set the time', path, 'ENOENT');
    content.modifiedMs = modifiedMs;
  }

  remove(path: string): void {
    this.operate('remove', path);
    if (this.file(path) !== undefined) this.link(path, undefined, 'remove');
  }

  /** One after the other, as the real one: a power cut may find it half done. */
  removeDirectory(path: string): void {
    this.operate('remove', path);
    const node = this.find(path);
    if (node?.kind !== 'directory') return;
    for (const [name, { kind }] of [...node.entries]) {
      if (kind === 'directory') this.removeDirectory(`${path}/${name}`);
      else this.remove(`${path}/${name}`);
    }
    this.link(path, undefined, 'remove');
  }

  async syncDirectory(path: string): Promise<void> {
    this.operate('sync', path);
    const directory = this.directory(path, 'sync');
    const synced = new Map(directory.entries);
    const last = directory.changes.at(-1);
    await this.pause();
    if (this.dead) throw new StorageFailure('sync', path, 'DEAD');
    const rest = changesAfter(directory.changes, last);
    if (rest === undefined) return;
    directory.synced = synced;
    directory.changes = rest;
  }

  space(): { totalBytes: number; usableBytes: number } {
    return { totalBytes: 2 ** 40, usableBytes: 2 ** 39 };
  }

  lock(path: string): Promise<(() => void) | undefined> {
    if (this.file(path) === undefined) this.create(path);
    if (this.locks.has(path)) return Promise.resolve(undefined);
    this.locks.add(path);
    return Promise.resolve(() => void this.locks.delete(path));
  }

  crash(random: Random, hooks: FakeFilesHooks = {}): FakeFiles {
    const next = this.imagineCrash(random, hooks);
    this.dead = true;
    return next;
  }

  imagineCrash(random: Random, hooks: FakeFilesHooks = {}): FakeFiles {
    return this.successor(hooks, afterPowerCut(this.root, random));
  }

  kill(hooks: FakeFilesHooks = {}): FakeFiles {
    const next = this.successor(hooks, afterDeath(this.root));
    this.dead = true;
    return next;
  }

  /** Another disk with the same on it. */
  copy(hooks: FakeFilesHooks = {}): FakeFiles {
    return this.successor(hooks, afterDeath(this.root));
  }

  private successor(hooks: FakeFilesHooks, root: DirectoryNode): FakeFiles {
    const next = new FakeFiles(this.now, hooks);
    next.nextInode = this.nextInode;
    next.root = root;
    return next;
  }
}
