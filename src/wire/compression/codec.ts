/**
 * The five codecs of record batches behind two functions, both synchronous because validation is part of an append.
 *
 * Invariants: `decompress` raises DecodeError and nothing else, whatever the bytes are, and allocates no more than `maxBytes` plus a
 * small constant, however much they claim to unpack to. Native modules are loaded when a codec is first used, not when this one is.
 */
import { DecodeError } from '../decode-error.ts';
import { gunzip, gzip } from './gzip.ts';
import { packLz4, unpackLz4 } from './lz4.ts';
import { packSnappy, unpackSnappy } from './snappy.ts';
import { loadZstd, packZstd, unpackZstd } from './zstd.ts';

/** As in the attributes of a batch: none, gzip, snappy, lz4, zstd. */
export type CompressionCodec = 0 | 1 | 2 | 3 | 4;

export const NONE = 0;
export const GZIP = 1;
export const SNAPPY = 2;
export const LZ4 = 3;
export const ZSTD = 4;

/** Names as in `compression.type`, by codec number. */
export const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export interface DecompressOptions {
  /** Accept lz4 frames with the wrong header checksum that clients before magic 1 wrote. */
  readonly ignoreHeaderChecksum?: boolean;
  /** The answer may be overwritten by the next call: for who looks at it once. */
  readonly transient?: boolean;
}

/** To be waited for before `compress` is called with the codec: without it zstd makes nothing smaller on Node before 22.15. */
export async function prepareToCompress(codec: CompressionCodec): Promise<void> {
  if (codec === ZSTD) await loadZstd();
}

/** `level` counts for gzip (1 to 9, -1: its default), lz4 (1 to 17, of which 9, its default, is the fast one) and zstd (-131072 to 22, 0: its default). */
export function compress(codec: CompressionCodec, data: Buffer, level?: number): Buffer {
  switch (codec) {
    case NONE:
      return data;
    case GZIP:
      return gzip(data, level);
    case SNAPPY:
      return packSnappy(data);
    case LZ4:
      return packLz4(data, level);
    case ZSTD:
      return packZstd(data, level);
  }
}

/** DecodeError when `data` is not what the codec writes, or unpacks to more than `maxBytes`, or the codec's number means nothing. */
export function decompress(codec: number, data: Buffer, maxBytes: number, options: DecompressOptions = {}): Buffer {
  switch (codec) {
    case NONE:
      if (data.length > maxBytes) throw new DecodeError(`${data.length} bytes, more than ${maxBytes}`, 0);
      return data;
    case GZIP:
      return gunzip(data, maxBytes);
    case SNAPPY:
      return unpackSnappy(data, maxBytes);
    case LZ4:
      return unpackLz4(data, maxBytes, options.ignoreHeaderChecksum === true, options.transient === true);
    case ZSTD:
      return unpackZstd(data, maxBytes);
    default:
      throw new DecodeError(`unknown compression codec ${codec}`, 0);
  }
}
