import { expect } from 'chai';
import { APIS, type Api, type ApiName } from '../../src/wire/generated/apis.ts';
import { readRequestHeader, writeRequestHeader } from '../../src/wire/generated/request-header.ts';
import { readResponseHeader, writeResponseHeader } from '../../src/wire/generated/response-header.ts';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';
import { apiSchemas, draftOf, headerSchema, restrict, type Schema, vectors } from '../support/protocol-data.ts';

interface Row {
  readonly name: string;
  readonly type: 'request' | 'response';
  readonly version: number;
  readonly variant: string;
  readonly bytes: string;
  readonly value: unknown;
  readonly unknown?: readonly [number, string][];
}

interface Codec {
  readonly read: (r: Reader, v: number) => object;
  readonly write: (w: Writer, m: object, v: number) => void;
}

const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function codecOf(api: Api, type: Row['type']): Codec {
  const [read, write] = type === 'request' ? [api.readRequest, api.writeRequest] : [api.readResponse, api.writeResponse];
  return { read, write };
}

function check(codec: Codec, schema: Schema, row: Row): void {
  const what = `${row.name} ${row.type} v${row.version} ${row.variant}`;
  const bytes = Buffer.from(row.bytes, 'hex');
  const draft = draftOf(schema, row.value);
  const unknownTags = row.unknown?.map(([tag, data]) => ({ tag, data: Buffer.from(data, 'hex') }));
  const w = new Writer();
  codec.write(w, unknownTags ? { ...draft, unknownTags } : draft, row.version);
  expect(w.concat().toString('hex'), `${what}: written`).to.equal(row.bytes);
  const r = new Reader(bytes);
  const message = codec.read(r, row.version);
  expect(r.remaining, `${what}: bytes left`).to.equal(0);
  expect(restrict(message, draft), `${what}: read`).to.deep.equal(draft);
  const again = new Writer();
  codec.write(again, message, row.version);
  expect(again.concat().toString('hex'), `${what}: written after reading`).to.equal(row.bytes);
}

describe('golden messages', () => {
  const schemas = apiSchemas().filter((api) => api.versions !== 'none');

  it('covers every API that has a schema', () => {
    expect(Object.values(APIS).map((api) => api.name)).to.have.members(schemas.map((api) => api.name));
    expect(schemas.length).to.be.greaterThan(85);
  });

  for (const schema of schemas) {
    it(`${schema.name} is read and written byte for byte`, () => {
      const api: Api = APIS[lower(schema.name) as ApiName];
      const rows = vectors<Row>('messages', `${schema.name}.jsonl`);
      expect(rows.length).to.be.greaterThan(0);
      for (const row of rows) check(codecOf(api, row.type), schema[row.type], { ...row, name: schema.name });
    });
  }

  it('keeps tagged fields that it does not know', () => {
    const rows = vectors<Row>('unknown-tags.jsonl');
    expect(rows.length).to.be.greaterThan(100);
    for (const row of rows) {
      const schema = schemas.find((s) => s.name === row.name);
      if (!schema) throw new Error(`no schema of ${row.name}`);
      check(codecOf(APIS[lower(row.name) as ApiName], row.type), schema[row.type], { ...row, variant: 'unknown tags' });
    }
  });

  it('reads and writes headers byte for byte', () => {
    for (const row of vectors<Row>('headers.jsonl')) {
      const request = row.name === 'RequestHeader';
      const codec = (
        request
          ? { read: readRequestHeader, write: writeRequestHeader }
          : { read: readResponseHeader, write: writeResponseHeader }
      ) as Codec;
      check(codec, headerSchema(request ? 'request-header' : 'response-header'), row);
    }
  });
});
