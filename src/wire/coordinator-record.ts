/**
 * Records of the coordinators' topics: `__consumer_offsets`, `__transaction_state` and `__share_group_state`. The record key holds the
 * kind (int16) and a body of version 0, the value a version (int16) and a body; a null value is a tombstone.
 *
 * A kind that is not known is no error: a newer broker may have written it, and it is passed over.
 * Source: KIP-98, KIP-848, KIP-932; `key-value` in the protocol data.
 */
import { DecodeError } from './decode-error.ts';
import { GROUP_RECORDS, type GroupRecordKind, type GroupRecordTypes } from './generated/records/group.ts';
import { SHARE_RECORDS, type ShareRecordKind, type ShareRecordTypes } from './generated/records/share.ts';
import { TRANSACTION_RECORDS, type TransactionRecordKind, type TransactionRecordTypes } from './generated/records/transaction.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

interface Sides {
  key: object;
  keyDraft: object;
  value: object;
  valueDraft: object;
}

interface Codec {
  readonly key: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  readKey(r: Reader, v: number): object;
  writeKey(w: Writer, m: object, v: number): void;
  readValue(r: Reader, v: number): object;
  writeValue(w: Writer, m: object, v: number): void;
}

type Read<T> = {
  [K in keyof T]: T[K] extends Sides
    ? { readonly kind: K; readonly key: T[K]['key']; readonly value: T[K]['value'] | null }
    : never;
}[keyof T];
type Draft<T> = {
  [K in keyof T]: T[K] extends Sides
    ? { readonly kind: K; readonly key: T[K]['keyDraft']; readonly value: T[K]['valueDraft'] | null; readonly version?: number }
    : never;
}[keyof T];

export type GroupRecord = Read<GroupRecordTypes>;
export type TransactionRecord = Read<TransactionRecordTypes>;
export type ShareRecord = Read<ShareRecordTypes>;

/** What is to be written; `version` is the value's, where it is not the one that Kafka writes by default. */
export type GroupRecordDraft = Draft<GroupRecordTypes>;
export type TransactionRecordDraft = Draft<TransactionRecordTypes>;
export type ShareRecordDraft = Draft<ShareRecordTypes>;

/** Value versions that Kafka 4.4 writes with its default features; all others are 0. */
const WRITTEN_VERSIONS: { readonly [kind: string]: number } = { GroupMetadata: 3, OffsetCommit: 4, TransactionLog: 1 };

interface Family {
  readonly byKind: ReadonlyMap<string, Codec>;
  readonly byKey: ReadonlyMap<number, readonly [string, Codec]>;
}

function familyOf(records: { readonly [kind: string]: unknown }): Family {
  const entries = Object.entries(records).map(([kind, codec]) => [kind, codec as Codec] as const);
  return { byKind: new Map(entries), byKey: new Map(entries.map((entry) => [entry[1].key, entry])) };
}

const groups = familyOf(GROUP_RECORDS);
const transactions = familyOf(TRANSACTION_RECORDS);
const shares = familyOf(SHARE_RECORDS);

function read(
  family: Family,
  key: Buffer,
  value: Buffer | null,
): { kind: string; key: object; value: object | null } | undefined {
  const k = new Reader(key);
  const known = family.byKey.get(k.int16());
  if (known === undefined) return undefined;
  const [kind, codec] = known;
  const keyBody = codec.readKey(k, 0);
  if (k.remaining > 0) throw new DecodeError(`${k.remaining} bytes left after the key of ${kind}`, k.position);
  if (value === null) return { kind, key: keyBody, value: null };
  const v = new Reader(value);
  const version = v.int16();
  if (version < codec.minVersion || version > codec.maxVersion) throw new DecodeError(`${kind} version ${version} is unknown`, 0);
  const body = codec.readValue(v, version);
  if (v.remaining > 0) throw new DecodeError(`${v.remaining} bytes left after the value of ${kind}`, v.position);
  return { kind, key: keyBody, value: body };
}

function codecOf(family: Family, kind: string): Codec {
  const codec = family.byKind.get(kind);
  if (codec === undefined) throw new Error(`no record is called ${kind}`);
  return codec;
}

function writeKey(family: Family, record: { readonly kind: string; readonly key: object }): Buffer {
  const codec = codecOf(family, record.kind);
  const w = new Writer(128);
  w.int16(codec.key);
  codec.writeKey(w, record.key, 0);
  return w.concat();
}

function writeValue(
  family: Family,
  record: { readonly kind: string; readonly value: object | null; readonly version?: number },
): Buffer | null {
  if (record.value === null) return null;
  const codec = codecOf(family, record.kind);
  const version = record.version ?? WRITTEN_VERSIONS[record.kind] ?? 0;
  if (version < codec.minVersion || version > codec.maxVersion) throw new RangeError(`${record.kind} has no version ${version}`);
  const w = new Writer(256);
  w.int16(version);
  codec.writeValue(w, record.value, version);
  return w.concat();
}

export type { GroupRecordKind, ShareRecordKind, TransactionRecordKind };

/** Undefined when the kind is unknown. DecodeError when the version is, a body is malformed or bytes are left behind it. */
export const readGroupRecord = (key: Buffer, value: Buffer | null) => read(groups, key, value) as GroupRecord | undefined;
export const writeGroupRecordKey = (record: GroupRecordDraft): Buffer => writeKey(groups, record);
/** Null for a tombstone. */
export const writeGroupRecordValue = (record: GroupRecordDraft): Buffer | null => writeValue(groups, record);

/** As `readGroupRecord`. */
export const readTransactionRecord = (key: Buffer, value: Buffer | null) =>
  read(transactions, key, value) as TransactionRecord | undefined;
export const writeTransactionRecordKey = (record: TransactionRecordDraft): Buffer => writeKey(transactions, record);
/** Null for a tombstone. */
export const writeTransactionRecordValue = (record: TransactionRecordDraft): Buffer | null => writeValue(transactions, record);

/** As `readGroupRecord`. */
export const readShareRecord = (key: Buffer, value: Buffer | null) => read(shares, key, value) as ShareRecord | undefined;
export const writeShareRecordKey = (record: ShareRecordDraft): Buffer => writeKey(shares, record);
/** Null for a tombstone. */
export const writeShareRecordValue = (record: ShareRecordDraft): Buffer | null => writeValue(shares, record);
