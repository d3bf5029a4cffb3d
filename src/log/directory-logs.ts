/**
 * The logs of one data directory: those of its partitions, and the copies that will take the place of logs in other directories.
 *
 * Invariants: of a partition there is one Log, which is opened once however many ask for it; the newest batches of those that are read are kept in
 * memory, those of copies are not.
 */
import { CLUSTER_METADATA_TOPIC } from '../wire/topic-name.ts';
import { FutureLogs } from './future-logs.ts';
import type { Log } from './log.ts';
import type { LogOpener, Opening } from './log-opener.ts';
import { METADATA_DIRECTORY } from './metadata-topic.ts';
import { directoryName } from './partition-directory-name.ts';
import type { TailMemory } from './tail-memory.ts';

export class DirectoryLogs {
  readonly copies = new FutureLogs();
  private readonly current = new Map<string, Log>();
  private readonly opening = new Map<string, Promise<Log>>();
  private readonly opener: LogOpener;
  private readonly tailMemory: TailMemory;

  constructor(opener: LogOpener, tailMemory: TailMemory) {
    this.opener = opener;
    this.tailMemory = tailMemory;
  }

  /** The one there is, when there is one. Rejects with StorageFailure. */
  open(o: Opening): Promise<Log> {
    const key = directoryName(o.topic, o.partition);
    const known = this.current.get(key);
    if (known !== undefined) return Promise.resolve(known);
    let opening = this.opening.get(key);
    if (opening === undefined) {
      opening = this.opener
        .open(key, o, this.tailMemory)
        .then((log) => {
          this.current.set(key, log);
          return log;
        })
        .finally(() => this.opening.delete(key));
      this.opening.set(key, opening);
    }
    return opening;
  }

  /** A copy, in the directory of this name. Throws an Error where the partition has another. */
  async openCopy(o: Opening, name: string): Promise<Log> {
    const log = await this.opener.open(name, o, this.copies.tailMemory);
    this.copies.add(log);
    return log;
  }

  /** The copy is the partition's log from now on. */
  adopt(copy: Log): void {
    this.copies.remove(copy);
    copy.keepTailIn(this.tailMemory);
    this.current.set(directoryName(copy.topic, copy.partition), copy);
  }

  /** The log is not the partition's any more, nor a copy of it. */
  release(log: Log): void {
    const key = directoryName(log.topic, log.partition);
    if (this.current.get(key) === log) this.current.delete(key);
    this.copies.remove(log);
  }

  get(topic: string, partition: number): Log | undefined {
    return this.current.get(directoryName(topic, partition));
  }

  /** As `get`, when it is open where it is being opened. Rejects as the opening does. */
  async opened(topic: string, partition: number): Promise<Log | undefined> {
    await this.opening.get(directoryName(topic, partition));
    return this.get(topic, partition);
  }

  /** Resolves when what is being opened is open, or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.opening.values());
  }

  /** The logs of partitions and the metadata log. */
  values(): Iterable<Log> {
    return this.current.values();
  }

  /** The logs of partitions. */
  *ofPartitions(): Iterable<Log> {
    for (const log of this.current.values()) if (log.topic !== CLUSTER_METADATA_TOPIC) yield log;
  }

  /** Of partitions, their copies included: all that the checkpoint files speak of. */
  *ofReplicas(): Iterable<Log> {
    yield* this.ofPartitions();
    yield* this.copies.values();
  }

  /** Everything that is open. */
  list(): Log[] {
    return [...this.current.values(), ...this.copies.values()];
  }

  /** How many logs of partitions and copies there are, or are being made. */
  get replicaCount(): number {
    const metadata = this.current.has(METADATA_DIRECTORY) ? 1 : 0;
    return this.current.size + this.opening.size + this.copies.count - metadata;
  }
}
