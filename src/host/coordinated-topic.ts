/**
 * An internal topic whose partitions are run by machines, each where its partition is led: which partition a key lives in, who coordinates it, and the
 * machines of the partitions led here.
 *
 * A partition with records is loaded as soon as it is led; an empty one costs nothing until a key in it is asked for.
 */
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { LeadershipListener } from '../partition/partitions.ts';
import type { Partition } from '../partition/partition.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { coordinatorPartition } from '../wire/java-hash.ts';
import type { InternalTopic } from './internal-topic.ts';

/** What is asked of the host of a machine here. */
export interface Hosting {
  readonly state: 'loading' | 'active' | 'closed';
  close(error: ErrorCode): void;
}

export interface CoordinatedTopicOptions<H extends Hosting> {
  readonly image: MetadataImage;
  readonly topic: InternalTopic;
  /** Creates the topic unless it exists; resolves when it is in the image or cannot be. */
  createInternalTopic(topic: InternalTopic): Promise<unknown>;
  /** Loads the machine of a partition that is led here. */
  open(partition: Partition): H;
}

export class CoordinatedTopic<H extends Hosting> implements LeadershipListener {
  readonly #options: CoordinatedTopicOptions<H>;
  readonly #led = new Map<number, Partition>();
  readonly #hosts = new Map<number, H>();
  #creating: Promise<unknown> | undefined;
  #isStopped = false;

  constructor(options: CoordinatedTopicOptions<H>) {
    this.#options = options;
  }

  /** What it is created as on first need. */
  get asCreated(): InternalTopic {
    return this.#options.topic;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  onLeader(partition: Partition): void {
    if (this.#isStopped) return;
    if (this.#led.get(partition.index) !== partition) this.#drop(partition.index);
    this.#led.set(partition.index, partition);
    if (partition.log.logEndOffset > partition.log.logStartOffset) this.hostOf(partition.index);
  }

  /** What waits is answered with NOT_COORDINATOR. */
  onResigned(partition: Partition): void {
    if (this.#led.get(partition.index) !== partition) return;
    this.#drop(partition.index);
    this.#led.delete(partition.index);
  }

  /** Answers all that waits; no timer stays. */
  stop(): void {
    this.#isStopped = true;
    for (const index of this.#hosts.keys()) this.#drop(index);
    this.#led.clear();
  }

  #drop(index: number): void {
    this.#hosts.get(index)?.close(ErrorCode.NOT_COORDINATOR);
    this.#hosts.delete(index);
  }

  /** Those that there are, in no order. */
  hosts(): Iterable<H> {
    return this.#hosts.values();
  }

  /** Partitions with a host. */
  indexes(): Iterable<number> {
    return this.#hosts.keys();
  }

  /** Undefined when the partition is not led here. */
  hostOf(index: number): H | undefined {
    const existing = this.#hosts.get(index);
    if (existing !== undefined && existing.state !== 'closed') return existing;
    const partition = this.#led.get(index);
    // A host that is closed while its partition is led could not be loaded.
    if (partition === undefined || existing !== undefined) return existing;
    const host = this.#options.open(partition);
    this.#hosts.set(index, host);
    return host;
  }

  /** The partition, when it is led here. */
  partition(index: number): Partition | undefined {
    return this.#led.get(index);
  }

  get exists(): boolean {
    return this.#partitionCount() !== undefined;
  }

  #partitionCount(): number | undefined {
    return this.#options.image.topicsByName.get(this.#options.topic.name)?.partitions.size;
  }

  partitionOf(key: string): number {
    return coordinatorPartition(key, this.#partitionCount() ?? this.#options.topic.partitions);
  }

  /** The broker that coordinates the key. Creates the topic on first need, and waits for it rather than let every client ask again. */
  async coordinatorOf(key: string): Promise<{ readonly error: ErrorCode; readonly nodeId: number }> {
    const { image, topic } = this.#options;
    if (!this.exists && !this.#isStopped) {
      this.#creating ??= this.#options.createInternalTopic(topic).finally(() => {
        this.#creating = undefined;
      });
      await this.#creating;
    }
    const leader = image.partition(topic.name, this.partitionOf(key))?.leader ?? -1;
    return { error: leader < 0 ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NONE, nodeId: leader };
  }
}
