/**
 * Open files by path, few enough for the operating system: the least recently used one that nobody is reading is closed first.
 *
 * Invariants: a path has at most one open handle here; a handle that is in use (`borrow`) is not closed before it is given back.
 */
import { type Files, type OpenFile, StorageFailure } from '../world/files.ts';

const DEFAULT_CAPACITY = 1000;

interface Handle {
  readonly file: OpenFile;
  users: number;
  /** Close when the last user is done. */
  doomed: boolean;
}

export class FileHandles {
  private readonly files: Files;
  private readonly capacity: number;
  private closed = false;
  /** In the order of use, least recent first. */
  private readonly open = new Map<string, Handle>();

  constructor(files: Files, capacity: number = DEFAULT_CAPACITY) {
    this.files = files;
    this.capacity = capacity;
  }

  get count(): number {
    return this.open.size;
  }

  private handle(path: string): Handle {
    let handle = this.open.get(path);
    if (handle === undefined) {
      if (this.closed) throw new StorageFailure('open', path, 'closed');
      handle = { file: this.files.open(path, 'write'), users: 0, doomed: false };
      this.open.set(path, handle);
      if (this.open.size > this.capacity) this.closeOldest(path);
    } else {
      this.open.delete(path);
      this.open.set(path, handle);
    }
    return handle;
  }

  private closeOldest(except: string): void {
    for (const [path, handle] of this.open) {
      if (handle.users > 0 || path === except) continue;
      this.open.delete(path);
      handle.file.close();
      return;
    }
  }

  /** For a synchronous use: valid until control returns to the event loop. */
  file(path: string): OpenFile {
    return this.handle(path).file;
  }

  /** For a use that awaits. */
  async borrow<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
    const { file, giveBack } = this.hold(path);
    try {
      return await use(file);
    } finally {
      giveBack();
    }
  }

  /** The file as it is now, whatever `path` names later, until it is given back. */
  hold(path: string): { readonly file: OpenFile; giveBack(): void } {
    const handle = this.handle(path);
    handle.users++;
    const giveBack = (): void => {
      handle.users--;
      if (handle.doomed && handle.users === 0) handle.file.close();
    };
    return { file: handle.file, giveBack };
  }

  /** Nothing is opened any more; what is open is closed, as soon as nobody reads it. A read that a stop has overtaken fails. */
  close(): void {
    this.closed = true;
    for (const path of [...this.open.keys()]) this.release(path);
  }

  /** The file is done with here: closed now, or as soon as its last user is done. */
  release(path: string): void {
    const handle = this.open.get(path);
    if (handle === undefined) return;
    this.open.delete(path);
    if (handle.users === 0) handle.file.close();
    else handle.doomed = true;
  }
}
