/**
 * CRC-32C (Castagnoli), the checksum of record batches and producer snapshots.
 *
 * Two implementations of one function: table-driven JavaScript, and a native one where its optional package is installed. A call into
 * native code costs more than the checksum of a short batch, so short input always takes the first way.
 */
import { createRequire } from 'node:module';
import castagnoli from 'crc-32/crc32c.js';

/** Below this many bytes the table wins over a call into native code. */
const NATIVE_FROM_BYTES = 300;

type Checksum = (bytes: Buffer) => number;

const inTables: Checksum = (bytes) => castagnoli.buf(bytes, 0) >>> 0;

let longInput: Checksum | undefined;

/** The native implementation, or the tables where it is not installed for this platform. */
function chooseLongInput(): Checksum {
  try {
    const native = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c(bytes: Uint8Array): number };
    return (bytes) => native.crc32c(bytes);
  } catch {
    return inTables;
  }
}

/** Checksum of `buffer[start, end)`, an unsigned 32-bit number. */
export function crc32c(buffer: Buffer, start = 0, end = buffer.length): number {
  const bytes = start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end);
  if (bytes.length < NATIVE_FROM_BYTES) return inTables(bytes);
  longInput ??= chooseLongInput();
  return longInput(bytes);
}

/** Every implementation that this machine has, by name, so that all can be compared. */
export function crc32cImplementations(): ReadonlyMap<string, Checksum> {
  return new Map([
    ['tables', inTables],
    ['long input', chooseLongInput()],
  ]);
}
