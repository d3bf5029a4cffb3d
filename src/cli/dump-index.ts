/** The entries of `.index`, `.timeindex`, `.txnindex` and `.snapshot` files. */
import { readEntries } from '../log/index-entries.ts';
import { OFFSET_ENTRY_SIZE, OffsetIndex } from '../log/offset-index.ts';
import { parseProducerSnapshot } from '../log/producer-snapshot.ts';
import { TIME_ENTRY_SIZE, TimeIndex } from '../log/time-index.ts';
import { parseTransactionIndex, TRANSACTION_ENTRY_SIZE } from '../log/transaction-index.ts';
import type { Files } from '../world/files.ts';
import { type DumpItem, item } from './dump-item.ts';

const damaged = (path: string, why: string): Error => new Error(`${path} is damaged: ${why}`);

export function* dumpOffsetIndex(files: Files, path: string, baseOffset: number): Generator<DumpItem> {
  const entries = readEntries(files, path, OFFSET_ENTRY_SIZE);
  if (entries === undefined) throw damaged(path, `its size is no multiple of ${OFFSET_ENTRY_SIZE}`);
  const index = new OffsetIndex(baseOffset, entries);
  for (let i = 0; i < index.count; i++) yield item({ ...index.entry(i) });
}

export function* dumpTimeIndex(files: Files, path: string, baseOffset: number): Generator<DumpItem> {
  const entries = readEntries(files, path, TIME_ENTRY_SIZE);
  if (entries === undefined) throw damaged(path, `its size is no multiple of ${TIME_ENTRY_SIZE}`);
  const index = new TimeIndex(baseOffset, entries);
  for (let i = 0; i < index.count; i++) yield item({ ...index.entry(i) });
}

export function* dumpTransactionIndex(files: Files, path: string, baseOffset: number): Generator<DumpItem> {
  const bytes = files.readFile(path);
  if (bytes.length % TRANSACTION_ENTRY_SIZE !== 0) throw damaged(path, `its size is no multiple of ${TRANSACTION_ENTRY_SIZE}`);
  const entries = parseTransactionIndex(bytes, baseOffset);
  if (entries === undefined) throw damaged(path, 'an entry is of an unknown version, or ends before the segment begins');
  for (const entry of entries) yield item({ ...entry });
}

export function* dumpSnapshot(files: Files, path: string): Generator<DumpItem> {
  const producers = parseProducerSnapshot(files.readFile(path));
  if (producers === undefined) throw damaged(path, 'its version is unknown or its checksum does not agree');
  for (const {
    producerId,
    producerEpoch,
    coordinatorEpoch,
    currentTxnFirstOffset,
    lastTimestamp,
    lastSequence,
    lastBatch,
  } of producers) {
    yield item({
      producerId,
      producerEpoch,
      coordinatorEpoch,
      currentTxnFirstOffset,
      lastTimestamp,
      lastSequence,
      lastOffset: lastBatch?.lastOffset ?? -1,
      offsetDelta: lastBatch?.offsetDelta ?? 0,
    });
  }
}
