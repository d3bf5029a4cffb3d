/**
 * What the broker owes its clients besides records: topics, their configs, and committed offsets.
 *
 * Metadata that was acknowledged survives everything. Committed offsets survive everything but a power cut, and that too where the broker syncs
 * before it acknowledges.
 */
import { PartitionModel } from './partition-model.ts';
import { demand } from './violation.ts';

export interface TopicModel {
  readonly name: string;
  id: string;
  /** At least so many: acknowledged. */
  partitionCount: number;
  /** A change that was asked for and not answered may have happened. */
  partitionsAtMost: number;
  readonly configs: Map<string, string>;
  /** Values that may have been set beside the one in `configs`. */
  readonly uncertain: Map<string, Set<string>>;
  readonly partitions: PartitionModel[];
}

interface Committed {
  floor: number;
  /** Sent and never answered, or not yet. */
  readonly uncertain: Set<number>;
}

export class ClusterModel {
  readonly topics = new Map<string, TopicModel>();
  /** Asked to be made or deleted, without an answer: may be there or not. */
  readonly uncertainTopics = new Set<string>();
  readonly deletedTopics = new Set<string>();
  private readonly committed = new Map<string, Committed>();
  private nextCommit = 1;

  topicCreated(name: string, id: string, partitionCount: number, configs: Readonly<Record<string, string>>): TopicModel {
    const topic: TopicModel = {
      name,
      id,
      partitionCount,
      partitionsAtMost: partitionCount,
      configs: new Map(Object.entries(configs)),
      uncertain: new Map(),
      partitions: [],
    };
    this.topics.set(name, topic);
    this.partitionsAdded(topic, partitionCount);
    return topic;
  }

  partitionsAdded(topic: TopicModel, partitionCount: number): void {
    topic.partitionCount = Math.max(topic.partitionCount, partitionCount);
    const isSynced = topic.configs.get('flush.messages') === '1';
    for (let index = topic.partitions.length; index < topic.partitionCount; index++) {
      topic.partitions.push(new PartitionModel(`${topic.name}-${index}`, isSynced));
    }
  }

  partition(topic: string, index: number): PartitionModel {
    const model = this.topics.get(topic)?.partitions[index];
    if (model === undefined) throw new Error(`the model has no ${topic}-${index}`);
    return model;
  }

  private commitsOf(key: string): Committed {
    let commits = this.committed.get(key);
    if (commits === undefined) {
      commits = { floor: -1, uncertain: new Set() };
      this.committed.set(key, commits);
    }
    return commits;
  }

  /** An offset that no commit has had before. */
  willCommit(key: string): number {
    const offset = this.nextCommit++;
    this.commitsOf(key).uncertain.add(offset);
    return offset;
  }

  commitAcknowledged(key: string, offset: number): void {
    const commits = this.commitsOf(key);
    commits.uncertain.delete(offset);
    commits.floor = Math.max(commits.floor, offset);
  }

  commitRefused(key: string, offset: number): void {
    this.commitsOf(key).uncertain.delete(offset);
  }

  /** What must not be undercut by an answer to a question asked now. */
  committedFloor(key: string): number {
    return this.commitsOf(key).floor;
  }

  seeCommitted(key: string, offset: number, floorWhenAsked: number): void {
    const commits = this.commitsOf(key);
    const floor = Math.min(floorWhenAsked, commits.floor);
    demand(
      offset >= floor || commits.uncertain.has(offset),
      () => `${key}: committed offset ${floor} was acknowledged, and now it is ${offset}`,
    );
    demand(offset < this.nextCommit, () => `${key}: offset ${offset} was never committed`);
  }

  /** Whatever was not synced may be gone. */
  commitsMayBeLost(): void {
    for (const commits of this.committed.values()) commits.floor = -1;
  }
}
