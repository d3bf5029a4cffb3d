/** gzip for record batches, by node:zlib. Concatenated members are one stream, as Java reads them. */
import { DecodeError } from '../decode-error.ts';
import { nodeZlib } from './node-zlib.ts';
import { pieceBytes } from './piece-size.ts';

export function gzip(data: Buffer, level = -1): Buffer {
  return nodeZlib().gzipSync(data, { level });
}

export function gunzip(data: Buffer, maxBytes: number): Buffer {
  try {
    return nodeZlib().gunzipSync(data, { maxOutputLength: Math.max(1, maxBytes), chunkSize: pieceBytes(data.length) });
  } catch (cause) {
    throw new DecodeError(`gzip: ${cause instanceof Error ? cause.message : String(cause)}`, 0);
  }
}
