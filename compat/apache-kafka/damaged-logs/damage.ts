/** What goes wrong with one file of a partition, drawn at random and done. */
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { LEADER_EPOCH_FILE } from '../../../src/log/leader-epochs.ts';
import { BATCH_OVERHEAD, batchSizeAt, lastOffsetAt } from '../../../src/log/batch-header.ts';
import { holdsOffset } from '../../../src/log/batch-search.ts';
import { offsetOfName } from '../../../src/log/segment-names.ts';
import { batchesOf } from '../../../src/wire/record-batch.ts';
import type { SeededRandom } from '../../../test/sim/seeded-random.ts';

export type Way =
  | 'flipped'
  | 'header'
  | 'truncated'
  | 'emptied'
  | 'missing'
  | 'garbage'
  | 'zeros'
  | 'hole'
  | 'overwritten'
  | 'doubled'
  | 'swapped';

export interface Damage {
  readonly way: Way;
  /** In the partition's directory. */
  readonly file: string;
  /** Of the byte, the cut or the piece. */
  readonly at: number;
  /** A mask, a length or a seed, as the way has it. */
  readonly by: number;
  /** The file that takes its place, and whose place it takes. */
  readonly other?: string;
}

/** By the end of a file's name; how often, in hundred. */
const FILES: readonly (readonly [suffix: string, weight: number])[] = [
  ['.log', 46],
  ['.index', 12],
  ['.timeindex', 12],
  ['.txnindex', 8],
  ['.snapshot', 12],
  ['leader-epoch-checkpoint', 10],
];
const ABORT_SIZE = 34;
/** What Apache Kafka reads of a batch to know how long it is. */
const UP_TO_MAGIC = 17;
const WAYS: readonly (readonly [way: Way, weight: number])[] = [
  ['flipped', 22],
  ['header', 18],
  ['truncated', 12],
  ['emptied', 6],
  ['missing', 6],
  ['garbage', 8],
  ['zeros', 6],
  ['hole', 6],
  ['overwritten', 6],
  ['doubled', 4],
  ['swapped', 6],
];

function weighed<T>(choices: readonly (readonly [T, number])[], random: SeededRandom): T {
  let left = random.below(choices.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [choice, weight] of choices) {
    left -= weight;
    if (left < 0) return choice;
  }
  throw new Error('weights do not add up');
}

/** Drawn again where Apache Kafka would not start, which is the end of all other logs of the directory: written cases are for those. */
export function drawDamage(folder: string, random: SeededRandom, wasKilled: boolean): Damage {
  for (;;) {
    const damage = drawn(folder, random);
    if (!stopsApacheKafka(folder, damage, wasKilled)) return damage;
  }
}

function stopsApacheKafka(folder: string, damage: Damage, wasKilled: boolean): boolean {
  const { way, file } = damage;
  const left = leftBy(folder, damage, file);
  if (left === undefined) return false;
  if (file === LEADER_EPOCH_FILE) return !areEpochs(left.toString());
  if (file.endsWith('.txnindex')) return !areAborts(left);
  // Recovery of either file.
  if (way === 'swapped' && file.endsWith('.log') && wasKilled) return true;
  // What it made as large as it may be may not be larger.
  if (wasKilled && file.endsWith('index') && (way === 'garbage' || way === 'zeros' || way === 'doubled')) return true;
  if (wasKilled && file.endsWith('.log') && hasOtherOffsets(left, offsetOfName(file) ?? 0)) return true;
  const last = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .at(-1);
  if (last === undefined) return false;
  const bytes = leftBy(folder, damage, last) ?? Buffer.alloc(0);
  return !endsReadably(bytes, leftBy(folder, damage, last.replace(/log$/, 'index')), offsetOfName(last) ?? 0);
}

/** What the damage leaves of any file of the folder; undefined where it is gone. */
function leftBy(folder: string, { way, file, at, by, other }: Damage, name: string): Buffer | undefined {
  const source = way !== 'swapped' ? name : name === file ? other : name === other ? file : name;
  const path = join(folder, source ?? name);
  if ((way === 'missing' && name === file) || !existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  return name === file && way !== 'swapped' ? damaged(bytes, way, at, by) : bytes;
}

/** Recovery takes an offset that the segment cannot have for one that older versions have left. */
function hasOtherOffsets(bytes: Buffer, baseOffset: number): boolean {
  for (let position = 0, size = 0; bytes.length - position >= BATCH_OVERHEAD; position += size) {
    size = batchSizeAt(bytes, position);
    if (size < 0) return false;
    if (!holdsOffset(baseOffset, lastOffsetAt(bytes, position))) return true;
  }
  return false;
}

/**
 * Whether Apache Kafka finds the end of a log in its last segment: it reads on from an index entry, whatever that leads to. An index of an odd size is made
 * anew.
 */
function endsReadably(bytes: Buffer, index: Buffer | undefined, baseOffset: number): boolean {
  const isFit = index !== undefined && index.length % 8 === 0;
  const starts = new Set([0]);
  for (let at = 4; isFit && at < index.length; at += 8) starts.add(index.readInt32BE(at));
  return [...starts].every((start) => start >= 0 && isReadableFrom(bytes, start, baseOffset));
}

function isReadableFrom(bytes: Buffer, start: number, baseOffset: number): boolean {
  let lastOffset = baseOffset;
  for (let position = start; bytes.length - position >= UP_TO_MAGIC; ) {
    const size = batchSizeAt(bytes, position);
    if (size < 0) return false;
    if (bytes.length - position < size) break;
    lastOffset = lastOffsetAt(bytes, position);
    position += size;
  }
  return lastOffset >= 0;
}

/** Whether Apache Kafka can read what a transaction index says; it stops at an entry of another version. */
function areAborts(bytes: Buffer): boolean {
  for (let position = 0; bytes.length - position >= ABORT_SIZE; position += ABORT_SIZE)
    if (bytes.readInt16BE(position) !== 0) return false;
  return true;
}

/** Whether Apache Kafka can read them; it stops at what it cannot. */
function areEpochs(text: string): boolean {
  if (text === '') return true;
  const [version, count, ...lines] = text.replace(/\n$/, '').split('\n');
  return version === '0' && Number(count) === lines.length && lines.every((line) => /^\d{1,9}\s+\d{1,18}$/.test(line));
}

function drawn(folder: string, random: SeededRandom): Damage {
  const names = readdirSync(folder).toSorted();
  for (;;) {
    const suffix = weighed(FILES, random);
    const named = names.filter((name) => name.endsWith(suffix));
    if (named.length === 0) continue;
    const file = random.pick(named);
    const size = statSync(join(folder, file)).size;
    const way = weighed(WAYS, random);
    const at =
      way === 'header' && suffix === '.log'
        ? inHeader(join(folder, file), random)
        : random.below(Math.max(1, usedOf(join(folder, file), size)));
    const by = 1 + random.below(255);
    if (way === 'missing' || way === 'garbage' || way === 'zeros') return { way, file, at, by };
    if (size === 0) continue;
    if (way !== 'swapped') return { way: way === 'header' ? 'flipped' : way, file, at, by };
    const others = named.filter((name) => name !== file);
    if (others.length > 0) return { way, file, at, by, other: random.pick(others) };
  }
}

/** Without the zeros that an index of Apache Kafka is given in advance. */
function usedOf(path: string, size: number): number {
  if (!extname(path).endsWith('index')) return size;
  const bytes = readFileSync(path);
  let used = bytes.length;
  while (used > 0 && bytes[used - 1] === 0) used--;
  return Math.min(size, used + 12);
}

const HEADER_SIZE = 61;

function inHeader(path: string, random: SeededRandom): number {
  const batches = batchesOf(readFileSync(path));
  return batches.length === 0 ? 0 : random.pick(batches).position + random.below(HEADER_SIZE);
}

const noise = (size: number, seed: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_unused, i) => ((i + 7) * seed * 31 + ((i * i) % 251)) & 0xff));

export function doDamage(folder: string, { way, file, at, by, other }: Damage): void {
  const path = join(folder, file);
  if (way === 'missing') return rmSync(path);
  if (way === 'swapped') {
    const second = join(folder, other ?? '');
    renameSync(path, `${path}-`);
    renameSync(second, path);
    return renameSync(`${path}-`, second);
  }
  writeFileSync(path, damaged(readFileSync(path), way, at, by));
}

function damaged(bytes: Buffer, way: Way, at: number, by: number): Buffer {
  switch (way) {
    case 'truncated':
      return bytes.subarray(0, at);
    case 'emptied':
      return Buffer.alloc(0);
    case 'garbage':
      return Buffer.concat([bytes, noise(by, at + 1)]);
    case 'zeros':
      return Buffer.concat([bytes, Buffer.alloc(by)]);
    case 'hole':
      return bytes.fill(0, at, Math.min(bytes.length, at + by));
    case 'overwritten':
      noise(by, at + 1).copy(bytes, at);
      return bytes;
    case 'doubled':
      return Buffer.concat([bytes, bytes.subarray(at)]);
    default:
      bytes[at] = (bytes[at] ?? 0) ^ by;
      return bytes;
  }
}

export const told = ({ way, file, at, by, other }: Damage): string =>
  `${file} ${way}${way === 'missing' || way === 'emptied' ? '' : way === 'swapped' ? ` with ${other}` : ` at ${at} by ${by}`}`;
