import { expect } from 'chai';
import { readInt64, writeInt64 } from '../../src/wire/int64.ts';
import { Reader } from '../../src/wire/reader.ts';
import { RecordCursor } from '../../src/wire/record-cursor.ts';
import { Writer } from '../../src/wire/writer.ts';
import { vectors } from '../support/protocol-data.ts';

interface Row {
  readonly type: string;
  readonly value: string;
  readonly bytes: string;
}

interface Primitive {
  readonly parse: (value: string) => unknown;
  readonly read: (r: Reader) => unknown;
  readonly write: (w: Writer, value: never) => void;
}

const primitives: { readonly [type: string]: Primitive } = {
  varint: { parse: Number, read: (r) => r.varint(), write: (w, v) => w.varint(v) },
  varlong: { parse: BigInt, read: (r) => r.varlong(), write: (w, v) => w.varlong(v) },
  unsignedVarint: { parse: Number, read: (r) => r.uvarint(), write: (w, v) => w.uvarint(v) },
  uuid: { parse: String, read: (r) => r.uuid(), write: (w, v) => w.uuid(v) },
  float64: { parse: Number, read: (r) => r.float64(), write: (w, v) => w.float64(v) },
};

const rows = vectors<Row>('primitives.jsonl');

describe('golden primitives', () => {
  for (const [type, primitive] of Object.entries(primitives)) {
    it(`${type} is read and written byte for byte`, () => {
      const mine = rows.filter((row) => row.type === type);
      expect(mine.length).to.be.greaterThan(2);
      for (const row of mine) {
        const value = primitive.parse(row.value);
        const w = new Writer();
        primitive.write(w, value as never);
        expect(w.concat().toString('hex'), row.value).to.equal(row.bytes);
        const r = new Reader(Buffer.from(row.bytes, 'hex'));
        expect(primitive.read(r)).to.deep.equal(value);
        expect(r.remaining).to.equal(0);
      }
    });
  }

  it('are all covered', () => {
    expect(new Set(rows.map((row) => row.type))).to.deep.equal(new Set(Object.keys(primitives)));
  });
});

describe('numbers of record batches', () => {
  const longs = rows.filter((row) => row.type === 'varlong').map((row) => BigInt(row.value));
  const edges = [
    ...longs,
    2n ** 53n - 1n,
    1n - 2n ** 53n,
    2n ** 53n,
    2n ** 32n,
    -(2n ** 32n),
    2n ** 27n,
    2n ** 28n - 1n,
    -(2n ** 34n) - 1n,
  ];

  it('a record cursor reads timestamp deltas exactly within 2^53, and keeps the rest unsafe', () => {
    for (const delta of edges) {
      const w = new Writer();
      w.int8(0);
      w.varlong(delta);
      for (const n of [0, -1, -1, 0]) w.varint(n);
      const body = w.concat();
      const record = new Writer();
      record.varint(body.length);
      record.raw(body);
      const cursor = new RecordCursor();
      cursor.open(record.concat());
      cursor.next();
      expect(cursor.exactTimestampDelta()).to.equal(delta);
      const safe = Number.isSafeInteger(Number(delta));
      expect(Number.isSafeInteger(cursor.timestampDelta), String(delta)).to.equal(safe);
      if (safe) expect(cursor.timestampDelta).to.equal(Number(delta));
    }
  });

  it('int64 is read and written exactly within 2^53, and keeps the rest unsafe', () => {
    const bytes = Buffer.alloc(10);
    for (const value of edges) {
      bytes.writeBigInt64BE(value, 1);
      const number = readInt64(bytes, 1);
      const safe = Number.isSafeInteger(Number(value));
      expect(Number.isSafeInteger(number), String(value)).to.equal(safe);
      if (!safe) continue;
      expect(number).to.equal(Number(value));
      bytes.fill(0x55);
      writeInt64(bytes, number, 1);
      expect(bytes.readBigInt64BE(1)).to.equal(value);
      expect([bytes[0], bytes[9]]).to.deep.equal([0x55, 0x55]);
    }
  });
});
