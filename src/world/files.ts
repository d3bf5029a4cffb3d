/**
 * The disk. Small calls are synchronous, because page-cached ones are several times cheaper that way; syncs and large reads are not.
 *
 * Every failure is a StorageFailure that names the path; nothing else is thrown. A failed sync is never retried: what the file holds is then unknown.
 */
export interface Files {
  /** `read`: must exist. `write`: created when missing, never truncated, readable as well. */
  open(path: string, mode: 'read' | 'write'): OpenFile;
  /** Undefined when there is nothing at `path`. */
  stat(path: string): FileStat | undefined;
  /** The one path of all that lead to the same place, links followed. Must exist. */
  realPath(path: string): string;
  list(path: string): readonly { readonly name: string; readonly directory: boolean }[];
  readFile(path: string): Buffer;
  /** Replaces the whole content in place, unsynced. For what may be lost. */
  writeFile(path: string, content: Buffer | string): void;
  /** Replaces the file atomically: `<path>.tmp` written and synced, renamed over `path`, directory synced. */
  replaceFile(path: string, content: Buffer | string): Promise<void>;
  /** With parents; nothing happens when it exists. */
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  /** What `FileStat.modifiedMs` says of the file from now on. */
  setModified(path: string, modifiedMs: number): void;
  /** One file; nothing happens when it is missing. */
  remove(path: string): void;
  /** A directory with everything in it; nothing happens when it is missing. */
  removeDirectory(path: string): void;
  syncDirectory(path: string): Promise<void>;
  space(path: string): { readonly totalBytes: number; readonly usableBytes: number };
  /**
   * Claims the file, made when missing and left empty; gives what lets go of it, or undefined when someone else has it. Ends with the process.
   * Sees a running Apache Kafka on this machine and others of us; not those on other machines that share the disk, nor in other network namespaces.
   */
  lock(path: string): Promise<(() => void) | undefined>;
}

export interface FileStat {
  readonly size: number;
  readonly directory: boolean;
  readonly modifiedMs: number;
  readonly inode: number;
}

export interface OpenFile {
  readonly path: string;
  size(): number;
  /** Fills `target` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(target: Buffer, position: number): number;
  /** As `read`, off the event loop: for large reads. */
  readLater(target: Buffer, position: number): Promise<number>;
  /** Writes all chunks in order from `position`. */
  write(chunks: readonly Buffer[], position: number): void;
  truncate(size: number): void;
  sync(): Promise<void>;
  close(): void;
}

/** The disk did not do what was asked. Takes the log directory of `path` offline; never caught anywhere else. */
export class StorageFailure extends Error {
  override readonly name = 'StorageFailure';
  readonly path: string;
  /** The operating system's code, such as ENOSPC or EIO. */
  readonly code: string;

  constructor(operation: string, path: string, code: string) {
    super(`${operation} of ${path} failed: ${code}`);
    this.path = path;
    this.code = code;
  }
}
