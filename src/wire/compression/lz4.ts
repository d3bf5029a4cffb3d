/**
 * lz4 frames for record batches, read by the rules of Kafka's own reader: version 1, independent blocks, header and block checksums
 * checked, the content checksum and what follows the frame not looked at. Clients before magic 1 computed the header checksum wrongly.
 *
 * The reader is written here, blocks included, because the packages for it unpack without a limit. Written are frames as Java's client
 * writes them: independent blocks of 64 KiB, no checksums but the header's. As there, blocks are packed as fast as can be at the default level, natively,
 * and as tightly as the level says at every other one.
 * Source: LZ4 frame format 1.6, LZ4 block format.
 */
import { createRequire } from 'node:module';
import { DecodeError } from '../decode-error.ts';
import { HC_BLOCK_BYTES, packBlockHc } from './lz4-hc.ts';
import { xxhash32 } from './xxhash32.ts';

interface Native {
  /** The packed block behind its unpacked size, four bytes. */
  compressSync(data: Buffer): Buffer;
}

let loaded: Native | undefined;

function native(): Native {
  loaded ??= createRequire(import.meta.url)('lz4-napi') as Native;
  return loaded;
}

const MAGIC = 0x184d2204;
const STORED_BIT = 0x8000_0000;
const SIZE_PREFIX_BYTES = 4;
/** Shorter copies are done faster than handed over: from the input, and within the output. */
const BYTEWISE_UP_TO = 48;
const BYTEWISE_WITHIN_UP_TO = 16;

/** What must be left of a block, and of the room for what it unpacks to, behind literals that are not the last, and behind a match. */
const INPUT_AFTER_LITERALS = 8;
const OUTPUT_AFTER_LITERALS = 12;
const INPUT_AFTER_MATCH = 4;
const OUTPUT_AFTER_MATCH = 5;
/** Where as much as this is left, few literals are copied without asking what is left behind them. */
const EARLY_INPUT = 17;
const EARLY_OUTPUT = 32;

/** Magic, flags (version 1, independent blocks), block size 64 KiB, checksum of the two. */
const FRAME_HEADER = Buffer.from('04224d18604082', 'hex');
const BLOCK_BYTES = HC_BLOCK_BYTES;
/** Neither the lowest nor the highest, but the one that names the fast way. */
const DEFAULT_LEVEL = 9;

const packBlockFast = (block: Buffer): Buffer => native().compressSync(block).subarray(SIZE_PREFIX_BYTES);

export function packLz4(data: Buffer, level = DEFAULT_LEVEL): Buffer {
  const chunks: Buffer[] = [FRAME_HEADER];
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = data.subarray(at, at + BLOCK_BYTES);
    const packed = level === DEFAULT_LEVEL ? packBlockFast(block) : packBlockHc(block, level);
    const size = Buffer.allocUnsafe(4);
    const stored = packed.length >= block.length;
    size.writeUInt32LE(stored ? (block.length | STORED_BIT) >>> 0 : packed.length);
    chunks.push(size, stored ? block : packed);
  }
  chunks.push(Buffer.alloc(4));
  return Buffer.concat(chunks);
}

interface Frame {
  readonly maxBlockBytes: number;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  /** Where the blocks begin. */
  readonly position: number;
}

function corrupt(message: string, position: number): never {
  throw new DecodeError(`lz4: ${message}`, position);
}

function readFrameHeader(data: Buffer, ignoreChecksum: boolean): Frame {
  if (data.length < 7) corrupt('ends within the frame header', 0);
  if (data.readUInt32LE(0) !== MAGIC) corrupt('not a frame of lz4', 0);
  const flags = data.readUInt8(4);
  const descriptor = data.readUInt8(5);
  if (flags >>> 6 !== 1) corrupt(`frame version ${flags >>> 6} is unknown`, 4);
  if ((flags & 0x20) === 0) corrupt('blocks depend on each other, which Kafka does not allow', 4);
  if ((flags & 0x03) !== 0) corrupt(`reserved bits of the flags ${flags} are set`, 4);
  const size = (descriptor >>> 4) & 7;
  if (size < 4 || (descriptor & 0x8f) !== 0) corrupt(`block descriptor ${descriptor} is invalid`, 5);
  const end = 6 + ((flags & 0x08) === 0 ? 0 : 8);
  if (data.length <= end) corrupt('ends within the frame header', end);
  if (!ignoreChecksum && data[end] !== ((xxhash32(data, 4, end) >>> 8) & 0xff)) corrupt('header checksum is wrong', end);
  return {
    maxBlockBytes: 1 << (2 * size + 8),
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 0x04) !== 0,
    position: end + 1,
  };
}

/** What has been unpacked so far, of all blocks, in one buffer that grows: thousands of small ones would not be given back to the operating system. */
interface Unpacked {
  bytes: Buffer;
  size: number;
  readonly maxBytes: number;
}

/** Where transient answers stand. */
let spare: Buffer | undefined;
/** Twice a megabyte of records, as clients send them, and what the last doubling may be too large. */
const LARGEST_SPARE_BYTES = 4 * 1024 * 1024;

/** `transient`: the answer is good until the next call, and costs no memory of its own. */
export function unpackLz4(data: Buffer, maxBytes: number, ignoreHeaderChecksum: boolean, transient = false): Buffer {
  const frame = readFrameHeader(data, ignoreHeaderChecksum);
  const fitting = Math.min(maxBytes, Math.max(256, data.length * 4));
  const bytes = transient && spare !== undefined && spare.length <= maxBytes ? spare : Buffer.allocUnsafe(fitting);
  const out: Unpacked = { bytes, size: 0, maxBytes };
  let at = frame.position;
  for (;;) {
    if (data.length - at < 4) corrupt('ends without an end mark', at);
    const word = data.readUInt32LE(at);
    const length = word & ~STORED_BIT;
    at += 4;
    if (length === 0) break;
    if (length > frame.maxBlockBytes) corrupt(`block of ${length} bytes, more than ${frame.maxBlockBytes}`, at);
    if (length > data.length - at) corrupt(`block of ${length} bytes, ${data.length - at} left`, at);
    const end = at + length;
    if (word >= STORED_BIT) store(out, data, at, end);
    else unpackBlock(out, data, at, end, out.size + frame.maxBlockBytes);
    if (frame.blockChecksums) checkBlock(data, at, end);
    at = end + (frame.blockChecksums ? 4 : 0);
  }
  if (frame.contentChecksum && data.length - at < 4) corrupt('ends within the content checksum', at);
  if (transient && out.bytes.length <= LARGEST_SPARE_BYTES) spare = out.bytes;
  return out.bytes.subarray(0, out.size);
}

function store(out: Unpacked, data: Buffer, start: number, end: number): void {
  const size = out.size + end - start;
  makeRoom(out, size, size, start);
  data.copy(out.bytes, out.size, start, end);
  out.size = size;
}

function checkBlock(data: Buffer, start: number, end: number): void {
  if (data.length - end < 4) corrupt('ends within a block checksum', end);
  if (data.readUInt32LE(end) !== xxhash32(data, start, end)) corrupt('block checksum is wrong', end);
}

/**
 * Adds what `data[start, end)` unpacks to. Blocks are independent: matches reach back to the block's own beginning, `blockLimit` is where it has to end.
 *
 * What ends a block is judged as by the reference's safe decoder, which Apache Kafka reads with: the last literals end where the block does, and nothing
 * but last literals may end within eight bytes of its end or twelve of its limit, a few of them excepted. Zero bytes back are taken for zeros there, and so they are here.
 */
function unpackBlock(unpacked: Unpacked, data: Buffer, start: number, end: number, blockLimit: number): void {
  const base = unpacked.size;
  let out = unpacked.bytes;
  let size = base;
  let at = start;
  for (;;) {
    if (at >= end) corrupt('ends without last literals', at);
    const token = data[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let byte: number;
      do {
        if (at >= end) corrupt('ends within a length', at);
        byte = data[at++] as number;
        literals += byte;
      } while (byte === 255);
    }
    if (literals > end - at) corrupt(`${literals} literals, ${end - at} bytes left`, at);
    const early = literals < 15 && at <= end - EARLY_INPUT && size <= blockLimit - EARLY_OUTPUT;
    const late = at + literals > end - INPUT_AFTER_LITERALS || size + literals > blockLimit - OUTPUT_AFTER_LITERALS;
    const last = !early && late;
    if (last && at + literals !== end) corrupt(`${literals} literals are followed too late by a match`, at);
    if (size + literals > out.length || size + literals > blockLimit) {
      unpacked.size = size;
      out = makeRoom(unpacked, size + literals, blockLimit, at);
    }
    if (literals > BYTEWISE_UP_TO) {
      data.copy(out, size, at, at + literals);
      size += literals;
      at += literals;
    } else {
      for (const to = size + literals; size < to; ) out[size++] = data[at++] as number;
    }
    if (last) break;
    const offset = (data[at] as number) | ((data[at + 1] as number) << 8);
    at += 2;
    if (offset > size - base) corrupt(`match at ${offset} bytes before byte ${size - base}`, at);
    let length = (token & 15) + 4;
    if (length === 19) {
      let byte: number;
      do {
        if (at >= end - INPUT_AFTER_MATCH) corrupt('ends too soon after a length', at);
        byte = data[at++] as number;
        length += byte;
      } while (byte === 255);
    }
    if (size + length > blockLimit - OUTPUT_AFTER_MATCH) corrupt(`match of ${length} bytes too near the end of the block`, at);
    if (size + length > out.length) {
      unpacked.size = size;
      out = makeRoom(unpacked, size + length, blockLimit, at);
    }
    size = copyMatch(out, size, offset, length);
  }
  unpacked.size = size;
}

/** Lets `out` hold `size` bytes, of which those before `out.size` stay. */
function makeRoom(out: Unpacked, size: number, blockLimit: number, at: number): Buffer {
  if (size > blockLimit) corrupt('block unpacks to more than its frame allows', at);
  if (size > out.maxBytes) corrupt(`unpacks to more than ${out.maxBytes} bytes`, at);
  if (size > out.bytes.length) {
    const larger = Buffer.allocUnsafe(Math.min(out.maxBytes, Math.max(out.bytes.length * 2, size)));
    out.bytes.copy(larger, 0, 0, out.size);
    out.bytes = larger;
  }
  return out.bytes;
}

/** Source and target may overlap: then what was just copied is copied again. */
function copyMatch(out: Buffer, size: number, offset: number, length: number): number {
  const end = size + length;
  if (offset === 0) {
    out.fill(0, size, end);
    return end;
  }
  if (length <= BYTEWISE_WITHIN_UP_TO || offset < BYTEWISE_WITHIN_UP_TO) {
    for (let to = size; to < end; to++) out[to] = out[to - offset] as number;
    return end;
  }
  const from = size - offset;
  // What was just copied goes on where it came from: twice as much can be copied next.
  for (let to = size; to < end; to += to - from) out.copyWithin(to, from, Math.min(to, from + end - to));
  return end;
}
