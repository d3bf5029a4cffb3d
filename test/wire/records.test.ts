import { expect } from 'chai';
import { controlRecordKind, readControlRecord, writeControlRecord } from '../../src/wire/control-record.ts';
import {
  type GroupRecordDraft,
  readGroupRecord,
  readShareRecord,
  readTransactionRecord,
  writeGroupRecordKey,
  writeGroupRecordValue,
  writeShareRecordKey,
  writeShareRecordValue,
  writeTransactionRecordKey,
  writeTransactionRecordValue,
} from '../../src/wire/coordinator-record.ts';
import { DecodeError } from '../../src/wire/decode-error.ts';
import { type MetadataRecordDraft, readMetadataRecord, writeMetadataRecord } from '../../src/wire/metadata-record.ts';
import { Reader } from '../../src/wire/reader.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { Writer } from '../../src/wire/writer.ts';
import { codecOf, FAMILIES } from '../support/codecs.ts';
import { draftOf, recordSchemas, restrict, vectors } from '../support/protocol-data.ts';

interface Row {
  readonly name: string;
  readonly key?: number;
  readonly side?: 'key' | 'value';
  readonly version: number;
  readonly variant: string;
  readonly bytes?: string;
  readonly value: unknown;
}

const framings = new Map(recordSchemas().map((schema) => [schema.name, schema.framing]));

/** What stands before a body, by its framing. */
function prefix(row: Row): Buffer {
  const w = new Writer();
  switch (framings.get(row.name)) {
    case 'typed-frame':
      for (const n of [1, row.key ?? -1, row.version]) w.uvarint(n);
      break;
    case 'key-value':
      w.int16(row.side === 'key' ? (row.key ?? -1) : row.version);
      break;
    case 'version-prefixed':
      w.int16(row.version);
      break;
    case 'control':
      break;
    default:
      throw new Error(`${row.name} has no framing`);
  }
  return w.concat();
}

const rowsOf = (family: string): Row[] => vectors<Row>('records', `${family}.jsonl`);
const what = (row: Row): string => `${row.name} ${row.side ?? ''} v${row.version} ${row.variant}`;
const draftOfRow = (row: Row): Record<string, unknown> => draftOf(codecOf(row.name, row.side ?? 'value').schema, row.value);
const hexOf = (row: Row): string => row.bytes ?? '';
const bytesOf = (row: Row): Buffer => Buffer.from(hexOf(row), 'hex');

describe('golden records', () => {
  for (const family of FAMILIES) {
    it(`of ${family} are read and written byte for byte`, () => {
      const rows = rowsOf(family).filter((row) => row.bytes !== undefined);
      expect(rows.length).to.be.greaterThan(3);
      for (const row of rows) {
        const codec = codecOf(row.name, row.side ?? 'value');
        const draft = draftOfRow(row);
        const version = row.side === 'key' ? 0 : row.version;
        const framed = prefix(row);
        const w = new Writer();
        codec.write(w, draft, version);
        expect(Buffer.concat([framed, w.concat()]).toString('hex'), `${what(row)}: written`).to.equal(hexOf(row));
        const r = new Reader(bytesOf(row), framed.length);
        const message = codec.read(r, version);
        expect(r.remaining, `${what(row)}: bytes left`).to.equal(0);
        expect(restrict(message, draft), `${what(row)}: read`).to.deep.equal(draft);
        const again = new Writer();
        codec.write(again, message, version);
        expect(Buffer.concat([framed, again.concat()]).toString('hex'), `${what(row)}: written after reading`).to.equal(
          hexOf(row),
        );
      }
    });
  }
});

describe('metadata records', () => {
  it('come and go in their frame', () => {
    for (const row of rowsOf('metadata')) {
      const draft = { kind: row.name, value: draftOfRow(row) } as unknown as MetadataRecordDraft;
      expect(writeMetadataRecord(draft, row.version).toString('hex'), what(row)).to.equal(hexOf(row));
      expect(writeMetadataRecord({ ...draft, version: row.version }, 0).toString('hex'), what(row)).to.equal(hexOf(row));
      const read = readMetadataRecord(bytesOf(row));
      expect(read.kind).to.equal(row.name);
      expect(restrict(read.value, draft.value), what(row)).to.deep.equal(draft.value);
    }
  });

  it('are refused when frame, kind or version is unknown, or bytes are left', () => {
    for (const [hex, reason] of [
      ['020000', 'frame version 2'],
      ['010600', 'type 6 is unknown'],
      ['010901', 'RemoveTopicRecord version 1'],
      ['01140000ff', '1 bytes left after NoOpRecord'],
    ] as const) {
      expect(() => readMetadataRecord(Buffer.from(hex, 'hex'))).to.throw(DecodeError, reason);
    }
    expect(() => writeMetadataRecord({ kind: 'NoOpRecord', value: {} }, 1)).to.throw(RangeError, 'NoOpRecord has no version 1');
  });
});

describe('coordinator records', () => {
  interface Sides {
    readonly read: (key: Buffer, value: Buffer | null) => { kind: string; key: object; value: object | null } | undefined;
    readonly writeKey: (record: never) => Buffer;
    readonly writeValue: (record: never) => Buffer | null;
  }
  const families: { readonly [family: string]: Sides } = {
    group: { read: readGroupRecord, writeKey: writeGroupRecordKey, writeValue: writeGroupRecordValue },
    transaction: { read: readTransactionRecord, writeKey: writeTransactionRecordKey, writeValue: writeTransactionRecordValue },
    share: { read: readShareRecord, writeKey: writeShareRecordKey, writeValue: writeShareRecordValue },
  };
  for (const [family, sides] of Object.entries(families)) {
    it(`of ${family} come and go as key and value`, () => {
      const rows = rowsOf(family);
      const keys = new Map(rows.filter((row) => row.side === 'key').map((row) => [row.name, row]));
      for (const row of rows.filter((r) => r.side === 'value')) {
        const keyRow = keys.get(row.name) as Row;
        const draft = { kind: row.name, key: draftOfRow(keyRow), value: draftOfRow(row), version: row.version };
        const key = sides.writeKey(draft as never);
        const value = sides.writeValue(draft as never);
        expect(key.toString('hex'), what(keyRow)).to.equal(hexOf(keyRow));
        expect(value?.toString('hex'), what(row)).to.equal(hexOf(row));
        const read = sides.read(key, value);
        expect(restrict(read, { kind: row.name, key: draft.key, value: draft.value }), what(row)).to.deep.equal({
          kind: row.name,
          key: draft.key,
          value: draft.value,
        });
        expect(sides.read(key, null), 'a tombstone').to.deep.include({ kind: row.name, value: null });
        expect(sides.writeValue({ ...draft, value: null } as never)).to.equal(null);
      }
    });
  }

  it('are written in the versions that Kafka writes', () => {
    const versionOf = (value: Buffer | null): number | undefined => value?.readInt16BE(0);
    const group: GroupRecordDraft = {
      kind: 'GroupMetadata',
      key: { group: 'g' },
      value: { protocolType: 'consumer', generation: 1, protocol: null, leader: null, members: [] },
    };
    const commit: GroupRecordDraft = {
      kind: 'OffsetCommit',
      key: { group: 'g', topic: 't', partition: 0 },
      value: { offset: 5, metadata: '', commitTimestamp: 1 },
    };
    expect(versionOf(writeGroupRecordValue(group))).to.equal(3);
    expect(versionOf(writeGroupRecordValue(commit))).to.equal(4);
    expect(versionOf(writeGroupRecordValue({ ...commit, version: 1 }))).to.equal(1);
    expect(() => writeGroupRecordValue({ ...commit, version: 9 })).to.throw(RangeError, 'OffsetCommit has no version 9');
  });

  it('of an unknown kind are passed over, those of an unknown version refused', () => {
    expect(readGroupRecord(Buffer.from('7fff00', 'hex'), Buffer.from('0000', 'hex'))).to.equal(undefined);
    const key = writeGroupRecordKey({ kind: 'GroupMetadata', key: { group: 'g' }, value: null });
    expect(() => readGroupRecord(key, Buffer.from('0063', 'hex'))).to.throw(DecodeError, 'GroupMetadata version 99 is unknown');
    expect(() => readGroupRecord(Buffer.concat([key, Buffer.alloc(1)]), null)).to.throw(DecodeError, '1 bytes left');
  });
});

describe('control records', () => {
  it('are those of the golden control batches', () => {
    const rows = vectors<{ name: string; bytes: string }>('batches.jsonl').filter((row) => row.name.startsWith('control-'));
    expect(rows.length).to.be.greaterThan(6);
    const kinds: string[] = [];
    for (const row of rows) {
      const bytes = Buffer.from(row.bytes, 'hex');
      for (const batch of batchesOf(bytes)) {
        const [record] = recordsOf(batch);
        if (record === undefined || record.key === null || record.value === null) throw new Error(`${row.name} has no record`);
        const control = readControlRecord(record.key, record.value);
        if (control === undefined) throw new Error(`${row.name} is unknown`);
        kinds.push(control.kind);
        expect(controlRecordKind(record.key)).to.equal(control.kind);
        const draft = writeControlRecord(control);
        expect(draft).to.deep.equal({ key: record.key, value: record.value });
        const { baseOffset, partitionLeaderEpoch, isTransactional, producerId, producerEpoch, baseSequence } = batch;
        const built = buildBatch({
          baseOffset,
          partitionLeaderEpoch,
          transactional: isTransactional,
          control: true,
          producerId,
          producerEpoch,
          baseSequence,
          records: [{ ...draft, timestamp: record.timestamp }],
        });
        expect(built.toString('hex'), row.name).to.equal(row.bytes);
      }
    }
    expect(kinds).to.have.members([
      'Commit',
      'Abort',
      'LeaderChange',
      'SnapshotHeader',
      'SnapshotFooter',
      'KRaftVersion',
      'KRaftVoters',
    ]);
  });

  it('of an unknown type are passed over, malformed ones refused', () => {
    expect(readControlRecord(Buffer.from('00000063', 'hex'), Buffer.alloc(2))).to.equal(undefined);
    expect(() => readControlRecord(Buffer.from('ffff0000', 'hex'), Buffer.alloc(6))).to.throw(DecodeError, 'key version -1');
    expect(() => readControlRecord(Buffer.from('00000001', 'hex'), Buffer.alloc(3))).to.throw(DecodeError);
  });
});
