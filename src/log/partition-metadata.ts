/** `partition.metadata`: which topic id a partition's directory belongs to. In place, and synced, before the first record is. */
import type { Files } from '../world/files.ts';

export const PARTITION_METADATA_FILE = 'partition.metadata';

const formatPartitionMetadata = (topicId: string): string => `version: 0\ntopic_id: ${topicId}`;

/** The topic id; undefined when there is no file or it does not say. */
export function readPartitionMetadata(files: Files, directory: string): string | undefined {
  const path = `${directory}/${PARTITION_METADATA_FILE}`;
  if (files.stat(path) === undefined) return undefined;
  return /^topic_id:\s*([\w-]{22})\s*$/m.exec(files.readFile(path).toString('utf8'))?.[1];
}

/**
 * Makes directory and caller agree on the topic id; the file is there before the first record is. Null when neither knows one.
 * Rejects with an Error when the directory is of another topic.
 */
export async function settleTopicId(files: Files, directory: string, topicId: string | null): Promise<string | null> {
  const stored = readPartitionMetadata(files, directory);
  if (stored !== undefined && topicId !== null && topicId !== stored) {
    throw new Error(
      `${directory} belongs to topic id ${stored}, not ${topicId}: move it away when it is of an earlier topic with this name, ` +
        `or remove its ${PARTITION_METADATA_FILE} when that is damaged`,
    );
  }
  if (stored === undefined && topicId !== null) {
    await files.replaceFile(`${directory}/${PARTITION_METADATA_FILE}`, formatPartitionMetadata(topicId));
  }
  return stored ?? topicId;
}
