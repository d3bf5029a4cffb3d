/** The golden data directories of Apache Kafka on a disk in memory, read straight out of their archives. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FakeFiles } from '../sim/fake-files.ts';
import { FACTS } from './protocol-data.ts';

const BLOCK_BYTES = 512;
/** Enough of the zeros that Apache Kafka preallocates: as many entries of an index of either kind. */
const ZEROS_KEPT = 24 * 5;
/** Apache Kafka was stopped, or killed, at about this time. */
export const GOLDEN_NOW = 1_795_357_600_000;

/** What Apache Kafka gives of a partition of a golden directory: offsets as decimals, and the base offsets that a reader gets. */
export interface GoldenView {
  readonly start: string;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly readCommitted: readonly number[];
  readonly readUncommitted: readonly number[];
}

function withoutPreallocation(name: string, bytes: Buffer): Buffer {
  if (!/\.(time)?index$/.test(name)) return bytes;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const entry = name.endsWith('.index') ? 8 : 12;
  return bytes.subarray(0, Math.min(bytes.length, Math.ceil(end / entry) * entry + ZEROS_KEPT));
}

/** Puts `disk/<archive>.tar.gz` below `path`, with less of what is preallocated; everything is synced. */
export async function goldenDisk(archive: string, path: string): Promise<FakeFiles> {
  const tar = gunzipSync(readFileSync(join(FACTS, 'disk', `${archive}.tar.gz`)));
  const files = new FakeFiles(() => GOLDEN_NOW);
  const directories = new Set([path]);
  const text = (at: number, length: number): string => tar.toString('utf8', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; at + BLOCK_BYTES <= tar.length && text(at, 100) !== ''; ) {
    const name = `${text(at + 345, 155)}${text(at, 100)}`.replace(/^\.?\/?/, '').replace(/\/$/, '');
    const size = Number.parseInt(text(at + 124, 12), 8);
    const kind = text(at + 156, 1);
    const target = name === '' ? path : `${path}/${name}`;
    if (kind === '5') {
      files.makeDirectory(target);
      directories.add(target);
    } else {
      await files.replaceFile(target, withoutPreallocation(name, tar.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + size)));
    }
    at += BLOCK_BYTES * (1 + Math.ceil(size / BLOCK_BYTES));
  }
  for (const directory of ['/', ...directories]) await files.syncDirectory(directory);
  return files;
}

/** Files below `path`, theirs and no directories. */
export function filesBelow(files: FakeFiles, path: string): string[] {
  return files
    .list(path)
    .flatMap(({ name, directory }) => (directory ? filesBelow(files, `${path}/${name}`) : [`${path}/${name}`]));
}
