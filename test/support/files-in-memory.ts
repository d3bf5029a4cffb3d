/** A disk that is a map from paths to bytes: for tests of rooms above the log. Can be told to fail. */
import { type FileStat, type Files, type OpenFile, StorageFailure } from '../../src/world/files.ts';

interface Entry {
  bytes: Buffer;
  size: number;
  readonly inode: number;
}

export class FilesInMemory implements Files {
  readonly #files = new Map<string, Entry>();
  readonly #directories = new Set<string>();
  #inode = 0;
  /** While set, every write fails with this code. */
  failing: string | undefined;
  /** Bytes of all writes so far. */
  writtenBytes = 0;

  open(path: string, mode: 'read' | 'write'): OpenFile {
    const known = this.#files.get(path);
    if (known === undefined && mode === 'read') throw new StorageFailure('open', path, 'ENOENT');
    const entry = known ?? this.#create(path);
    return {
      path,
      size: () => entry.size,
      read: (target, position) => entry.bytes.copy(target, 0, position, Math.min(entry.size, position + target.length)),
      readLater: (target, position) =>
        Promise.resolve(entry.bytes.copy(target, 0, position, Math.min(entry.size, position + target.length))),
      write: (chunks, position) => this.#write(path, entry, chunks, position),
      truncate: (size) => {
        entry.size = Math.min(entry.size, size);
      },
      sync: () => Promise.resolve(),
      close: () => {},
    };
  }

  stat(path: string): FileStat | undefined {
    const entry = this.#files.get(path);
    if (entry !== undefined) return { size: entry.size, directory: false, modifiedMs: 0, inode: entry.inode };
    return this.#directories.has(path) ? { size: 0, directory: true, modifiedMs: 0, inode: 0 } : undefined;
  }

  realPath(path: string): string {
    return path;
  }

  list(path: string): readonly { readonly name: string; readonly directory: boolean }[] {
    const below = (other: string): string | undefined =>
      other.startsWith(`${path}/`) && !other.slice(path.length + 1).includes('/') ? other.slice(path.length + 1) : undefined;
    const found = [];
    for (const other of this.#files.keys()) {
      const name = below(other);
      if (name !== undefined) found.push({ name, directory: false });
    }
    for (const other of this.#directories) {
      const name = below(other);
      if (name !== undefined) found.push({ name, directory: true });
    }
    return found;
  }

  readFile(path: string): Buffer {
    const entry = this.#files.get(path);
    if (entry === undefined) throw new StorageFailure('read', path, 'ENOENT');
    return Buffer.from(entry.bytes.subarray(0, entry.size));
  }

  writeFile(path: string, content: Buffer | string): void {
    const bytes = Buffer.from(content);
    const entry = this.#files.get(path) ?? this.#create(path);
    entry.size = 0;
    this.#write(path, entry, [bytes], 0);
  }

  replaceFile(path: string, content: Buffer | string): Promise<void> {
    this.writeFile(path, content);
    return Promise.resolve();
  }

  makeDirectory(path: string): void {
    const parts = path.split('/');
    for (let end = 1; end <= parts.length; end++) this.#directories.add(parts.slice(0, end).join('/'));
  }

  rename(from: string, to: string): void {
    const moved = (path: string): string => to + path.slice(from.length);
    for (const [path, entry] of this.#files) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#files.delete(path);
      this.#files.set(moved(path), entry);
    }
    for (const path of this.#directories) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#directories.delete(path);
      this.#directories.add(moved(path));
    }
  }

  /** Nothing here is ever modified, as `stat` says. */
  setModified(): void {}

  remove(path: string): void {
    this.#files.delete(path);
  }

  removeDirectory(path: string): void {
    for (const other of this.#files.keys()) if (other.startsWith(`${path}/`)) this.#files.delete(other);
    for (const other of this.#directories) if (other === path || other.startsWith(`${path}/`)) this.#directories.delete(other);
  }

  syncDirectory(): Promise<void> {
    return Promise.resolve();
  }

  space(): { readonly totalBytes: number; readonly usableBytes: number } {
    return { totalBytes: 1000, usableBytes: 400 };
  }

  #create(path: string): Entry {
    const entry = { bytes: Buffer.alloc(0), size: 0, inode: ++this.#inode };
    this.#files.set(path, entry);
    return entry;
  }

  #write(path: string, entry: Entry, chunks: readonly Buffer[], position: number): void {
    if (this.failing !== undefined) throw new StorageFailure('write', path, this.failing);
    let at = position;
    for (const chunk of chunks) {
      if (at + chunk.length > entry.bytes.length) {
        const grown = Buffer.alloc(Math.max(1024, 2 * (at + chunk.length)));
        entry.bytes.copy(grown, 0, 0, entry.size);
        entry.bytes = grown;
      }
      chunk.copy(entry.bytes, at);
      at += chunk.length;
      this.writtenBytes += chunk.length;
    }
    entry.size = Math.max(entry.size, at);
  }

  lock(): Promise<() => void> {
    return Promise.resolve(() => undefined);
  }
}
