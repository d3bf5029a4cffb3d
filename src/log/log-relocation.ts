/**
 * Renames a partition's directory under a log that goes on meanwhile.
 *
 * Files that are open stay so until their users are done; everything that is opened later is opened by its new name. The one thing that a rename
 * would break is a file that is being replaced: the leader epochs may not be being saved. Source: UnifiedLog.renameDir of Apache Kafka.
 */
import type { LogParts } from './log-parts.ts';

/** Throws StorageFailure. The data directory has to be synced for the new name to last. */
export function relocate(log: LogParts, directory: string): void {
  log.o.files.rename(log.directory, directory);
  log.directory = directory;
  for (const segment of log.segments.values()) segment.relocate(directory);
  log.leaderEpochs.relocate(directory);
  log.producerState.snapshots.relocate(directory);
}
