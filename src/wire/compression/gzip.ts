/** gzip for record batches, by node:zlib. Concatenated members are one stream, as Java reads them. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { DecodeError } from '../decode-error.ts';
import { pieceBytes } from './piece-size.ts';

export function gzip(data: Buffer, level = -1): Buffer {
  return gzipSync(data, { level });
}

export function gunzip(data: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(data, { maxOutputLength: Math.max(1, maxBytes), chunkSize: pieceBytes(data.length) });
  } catch (cause) {
    throw new DecodeError(`gzip: ${cause instanceof Error ? cause.message : String(cause)}`, 0);
  }
}
