/**
 * The copies in one data directory that are to take the place of partitions' logs in other directories (KIP-113).
 *
 * Invariants: of a partition there is at most one; it lies in `<topic>-<n>.<uuid>-future` until it has taken its place. Its newest batches are not
 * kept in memory, since nobody reads a copy.
 */
import type { Log } from './log.ts';
import { directoryName } from './partition-directory-name.ts';
import { TailMemory } from './tail-memory.ts';

export class FutureLogs {
  private readonly all = new Map<string, Log>();
  readonly tailMemory = new TailMemory(0);

  get count(): number {
    return this.all.size;
  }

  get(topic: string, partition: number): Log | undefined {
    return this.all.get(directoryName(topic, partition));
  }

  values(): Iterable<Log> {
    return this.all.values();
  }

  /** Throws an Error that names both directories when there is one already. */
  add(log: Log): void {
    const key = directoryName(log.topic, log.partition);
    const other = this.all.get(key);
    if (other !== undefined) throw new Error(`Duplicate log directories found: ${log.directory}, ${other.directory}; remove one`);
    this.all.set(key, log);
  }

  /** Nothing happens when it is not the partition's copy. */
  remove(log: Log): void {
    const key = directoryName(log.topic, log.partition);
    if (this.all.get(key) === log) this.all.delete(key);
  }
}
