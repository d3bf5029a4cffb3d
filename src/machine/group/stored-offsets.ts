/**
 * Committed offsets by group, topic and partition. A map that has become empty is dropped, so that what is compared and counted is only what is
 * there.
 */
import type { StoredOffset } from './record.ts';

export type TopicOffsets = ReadonlyMap<string, ReadonlyMap<number, StoredOffset>>;

export class StoredOffsets {
  readonly #groups = new Map<string, Map<string, Map<number, StoredOffset>>>();

  /** Group ids with at least one offset. */
  groupIds(): Iterable<string> {
    return this.#groups.keys();
  }

  ofGroup(groupId: string): TopicOffsets | undefined {
    return this.#groups.get(groupId);
  }

  get(groupId: string, topic: string, partition: number): StoredOffset | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition);
  }

  put(groupId: string, topic: string, partition: number, offset: StoredOffset): void {
    let topics = this.#groups.get(groupId);
    if (topics === undefined) this.#groups.set(groupId, (topics = new Map<string, Map<number, StoredOffset>>()));
    let partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, (partitions = new Map<number, StoredOffset>()));
    partitions.set(partition, offset);
  }

  remove(groupId: string, topic: string, partition: number): void {
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions === undefined) return;
    partitions.delete(partition);
    if (partitions.size > 0) return;
    topics.delete(topic);
    if (topics.size === 0) this.#groups.delete(groupId);
  }

  *all(): Iterable<{
    readonly groupId: string;
    readonly topic: string;
    readonly partition: number;
    readonly offset: StoredOffset;
  }> {
    for (const [groupId, topics] of this.#groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, offset] of partitions) yield { groupId, topic, partition, offset };
      }
    }
  }
}
