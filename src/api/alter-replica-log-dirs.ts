/**
 * AlterReplicaLogDirs, versions 1 and 2 (KIP-113): moves partitions of this broker to other log directories, while they are written and read.
 *
 * - The answer comes when the moves have begun; DescribeLogDirs tells how far they are. The directory that a partition is in ends its move.
 * - A partition that is not here is remembered, and made in that directory if it ever is; the answer is UNKNOWN_TOPIC_OR_PARTITION all the same, or
 *   REPLICA_NOT_AVAILABLE where the cluster has it.
 * - INVALID_REPLICA_ASSIGNMENT for a directory that is cordoned (KIP-1066), whatever is in it already.
 * - Paths are compared as they are: LOG_DIR_NOT_FOUND for any but the absolute ones that DescribeLogDirs gives. A partition that is named twice goes
 *   where it was sent last.
 */
import type {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponseAlterReplicaLogDirTopicResultDraft,
} from '../wire/generated/alter-replica-log-dirs.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, Handler } from './context.ts';

type TopicResult = AlterReplicaLogDirsResponseAlterReplicaLogDirTopicResultDraft;

export const alterReplicaLogDirs: Handler<'alterReplicaLogDirs'> = async (request, context) => {
  const results: TopicResult[] = [];
  for (const [name, paths] of pathsByTopic(request)) {
    const partitions = [...paths].map(async ([partitionIndex, path]) => ({
      partitionIndex,
      errorCode: await alter(name, partitionIndex, path, context),
    }));
    results.push({ topicName: name, partitions: await Promise.all(partitions) });
  }
  return { throttleTimeMs: 0, results };
};

function pathsByTopic({ dirs }: AlterReplicaLogDirsRequest): Map<string, Map<number, string>> {
  const topics = new Map<string, Map<number, string>>();
  for (const { path, topics: named } of dirs) {
    for (const { name, partitions } of named) {
      for (const index of partitions) {
        const paths = topics.get(name) ?? new Map<number, string>();
        topics.set(name, paths.set(index, path));
      }
    }
  }
  return topics;
}

async function alter(topic: string, index: number, path: string, { partitions, image }: Context): Promise<ErrorCode> {
  const error = await partitions.alterLogDir(topic, index, path);
  if (error !== ErrorCode.NOT_LEADER_OR_FOLLOWER) return error;
  return image.topicsByName.get(topic)?.partitions.has(index) === true
    ? ErrorCode.REPLICA_NOT_AVAILABLE
    : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}
