/**
 * Walks over the records of a batch of magic 2 without making an object for any of them: one cursor holds the fields of the record it
 * stands on as numbers. The hot path of validation, and the ground of everything else that reads records.
 *
 * Invariants: every read is checked against the record's end, which is checked against the end of the data; nothing is allocated while
 * walking. Timestamp deltas beyond 2^53 come out rounded but unsafe (see int64.ts).
 * Source: protocol guide, "Record"; KIP-82 for headers.
 */
import { DecodeError } from './decode-error.ts';
import { Reader } from './reader.ts';

const MAX_INT32 = 0x7fff_ffff;
const NOTHING = Buffer.alloc(0);

/**
 * `whole`: a record fills exactly the size it declares. `skim`: the declared size is read and not believed, the fields alone say where
 * a record ends; it is what Kafka's validation of compressed batches looks at.
 */
export type RecordReading = 'whole' | 'skim';

export class RecordCursor {
  /** Where the record begins, its size field included. */
  position = 0;
  sizeInBytes = 0;
  timestampDelta = 0;
  offsetDelta = 0;
  keyPosition = 0;
  /** -1: null. */
  keyLength = -1;
  valuePosition = 0;
  /** -1: null. */
  valueLength = -1;
  headerCount = 0;
  headersPosition = 0;

  private bytes: Buffer = NOTHING;
  private reading: RecordReading = 'whole';
  private at = 0;
  private end = 0;
  private limit = 0;
  private maxBodyBytes = MAX_INT32;

  /** Stands before the first record of `bytes[position, end)`. `maxBodyBytes`: what a record may declare as its size. */
  open(bytes: Buffer, position = 0, end = bytes.length, reading: RecordReading = 'whole', maxBodyBytes = MAX_INT32): void {
    this.bytes = bytes;
    this.at = position;
    this.end = end;
    this.limit = end;
    this.reading = reading;
    this.maxBodyBytes = maxBodyBytes;
  }

  /** Whether bytes are left after the record it stands on. */
  get atEnd(): boolean {
    return this.at === this.end;
  }

  get key(): Buffer | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyPosition, this.keyPosition + this.keyLength);
  }

  get value(): Buffer | null {
    return this.valueLength < 0 ? null : this.bytes.subarray(this.valuePosition, this.valuePosition + this.valueLength);
  }

  /** Steps to the next record. DecodeError when there is none or it is not one. */
  next(): void {
    this.limit = this.end;
    this.position = this.at;
    const size = this.varint();
    const start = this.at;
    if (size < 0 || size > this.maxBodyBytes)
      throw new DecodeError(`record of ${size} bytes, at most ${this.maxBodyBytes} allowed`, start);
    if (this.reading === 'whole') {
      if (size > this.end - start) throw new DecodeError(`record of ${size} bytes, ${this.end - start} left`, start);
      this.limit = start + size;
    }
    this.skip(1);
    this.timestampDelta = this.varlong();
    this.offsetDelta = this.varint();
    this.keyLength = this.varint();
    this.keyPosition = this.at;
    this.skip(this.keyLength);
    this.valueLength = this.varint();
    this.valuePosition = this.at;
    this.skip(this.valueLength);
    this.skipHeaders();
    if (this.reading === 'whole' && this.at !== this.limit) {
      throw new DecodeError(`record of ${size} bytes ends after ${this.at - start}`, this.at);
    }
    this.sizeInBytes = this.at - this.position;
  }

  private skipHeaders(): void {
    const count = this.varint();
    if (count < 0 || count > this.limit - this.at)
      throw new DecodeError(`${count} record headers, ${this.limit - this.at} bytes left`, this.at);
    this.headerCount = count;
    this.headersPosition = this.at;
    for (let i = 0; i < count; i++) {
      const keyLength = this.varint();
      if (keyLength < 0) throw new DecodeError(`record header key of ${keyLength} bytes`, this.at);
      this.skip(keyLength);
      this.skip(this.varint());
    }
  }

  /** The headers of the record it stands on; keys are decoded, values are views. */
  headers(): { key: string; value: Buffer | null }[] {
    const headers: { key: string; value: Buffer | null }[] = [];
    const resume = this.at;
    this.at = this.headersPosition;
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = this.varint();
      const key = this.bytes.toString('utf8', this.at, this.at + keyLength);
      this.at += keyLength;
      const valueLength = this.varint();
      headers.push({ key, value: valueLength < 0 ? null : this.bytes.subarray(this.at, this.at + valueLength) });
      if (valueLength > 0) this.at += valueLength;
    }
    this.at = resume;
    return headers;
  }

  /** The timestamp delta of the record it stands on, exact where `timestampDelta` is rounded. */
  exactTimestampDelta(): bigint {
    const reader = new Reader(this.bytes, this.position, this.end);
    reader.varint();
    reader.int8();
    return reader.varlong();
  }

  private skip(length: number): void {
    if (length <= 0) return;
    if (length > this.limit - this.at)
      throw new DecodeError(`${length} bytes wanted, ${this.limit - this.at} left in the record`, this.at);
    this.at += length;
  }

  private byte(): number {
    if (this.at >= this.limit) throw new DecodeError('record ends within a number', this.at);
    return this.bytes[this.at++] as number;
  }

  /** Nearly all have one byte or two. */
  private varint(): number {
    const { at, bytes } = this;
    if (this.limit - at < 2) return this.longVarint();
    const first = bytes[at] as number;
    if (first < 0x80) {
      this.at = at + 1;
      return (first >>> 1) ^ -(first & 1);
    }
    const second = bytes[at + 1] as number;
    if (second >= 0x80) return this.longVarint();
    this.at = at + 2;
    return (((first & 0x7f) | (second << 7)) >>> 1) ^ -(first & 1);
  }

  private longVarint(): number {
    let byte = this.byte();
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new DecodeError('varint longer than 5 bytes', this.at);
  }

  private varlong(): number {
    let low = 0;
    let byte = 0x80;
    let shift = 0;
    for (; shift < 28; shift += 7) {
      byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    }
    let rest = 0;
    for (; shift < 63; shift += 7) {
      byte = this.byte();
      rest += (byte & 0x7f) * 2 ** (shift - 28);
      if (byte < 0x80) return unzigzag(low, rest);
    }
    byte = this.byte();
    if (byte >= 0x80) throw new DecodeError('varlong longer than 10 bytes', this.at);
    return unzigzag(low, rest + (byte & 1) * 2 ** 35);
  }
}

/** Zigzag of `low + rest * 2^28`, of which a number holds 53 bits. */
function unzigzag(low: number, rest: number): number {
  const half = rest * 2 ** 27 + (low >>> 1);
  return (low & 1) === 0 ? half : -half - 1;
}
