/**
 * A record batch as a view over the bytes it came in: nothing is copied, fields are read where they lie, and the few that a broker may
 * change are patched in place. Message sets of magic 0 and 1 have the same outer frame and answer the same questions.
 *
 * Invariants: a view covers `sizeInBytes` bytes from `position`, and whoever makes one knows that they are there (`batchesOf` checks);
 * offsets, timestamps and producer ids are numbers, exact within 2^53 (see int64.ts); base offset, size and leader epoch lie outside
 * the checksum, so patching them leaves it valid.
 * Source: protocol guide, "Record Batch"; KIP-98, KIP-534 (delete horizon).
 */
import { nodeZlib } from './compression/node-zlib.ts';
import { crc32c } from './crc32c.ts';
import { DecodeError } from './decode-error.ts';
import { readInt64, writeInt64 } from './int64.ts';

export const BASE_OFFSET_AT = 0;
export const LENGTH_AT = 8;
export const PARTITION_LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;
/** Where the records of a batch of magic 2 begin: the size of its header. */
export const RECORDS_AT = 61;

/** Base offset and length: what stands before the part that the length counts. */
export const LOG_OVERHEAD = 12;
/** What must be there to know a batch's size and magic. */
const HEADER_UP_TO_MAGIC = 17;
/** The smallest length field: an empty message of magic 0. */
const MIN_LENGTH = 14;

const LEGACY_CRC_AT = 12;
const LEGACY_ATTRIBUTES_AT = 17;
const LEGACY_TIMESTAMP_AT = 18;

const CODEC_MASK = 0x07;
export const TIMESTAMP_TYPE_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
export const DELETE_HORIZON_BIT = 0x40;

export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
const NO_PARTITION_LEADER_EPOCH = -1;

export type TimestampType = 'CreateTime' | 'LogAppendTime';

const MAX_INT32 = 0x7fff_ffff;

/** The sequence number `n` records after `base`; sequences wrap from 2^31-1 to 0. */
export function sequenceAfter(base: number, n: number): number {
  return base > MAX_INT32 - n ? n - (MAX_INT32 - base) - 1 : base + n;
}

export class RecordBatch {
  readonly buffer: Buffer;
  readonly position: number;

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer;
    this.position = position;
  }

  /** The batch's own bytes, a view. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.position, this.position + this.sizeInBytes);
  }

  get magic(): number {
    return this.buffer.readInt8(this.position + MAGIC_AT);
  }

  /** Of a compressed message set of magic 0 or 1: the last offset, since its first one is known only after unpacking. */
  get baseOffset(): number {
    return readInt64(this.buffer, this.position + BASE_OFFSET_AT);
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta;
  }

  get sizeInBytes(): number {
    return LOG_OVERHEAD + this.buffer.readInt32BE(this.position + LENGTH_AT);
  }

  get partitionLeaderEpoch(): number {
    return this.magic < 2 ? NO_PARTITION_LEADER_EPOCH : this.buffer.readInt32BE(this.position + PARTITION_LEADER_EPOCH_AT);
  }

  /** The stored checksum. */
  get crc(): number {
    return this.buffer.readUInt32BE(this.position + (this.magic < 2 ? LEGACY_CRC_AT : CRC_AT));
  }

  get attributes(): number {
    return this.magic < 2
      ? this.buffer.readUInt8(this.position + LEGACY_ATTRIBUTES_AT)
      : this.buffer.readUInt16BE(this.position + ATTRIBUTES_AT);
  }

  /** Number of the compression codec, 0 to 7; 5 to 7 mean nothing. */
  get codec(): number {
    return this.attributes & CODEC_MASK;
  }

  get timestampType(): TimestampType {
    return (this.attributes & TIMESTAMP_TYPE_BIT) === 0 ? 'CreateTime' : 'LogAppendTime';
  }

  get isTransactional(): boolean {
    return this.magic >= 2 && (this.attributes & TRANSACTIONAL_BIT) !== 0;
  }

  get isControl(): boolean {
    return this.magic >= 2 && (this.attributes & CONTROL_BIT) !== 0;
  }

  /** When tombstones and markers of this batch may be removed; undefined while compaction has not decided. */
  get deleteHorizonMs(): number | undefined {
    const set = this.magic >= 2 && (this.attributes & DELETE_HORIZON_BIT) !== 0;
    return set ? readInt64(this.buffer, this.position + BASE_TIMESTAMP_AT) : undefined;
  }

  get lastOffsetDelta(): number {
    return this.magic < 2 ? 0 : this.buffer.readInt32BE(this.position + LAST_OFFSET_DELTA_AT);
  }

  /** What record timestamps are relative to. */
  get baseTimestamp(): number {
    return this.magic < 2 ? this.maxTimestamp : readInt64(this.buffer, this.position + BASE_TIMESTAMP_AT);
  }

  get maxTimestamp(): number {
    if (this.magic === 0) return NO_TIMESTAMP;
    return readInt64(this.buffer, this.position + (this.magic === 1 ? LEGACY_TIMESTAMP_AT : MAX_TIMESTAMP_AT));
  }

  get producerId(): number {
    return this.magic < 2 ? NO_PRODUCER_ID : readInt64(this.buffer, this.position + PRODUCER_ID_AT);
  }

  get producerEpoch(): number {
    return this.magic < 2 ? NO_PRODUCER_EPOCH : this.buffer.readInt16BE(this.position + PRODUCER_EPOCH_AT);
  }

  get baseSequence(): number {
    return this.magic < 2 ? NO_SEQUENCE : this.buffer.readInt32BE(this.position + BASE_SEQUENCE_AT);
  }

  get lastSequence(): number {
    const base = this.baseSequence;
    return base === NO_SEQUENCE ? NO_SEQUENCE : sequenceAfter(base, this.lastOffsetDelta);
  }

  /** Number of records; of a message of magic 0 or 1 it is 1 and says nothing about a compressed set. */
  get count(): number {
    return this.magic < 2 ? 1 : this.buffer.readInt32BE(this.position + RECORD_COUNT_AT);
  }

  /** The checksum that the bytes should have. */
  computeCrc(): number {
    const end = this.position + this.sizeInBytes;
    if (this.magic >= 2) return crc32c(this.buffer, this.position + ATTRIBUTES_AT, end);
    return nodeZlib().crc32(this.buffer.subarray(this.position + MAGIC_AT, end)) >>> 0;
  }

  /** Whether the batch is large enough for its header and its checksum is right. */
  get isValid(): boolean {
    return (this.magic < 2 || this.sizeInBytes >= RECORDS_AT) && this.crc === this.computeCrc();
  }

  /** All offsets of the batch follow; outside the checksum. */
  setBaseOffset(offset: number): void {
    writeInt64(this.buffer, offset, this.position + BASE_OFFSET_AT);
  }

  /** Outside the checksum. Only magic 2 has it. */
  setPartitionLeaderEpoch(epoch: number): void {
    this.buffer.writeInt32BE(epoch, this.position + PARTITION_LEADER_EPOCH_AT);
  }

  /** Sets both and recomputes the checksum, or does nothing when both are so already. Only magic 2. */
  setMaxTimestamp(type: TimestampType, timestamp: number): void {
    if (this.timestampType === type && this.maxTimestamp === timestamp) return;
    const attributes = type === 'LogAppendTime' ? this.attributes | TIMESTAMP_TYPE_BIT : this.attributes & ~TIMESTAMP_TYPE_BIT;
    this.buffer.writeUInt16BE(attributes & 0x7f, this.position + ATTRIBUTES_AT);
    writeInt64(this.buffer, timestamp, this.position + MAX_TIMESTAMP_AT);
    this.buffer.writeUInt32BE(this.computeCrc(), this.position + CRC_AT);
  }
}

/**
 * Size of the batch at `position`, its frame included; undefined when too few bytes are there to say or to hold all of it.
 * DecodeError when the length or the magic cannot be a batch's.
 */
export function sizeOfBatchAt(bytes: Buffer, position: number, end = bytes.length): number | undefined {
  if (end - position < LOG_OVERHEAD) return undefined;
  const length = bytes.readInt32BE(position + LENGTH_AT);
  if (length < MIN_LENGTH)
    throw new DecodeError(`Record size ${length} is less than the minimum record overhead (${MIN_LENGTH})`, position);
  if (end - position < HEADER_UP_TO_MAGIC) return undefined;
  const magic = bytes.readInt8(position + MAGIC_AT);
  if (magic < 0 || magic > 2) throw new DecodeError(`Invalid magic found in record: ${magic}`, position);
  const size = LOG_OVERHEAD + length;
  return size <= end - position ? size : undefined;
}

/** How many of the first bytes are whole batches. DecodeError as `sizeOfBatchAt`. */
export function completeBytes(bytes: Buffer): number {
  let position = 0;
  for (;;) {
    const size = sizeOfBatchAt(bytes, position);
    if (size === undefined) return position;
    position += size;
  }
}

/** The batches that fill `bytes`. DecodeError when the last one is torn, a length or magic is impossible, or a header does not fit. */
export function batchesOf(bytes: Buffer): RecordBatch[] {
  const batches: RecordBatch[] = [];
  let position = 0;
  while (position < bytes.length) {
    const size = sizeOfBatchAt(bytes, position);
    if (size === undefined) throw new DecodeError(`torn record batch, ${bytes.length - position} bytes left`, position);
    const batch = new RecordBatch(bytes, position);
    const header = batch.magic === 2 ? RECORDS_AT : batch.magic === 1 ? 34 : 26;
    if (size < header) throw new DecodeError(`record batch of ${size} bytes, less than its header of ${header}`, position);
    batches.push(batch);
    position += size;
  }
  return batches;
}
