/**
 * Memory for bytes on their way through the broker (requests, blocks of a log's end, answers read from files) that is used again and again.
 *
 * V8 counts what buffers hold outside its heap and collects everything for every 64 MiB of new ones: at hundreds of megabytes a second that is a third
 * of the broker's work, and each new buffer is paged in anew. Here memory comes back as soon as nobody uses it.
 *
 * Invariants: whoever keeps a view beyond the call that gave it retains it; memory is given out again only when all its users have released it.
 * A user that never does so costs no more than a buffer that the garbage collector has to find, so only who is sure releases.
 */
const SMALLEST_SHIFT = 13;
const LARGEST_SHIFT = 24;
/**
 * As much is kept for the next; beyond that, what was not asked for for longest is left to the garbage collector. Large pieces that are freed do not
 * go back to the operating system for good: once that has happened, glibc keeps twice as much of everything.
 */
const KEPT_BYTES = 48 * 1024 * 1024;
/** Views below are copied rather than lent: who gets them copies them anyway, and nobody waits for them. */
export const LENT_FROM_BYTES = 2048;

/** From this size on a piece of up to eight times the size may be given; smaller ones may be held for long (the ends of logs). */
const LARGER_FROM_SHIFT = 18;
const LARGER_CLASSES = 3;

const SPOILED = 0xdb;

interface Piece {
  readonly bytes: Buffer;
  readonly sizeClass: number;
  users: number;
}

const pieces = new WeakMap<ArrayBufferLike, Piece>();
interface SizeClass {
  readonly kept: Piece[];
  /** When one was last asked for, in requests for memory. */
  askedAt: number;
}

const sizeClasses: SizeClass[] = Array.from({ length: LARGEST_SHIFT - SMALLEST_SHIFT + 1 }, () => ({ kept: [], askedAt: 0 }));
let keptBytes = 0;
let asked = 0;
let spoils = false;

/** Memory of `size` bytes, with whatever was in it, and one user: the caller. */
export function takeMemory(size: number): Buffer {
  const sizeClass = size <= 1 << SMALLEST_SHIFT ? 0 : 32 - Math.clz32(size - 1) - SMALLEST_SHIFT;
  const wanted = sizeClasses[sizeClass];
  if (wanted === undefined) return Buffer.allocUnsafeSlow(size);
  wanted.askedAt = ++asked;
  let piece = keptFor(sizeClass);
  if (piece === undefined) {
    piece = { bytes: Buffer.allocUnsafeSlow(1 << (sizeClass + SMALLEST_SHIFT)), sizeClass, users: 1 };
    pieces.set(piece.bytes.buffer, piece);
  } else {
    piece.users = 1;
    keptBytes -= piece.bytes.length;
  }
  return size === piece.bytes.length ? piece.bytes : piece.bytes.subarray(0, size);
}

/** Rather a piece that is too large than new memory: that is paged in anew, and the garbage collector runs for it. */
function keptFor(sizeClass: number): Piece | undefined {
  const largest = sizeClass + (sizeClass + SMALLEST_SHIFT < LARGER_FROM_SHIFT ? 0 : LARGER_CLASSES);
  for (let i = sizeClass; i <= largest; i++) {
    const piece = sizeClasses[i]?.kept.pop();
    if (piece !== undefined) return piece;
  }
  return undefined;
}

/** One user more of the memory that `view` lies in; nothing where that is not of here. */
export function retain(view: Buffer): void {
  const piece = pieces.get(view.buffer);
  if (piece === undefined) return;
  if (piece.users === 0) throw new Error(`memory of ${piece.bytes.length} bytes is to be used after it was released`);
  piece.users++;
}

/** One user less. */
export function release(view: Buffer): void {
  const piece = pieces.get(view.buffer);
  if (piece === undefined) return;
  if (piece.users === 0) throw new Error(`memory of ${piece.bytes.length} bytes was released more often than it was used`);
  piece.users--;
  if (piece.users > 0) return;
  if (spoils) piece.bytes.fill(SPOILED);
  keptBytes += piece.bytes.length;
  sizeClasses[piece.sizeClass]?.kept.push(piece);
  while (keptBytes > KEPT_BYTES) dropOne();
}

/** For tests: what is released is overwritten, so that whoever still looks at it is found out. */
export function spoilReleased(on: boolean): void {
  spoils = on;
}

/** A piece of the size that was not asked for for longest. */
function dropOne(): void {
  let oldest: SizeClass | undefined;
  for (const each of sizeClasses) {
    if (each.kept.length > 0 && (oldest === undefined || each.askedAt < oldest.askedAt)) oldest = each;
  }
  const dropped = oldest?.kept.pop();
  if (dropped === undefined) throw new Error(`${keptBytes} bytes are kept, and no piece has them`);
  keptBytes -= dropped.bytes.length;
}

/** `view` for somebody else, who may release it: retained, or a copy where it is short. */
export function lend(view: Buffer): Buffer {
  if (view.length < LENT_FROM_BYTES) return Buffer.from(view);
  retain(view);
  return view;
}
