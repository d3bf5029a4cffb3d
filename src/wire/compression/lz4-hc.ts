/**
 * Packs a block of lz4 tighter than the native library does, for topics that set a level of lz4: slower, and the slower the higher the level.
 *
 * Three passes over a block. Every position is chained to the one before it that begins with the same four bytes. For every position the longest
 * earlier occurrence is looked for, among `2^(level - 1)` candidates, 512 at most. Then, from the end of the block to its beginning, the cheapest
 * way to write what follows a position is chosen: a match costs the same whatever its distance, so that of all matches only the longest one counts.
 *
 * Invariants: a block holds at most 64 KiB, so that distances fit 16 bits; what is written keeps the format's rules for the end (the last five
 * bytes are literals, no match begins within the last twelve), which native readers rely on; the workspace, 0.8 MiB, is made once; the work of a block
 * is bounded, whatever the data are: of few letters in no order, where every candidate matches a little, positions look at fewer of them.
 * Source: LZ4 block format; Lz4BlockOutputStream for which levels there are.
 */

/** The largest block. */
export const HC_BLOCK_BYTES = 64 * 1024;

const MIN_MATCH = 4;
/** The longest match whose length fits into the token. */
const LONGEST_IN_TOKEN = 18;
const LAST_LITERALS = 5;
const MATCHLESS_END = 12;
/** A match this long is taken as it is; the positions within it inherit it, shortened. */
const GOOD_ENOUGH = 64;
/** The native library behind Apache Kafka knows twelve levels as well; here the tenth finds all there is to find in nearly all data. */
const MOST_CANDIDATES = 512;
/**
 * How much may be looked at, as a mean over the positions so far: a candidate counts once, and once more for every few bytes that are compared. Data
 * with any structure stay far below.
 */
const WORK_PER_POSITION = 64;
const BYTES_COMPARED_AT_ONCE = 4;
/** Even where that has been used up. */
const FEWEST_CANDIDATES = 4;
/** How far ahead the rarest four bytes of a match are looked for. */
const RAREST_WITHIN = 32;
const HASH_BITS = 15;
const HASH_FACTOR = 0x9e37_79b1;

interface Workspace {
  /** By hash of four bytes: the last position with it, -1 before there is one. */
  readonly latest: Int32Array;
  /** By position: how far back the previous one with the same hash is, 0 when there is none. */
  readonly back: Uint16Array;
  /** By position: length of the longest match there, then of the one chosen; 0 for a literal. */
  readonly lengths: Uint16Array;
  readonly distances: Uint16Array;
  /** By position: how many bytes the block from there on is written with. */
  readonly costs: Int32Array;
  /** Room for a block that cannot be packed at all. */
  readonly packed: Buffer;
  /** What may still be looked at, as of WORK_PER_POSITION. */
  workLeft: number;
}

let workspace: Workspace | undefined;

const makeWorkspace = (): Workspace => ({
  latest: new Int32Array(1 << HASH_BITS),
  back: new Uint16Array(HC_BLOCK_BYTES),
  lengths: new Uint16Array(HC_BLOCK_BYTES),
  distances: new Uint16Array(HC_BLOCK_BYTES),
  costs: new Int32Array(HC_BLOCK_BYTES + 1),
  packed: Buffer.alloc(HC_BLOCK_BYTES + Math.ceil(HC_BLOCK_BYTES / 255) + 16),
  workLeft: 0,
});

/** The packed block, which may be longer than `data`. `level` from 1 on. */
export function packBlockHc(data: Buffer, level: number): Buffer {
  if (data.length > HC_BLOCK_BYTES) throw new Error(`lz4: a block of ${data.length} bytes, more than ${HC_BLOCK_BYTES}`);
  workspace ??= makeWorkspace();
  chainPositions(data, workspace);
  findMatches(data, workspace, Math.min(MOST_CANDIDATES, 2 ** (level - 1)));
  choosePath(data.length, workspace);
  return Buffer.from(workspace.packed.subarray(0, writeBlock(data, workspace)));
}

function chainPositions(data: Buffer, { latest, back }: Workspace): void {
  latest.fill(-1);
  for (let at = 0; at <= data.length - MIN_MATCH; at++) {
    const hash = Math.imul(data.readInt32LE(at), HASH_FACTOR) >>> (32 - HASH_BITS);
    const before = latest[hash] as number;
    back[at] = before < 0 ? 0 : at - before;
    latest[hash] = at;
  }
}

function findMatches(data: Buffer, w: Workspace, candidates: number): void {
  const { lengths, distances } = w;
  const end = data.length - LAST_LITERALS;
  const lastStart = data.length - MATCHLESS_END;
  let length = 0;
  let distance = 0;
  lengths.fill(0, 0, data.length);
  w.workLeft = 0;
  for (let at = 0; at <= lastStart; at++) {
    w.workLeft += WORK_PER_POSITION;
    // What matched at the position before goes on matching here.
    if (length > 0) length--;
    if (length < GOOD_ENOUGH) {
      const affordable = Math.max(FEWEST_CANDIDATES, Math.min(candidates, w.workLeft));
      const longer = longestMatch(data, w, at, end, Math.max(length, MIN_MATCH - 1), affordable);
      if (longer > 0) {
        distance = at - longer;
        length = matchLength(data, longer, at, end);
      }
    }
    if (length < MIN_MATCH) length = 0;
    lengths[at] = length;
    distances[at] = distance;
  }
}

function matchLength(data: Buffer, earlier: number, at: number, end: number): number {
  let length = 0;
  while (at + length < end && data[earlier + length] === data[at + length]) length++;
  return length;
}

/**
 * Where the bytes at `at` stood before, in the place that has the most of them; -1 when no place has more than `longerThan`. Whatever matches more
 * than `best` bytes holds every four of those bytes too: the candidates are followed along the rarest four, `ahead` bytes from where a match begins.
 */
function longestMatch(data: Buffer, w: Workspace, at: number, end: number, longerThan: number, candidates: number): number {
  const { back } = w;
  const enough = Math.min(end - at, GOOD_ENOUGH);
  let best = longerThan;
  let found = -1;
  let candidate = at;
  let ahead = rarest(back, at, best + 1 - MIN_MATCH);
  let left = candidates;
  for (; left > 0 && best < enough; left--) {
    const step = back[candidate + ahead] as number;
    candidate -= step;
    if (step === 0 || candidate < 0) break;
    if (data[candidate + best] !== data[at + best] || data[candidate] !== data[at]) continue;
    const length = matchLength(data, candidate, at, at + enough);
    left -= Math.floor(length / BYTES_COMPARED_AT_ONCE);
    if (length <= best) continue;
    best = length;
    found = candidate;
    ahead = rarest(back, candidate, length - MIN_MATCH);
  }
  w.workLeft -= candidates - left;
  return found;
}

/** Which four bytes, from 0 to `last` bytes after `from`, were met the longest ago. */
function rarest(back: Uint16Array, from: number, last: number): number {
  const within = Math.min(last, RAREST_WITHIN);
  let farthest = back[from] as number;
  let ahead = 0;
  for (let i = 1; i <= within && farthest > 0; i++) {
    const distance = back[from + i] as number;
    if (distance > farthest || distance === 0) {
      farthest = distance;
      ahead = i;
    }
  }
  return ahead;
}

/** How many bytes a length takes beside its half of the token. */
const extraBytes = (length: number): number => (length < 15 ? 0 : 1 + Math.floor((length - 15) / 255));

/** A token, a distance, and what of the length the token does not hold. */
const matchCost = (length: number): number => 3 + extraBytes(length - MIN_MATCH);

/** Leaves of the matches those that are to be written, shortened to what the token holds where that is cheaper. */
function choosePath(size: number, { lengths, costs }: Workspace): void {
  let literals = 0;
  costs[size] = 0;
  for (let at = size - 1; at >= 0; at--) {
    const longest = lengths[at] as number;
    let cost = (costs[at + 1] as number) + 1 + extraBytes(literals + 1) - extraBytes(literals);
    let chosen = 0;
    if (longest > 0) {
      const whole = (costs[at + longest] as number) + matchCost(longest);
      if (whole <= cost) {
        cost = whole;
        chosen = longest;
      }
      const short = Math.min(longest, LONGEST_IN_TOKEN);
      const shortened = (costs[at + short] as number) + matchCost(short);
      if (shortened < cost) {
        cost = shortened;
        chosen = short;
      }
    }
    costs[at] = cost;
    lengths[at] = chosen;
    literals = chosen === 0 ? literals + 1 : 0;
  }
}

/** Returns how many bytes were written. */
function writeBlock(data: Buffer, { lengths, distances, packed }: Workspace): number {
  let size = 0;
  let literalsAt = 0;
  for (let at = 0; at < data.length; ) {
    const length = lengths[at] as number;
    if (length === 0) {
      at++;
      continue;
    }
    size = writeLiterals(packed, size, data, literalsAt, at, Math.min(length - MIN_MATCH, 15));
    size = packed.writeUInt16LE(distances[at] as number, size);
    size = writeExtra(packed, size, length - MIN_MATCH);
    at += length;
    literalsAt = at;
  }
  return writeLiterals(packed, size, data, literalsAt, data.length, 0);
}

function writeLiterals(
  packed: Buffer,
  position: number,
  data: Buffer,
  start: number,
  end: number,
  tokensOtherHalf: number,
): number {
  const count = end - start;
  packed[position] = (Math.min(count, 15) << 4) | tokensOtherHalf;
  const size = writeExtra(packed, position + 1, count);
  data.copy(packed, size, start, end);
  return size + count;
}

function writeExtra(packed: Buffer, position: number, length: number): number {
  if (length < 15) return position;
  let left = length - 15;
  let at = position;
  for (; left >= 255; left -= 255) packed[at++] = 255;
  packed[at++] = left;
  return at;
}
