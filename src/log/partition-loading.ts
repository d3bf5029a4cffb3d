/**
 * What a start makes of the directories of partitions in a data directory: logs and copies that are opened, strays that are set aside, and what was on
 * its way out when the broker stopped. Source: LogManager.loadLogs of Apache Kafka.
 */
import type { DirectoryLogs } from './directory-logs.ts';
import type { Jobs } from './jobs.ts';
import type { LogConfig } from './log-config.ts';
import type { LogDirectoryOptions } from './log-directory-options.ts';
import { retiredName } from './partition-directory-name.ts';
import { type PartitionFolder, partitionFolders } from './partition-folders.ts';
import { PARTITION_METADATA_FILE, readPartitionMetadata, settleTopicId } from './partition-metadata.ts';
import { fileNamesIn } from './recovery.ts';

const OPENED_AT_ONCE = 8;

/** Undefined: the partition is of no topic that exists. */
export type ConfigOf = (topic: string, partition: number, topicId: string | null) => LogConfig | undefined;
export type TopicIdOf = (topic: string) => string | undefined;

export interface PartitionLoading {
  readonly o: LogDirectoryOptions;
  readonly jobs: Jobs;
  readonly logs: DirectoryLogs;
  readonly cleanShutdown: boolean;
  /** Has the directory removed when its time has come. */
  readonly retireLater: (path: string) => void;
}

/** Resolves when all are open. Rejects with StorageFailure. */
export async function openPartitions(loading: PartitionLoading, configOf: ConfigOf, topicIdOf: TopicIdOf): Promise<void> {
  const { logs, cleanShutdown } = loading;
  const { files, path } = loading.o;
  const pending: Promise<unknown>[] = [];
  const pause = loading.jobs.slices();
  for (const folder of partitionFolders(files, path)) {
    if (folder.state === 'delete') loading.retireLater(`${path}/${folder.name}`);
    if (folder.state === 'delete' || folder.state === 'stray') continue;
    const opening = await open(loading, folder, configOf, topicIdOf);
    if (opening === undefined) continue;
    pending.push(opening.log);
    if (pending.length >= OPENED_AT_ONCE) await Promise.all(pending.splice(0));
    await pause();
  }
  await Promise.all(pending);
  // Not before: creating files waits for syncs of others, and there may be thousands of both.
  for (const { leaderEpochs } of logs.ofReplicas()) leaderEpochs.save();
  // A process that was killed may have left the names of new partitions to the operating system.
  if (!cleanShutdown) await files.syncDirectory(path);
}

/** The log that is being opened; undefined when it is set aside. */
async function open(
  { o, logs, cleanShutdown }: PartitionLoading,
  { topic, partition, name, state }: PartitionFolder,
  configOf: ConfigOf,
  topicIdOf: TopicIdOf,
): Promise<{ readonly log: Promise<unknown> } | undefined> {
  const { files, random } = o;
  const directory = `${o.path}/${name}`;
  const names = fileNamesIn(files, directory);
  const hasMetadata = names.includes(PARTITION_METADATA_FILE);
  let topicId = (hasMetadata ? readPartitionMetadata(files, directory) : undefined) ?? null;
  const config = configOf(topic, partition, topicId);
  if (config === undefined) {
    files.rename(directory, `${o.path}/${retiredName(topic, partition, 'stray', random)}`);
    return undefined;
  }
  topicId ??= await settleTopicId(files, directory, topicIdOf(topic) ?? null);
  const found = { topic, partition, topicId, config, cleanShutdown, names };
  const log = state === 'future' ? logs.openCopy(found, name) : logs.open(found);
  // Waited for by the caller; one that fails before that must not count as a failure that nobody looks at.
  log.catch(() => undefined);
  return { log };
}
