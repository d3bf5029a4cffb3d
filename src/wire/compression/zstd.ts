/** zstd for record batches. Node's own where it has one (22.15 and later); before that a reader and a writer in JavaScript. */
import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { DecodeError } from '../decode-error.ts';

interface NodeZstd {
  zstdCompressSync?(data: Buffer, options: { params: { [parameter: number]: number } }): Buffer;
  zstdDecompressSync?(data: Buffer, options: { maxOutputLength: number }): Buffer;
}

const node: NodeZstd = zlib as NodeZstd;
/** ZSTD_c_compressionLevel */
const LEVEL_PARAMETER = 100;
const DEFAULT_LEVEL = 3;

export function packZstd(data: Buffer, level = DEFAULT_LEVEL): Buffer {
  if (node.zstdCompressSync) return node.zstdCompressSync(data, { params: { [LEVEL_PARAMETER]: level } });
  return storeZstd(data);
}

export function unpackZstd(data: Buffer, maxBytes: number): Buffer {
  try {
    if (node.zstdDecompressSync) return node.zstdDecompressSync(data, { maxOutputLength: Math.max(1, maxBytes) });
    const fzstd = createRequire(import.meta.url)('fzstd') as { decompress(data: Uint8Array): Uint8Array };
    const out = fzstd.decompress(data);
    return Buffer.from(out.buffer, out.byteOffset, out.length);
  } catch (cause) {
    throw new DecodeError(`zstd: ${cause instanceof Error ? cause.message : String(cause)}`, 0);
  }
}

function storeZstd(data: Buffer): Buffer {
  const chunks: Buffer[] = [Buffer.from('28b52ffd0058', 'hex')];
  let at = 0;
  do {
    const block = data.subarray(at, at + 65536);
    at += block.length;
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at >= data.length ? 1 : 0), 0, 3);
    chunks.push(header, block);
  } while (at < data.length);
  return Buffer.concat(chunks);
}
