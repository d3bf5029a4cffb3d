/**
 * Snapshots of the metadata log: `<endOffset>-<epoch>.checkpoint`, 20 and 10 digits, from a header record to a footer record (KIP-630). What they
 * hold stands for all records before endOffset. The one of offset 0 is no snapshot but what the log is to begin with: written when the directory was
 * formatted, copied into the log by its first leader.
 */
import { batchesOf } from '../wire/record-batch.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import type { Files } from '../world/files.ts';
import { controlEntries } from './metadata-batch.ts';

export interface SnapshotId {
  readonly endOffset: number;
  readonly epoch: number;
}

const NAME = /^(\d{20})-(\d{10})\.checkpoint$/;

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
  const batches = batchesOf(files.readFile(path));
  for (const batch of batches) {
    if (batch.computeCrc() !== batch.crc)
      throw new Error(`${path} is damaged at position ${batch.position}: the checksum does not match`);
  }
  const first = batches[0];
  const last = batches.at(-1);
  const begins = first?.isControl === true && controlEntries(first)[0]?.record.kind === 'SnapshotHeader';
  const ends = last?.isControl === true && controlEntries(last).at(-1)?.record.kind === 'SnapshotFooter';
  if (!begins || !ends) throw new Error(`${path} is not a whole snapshot: header or footer is missing`);
  return batches;
}
