/** `partition.metadata`: which topic id a partition's directory belongs to. In place, and synced, before the first record is. */
import type { Files } from '../world/files.ts';

export const PARTITION_METADATA_FILE = 'partition.metadata';

export const formatPartitionMetadata = (topicId: string): string => `version: 0\ntopic_id: ${topicId}`;

/** The topic id; undefined when there is no file or it does not say. */
export function readPartitionMetadata(files: Files, directory: string): string | undefined {
  const path = `${directory}/${PARTITION_METADATA_FILE}`;
  if (files.stat(path) === undefined) return undefined;
  return /^topic_id:\s*([\w-]{22})\s*$/m.exec(files.readFile(path).toString('utf8'))?.[1];
}
