import { expect } from 'chai';
import * as fc from 'fast-check';
import { Reader } from '../../src/wire/reader.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { CODECS, type NamedCodec, written } from '../support/codecs.ts';
import { checked } from '../support/property.ts';
import { type Field, restrict, type Schema } from '../support/protocol-data.ts';

type Message = Record<string, unknown>;

/** Whether a version is in a range like `0`, `2+`, `1-4` or `none`. */
function within(range: string | undefined, version: number): boolean {
  const match = /^(\d+)(\+|-(\d+))?$/.exec(range ?? 'none');
  if (match === null) return false;
  const min = Number(match[1]);
  const max = match[2] === undefined ? min : match[2] === '+' ? Number.POSITIVE_INFINITY : Number(match[3]);
  return version >= min && version <= max;
}

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)),
);
const bytes = fc
  .oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 3000, maxLength: 3000 }))
  .map((b) => Buffer.from(b));
const smallBytes = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b));

const SCALARS: { readonly [type: string]: fc.Arbitrary<unknown> } = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64,
  float64: fc.double({ noNaN: true }).map((n) => (n === 0 ? 0 : n)),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString('base64url')),
  string: fc.string({ unit: 'grapheme', maxLength: 12 }),
};

function subFields(schema: Schema, field: Field, type: string): readonly Field[] {
  const fields = field.fields ?? schema.structs?.find((s) => s.name === type)?.fields;
  if (fields === undefined) throw new Error(`no struct ${type}`);
  return fields;
}

function ofType(schema: Schema, field: Field, type: string, version: number, tagged: boolean): fc.Arbitrary<unknown> {
  if (type.startsWith('[]')) return fc.array(ofType(schema, field, type.slice(2), version, tagged), { maxLength: 3 });
  if (type === 'bytes' || type === 'records') return tagged ? smallBytes : bytes;
  return SCALARS[type] ?? structOf(schema, subFields(schema, field, type), version, tagged);
}

/** A struct as it can be in this version: fields that are not in it are left out. */
function structOf(schema: Schema, fields: readonly Field[], version: number, tagged: boolean): fc.Arbitrary<Message> {
  const shape: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of fields) {
    if (!within(field.versions, version)) continue;
    const inTag = tagged || within(field.tagged, version);
    const value = ofType(schema, field, field.type, version, inTag);
    shape[field.name] = within((field as { nullable?: string }).nullable, version) ? fc.option(value, { freq: 4 }) : value;
  }
  return fc.record(shape);
}

const RUNS = 12;

function comesBack(codec: NamedCodec, version: number): void {
  checked(
    fc.property(structOf(codec.schema, codec.schema.fields, version, false), (message) => {
      const first = written(codec, message, version);
      const r = new Reader(first);
      const read = codec.read(r, version);
      expect(r.remaining).to.equal(0);
      expect(restrict(read, message)).to.deep.equal(message);
      expect(written(codec, read, version).equals(first), 'written again').to.equal(true);
    }),
    RUNS,
  );
}

describe('what is written is read back', () => {
  const byName = new Map<string, NamedCodec[]>();
  for (const codec of CODECS) byName.set(codec.name, [...(byName.get(codec.name) ?? []), codec]);
  for (const [name, codecs] of byName) {
    it(`${name}, every version`, () => {
      for (const codec of codecs) for (const version of codec.versions) comesBack(codec, version);
    });
  }

  it('record batches, in every codec', () => {
    const field = fc.option(fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b)));
    const timestamp = fc.oneof(
      fc.integer({ min: -1, max: 2 ** 31 }),
      fc.constantFrom(0, 1_700_000_000_000, 2 ** 52),
      fc.maxSafeNat(),
    );
    const record = fc.record({
      key: field,
      value: field,
      timestamp,
      headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 8 }), value: field }), { maxLength: 3 }),
    });
    const batch = fc.record({
      baseOffset: fc.maxSafeNat().map((n) => Math.floor(n / 2)),
      partitionLeaderEpoch: fc.integer({ min: -1 }),
      records: fc.array(record, { minLength: 1, maxLength: 20 }),
      codec: fc.constantFrom(0, 1, 2, 3, 4),
      producerId: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
      producerEpoch: fc.integer({ min: -1, max: 32767 }),
      baseSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
      transactional: fc.boolean(),
      control: fc.boolean(),
    });
    checked(
      fc.property(batch, ({ codec, ...rest }) => {
        const draft = { ...rest, codec };
        const view = new RecordBatch(buildBatch(draft));
        expect(view.isValid).to.equal(true);
        const { baseOffset, partitionLeaderEpoch, producerId, producerEpoch, baseSequence } = draft;
        const isTransactional = draft.transactional;
        expect(view).to.include({
          baseOffset,
          partitionLeaderEpoch,
          producerId,
          producerEpoch,
          baseSequence,
          codec,
          isTransactional,
          isControl: draft.control,
        });
        expect(view.maxTimestamp).to.equal(Math.max(...draft.records.map((r) => r.timestamp)));
        expect(recordsOf(view)).to.deep.equal(draft.records.map((r, i) => ({ ...r, offset: baseOffset + i })));
      }),
      150,
    );
  });
});
