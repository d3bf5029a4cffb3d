/**
 * zstd for record batches: Node's own where it has one (22.15 and later). Before that frames are read by a package in JavaScript, and written by
 * the reference implementation in WebAssembly, once `loadZstd` has been waited for; until then blocks are stored, or named by their one byte, which
 * every reader of zstd reads as well.
 *
 * Invariants: what a frame declares (content, window) is checked before the package allocates it; a window is never larger than what
 * the frame's blocks can unpack to.
 * Source: RFC 8878.
 */
import { createRequire } from 'node:module';
import { DecodeError } from '../decode-error.ts';
import { nodeZlib } from './node-zlib.ts';
import { pieceBytes } from './piece-size.ts';

interface NodeZstd {
  zstdCompressSync?(data: Buffer, options: { params: { [parameter: number]: number } }): Buffer;
  zstdDecompressSync?(data: Buffer, options: { maxOutputLength: number; chunkSize: number }): Buffer;
}

const node = (): NodeZstd => nodeZlib() as NodeZstd;
/** ZSTD_c_compressionLevel, ZSTD_c_targetLength */
const [LEVEL_PARAMETER, TARGET_LENGTH_PARAMETER] = [100, 106];
const DEFAULT_LEVEL = 3;

interface Compressor {
  compress(data: Uint8Array, level: number): Uint8Array;
}

interface CompressorPackage {
  readonly Zstd: { load(): Promise<Compressor> };
}

let compressor: Compressor | undefined;

/** Makes `packZstd` pack where Node cannot; it takes some ten milliseconds and megabytes, the first time. */
export async function loadZstd(): Promise<void> {
  if (node().zstdCompressSync !== undefined || compressor !== undefined) return;
  // Not `import()`: the command runs out of its compile cache, where there is none.
  const { Zstd } = createRequire(import.meta.url)('@hpcc-js/wasm-zstd') as CompressorPackage;
  compressor = await Zstd.load();
}

export function packZstd(data: Buffer, level = DEFAULT_LEVEL): Buffer {
  const { zstdCompressSync } = node();
  if (zstdCompressSync) return zstdCompressSync(data, { params: nodesParameters(level) });
  if (compressor === undefined) {
    // Nobody has said before that it would be needed: it is there for the next ones.
    loadZstd().catch(() => undefined);
    return storeZstd(data);
  }
  const packed = compressor.compress(data, level);
  return Buffer.from(packed.buffer, packed.byteOffset, packed.length);
}

/** Node takes a parameter of -1 for one that is not set. Levels below zero differ in the target length alone, which is minus the level. */
const nodesParameters = (level: number): { [parameter: number]: number } =>
  level === -1 ? { [LEVEL_PARAMETER]: -2, [TARGET_LENGTH_PARAMETER]: 1 } : { [LEVEL_PARAMETER]: level };

export function unpackZstd(data: Buffer, maxBytes: number): Buffer {
  try {
    const { zstdDecompressSync } = node();
    if (zstdDecompressSync)
      return zstdDecompressSync(data, { maxOutputLength: Math.max(1, maxBytes), chunkSize: pieceBytes(data.length) });
    return unpackInJavaScript(data, maxBytes);
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause;
    throw new DecodeError(`zstd: ${cause instanceof Error ? cause.message : String(cause)}`, 0);
  }
}

interface Package {
  readonly Decompress: new (onData: (chunk: Uint8Array) => void) => { push(chunk: Uint8Array, final: boolean): void };
}

let loaded: Package | undefined;

function unpackInJavaScript(data: Buffer, maxBytes: number): Buffer {
  loaded ??= createRequire(import.meta.url)('fzstd') as Package;
  const input = withFittingWindows(data, maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  const stream = new loaded.Decompress((chunk) => {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    if (chunk.length > 0) chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
  });
  stream.push(input, true);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

const tooLarge = (maxBytes: number): DecodeError => new DecodeError(`zstd: unpacks to more than ${maxBytes} bytes`, 0);

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 128 * 1024;
const MIN_WINDOW_LOG = 10;
/** What the reference implementation allows unless told otherwise. */
const MAX_WINDOW_LOG = 27;

/** The frames with windows no larger than they need. DecodeError when blocks or sizes cannot be right. */
function withFittingWindows(data: Buffer, maxBytes: number): Buffer {
  const frames = Buffer.from(data);
  let at = 0;
  let left = maxBytes;
  while (at < frames.length) {
    if (frames.length - at < 8) throw new DecodeError('zstd: ends within a frame header', at);
    const magic = frames.readUInt32LE(at);
    if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + frames.readUInt32LE(at + 4);
    } else {
      if (magic !== FRAME_MAGIC) throw new DecodeError('zstd: not a frame of zstd', at);
      const frame = fitWindow(frames, at, left);
      left -= frame.leastBytes;
      at = frame.end;
    }
  }
  if (at > frames.length) throw new DecodeError('zstd: ends within a frame', frames.length);
  return frames;
}

/** Returns where the frame ends and how much it unpacks to at the least. */
function fitWindow(frames: Buffer, start: number, maxBytes: number): { end: number; leastBytes: number } {
  const flags = frames.readUInt8(start + 4);
  const singleSegment = (flags & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] as number;
  const sizeBytes = flags >>> 6 === 0 ? (singleSegment ? 1 : 0) : 1 << (flags >>> 6);
  const windowAt = start + 5;
  const sizeAt = windowAt + (singleSegment ? 0 : 1) + dictionaryBytes;
  const blocksAt = sizeAt + sizeBytes;
  if (blocksAt > frames.length) throw new DecodeError('zstd: ends within a frame header', start);
  if (dictionaryBytes > 0 && frames.readUIntLE(sizeAt - dictionaryBytes, dictionaryBytes) !== 0) {
    throw new DecodeError('zstd: needs a dictionary', start);
  }
  const blocks = measureBlocks(frames, blocksAt);
  const declared = declaredSize(frames, sizeAt, sizeBytes);
  if (blocks.least > maxBytes || (declared ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (declared !== undefined && declared > blocks.most)
    throw new DecodeError(`zstd: declares ${declared} bytes, holds at most ${blocks.most}`, start);
  if (!singleSegment) {
    const needed = Math.max(MIN_WINDOW_LOG, Math.ceil(Math.log2(Math.min(blocks.most, maxBytes) + 1)));
    const windowLog = MIN_WINDOW_LOG + (frames.readUInt8(windowAt) >>> 3);
    if (windowLog > MAX_WINDOW_LOG) throw new DecodeError(`zstd: window of 2^${windowLog} bytes`, windowAt);
    if (needed < windowLog) frames.writeUInt8((needed - MIN_WINDOW_LOG) << 3, windowAt);
  }
  return { end: blocks.end + ((flags & 4) === 0 ? 0 : 4), leastBytes: blocks.least };
}

function declaredSize(frames: Buffer, at: number, bytes: number): number | undefined {
  if (bytes === 0) return undefined;
  if (bytes === 8) return Number(frames.readBigUInt64LE(at));
  return frames.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}

/** How many bytes the blocks unpack to at the least and at the most. */
function measureBlocks(frames: Buffer, start: number): { end: number; least: number; most: number } {
  let at = start;
  let least = 0;
  let most = 0;
  for (;;) {
    if (frames.length - at < 3) throw new DecodeError('zstd: ends within a block header', at);
    const header = frames.readUIntLE(at, 3);
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === 3 || size > MAX_BLOCK_BYTES) throw new DecodeError(`zstd: block of type ${type} and ${size} bytes`, at);
    least += type === 2 ? 0 : size;
    most += type === 2 ? MAX_BLOCK_BYTES : size;
    at += 3 + (type === 1 ? 1 : size);
    if (at > frames.length) throw new DecodeError('zstd: ends within a block', at);
    if ((header & 1) === 1) return { end: at, least, most };
  }
}

const WINDOW_128_KIB = (17 - MIN_WINDOW_LOG) << 3;

function storeZstd(data: Buffer): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt32LE(FRAME_MAGIC);
  header.writeUInt8(WINDOW_128_KIB, 5);
  const chunks: Buffer[] = [header];
  let at = 0;
  do {
    const block = data.subarray(at, at + MAX_BLOCK_BYTES);
    at += block.length;
    const last = at >= data.length ? 1 : 0;
    const oneByte = block.length > 1 && block.every((byte) => byte === block[0]);
    const blockHeader = Buffer.alloc(3);
    blockHeader.writeUIntLE((block.length << 3) | (oneByte ? 2 : 0) | last, 0, 3);
    chunks.push(blockHeader, oneByte ? block.subarray(0, 1) : block);
  } while (at < data.length);
  return Buffer.concat(chunks);
}
