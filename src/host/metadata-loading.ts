/** Reading a metadata log back, and the reasons not to lead it. */
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../log/log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { Log } from '../log/log.ts';
import { SUPPORTED_FEATURES } from '../machine/metadata/features.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import { METADATA_VERSION } from '../machine/metadata/record-versions.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import type { Files } from '../world/files.ts';
import { readSnapshot, removeLeftovers, snapshotName, snapshotsIn } from './metadata-snapshot.ts';
import { MetadataState } from './metadata-state.ts';
import { readQuorumState } from './quorum-state.ts';

/** Nothing is ever deleted by time or size, nor compacted; what lies before a snapshot may be cut off. */
export const METADATA_LOG_CONFIG: LogConfig = {
  ...DEFAULT_LOG_CONFIG,
  maxMessageBytes: 8 * 1024 * 1024,
  retentionMs: -1,
  retentionBytes: -1,
};

export interface LoadedMetadata {
  readonly state: MetadataState;
  /** Of the log, behind the newest snapshot. */
  readonly bytesSinceSnapshot: number;
}

/** The newest snapshot and what the log has after it. */
export async function loadMetadata(files: Files, log: Log): Promise<LoadedMetadata> {
  const state = new MetadataState();
  removeLeftovers(files, log.directory, log.logStartOffset);
  const snapshots = snapshotsIn(files, log.directory);
  const newest = snapshots.at(-1);
  let from = 0;
  state.isFormatted = newest !== undefined || log.logEndOffset > 0;
  if (newest !== undefined) {
    const isBootstrap = newest.endOffset === 0;
    for (const batch of readSnapshot(files, log.directory, newest)) {
      if (!isBootstrap || batch.isControl) state.load(batch, 0);
    }
    from = newest.endOffset;
    state.lastEpoch = newest.epoch;
  }
  if (log.logStartOffset > from) {
    throw new Error(
      `${log.directory} starts at offset ${log.logStartOffset}, and no snapshot reaches there: restore ${missing(log)}`,
    );
  }
  if (log.logEndOffset < from) {
    throw new Error(
      `${log.directory} ends at offset ${log.logEndOffset}, before its snapshot at ${from}: open it in Apache Kafka once`,
    );
  }
  let bytesSinceSnapshot = 0;
  for await (const batch of log.batches(from)) {
    loadBatch(state, batch, from, log.directory);
    bytesSinceSnapshot += batch.sizeInBytes;
  }
  const quorum = readQuorumState(files, log.directory);
  if (quorum !== undefined) {
    state.lastEpoch = Math.max(state.lastEpoch, quorum.leaderEpoch);
    state.voterIds ??= quorum.voterIds;
  }
  return { state, bytesSinceSnapshot };
}

/** Records that cannot be read or cannot be true are damage, or of a version that is not known here. */
function loadBatch(state: MetadataState, batch: RecordBatch, from: number, directory: string): void {
  try {
    state.load(batch, from);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${directory} cannot be read at offset ${batch.baseOffset}: ${why}; restore it from a copy`, {
      cause: error,
    });
  }
}

function missing(log: Log): string {
  return `a ${snapshotName({ endOffset: log.logStartOffset, epoch: 0 }).replace(/-.*/, '-*.checkpoint')} or a newer one`;
}

/** Raises Error unless this node is the only voter. */
export function checkVoters(state: MetadataState, nodeId: number, directory: LogDirectory): void {
  const ids = state.voters?.map((voter) => voter.voterId) ?? state.voterIds ?? [];
  const others = ids.filter((id) => id !== nodeId);
  if (others.length > 0 && ids.includes(nodeId)) {
    throw new Error(
      `${directory.path} belongs to a quorum with the other voters ${others.join(', ')}: alone, this node must not decide; ` +
        'start the quorum, or remove those voters first',
    );
  }
  if (others.length > 0) {
    throw new Error(`${directory.path} has node ${others.join(', ')} as its voter, not node ${nodeId}: set node.id to that`);
  }
  const own = state.voters?.[0];
  if (own !== undefined && own.voterDirectoryId !== directory.directoryId) {
    throw new Error(
      `${directory.path} has the directory id ${directory.directoryId}, but the voter of its metadata log is directory ${own.voterDirectoryId}: ` +
        'put that id into meta.properties',
    );
  }
}

/** Raises Error when the cluster's metadata.version is not one that can be read and written here. */
export function checkFeatures(image: MetadataImage, path: string): void {
  const level = image.featureLevel(METADATA_VERSION);
  const range = SUPPORTED_FEATURES.get(METADATA_VERSION);
  if (range === undefined || level < range.min || level > range.max) {
    throw new Error(
      `${path} has metadata.version ${level}, and versions ${range?.min} to ${range?.max} are supported: open it with the broker that it was made with, and set a level in between`,
    );
  }
}
