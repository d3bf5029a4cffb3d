/** The metadata log and its snapshots, decoded whole: the image that they come to says which topics the other directories may be of. */
import { readSnapshot, type SnapshotId, snapshotName, snapshotsIn } from '../host/metadata-snapshot.ts';
import { MetadataState } from '../host/metadata-state.ts';
import { readQuorumState } from '../host/quorum-state.ts';
import { METADATA_TOPIC_ID } from '../log/metadata-topic.ts';
import { PARTITION_METADATA_FILE, readPartitionMetadata } from '../log/partition-metadata.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import type { Files } from '../world/files.ts';
import type { Findings } from './findings.ts';
import { verifyPartition } from './verify-partition.ts';

/** Undefined when the image cannot be had; why is among the findings. */
export function verifyMetadata(files: Files, directory: string, isClean: boolean, findings: Findings): MetadataImage | undefined {
  const state = new MetadataState();
  const from = loadSnapshots(files, directory, state, findings);
  let problem = from === undefined;
  const load = (batch: RecordBatch): void => {
    if (problem || batch.lastOffset < (from ?? 0)) return;
    try {
      state.load(batch, from ?? 0);
    } catch (error) {
      problem = true;
      findings.wrong(directory, `the log cannot be read at offset ${batch.baseOffset}: ${messageOf(error)}`);
    }
  };
  const { firstOffset, endOffset } = verifyPartition(files, { path: directory, isClean, isMetadata: true, each: load }, findings);
  if (from !== undefined && firstOffset > from)
    findings.wrong(directory, `the log starts at ${firstOffset}, and no snapshot reaches there`);
  if (from !== undefined && endOffset < from)
    findings.wrong(directory, `the log ends at ${endOffset}, before its snapshot at ${from}`);
  const partitionMetadata = `${directory}/${PARTITION_METADATA_FILE}`;
  if (files.stat(partitionMetadata) !== undefined && readPartitionMetadata(files, directory) !== METADATA_TOPIC_ID)
    findings.wrong(partitionMetadata, `the topic id is not ${METADATA_TOPIC_ID}, as it always is here`);
  try {
    readQuorumState(files, directory);
  } catch (error) {
    findings.wrong(`${directory}/quorum-state`, messageOf(error));
  }
  return problem ? undefined : state.committed;
}

/** Where the newest one ends; 0 without any; undefined when it cannot be read. */
function loadSnapshots(files: Files, directory: string, state: MetadataState, findings: Findings): number | undefined {
  const ids = snapshotsIn(files, directory);
  const newest = ids.at(-1);
  for (const id of ids) {
    const isLoaded = loadSnapshot(files, directory, id, id === newest ? state : new MetadataState(), findings);
    if (id === newest && !isLoaded) return undefined;
  }
  return newest?.endOffset ?? 0;
}

function loadSnapshot(files: Files, directory: string, id: SnapshotId, state: MetadataState, findings: Findings): boolean {
  const isBootstrap = id.endOffset === 0;
  try {
    for (const batch of readSnapshot(files, directory, id)) if (!isBootstrap || batch.isControl) state.load(batch, 0);
    return true;
  } catch (error) {
    findings.wrong(`${directory}/${snapshotName(id)}`, messageOf(error));
    return false;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
