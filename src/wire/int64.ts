/**
 * Eight-byte integers as numbers, for offsets, timestamps and ids that are below 2^53 in every log that exists.
 *
 * Invariant: within +-2^53 reading and writing are exact. What lies beyond comes back rounded but still unsafe, so that a caller can ask
 * `Number.isSafeInteger` and refuse it.
 */
const HIGH = 0x1_0000_0000;

export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * HIGH + buffer.readUInt32BE(position + 4);
}

export function writeInt64(buffer: Buffer, value: number, position: number): void {
  buffer.writeInt32BE(Math.floor(value / HIGH), position);
  buffer.writeUInt32BE(value >>> 0, position + 4);
}

const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

/** What can be written as an int64 for a number that was read as one: itself, or what is nearest to it where it was rounded. */
export function writableInt64(value: number): number | bigint {
  if (Number.isSafeInteger(value)) return value;
  const near = BigInt(Math.trunc(value));
  return near < LEAST ? LEAST : near > GREATEST ? GREATEST : near;
}
