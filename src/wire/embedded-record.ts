/**
 * Structures that travel as opaque bytes inside messages: subscriptions and assignments of the consumer protocol (JoinGroup, SyncGroup)
 * and forwarded principals. An int16 version stands before the body.
 *
 * A consumer reads what a newer one wrote: of a version above the known ones, the fields of the newest known version are read and what
 * follows is left. Source: KIP-429, KIP-792, KIP-881; `version-prefixed` in the protocol data.
 */
import { DecodeError } from './decode-error.ts';
import { EMBEDDED_RECORDS, type EmbeddedRecordKind, type EmbeddedRecordTypes } from './generated/records/embedded.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export type { EmbeddedRecordKind };

interface Codec<K extends EmbeddedRecordKind> {
  readonly minVersion: number;
  readonly maxVersion: number;
  read(r: Reader, v: number): EmbeddedRecordTypes[K]['value'];
  write(w: Writer, m: EmbeddedRecordTypes[K]['valueDraft'], v: number): void;
}

const codecOf = <K extends EmbeddedRecordKind>(kind: K): Codec<K> => EMBEDDED_RECORDS[kind] as Codec<K>;

/** DecodeError when the version is below the known ones or the body is malformed. */
export function readEmbeddedRecord<K extends EmbeddedRecordKind>(
  kind: K,
  bytes: Buffer,
): { version: number; value: EmbeddedRecordTypes[K]['value'] } {
  const codec = codecOf(kind);
  const r = new Reader(bytes);
  const version = r.int16();
  if (version < codec.minVersion) throw new DecodeError(`${kind} version ${version} is unknown`, 0);
  return { version, value: codec.read(r, Math.min(version, codec.maxVersion)) };
}

export function writeEmbeddedRecord<K extends EmbeddedRecordKind>(
  kind: K,
  value: EmbeddedRecordTypes[K]['valueDraft'],
  version: number,
): Buffer {
  const codec = codecOf(kind);
  if (version < codec.minVersion || version > codec.maxVersion) throw new RangeError(`${kind} has no version ${version}`);
  const w = new Writer();
  w.int16(version);
  codec.write(w, value, version);
  return w.concat();
}
