/**
 * What is on a disk in memory, twice over: as the running system sees it, and as it is on the platter. Files and directories are nodes of a tree; a
 * file's content is on the platter once the file is synced, a name once the directory it stands in is: that of a directory too.
 *
 * `afterPowerCut` gives what is found when the power comes back: everything synced, and of the rest what chance lets through: any subset of the writes
 * and truncations of a file in pieces of a page or of a sector, and any prefix of the changes of each directory, as file systems that journal their
 * directories keep them.
 */
import type { Random } from '../../src/world/random.ts';

/** What a file system and what a disk may write by itself. */
const TORN_AT_BYTES = [512, 4096] as const;

export interface FileNode {
  readonly kind: 'file';
  readonly inode: number;
  modifiedMs: number;
  bytes: Buffer;
  synced: Buffer;
  /** What has happened to `bytes` since the last sync, oldest first. */
  changes: readonly Change[];
}

export type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly size: number };

/** New contents of entries, all at once; undefined: gone. */
export type DirectoryChange = readonly (readonly [name: string, node: Node | undefined])[];

export interface DirectoryNode {
  readonly kind: 'directory';
  entries: Map<string, Node>;
  synced: Map<string, Node>;
  /** What has happened to the entries since the last sync, oldest first. */
  changes: readonly DirectoryChange[];
}

export type Node = FileNode | DirectoryNode;

export const newDirectory = (): DirectoryNode => ({ kind: 'directory', entries: new Map(), synced: new Map(), changes: [] });

export function newFile(inode: number, modifiedMs: number): FileNode {
  const empty = Buffer.alloc(0);
  return { kind: 'file', inode, modifiedMs, bytes: empty, synced: empty, changes: [] };
}

export function written(bytes: Buffer, at: number, chunk: Buffer): Buffer {
  const size = Math.max(bytes.length, at + chunk.length);
  // The bytes may be shared with `synced`, so that they are never changed in place.
  const larger = Buffer.alloc(size);
  bytes.copy(larger);
  chunk.copy(larger, at);
  return larger;
}

export function truncated(bytes: Buffer, size: number): Buffer {
  return size <= bytes.length ? bytes.subarray(0, size) : written(bytes, size, Buffer.alloc(0));
}

function apply(entries: Map<string, Node>, change: DirectoryChange): void {
  for (const [name, node] of change) {
    if (node === undefined) entries.delete(name);
    else entries.set(name, node);
  }
}

export function changeEntries(directory: DirectoryNode, change: DirectoryChange): void {
  apply(directory.entries, change);
  directory.changes = [...directory.changes, change];
}

/** What came after `last`; undefined when `last` is gone, because a later sync has ended first, or was never there. */
export function changesAfter<T>(changes: readonly T[], last: T | undefined): readonly T[] | undefined {
  const index = last === undefined ? -1 : changes.indexOf(last);
  return index < 0 ? undefined : changes.slice(index + 1);
}

/** A copy of the tree under `root`; each node is copied once, however often it is met. */
function copyOf(root: DirectoryNode, copyFile: (file: FileNode) => FileNode, fill: Fill): DirectoryNode {
  const copies = new Map<Node, Node>();
  const copy = <N extends Node>(node: N): N => {
    const known = copies.get(node);
    if (known !== undefined) return known as N;
    const made = node.kind === 'file' ? copyFile(node) : newDirectory();
    copies.set(node, made);
    if (node.kind === 'directory' && made.kind === 'directory') fill(node, made, copy);
    return made as N;
  };
  return copy(root);
}

type Fill = (from: DirectoryNode, to: DirectoryNode, copy: (node: Node) => Node) => void;

const copied = (entries: Map<string, Node>, copy: (node: Node) => Node): Map<string, Node> =>
  new Map([...entries].map(([name, node]) => [name, copy(node)]));

/** The disk after the process has died: all that was written, synced or not; what was not synced may still be lost to a later power cut. */
export function afterDeath(root: DirectoryNode): DirectoryNode {
  return copyOf(
    root,
    (file) => ({ ...file }),
    (from, to, copy) => {
      to.entries = copied(from.entries, copy);
      to.synced = copied(from.synced, copy);
      to.changes = from.changes.map((change) => change.map(([name, node]) => [name, node && copy(node)] as const));
    },
  );
}

export function afterPowerCut(root: DirectoryNode, random: Random): DirectoryNode {
  return copyOf(
    root,
    (file) => {
      const bytes = survivingBytes(file, random);
      return { ...file, bytes, synced: bytes, changes: [] };
    },
    (from, to, copy) => {
      const entries = new Map(from.synced);
      for (const change of from.changes.slice(0, random.below(from.changes.length + 1))) apply(entries, change);
      to.entries = copied(entries, copy);
      to.synced = new Map(to.entries);
    },
  );
}

/** Synced bytes, and of each later change what chance lets through: nothing, a part of them in order, or all with holes. */
function survivingBytes(file: FileNode, random: Random): Buffer {
  let bytes = file.synced;
  if (file.changes.length === 0) return bytes;
  const fate = random.below(4);
  if (fate === 0) return bytes;
  const piece = TORN_AT_BYTES[random.below(2)] ?? 512;
  for (const change of file.changes) {
    if (fate === 1 && random.below(2) === 0) return cutWrite(bytes, change, random);
    if (change.kind === 'truncate') {
      bytes = truncated(bytes, change.size);
      continue;
    }
    for (let at = 0; at < change.bytes.length; ) {
      const end = Math.min(change.bytes.length, at + piece - ((change.at + at) % piece));
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
