/**
 * Snapshots of the metadata log: `<endOffset>-<epoch>.checkpoint`, 20 and 10 digits, from a header record to a footer record (KIP-630). What they
 * hold stands for all records before endOffset; their own offsets count from 0. The one of offset 0 is no snapshot but what the log is to begin with: written when the directory was
 * formatted, copied into the log by its first leader.
 */
import { batchSizeAt, SHORTEST_BATCH } from '../log/batch-header.ts';
import type { ControlRecordDraft } from '../wire/control-record.ts';
import type { VotersRecordVoter } from '../wire/generated/records/voters-record.ts';
import type { MetadataRecordDraft } from '../wire/metadata-record.ts';
import { RecordBatch } from '../wire/record-batch.ts';
import type { Files } from '../world/files.ts';
import { controlBatch, controlEntries, metadataBatch } from './metadata-batch.ts';

export interface SnapshotId {
  readonly endOffset: number;
  readonly epoch: number;
}

const NAME = /^(\d{20})-(\d{10})\.checkpoint$/;

/** Of a snapshot that is being written, and of one that waits to be removed; neither is one any more. */
const PART_SUFFIX = '.part';
export const DELETED_SUFFIX = '.deleted';
/** As Apache Kafka has it. */
const RECORDS_PER_BATCH = 1024;

/** More than the first batch takes, whatever voters there are. */
const HEADER_BYTES = 64 * 1024;

/** Finished snapshots in a directory, oldest first. */
export function snapshotsIn(files: Files, directory: string): readonly SnapshotId[] {
  const ids: SnapshotId[] = [];
  for (const { name } of files.list(directory)) {
    const match = NAME.exec(name);
    if (match !== null) ids.push({ endOffset: Number(match[1]), epoch: Number(match[2]) });
  }
  return ids.sort((a, b) => a.endOffset - b.endOffset || a.epoch - b.epoch);
}

export function snapshotName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`;
}

/** All batches, header and footer included. Raises Error when the snapshot is not whole. */
export function readSnapshot(files: Files, directory: string, id: SnapshotId): RecordBatch[] {
  const path = `${directory}/${snapshotName(id)}`;
  const bytes = files.readFile(path);
  const batches = soundBatches(bytes);
  const last = batches.at(-1);
  const end = last === undefined ? 0 : last.position + last.sizeInBytes;
  if (end < bytes.length) throw damaged(path, `there is no sound batch at position ${end}`);
  const first = batches[0];
  const begins = first?.isControl === true && controlEntries(first)[0]?.record.kind === 'SnapshotHeader';
  const ends = last?.isControl === true && controlEntries(last).at(-1)?.record.kind === 'SnapshotFooter';
  if (!begins || !ends) throw damaged(path, 'its header or its footer is missing');
  return batches;
}

const damaged = (path: string, why: string): Error =>
  new Error(`${path} is damaged: ${why}; restore it, or remove it where an older snapshot and the log reach as far`);

/** Up to the first that is torn or does not agree with its checksum. */
function soundBatches(bytes: Buffer): RecordBatch[] {
  const found: RecordBatch[] = [];
  for (let at = 0; ; ) {
    const size = bytes.length - at < SHORTEST_BATCH ? -1 : batchSizeAt(bytes, at);
    if (size < 0 || size > bytes.length - at) return found;
    const batch = new RecordBatch(bytes, at);
    if (batch.magic !== 2 || !batch.isValid) return found;
    found.push(batch);
    at += size;
  }
}

export interface SnapshotContents {
  readonly id: SnapshotId;
  /** Of the last record before endOffset. */
  readonly lastTimestampMs: number;
  readonly kraftVersion: number;
  /** Undefined for a static quorum. */
  readonly voters: readonly VotersRecordVoter[] | undefined;
  readonly records: Iterable<MetadataRecordDraft>;
}

/** Writes a snapshot, in place and durable when the promise resolves; `pause` lets others have a turn. Rejects with StorageFailure. */
export async function writeSnapshot(
  files: Files,
  directory: string,
  contents: SnapshotContents,
  nowMs: number,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  const path = `${directory}/${snapshotName(contents.id)}`;
  files.remove(path + PART_SUFFIX);
  const file = files.open(path + PART_SUFFIX, 'write');
  let position = 0;
  try {
    for (const batch of snapshotBatches(contents, nowMs)) {
      file.write([batch], position);
      position += batch.length;
      await pause();
    }
    await file.sync();
  } finally {
    file.close();
  }
  files.rename(path + PART_SUFFIX, path);
  await files.syncDirectory(directory);
}

function* snapshotBatches({ id, lastTimestampMs, kraftVersion, voters, records }: SnapshotContents, nowMs: number) {
  let baseOffset = 0;
  const place = () => ({ baseOffset, leaderEpoch: id.epoch, nowMs });
  const header: ControlRecordDraft[] = [
    { kind: 'SnapshotHeader', value: { version: 0, lastContainedLogTimestamp: lastTimestampMs } },
  ];
  if (kraftVersion > 0) {
    header.push({ kind: 'KRaftVersion', value: { version: 0, kRaftVersion: kraftVersion } });
    if (voters !== undefined) header.push({ kind: 'KRaftVoters', value: { version: 0, voters } });
  }
  yield controlBatch(header, place());
  baseOffset += header.length;
  let some: MetadataRecordDraft[] = [];
  for (const record of records) {
    some.push(record);
    if (some.length < RECORDS_PER_BATCH) continue;
    yield metadataBatch(some, place()).bytes;
    baseOffset += some.length;
    some = [];
  }
  if (some.length > 0) yield metadataBatch(some, place()).bytes;
  baseOffset += some.length;
  yield controlBatch([{ kind: 'SnapshotFooter', value: { version: 0 } }], place());
}

/** Timestamp of the last record that a snapshot stands for; undefined when its header does not say. */
export function snapshotTimestamp(files: Files, directory: string, id: SnapshotId): number | undefined {
  const file = files.open(`${directory}/${snapshotName(id)}`, 'read');
  const bytes = Buffer.alloc(HEADER_BYTES);
  try {
    file.read(bytes, 0);
  } finally {
    file.close();
  }
  const size = batchSizeAt(bytes, 0);
  const first = size < 0 || size > HEADER_BYTES ? undefined : new RecordBatch(bytes, 0);
  const header = first?.isValid === true && first.isControl ? controlEntries(first)[0]?.record : undefined;
  return header?.kind === 'SnapshotHeader' ? Number(header.value.lastContainedLogTimestamp) : undefined;
}

/** Removes what an interrupted snapshot or deletion has left, and snapshots from before where the log starts. */
export function removeLeftovers(files: Files, directory: string, logStartOffset: number): void {
  for (const { name } of files.list(directory)) {
    if (/\.checkpoint\.(part|deleted)$/.test(name)) files.remove(`${directory}/${name}`);
  }
  for (const id of snapshotsIn(files, directory)) {
    if (id.endOffset < logStartOffset) files.remove(`${directory}/${snapshotName(id)}`);
  }
}
