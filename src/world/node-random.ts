/**
 * The machine's source of chance: the kernel's, out of its file where there is one. What node:crypto gives is made of the same, but loading that module
 * takes a tenth of a start.
 */
import * as fs from 'node:fs';
import type { Random } from './random.ts';

const KERNEL = '/dev/urandom';
/** So many that what a remainder makes of them shows no bound's favourites. */
const BYTES_BELOW = 6;

function ofKernel(size: number): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = fs.openSync(KERNEL, 'r');
  } catch {
    return undefined;
  }
  try {
    const bytes = Buffer.alloc(size);
    for (let read = 0; read < size; ) read += fs.readSync(descriptor, bytes, read, size - read, null);
    return bytes;
  } finally {
    fs.closeSync(descriptor);
  }
}

export class NodeRandom implements Random {
  bytes(size: number): Buffer {
    return ofKernel(size) ?? process.getBuiltinModule('node:crypto').randomBytes(size);
  }

  below(bound: number): number {
    return this.bytes(BYTES_BELOW).readUIntBE(0, BYTES_BELOW) % bound;
  }
}
