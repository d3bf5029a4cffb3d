/**
 * Records of control batches: transaction markers in any log, and what the quorum tells its log. The key says the type (int16 version,
 * int16 type), the value is the body; that of a marker stands behind an int16 version.
 *
 * Kafka 4.4 writes version 0 of all of them. A type that is not known is no error: it is passed over.
 * Source: KIP-98 (markers), KIP-595, KIP-630, KIP-853 (quorum); `control` in the protocol data.
 */
import { DecodeError } from './decode-error.ts';
import { CONTROL_RECORDS, type ControlRecordKind as Schema, type ControlRecordTypes } from './generated/records/control.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Schema and type number of each kind; a transaction's end is one schema under two types. */
const KINDS = {
  Abort: { schema: 'EndTxnMarker', type: 0 },
  Commit: { schema: 'EndTxnMarker', type: 1 },
  LeaderChange: { schema: 'LeaderChangeMessage', type: 2 },
  SnapshotHeader: { schema: 'SnapshotHeaderRecord', type: 3 },
  SnapshotFooter: { schema: 'SnapshotFooterRecord', type: 4 },
  KRaftVersion: { schema: 'KRaftVersionRecord', type: 5 },
  KRaftVoters: { schema: 'VotersRecord', type: 6 },
} as const satisfies { readonly [kind: string]: { readonly schema: Schema; readonly type: number } };

type Kinds = typeof KINDS;
export type ControlRecordKind = keyof Kinds;

export type ControlRecord = {
  [K in ControlRecordKind]: { readonly kind: K; readonly value: ControlRecordTypes[Kinds[K]['schema']]['value'] };
}[ControlRecordKind];
export type ControlRecordDraft = {
  [K in ControlRecordKind]: { readonly kind: K; readonly value: ControlRecordTypes[Kinds[K]['schema']]['valueDraft'] };
}[ControlRecordKind];

const kindByType = new Map(Object.entries(KINDS).map(([kind, { type }]) => [type as number, kind as ControlRecordKind]));

interface Codec {
  readonly maxVersion: number;
  read(r: Reader, v: number): object;
  write(w: Writer, m: object, v: number): void;
}

const codecOf = (kind: ControlRecordKind): Codec => CONTROL_RECORDS[KINDS[kind].schema];
const VERSION = 0;

/** The kind that a control record's key names; undefined when the type is unknown. DecodeError when it is no such key. */
export function controlRecordKind(key: Buffer): ControlRecordKind | undefined {
  const r = new Reader(key);
  const version = r.int16();
  if (version < 0) throw new DecodeError(`control record key version ${version}`, 0);
  return kindByType.get(r.int16());
}

/** Undefined when the type is unknown. DecodeError when the value is not what the type says. */
export function readControlRecord(key: Buffer, value: Buffer): ControlRecord | undefined {
  const kind = controlRecordKind(key);
  if (kind === undefined) return undefined;
  const r = new Reader(value);
  if (KINDS[kind].schema === 'EndTxnMarker') {
    const version = r.int16();
    if (version < 0) throw new DecodeError(`transaction marker version ${version}`, 0);
  }
  return { kind, value: codecOf(kind).read(r, VERSION) } as ControlRecord;
}

/** Key and value of a control batch's record. */
export function writeControlRecord(record: ControlRecordDraft): { key: Buffer; value: Buffer } {
  const { schema, type } = KINDS[record.kind];
  const key = Buffer.alloc(4);
  key.writeInt16BE(type, 2);
  const w = new Writer(128);
  if (schema === 'EndTxnMarker') w.int16(VERSION);
  codecOf(record.kind).write(w, record.value, VERSION);
  return { key, value: w.concat() };
}
