/**
 * DescribeLogDirs, versions 1 to 5 (KIP-113, KIP-827, KIP-1066): every log directory with its space and the partitions in it; null topics: all partitions.
 *
 * - An offline directory is told with KAFKA_STORAGE_ERROR and nothing in it.
 * - A partition that is being moved is in both directories: where it goes as a future one, with how far it is behind.
 * - From version 5 on whether the directory is cordoned (KIP-1066).
 */
import type {
  DescribeLogDirsRequest,
  DescribeLogDirsResponseDescribeLogDirsResultDraft,
} from '../wire/generated/describe-log-dirs.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, Handler } from './context.ts';

type Directory = Context['logDirectories'][number];
type Result = DescribeLogDirsResponseDescribeLogDirsResultDraft;
type PartitionInDirectory = Result['topics'][number]['partitions'][number];

/** How far a copy is behind a log that is not online. */
const NO_LAG = -1;

export const describeLogDirs: Handler<'describeLogDirs'> = (request, context) => {
  const wanted = wantedBy(request);
  return { throttleTimeMs: 0, results: context.logDirectories.map((directory) => describe(directory, wanted, context)) };
};

type Wanted = (topic: string, index: number) => boolean;

function wantedBy(request: DescribeLogDirsRequest): Wanted {
  if (request.topics === null) return () => true;
  const topics = new Map<string, Set<number>>();
  for (const { partitions, topic } of request.topics) {
    const indexes = topics.get(topic) ?? new Set<number>();
    topics.set(topic, indexes);
    for (const index of partitions) indexes.add(index);
  }
  return (topic, index) => topics.get(topic)?.has(index) === true;
}

function describe(directory: Directory, wanted: Wanted, context: Context): Result {
  if (directory.failure !== undefined) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir: directory.path, topics: [] };
  let space: { readonly totalBytes: number; readonly usableBytes: number };
  try {
    space = directory.space();
  } catch {
    return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, logDir: directory.path, topics: [] };
  }
  const topics = new Map<string, PartitionInDirectory[]>();
  const add = (topic: string, partition: PartitionInDirectory): void => {
    const partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, [partition]);
    else partitions.push(partition);
  };
  for (const partition of context.partitions.in(directory)) {
    const { topic, index } = partition;
    if (partition.failure !== ErrorCode.NONE || !wanted(topic, index)) continue;
    add(topic, { partitionIndex: index, partitionSize: partition.log.sizeInBytes, offsetLag: 0, isFutureKey: false });
  }
  for (const copy of directory.futures()) {
    const { topic, partition: index } = copy;
    if (!wanted(topic, index)) continue;
    const partition = context.partitions.find(topic, index);
    const lag = partition?.failure === ErrorCode.NONE ? partition.log.logEndOffset - copy.logEndOffset : NO_LAG;
    add(topic, { partitionIndex: index, partitionSize: copy.sizeInBytes, offsetLag: lag, isFutureKey: true });
  }
  return {
    errorCode: ErrorCode.NONE,
    logDir: directory.path,
    topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    isCordoned: directory.isCordoned,
    ...space,
  };
}
