/**
 * Builds a message as a list of chunks: small fields are packed into growing blocks, large byte fields are passed on as views, uncopied.
 *
 * Invariants: `chunks()` in order are the message; a tagged field holds no passed-on view (sizes stand before the data and are patched in place).
 * Source: protocol guide, "Protocol Primitive Types"; KIP-482 for compact and tagged forms.
 */
import type { UnknownTag } from './reader.ts';
import { putUuid } from './uuid.ts';

/** From this size on bytes are passed on as they are; below it copying is cheaper than one more chunk. */
const PASS_ON_BYTES = 2048;
const FIRST_BLOCK_BYTES = 512;

export class Writer {
  private block: Buffer;
  private used = 0;
  /** Where in `block` the part begins that is not yet in `done`. */
  private start = 0;
  private readonly done: Buffer[] = [];
  private doneBytes = 0;

  constructor(firstBlockBytes = FIRST_BLOCK_BYTES) {
    this.block = Buffer.allocUnsafe(firstBlockBytes);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.doneBytes + this.used - this.start;
  }

  /** The message so far. The writer may not be used afterwards. */
  chunks(): Buffer[] {
    this.closePart();
    return this.done;
  }

  /** The message so far in one buffer. The writer may not be used afterwards. */
  concat(): Buffer {
    const chunks = this.chunks();
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  }

  private closePart(): void {
    if (this.used > this.start) {
      this.done.push(this.block.subarray(this.start, this.used));
      this.doneBytes += this.used - this.start;
      this.start = this.used;
    }
  }

  private room(size: number): number {
    const at = this.used;
    if (at + size > this.block.length) return this.grow(size);
    this.used = at + size;
    return at;
  }

  private grow(size: number): number {
    const open = this.used - this.start;
    const block = Buffer.allocUnsafe(Math.max(this.block.length * 2, open + size));
    this.block.copy(block, 0, this.start, this.used);
    this.block = block;
    this.start = 0;
    this.used = open + size;
    return open;
  }

  bool(value: boolean): void {
    const at = this.room(1);
    this.block[at] = value ? 1 : 0;
  }

  int8(value: number): void {
    const at = this.room(1);
    this.block.writeInt8(value, at);
  }

  int16(value: number): void {
    const at = this.room(2);
    this.block.writeInt16BE(value, at);
  }

  uint16(value: number): void {
    const at = this.room(2);
    this.block.writeUInt16BE(value, at);
  }

  int32(value: number): void {
    const at = this.room(4);
    this.block.writeInt32BE(value, at);
  }

  uint32(value: number): void {
    const at = this.room(4);
    this.block.writeUInt32BE(value, at);
  }

  /** A number must be a safe integer: what cannot be held exactly is refused, not rounded. */
  int64(value: bigint | number): void {
    const at = this.room(8);
    if (typeof value === 'bigint') {
      this.block.writeBigInt64BE(value, at);
      return;
    }
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
    this.block.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
    this.block.writeUInt32BE(value >>> 0, at + 4);
  }

  float64(value: number): void {
    const at = this.room(8);
    this.block.writeDoubleBE(value, at);
  }

  uuid(value: string): void {
    const at = this.room(16);
    putUuid(this.block, value, at);
  }

  uvarint(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      const at = this.room(1);
      this.block[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    const at = this.room(1);
    this.block[at] = rest;
  }

  varint(value: number): void {
    this.uvarint((value << 1) ^ (value >> 31));
  }

  varlong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest > 0x7fn) {
      this.bool(false);
      this.block[this.used - 1] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    const at = this.room(1);
    this.block[at] = Number(rest);
  }

  string(value: string): void {
    const size = stringBytes(value);
    this.int16(size);
    this.text(value, size);
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    const size = stringBytes(value);
    this.uvarint(size + 1);
    this.text(value, size);
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0);
    else this.compactString(value);
  }

  private text(value: string, size: number): void {
    const at = this.room(size);
    this.block.write(value, at, size, 'utf8');
  }

  bytes(value: Buffer | readonly Buffer[]): void {
    this.int32(byteLength(value));
    this.raw(value);
  }

  nullableBytes(value: Buffer | readonly Buffer[] | null): void {
    if (value === null) this.int32(-1);
    else this.bytes(value);
  }

  compactBytes(value: Buffer | readonly Buffer[]): void {
    this.uvarint(byteLength(value) + 1);
    this.raw(value);
  }

  compactNullableBytes(value: Buffer | readonly Buffer[] | null): void {
    if (value === null) this.uvarint(0);
    else this.compactBytes(value);
  }

  /** Bytes without a length. */
  raw(value: Buffer | readonly Buffer[]): void {
    if (!Buffer.isBuffer(value)) {
      for (const part of value) this.raw(part);
    } else if (value.length >= PASS_ON_BYTES) {
      this.closePart();
      this.done.push(value);
      this.doneBytes += value.length;
    } else {
      const at = this.room(value.length);
      value.copy(this.block, at);
    }
  }

  arrayLength(value: number): void {
    this.int32(value);
  }

  nullableArrayLength(value: number | null): void {
    this.int32(value ?? -1);
  }

  compactArrayLength(value: number): void {
    this.uvarint(value + 1);
  }

  compactNullableArrayLength(value: number | null): void {
    this.uvarint(value === null ? 0 : value + 1);
  }

  /** Begins a tagged field; what is written until `endTag` is its data. */
  beginTag(tag: number): number {
    this.uvarint(tag);
    return this.size;
  }

  /** Puts the size of the field's data, written since `begin`, before that data. */
  endTag(begin: number): void {
    const size = this.size - begin;
    if (this.used - this.start < size) throw new Error(`a tagged field of ${size} bytes holds a passed-on view`);
    const prefix = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : size < 0x1000_0000 ? 4 : 5;
    this.room(prefix);
    const data = this.used - prefix - size;
    this.block.copyWithin(data + prefix, data, data + size);
    const end = this.used;
    this.used = data;
    this.uvarint(size);
    this.used = end;
  }

  /** Writes the kept unknown tags with numbers above `after` and below `before`, so that tags ascend. */
  unknownTags(tags: readonly UnknownTag[] | undefined, after: number, before: number): void {
    if (tags === undefined) return;
    for (const { tag, data } of tags) {
      if (tag <= after || tag >= before) continue;
      this.uvarint(tag);
      this.uvarint(data.length);
      this.raw(data);
    }
  }
}

function byteLength(value: Buffer | readonly Buffer[]): number {
  if (Buffer.isBuffer(value)) return value.length;
  let size = 0;
  for (const part of value) size += part.length;
  return size;
}

function stringBytes(value: string): number {
  const size = Buffer.byteLength(value);
  if (size > 0x7fff) throw new RangeError(`string of ${size} bytes, more than 32767, cannot be written`);
  return size;
}
