/**
 * DescribeLogDirs, versions 1 to 5 (KIP-113, KIP-827): every log directory with its space and the partitions in it; null topics: all partitions.
 *
 * - An offline directory is told with KAFKA_STORAGE_ERROR and nothing in it.
 * - Left out: moving partitions between directories, so no partition is a future one and none lags; cordoned directories (KIP-1066).
 */
import type {
  DescribeLogDirsRequest,
  DescribeLogDirsResponseDescribeLogDirsResultDraft,
} from '../wire/generated/describe-log-dirs.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, Handler, Partition } from './context.ts';

type Directory = Context['logDirectories'][number];
type Result = DescribeLogDirsResponseDescribeLogDirsResultDraft;

export const describeLogDirs: Handler<'describeLogDirs'> = (request, context) => {
  const wanted = wantedBy(request);
  return { throttleTimeMs: 0, results: context.logDirectories.map((directory) => describe(directory, wanted, context)) };
};

function wantedBy(request: DescribeLogDirsRequest): (partition: Partition) => boolean {
  if (request.topics === null) return () => true;
  const topics = new Map<string, Set<number>>();
  for (const { partitions, topic } of request.topics) {
    const indexes = topics.get(topic) ?? new Set<number>();
    topics.set(topic, indexes);
    for (const index of partitions) indexes.add(index);
  }
  return ({ index, topic }) => topics.get(topic)?.has(index) === true;
}

function describe(directory: Directory, wanted: (partition: Partition) => boolean, context: Context): Result {
  if (directory.failure !== undefined) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir: directory.path, topics: [] };
  const topics = new Map<string, Result['topics'][number]['partitions'][number][]>();
  for (const partition of context.partitions.in(directory)) {
    if (partition.failure !== ErrorCode.NONE || !wanted(partition)) continue;
    const partitions = topics.get(partition.topic) ?? [];
    topics.set(partition.topic, partitions);
    partitions.push({
      partitionIndex: partition.index,
      partitionSize: partition.log.sizeInBytes,
      offsetLag: 0,
      isFutureKey: false,
    });
  }
  return {
    errorCode: ErrorCode.NONE,
    logDir: directory.path,
    topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    ...directory.space(),
  };
}
