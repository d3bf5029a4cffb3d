/**
 * Records of `__cluster_metadata`: a frame version, the kind and the version as unsigned varints, then the body; the record key is null.
 * Source: KIP-631, KIP-746; `typed-frame` in the protocol data.
 */
import { DecodeError } from './decode-error.ts';
import {
  METADATA_RECORDS,
  type MetadataRecordCodec,
  type MetadataRecordKind,
  type MetadataRecordTypes,
} from './generated/records/metadata.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export type { MetadataRecordKind } from './generated/records/metadata.ts';

export type MetadataRecord = {
  [K in MetadataRecordKind]: { readonly kind: K; readonly value: MetadataRecordTypes[K]['value'] };
}[MetadataRecordKind];

/** What is to be written; `version` says which version of the body, where it is not the one the feature level asks for. */
export type MetadataRecordDraft = {
  [K in MetadataRecordKind]: {
    readonly kind: K;
    readonly value: MetadataRecordTypes[K]['valueDraft'];
    readonly version?: number;
  };
}[MetadataRecordKind];

const FRAME_VERSION = 1;

const kinds = new Map(
  Object.entries(METADATA_RECORDS).map(([kind, codec]) => [codec.key, { kind: kind as MetadataRecordKind, codec }]),
);

/** DecodeError when the frame, kind or version is unknown, the body is malformed or bytes are left behind it. */
export function readMetadataRecord(value: Buffer): MetadataRecord {
  const r = new Reader(value);
  const frame = r.uvarint();
  if (frame !== FRAME_VERSION) throw new DecodeError(`metadata record frame version ${frame} is unknown`, 0);
  const key = r.uvarint();
  const known = kinds.get(key);
  if (known === undefined) throw new DecodeError(`metadata record type ${key} is unknown`, r.position);
  const version = r.uvarint();
  const { kind, codec } = known;
  if (version < codec.minVersion || version > codec.maxVersion)
    throw new DecodeError(`${kind} version ${version} is unknown`, r.position);
  const body = codec.read(r, version);
  if (r.remaining > 0) throw new DecodeError(`${r.remaining} bytes left after ${kind}`, r.position);
  return { kind, value: body } as MetadataRecord;
}

/** `record.version`, where it has one, wins over `version`. */
export function writeMetadataRecord(record: MetadataRecordDraft, version: number): Buffer {
  const codec = METADATA_RECORDS[record.kind] as MetadataRecordCodec;
  const v = record.version ?? version;
  if (v < codec.minVersion || v > codec.maxVersion) throw new RangeError(`${record.kind} has no version ${v}`);
  const w = new Writer();
  w.uvarint(FRAME_VERSION);
  w.uvarint(codec.key);
  w.uvarint(v);
  codec.write(w, record.value, v);
  return w.concat();
}
