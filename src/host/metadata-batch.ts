/** Records of the metadata log to and from record batches. */
import { type ControlRecord, type ControlRecordDraft, readControlRecord, writeControlRecord } from '../wire/control-record.ts';
import {
  type MetadataRecord,
  type MetadataRecordDraft,
  readMetadataRecord,
  writeMetadataRecord,
} from '../wire/metadata-record.ts';
import { buildBatch } from '../wire/record-batch-builder.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordsOf } from '../wire/record.ts';

export interface Entry<R> {
  readonly offset: number;
  readonly record: R;
}

/** Where a batch of the metadata log goes: offsets and epoch are the quorum leader's to give. */
export interface BatchPlace {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly nowMs: number;
}

/** No batch has more records, so that none comes near what a quorum takes at most (8 MiB). Source: QuorumController of Apache Kafka. */
const MAX_RECORDS_PER_BATCH = 10_000;

/**
 * What is decided at once, in as many batches as it takes. Where it takes several, a transaction around them keeps half of it from counting after a
 * crash (KIP-868), unless the cluster's metadata.version has none.
 */
export function inBatches(drafts: readonly MetadataRecordDraft[], hasTransactions: boolean): MetadataRecordDraft[][] {
  if (drafts.length <= MAX_RECORDS_PER_BATCH) return [[...drafts]];
  const batches: MetadataRecordDraft[][] = [];
  for (let i = 0; i < drafts.length; i += MAX_RECORDS_PER_BATCH) batches.push(drafts.slice(i, i + MAX_RECORDS_PER_BATCH));
  if (!hasTransactions) return batches;
  return [
    [{ kind: 'BeginTransactionRecord', value: {}, version: 0 }],
    ...batches,
    [{ kind: 'EndTransactionRecord', value: {}, version: 0 }],
  ];
}

/** One batch of metadata records, and the same records as reading the batch will give them. */
export function metadataBatch(
  drafts: readonly MetadataRecordDraft[],
  place: BatchPlace,
): { readonly bytes: Buffer; readonly records: readonly MetadataRecord[] } {
  const values = drafts.map((draft) => writeMetadataRecord(draft, 0));
  const bytes = buildBatch({
    baseOffset: place.baseOffset,
    partitionLeaderEpoch: place.leaderEpoch,
    records: values.map((value) => ({ key: null, value, timestamp: place.nowMs })),
  });
  return { bytes, records: values.map(readMetadataRecord) };
}

export function controlBatch(drafts: readonly ControlRecordDraft[], place: BatchPlace): Buffer {
  return buildBatch({
    baseOffset: place.baseOffset,
    partitionLeaderEpoch: place.leaderEpoch,
    control: true,
    records: drafts.map((draft) => ({ ...writeControlRecord(draft), timestamp: place.nowMs })),
  });
}

/** Raises DecodeError when a record is not known: the log is then of a newer version than is understood here. */
export function metadataEntries(batch: RecordBatch): Entry<MetadataRecord>[] {
  return recordsOf(batch).map(({ offset, value }) => {
    if (value === null) throw new Error(`the metadata log has a record without a value at offset ${offset}`);
    return { offset, record: readMetadataRecord(value) };
  });
}

/** Control records of unknown types are passed over. */
export function controlEntries(batch: RecordBatch): Entry<ControlRecord>[] {
  const entries: Entry<ControlRecord>[] = [];
  for (const { offset, key, value } of recordsOf(batch)) {
    const record = key === null || value === null ? undefined : readControlRecord(key, value);
    if (record !== undefined) entries.push({ offset, record });
  }
  return entries;
}
