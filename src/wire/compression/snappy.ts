/**
 * snappy for record batches. Java clients frame it (xerial's format: a magic header, two version numbers, then blocks behind an int32
 * length each); others write one bare block. Both are read; the framed form is written, as Java does.
 *
 * Invariants: the size that a block declares is checked against the limit and against what so many bytes can unpack to at all, before
 * native code allocates it.
 */
import { createRequire } from 'node:module';
import { DecodeError } from '../decode-error.ts';

interface Native {
  compressSync(input: Buffer): Buffer;
  uncompressSync(input: Buffer, options: { asBuffer: true }): Buffer;
}

let loaded: Native | undefined;

function native(): Native {
  loaded ??= createRequire(import.meta.url)('snappy') as Native;
  return loaded;
}

/** Magic, version 1, lowest compatible version 1. */
const FRAME_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex');
const MAGIC = FRAME_HEADER.subarray(0, 8);
const BLOCK_BYTES = 32 * 1024;
/** The longest copy of 64 bytes takes three. */
const MAX_RATIO = 22;

export function packSnappy(data: Buffer): Buffer {
  const chunks: Buffer[] = [FRAME_HEADER];
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = native().compressSync(data.subarray(at, at + BLOCK_BYTES));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length);
    chunks.push(length, block);
  }
  return Buffer.concat(chunks);
}

export function unpackSnappy(data: Buffer, maxBytes: number): Buffer {
  const framed = data.length >= FRAME_HEADER.length && data.subarray(0, MAGIC.length).equals(MAGIC);
  if (!framed) return unpackBlock(data, maxBytes);
  const blocks: Buffer[] = [];
  let left = maxBytes;
  let at = FRAME_HEADER.length;
  while (at < data.length) {
    if (data.length - at < 4) throw new DecodeError('snappy: ends within a block length', at);
    const length = data.readInt32BE(at);
    at += 4;
    if (length < 0 || length > data.length - at)
      throw new DecodeError(`snappy: block of ${length} bytes, ${data.length - at} left`, at);
    const block = unpackBlock(data.subarray(at, at + length), left);
    blocks.push(block);
    left -= block.length;
    at += length;
  }
  return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks);
}

function unpackBlock(block: Buffer, maxBytes: number): Buffer {
  const size = declaredSize(block);
  if (size > maxBytes) throw new DecodeError(`snappy: unpacks to ${size} bytes, more than ${maxBytes}`, 0);
  if (size > block.length * MAX_RATIO) throw new DecodeError(`snappy: ${block.length} bytes cannot unpack to ${size}`, 0);
  try {
    return native().uncompressSync(block, { asBuffer: true });
  } catch (cause) {
    throw new DecodeError(`snappy: ${cause instanceof Error ? cause.message : String(cause)}`, 0);
  }
}

/** The unsigned varint that a block begins with. */
function declaredSize(block: Buffer): number {
  let size = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return size;
  }
  throw new DecodeError('snappy: no size at the beginning', 0);
}
