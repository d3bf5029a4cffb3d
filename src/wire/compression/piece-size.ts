/**
 * How large the pieces are in which node:zlib unpacks.
 *
 * What a bomb unpacks to in its own 16 or 64 KiB pieces lies in the allocator's heap and is not given back to the operating system when it is dropped; large
 * pieces are.
 */
const MIN_PIECE_BYTES = 16 * 1024;
const MAX_PIECE_BYTES = 4 * 1024 * 1024;

export function pieceBytes(packedBytes: number): number {
  return Math.min(MAX_PIECE_BYTES, Math.max(MIN_PIECE_BYTES, packedBytes * 4));
}
