/**
 * Structures in files beside a log: entries of the transaction index and producer snapshots. An int16 version stands before the body.
 * Source: KIP-98; `file` in the protocol data.
 */
import { crc32c } from './crc32c.ts';
import { DecodeError } from './decode-error.ts';
import { type AbortedTxn, type AbortedTxnDraft, readAbortedTxn, writeAbortedTxn } from './generated/records/aborted-txn.ts';
import {
  type ProducerSnapshotProducerEntry,
  type ProducerSnapshotProducerEntryDraft,
  readProducerSnapshot,
  writeProducerSnapshot,
} from './generated/records/producer-snapshot.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Size of an entry of the transaction index. */
export const ABORTED_TXN_BYTES = 34;
const ABORTED_TXN_VERSION = 0;
const PRODUCER_SNAPSHOT_VERSION = 1;
/** Version and checksum: what the checksum of a snapshot does not cover. */
const SNAPSHOT_HEADER_BYTES = 6;

/** The entry at `position`. DecodeError when too few bytes are there or the version is unknown. */
export function readAbortedTxnEntry(bytes: Buffer, position = 0): AbortedTxn {
  const r = new Reader(bytes, position);
  const version = r.int16();
  if (version !== ABORTED_TXN_VERSION) throw new DecodeError(`aborted transaction version ${version} is unknown`, position);
  return readAbortedTxn(r, version);
}

export function writeAbortedTxnEntry(entry: AbortedTxnDraft): Buffer {
  const w = new Writer(ABORTED_TXN_BYTES);
  w.int16(ABORTED_TXN_VERSION);
  writeAbortedTxn(w, entry, ABORTED_TXN_VERSION);
  return w.concat();
}

/** The producers of a snapshot file. DecodeError when the version is unknown, the checksum wrong or bytes are missing or left over. */
export function readProducerSnapshotFile(bytes: Buffer): ProducerSnapshotProducerEntry[] {
  const r = new Reader(bytes);
  const version = r.int16();
  if (version !== PRODUCER_SNAPSHOT_VERSION) throw new DecodeError(`producer snapshot version ${version} is unknown`, 0);
  const snapshot = readProducerSnapshot(r, version);
  const computed = crc32c(bytes, SNAPSHOT_HEADER_BYTES);
  if (snapshot.crc !== computed)
    throw new DecodeError(`producer snapshot is corrupt (stored crc ${snapshot.crc}, computed ${computed})`, 2);
  if (r.remaining > 0) throw new DecodeError(`${r.remaining} bytes left after the producer snapshot`, r.position);
  return snapshot.producerEntries;
}

export function writeProducerSnapshotFile(producerEntries: readonly ProducerSnapshotProducerEntryDraft[]): Buffer {
  const w = new Writer();
  w.int16(PRODUCER_SNAPSHOT_VERSION);
  writeProducerSnapshot(w, { crc: 0, producerEntries }, PRODUCER_SNAPSHOT_VERSION);
  const bytes = w.concat();
  bytes.writeUInt32BE(crc32c(bytes, SNAPSHOT_HEADER_BYTES), 2);
  return bytes;
}
