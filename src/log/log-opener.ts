/** Opens the logs of one data directory with what its checkpoints know of them. */
import type { StorageFailure } from '../world/files.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { FileHandles } from './file-handles.ts';
import type { LogConfig } from './log-config.ts';
import type { LiveSettings, LogDirectoryOptions } from './log-directory-options.ts';
import { Log } from './log.ts';
import { directoryName } from './partition-directory-name.ts';
import type { TailMemory } from './tail-memory.ts';

/** A partition that is to be opened. */
export interface Opening {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string | null;
  readonly config: LogConfig;
  readonly cleanShutdown: boolean;
  /** Of the files that were found in its directory; undefined when it was not looked at yet. */
  readonly names?: readonly string[];
}

export interface LogOpenerOptions {
  readonly directory: LogDirectoryOptions;
  readonly handles: FileHandles;
  readonly checkpoints: Checkpoints;
  /** As it is at the moment. */
  readonly live: () => Pick<LiveSettings, 'producerIdExpirationMs' | 'verifiesTransactions'>;
  readonly onFailure: (failure: StorageFailure) => void;
  readonly onTruncated: (topic: string, partition: number, offset: number) => void;
}

export class LogOpener {
  private readonly o: LogOpenerOptions;

  constructor(o: LogOpenerOptions) {
    this.o = o;
  }

  /** What lies in the directory of this name, or a new and empty log there. */
  async open(name: string, { cleanShutdown, ...opening }: Opening, tailMemory: TailMemory): Promise<Log> {
    const { handles, checkpoints, live, onFailure, onTruncated } = this.o;
    const { files, clock, random, path } = this.o.directory;
    const { producerIdExpirationMs, verifiesTransactions } = live();
    const key = directoryName(opening.topic, opening.partition);
    const directory = `${path}/${name}`;
    const isNew = opening.names === undefined && files.stat(directory) === undefined;
    if (isNew) await checkpoints.forget(key);
    const log = await Log.open({
      files,
      clock,
      random,
      directory,
      ...opening,
      recoveryPoint: isNew ? 0 : (checkpoints.recoveryPoints.get(key) ?? 0),
      logStartOffset: isNew ? 0 : (checkpoints.logStarts.get(key) ?? 0),
      cleanShutdown: cleanShutdown || isNew,
      handles,
      producerIdExpirationMs,
      verifiesTransactions,
      tailMemory,
      onFailure,
      onTruncated,
    });
    // What will be acknowledged in a new partition is worth nothing where its directory can be lost.
    if (isNew) await files.syncDirectory(path);
    if (!isNew) log.setHighWatermark(checkpoints.highWatermarks.get(key) ?? log.logStartOffset);
    return log;
  }
}
