/**
 * What lies in the directories at a start, and whose log each of it is. A crash may have come amid a move, and a directory may come back that had failed:
 * the metadata log says in which directory a partition is.
 *
 * A disk that fails meanwhile takes its directory offline, and the others are gone on with. Source: LogManager.loadLogs and recoverAbandonedFutureLogs of
 * Apache Kafka, which refuses to start with two logs of a partition, and takes a copy for the log even where it is behind it.
 */
import type { LogConfig } from '../log/log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { Log } from '../log/log.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import { directoryOf } from '../wire/directory-id.ts';
import { StorageFailure } from '../world/files.ts';

export interface FoundLogsOptions {
  readonly directories: readonly LogDirectory[];
  readonly image: MetadataImage;
  readonly nodeId: number;
  logConfigOf(topic: string): LogConfig;
}

/** A copy that is still to take its log's place. */
export interface FoundCopy {
  readonly copy: Log;
  readonly directory: LogDirectory;
  /** The metadata log names its directory already. */
  readonly recorded: boolean;
}

/** Opens everything. Rejects with an Error when a partition is found in two directories neither of which the metadata log names. */
export async function openFoundLogs(o: FoundLogsOptions): Promise<void> {
  for (const directory of o.directories) {
    await unlessTheDiskFails(() => open(directory, o));
    for (const other of o.directories) if (other !== directory) await tellApart(directory, other, o);
  }
  for (const directory of o.directories) {
    for (const copy of [...directory.futures()]) await unlessTheDiskFails(() => takePlace(copy, directory, o));
  }
}

/** After `openFoundLogs`. */
export function foundCopies(o: FoundLogsOptions): FoundCopy[] {
  const found: FoundCopy[] = [];
  for (const directory of o.directories) {
    if (directory.failure !== undefined) continue;
    for (const copy of directory.futures()) found.push({ copy, directory, recorded: isRecorded(copy, directory, o) });
  }
  return found;
}

async function unlessTheDiskFails(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (failure) {
    if (!(failure instanceof StorageFailure)) throw failure;
  }
}

async function open(directory: LogDirectory, { image, nodeId, logConfigOf }: FoundLogsOptions): Promise<void> {
  if (directory.failure !== undefined) return;
  await directory.openLogs(
    (topic, index, topicId) => {
      const known = image.topicsByName.get(topic);
      const ours = known?.partitions.get(index)?.replicas.includes(nodeId) === true;
      return ours && (topicId === null || topicId === known.id) ? logConfigOf(topic) : undefined;
    },
    (topic) => image.topicsByName.get(topic)?.id,
  );
}

/**
 * A partition that is found twice is where the metadata log says, and what is found elsewhere is set aside: its directory failed before it could be
 * renamed. Where the metadata log names neither, an operator has to say.
 */
async function tellApart(one: LogDirectory, other: LogDirectory, o: FoundLogsOptions): Promise<void> {
  for (const log of [...one.partitionLogs()]) {
    const same = other.get(log.topic, log.partition);
    if (same === undefined) continue;
    if (isRecorded(log, one, o)) await unlessTheDiskFails(() => other.setAside(same));
    else if (isRecorded(log, other, o)) await unlessTheDiskFails(() => one.setAside(log));
    else throw duplicate(log, same);
  }
  for (const log of one.futures()) {
    const same = other.future(log.topic, log.partition);
    if (same !== undefined) throw duplicate(log, same);
  }
}

/** A copy whose directory the metadata log names is the partition's log, if it has all that the other has: a crash came before the swap or amid it. */
async function takePlace(copy: Log, directory: LogDirectory, o: FoundLogsOptions): Promise<void> {
  if (!isRecorded(copy, directory, o)) return;
  const home = o.directories.find((one) => one.failure === undefined && one.get(copy.topic, copy.partition) !== undefined);
  const current = home?.get(copy.topic, copy.partition);
  if (current !== undefined && current.logEndOffset > copy.logEndOffset) return;
  if (home !== undefined && current !== undefined) {
    copy.setHighWatermark(current.highWatermark);
    copy.advanceLogStartOffset(Math.min(current.logStartOffset, copy.highWatermark));
    await home.retire(current);
  }
  directory.adopt(copy);
  await directory.settle(copy);
}

function isRecorded({ topic, partition: index }: Log, directory: LogDirectory, { image, nodeId }: FoundLogsOptions): boolean {
  const known = image.topicsByName.get(topic)?.partitions.get(index);
  return known !== undefined && directoryOf(known, nodeId) === directory.directoryId;
}

function duplicate({ topic, partition, directory }: Log, other: Log): Error {
  return new Error(
    `Duplicate log directories for ${topic}-${partition} are found in both ${directory} and ${other.directory}: a data directory may have failed ` +
      'while the partition was being moved; remove the one in the directory that has failed last',
  );
}
