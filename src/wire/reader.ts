/**
 * A cursor over bytes that reads the primitive types of the Kafka protocol.
 *
 * Invariants: `0 <= position <= end <= buffer.length`; every read checks what remains first and raises DecodeError, nothing else;
 * a count is checked against the bytes that remain before anything is allocated for it; byte fields are views, not copies.
 * Source: protocol guide, "Protocol Primitive Types"; KIP-482 for compact and tagged forms.
 */
import { DecodeError } from './decode-error.ts';
import { stringOfUuid } from './uuid.ts';

/** A tagged field that the schema does not know, kept so that a message is written back as it came. */
export interface UnknownTag {
  readonly tag: number;
  readonly data: Buffer;
}

/** Longest string in bytes, in either form (protocol guide: the length of the plain form is an int16). */
const MAX_STRING_BYTES = 0x7fff;

export class Reader {
  readonly buffer: Buffer;
  position: number;
  readonly end: number;

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  private take(size: number): number {
    const at = this.position;
    if (size > this.end - at) throw new DecodeError(`${size} bytes wanted, ${this.end - at} left`, at);
    this.position = at + size;
    return at;
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0;
  }

  int8(): number {
    return this.buffer.readInt8(this.take(1));
  }

  int16(): number {
    return this.buffer.readInt16BE(this.take(2));
  }

  uint16(): number {
    return this.buffer.readUInt16BE(this.take(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.take(4));
  }

  uint32(): number {
    return this.buffer.readUInt32BE(this.take(4));
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.take(8));
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8));
  }

  /** Sixteen bytes as 22 characters of unpadded base64url. */
  uuid(): string {
    return stringOfUuid(this.buffer, this.take(16));
  }

  /** Unsigned varint of at most five bytes. */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new DecodeError('varint longer than 5 bytes', this.position);
  }

  /** Zigzag varint of at most five bytes, as used inside record batches. */
  varint(): number {
    const value = this.uvarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Zigzag varint of at most ten bytes, as used inside record batches. */
  varlong(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.buffer[this.take(1)] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const unsigned = BigInt.asUintN(64, value);
        return BigInt.asIntN(64, (unsigned >> 1n) ^ -(unsigned & 1n));
      }
    }
    throw new DecodeError('varlong longer than 10 bytes', this.position);
  }

  string(): string {
    return this.notNull(this.nullableString());
  }

  nullableString(): string | null {
    return this.text(this.int16());
  }

  compactString(): string {
    return this.notNull(this.compactNullableString());
  }

  compactNullableString(): string | null {
    return this.text(this.compactLength());
  }

  private text(length: number): string | null {
    if (length < 0) return null;
    if (length > MAX_STRING_BYTES)
      throw new DecodeError(`string of ${length} bytes, more than ${MAX_STRING_BYTES}`, this.position);
    const at = this.take(length);
    return this.buffer.toString('utf8', at, at + length);
  }

  bytes(): Buffer {
    return this.notNull(this.nullableBytes());
  }

  nullableBytes(): Buffer | null {
    return this.view(this.int32());
  }

  compactBytes(): Buffer {
    return this.notNull(this.compactNullableBytes());
  }

  compactNullableBytes(): Buffer | null {
    return this.view(this.compactLength());
  }

  private view(length: number): Buffer | null {
    if (length < 0) return null;
    const at = this.take(length);
    return this.buffer.subarray(at, at + length);
  }

  /** Count of a non-null array. */
  arrayLength(): number {
    return this.notNull(this.nullableArrayLength());
  }

  nullableArrayLength(): number | null {
    return this.count(this.int32());
  }

  compactArrayLength(): number {
    return this.notNull(this.compactNullableArrayLength());
  }

  compactNullableArrayLength(): number | null {
    return this.count(this.compactLength());
  }

  private count(length: number): number | null {
    if (length < 0) return null;
    if (length > this.remaining)
      throw new DecodeError(`array of ${length} elements with ${this.remaining} bytes left`, this.position);
    return length;
  }

  private compactLength(): number {
    return (this.uvarint() | 0) - 1;
  }

  private notNull<T>(value: T | null): T {
    if (value === null) throw new DecodeError('null where the schema allows none', this.position);
    return value;
  }

  /** Keeps a tagged field that the schema does not know. The size comes before the data. */
  unknownTag(tag: number, size: number, kept: UnknownTag[] | undefined): UnknownTag[] {
    const at = this.take(size);
    const unknown = { tag, data: this.buffer.subarray(at, at + size) };
    if (kept === undefined) return [unknown];
    kept.push(unknown);
    return kept;
  }
}
