/** Damaged bytes: every decoder either decodes them or raises DecodeError, soon, and without building more than the bytes can hold. */
import { expect } from 'chai';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import { validateRecords } from '../../src/log/record-validator.ts';
import { readControlRecord } from '../../src/wire/control-record.ts';
import { readGroupRecord, readShareRecord, readTransactionRecord } from '../../src/wire/coordinator-record.ts';
import { DecodeError } from '../../src/wire/decode-error.ts';
import { readHead } from '../../src/wire/header.ts';
import { readMetadataRecord } from '../../src/wire/metadata-record.ts';
import { ProtocolViolation } from '../../src/wire/protocol-violation.ts';
import { Reader } from '../../src/wire/reader.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { batchesOf, CRC_AT, RecordBatch } from '../../src/wire/record-batch.ts';
import { codecOf } from '../support/codecs.ts';
import { apiSchemas, vectors } from '../support/protocol-data.ts';
import { randomOf, SEED } from '../support/property.ts';

type Decode = (bytes: Buffer) => unknown;

/** Longer input is damaged at this many places drawn by the seed, shorter input at every one. */
const PLACES = 120;

const random = randomOf(SEED);
const draw = (below: number): number => Math.floor(random() * below);

/** Elements of arrays and bytes of strings and byte fields: what a decoder builds in proportion to its input. */
function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 0;
  if (Buffer.isBuffer(value)) return value.length;
  let weight = Array.isArray(value) ? value.length : 0;
  for (const part of Object.values(value)) weight += weightOf(part);
  return weight;
}

/** What a struct may weigh that came from no bytes at all: the defaults of fields that its version does not have. */
const DEFAULTS_WEIGHT = 100;

function survives(decode: Decode, bytes: Buffer, what: () => string, weightLimit: number): void {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (e) {
    if (e instanceof DecodeError || e instanceof ProtocolViolation) return;
    throw new Error(
      `${what()}, seed ${SEED}: ${e instanceof Error ? e.stack : String(e)}\n${bytes.toString('hex').slice(0, 400)}`,
      { cause: e },
    );
  }
  const weight = weightOf(value);
  if (weight > weightLimit) throw new Error(`${what()}, seed ${SEED}: builds ${weight} of at most ${weightLimit}`);
}

function places(count: number): number[] {
  if (count <= PLACES) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: PLACES }, () => draw(count));
}

/** Cuts at every length, flips bits, and writes extreme bytes. Returns how many damaged inputs there were. */
function damage(name: string, decode: Decode, bytes: Buffer, perByte = 30): number {
  const limit = bytes.length * perByte + DEFAULTS_WEIGHT;
  let inputs = 0;
  for (const length of bytes.length > 1000 ? places(bytes.length) : Array.from({ length: bytes.length }, (_, i) => i)) {
    survives(decode, Buffer.from(bytes.subarray(0, length)), () => `${name} cut to ${length}`, limit);
    inputs++;
  }
  for (const bit of places(bytes.length * 8)) {
    const flipped = Buffer.from(bytes);
    flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7));
    survives(decode, flipped, () => `${name} with bit ${bit} flipped`, limit);
    inputs++;
  }
  for (const at of places(bytes.length).slice(0, 40)) {
    const worst = Buffer.from(bytes);
    worst.fill(draw(2) === 0 ? 0xff : 0x7f, at, Math.min(at + 4, worst.length));
    survives(decode, worst, () => `${name} with extreme bytes at ${at}`, limit);
    inputs++;
  }
  return inputs;
}

interface MessageRow {
  readonly type: 'request' | 'response';
  readonly version: number;
  readonly variant: string;
  readonly bytes: string;
}

describe('damaged bytes', function () {
  this.timeout(60_000);

  it('of every message', () => {
    let inputs = 0;
    for (const schema of apiSchemas().filter((s) => s.versions !== 'none')) {
      for (const row of vectors<MessageRow>('messages', `${schema.name}.jsonl`)) {
        const codec = codecOf(schema.name, row.type);
        const decode: Decode = (bytes) => codec.read(new Reader(bytes), row.version);
        inputs += damage(`${schema.name} ${row.type} v${row.version} ${row.variant}`, decode, Buffer.from(row.bytes, 'hex'));
      }
    }
    expect(inputs).to.be.greaterThan(100_000);
  });

  it('of unknown tags and frames', () => {
    for (const row of vectors<MessageRow & { name: string }>('unknown-tags.jsonl')) {
      const codec = codecOf(row.name, row.type);
      damage(
        `${row.name} with unknown tags`,
        (bytes) => codec.read(new Reader(bytes), row.version),
        Buffer.from(row.bytes, 'hex'),
      );
    }
    for (const row of vectors<{ name: string; type: string; frame: string }>('frames.jsonl').filter(
      (r) => r.type === 'request',
    )) {
      damage(`frame of ${row.name}`, (bytes) => readHead(bytes).clientId, Buffer.from(row.frame, 'hex').subarray(4));
    }
  });

  it('of records in every framing', () => {
    interface Row {
      readonly name: string;
      readonly side?: string;
      readonly version: number;
      readonly bytes?: string;
    }
    const rows = (family: string): (Row & { readonly bytes: string })[] =>
      vectors<Row>('records', `${family}.jsonl`).filter(
        (row): row is Row & { readonly bytes: string } => row.bytes !== undefined,
      );
    const each = (family: string, decodeOf: (row: Row) => Decode): void => {
      for (const row of rows(family)) damage(`${row.name} of ${family}`, decodeOf(row), Buffer.from(row.bytes, 'hex'));
    };
    each('metadata', () => readMetadataRecord);
    for (const family of ['embedded', 'file', 'remoteLog']) {
      each(family, (row) => {
        const codec = codecOf(row.name, 'value');
        const framed = family === 'remoteLog' ? 3 : 2;
        return (bytes) => codec.read(new Reader(bytes, Math.min(framed, bytes.length)), row.version);
      });
    }
    for (const type of [0, 1, 2, 3, 4, 5, 6])
      each('control', () => (bytes) => readControlRecord(Buffer.from([0, 0, 0, type]), bytes));
    for (const [family, read] of Object.entries({
      group: readGroupRecord,
      transaction: readTransactionRecord,
      share: readShareRecord,
    })) {
      const keys = new Map(rows(family).map((row) => [`${row.name} ${row.side}`, Buffer.from(row.bytes, 'hex')]));
      each(family, (row) => (bytes) => {
        const [key, value] = row.side === 'key' ? [bytes, null] : [keys.get(`${row.name} key`) as Buffer, bytes];
        return read(key, value);
      });
    }
  });

  it('of record batches and message sets, read and validated', () => {
    const MIB = 1024 * 1024;
    for (const row of vectors<{ name: string; bytes: string; completeBytes: number }>('batches.jsonl')) {
      const whole = Buffer.from(row.bytes, 'hex').subarray(0, row.completeBytes);
      const decode: Decode = (bytes) => batchesOf(bytes).map((batch) => recordsOf(batch, MIB).length);
      damage(row.name, decode, whole, 100);
      const validate: Decode = (bytes) => {
        if (bytes.length > CRC_AT + 4 && bytes[16] === 2) {
          try {
            for (const batch of batchesOf(bytes)) bytes.writeUInt32BE(batch.computeCrc(), batch.position + CRC_AT);
          } catch {
            return undefined;
          }
        }
        const origin = draw(2) === 0 ? 'client' : 'coordinator';
        if (bytes.length >= 8) bytes.writeBigInt64BE(0n, 0);
        const compressionType = draw(2) === 0 ? 'producer' : 'gzip';
        const config = { ...DEFAULT_LOG_CONFIG, compressionType } as const;
        const o = {
          config,
          nowMs: 1_700_000_000_000,
          origin,
          topicPartition: 't-0',
          firstOffset: 5,
          partitionLeaderEpoch: 1,
        } as const;
        const result = validateRecords(bytes, o);
        if (result.ok && result.records.length > 0 && !new RecordBatch(result.records).isValid)
          throw new Error('accepted with a wrong checksum');
        return undefined;
      };
      damage(`${row.name} validated`, validate, whole, 100);
    }
  });
});
