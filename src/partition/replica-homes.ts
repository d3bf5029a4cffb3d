/**
 * In which log directory each partition of this broker is, and where a new one goes: where it was said to go, else where its client wanted it, else
 * where the fewest are, of those that are not cordoned. Source: LogManager.getOrCreateLog and nextLogDirs of Apache Kafka.
 */
import type { LogDirectory } from '../log/log-directory.ts';
import { isAssigned } from '../wire/directory-id.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Partition } from './partition.ts';

export class ReplicaHomes {
  readonly directories: readonly LogDirectory[];
  readonly #homes = new Map<Partition, LogDirectory>();
  /** By `topic-partition`: where AlterReplicaLogDirs wants what is not there yet, or is not there alone. */
  readonly #preferred = new Map<string, LogDirectory>();

  constructor(directories: readonly LogDirectory[]) {
    this.directories = directories;
  }

  get hasOffline(): boolean {
    return this.directories.some(({ failure }) => failure !== undefined);
  }

  withPath(path: string): LogDirectory | undefined {
    return this.directories.find((directory) => directory.path === path);
  }

  withId(directoryId: string): LogDirectory | undefined {
    return this.directories.find((directory) => directory.directoryId === directoryId && directory.failure === undefined);
  }

  of(partition: Partition): LogDirectory | undefined {
    return this.#homes.get(partition);
  }

  /** `directory` undefined: the partition is gone. */
  set(partition: Partition, directory: LogDirectory | undefined): void {
    if (directory === undefined) this.#homes.delete(partition);
    else this.#homes.set(partition, directory);
  }

  *in(directory: LogDirectory): Iterable<Partition> {
    for (const [partition, home] of this.#homes) if (home === directory) yield partition;
  }

  prefer(topic: string, index: number, directory: LogDirectory): void {
    this.#preferred.set(`${topic}-${index}`, directory);
  }

  /** The wish has been fulfilled. */
  forget(topic: string, index: number): void {
    this.#preferred.delete(`${topic}-${index}`);
  }

  /**
   * Where the log is, or else where a new one goes; the error that the partition answers when it is neither. `directoryId`: what the metadata log
   * says. What it says to be in a directory that is not online may be in one that is offline, and is not made anew.
   */
  choose(topic: string, index: number, directoryId: string): LogDirectory | ErrorCode {
    for (const directory of this.directories) {
      if (directory.failure === undefined && directory.get(topic, index) !== undefined) return directory;
    }
    const assigned = isAssigned(directoryId) ? this.withId(directoryId) : undefined;
    if (isAssigned(directoryId) && assigned === undefined && this.hasOffline) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const preferred = this.#preferred.get(`${topic}-${index}`);
    if (preferred !== undefined) return preferred.failure === undefined ? preferred : ErrorCode.KAFKA_STORAGE_ERROR;
    return assigned ?? this.#emptiest() ?? ErrorCode.KAFKA_STORAGE_ERROR;
  }

  /** Where all are cordoned, a partition that was placed before has to go somewhere. */
  #emptiest(): LogDirectory | undefined {
    const online = this.directories.filter(({ failure }) => failure === undefined);
    const open = online.filter(({ isCordoned }) => !isCordoned);
    let emptiest: LogDirectory | undefined;
    for (const directory of open.length > 0 ? open : online) {
      if (emptiest === undefined || directory.partitionCount < emptiest.partitionCount) emptiest = directory;
    }
    return emptiest;
  }
}
