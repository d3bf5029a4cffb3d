/** What lies in a data directory: the directories of partitions, and what their names say of them. Source: LogManager.loadLogs of Apache Kafka. */
import type { Files } from '../world/files.ts';
import { METADATA_DIRECTORY } from './metadata-topic.ts';
import { parseDirectoryName, type PartitionDirectory } from './partition-directory-name.ts';

/** Kept by Apache Kafka's tiered storage; no partition. */
const REMOTE_INDEX_CACHE = 'remote-log-index-cache';

export interface PartitionFolder extends PartitionDirectory {
  readonly name: string;
}

/** All but the metadata log's. Throws an Error that names a directory which is no partition's. */
export function partitionFolders(files: Files, path: string): PartitionFolder[] {
  const found: PartitionFolder[] = [];
  for (const { name, directory } of files.list(path)) {
    if (!directory || name === METADATA_DIRECTORY || name === REMOTE_INDEX_CACHE) continue;
    const parsed = parseDirectoryName(name);
    if (parsed === undefined) {
      throw new Error(
        `${path}/${name} is not in the form of topic-partition; a data directory may hold nothing but Kafka's topic data`,
      );
    }
    found.push({ ...parsed, name });
  }
  return found;
}
