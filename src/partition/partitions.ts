/**
 * All replicas on this broker. It follows the metadata log: what is created there gets a log here before anyone is told, what is deleted there
 * loses it.
 *
 * Invariants:
 * - every partition that the image assigns to this broker is here once `start` or the `apply` of its change has ended;
 * - changes are applied one after the other, in the order they come;
 * - a partition whose disk failed stays findable, with its failure.
 */
import type { LogConfig } from '../log/log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { Log } from '../log/log.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { MetadataChange } from '../machine/metadata/metadata-change.ts';
import type { PartitionImage, TopicImage } from '../machine/metadata/topic-image.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';
import { StorageFailure } from '../world/files.ts';
import { Deadlines } from './deadlines.ts';
import type { FetchedData } from './fetch-sessions.ts';
import { type FetchOptions, fetchPartitions } from './fetch.ts';
import { Partition } from './partition.ts';

/** Each new partition waits for its disk several times. */
const CREATED_AT_ONCE = 8;

/** Told of partitions of one topic: a coordinator that lives on an internal topic. */
export interface LeadershipListener {
  /** This broker leads the partition, since just now or at another epoch. */
  onLeader(partition: Partition): void;
  /** It led, and does so no more: another leads, the topic is gone, or the disk failed. */
  onResigned(partition: Partition): void;
}

export interface PartitionsOptions {
  readonly clock: Clock;
  readonly nodeId: number;
  readonly directories: readonly LogDirectory[];
  /** The effective configuration of a topic in the image, of the broker's for its defaults. */
  logConfigOf(topic: string): LogConfig;
}

export class Partitions {
  /** Of everything that waits for partitions: one heap, one timer. */
  readonly deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #nodeId: number;
  readonly #directories: readonly LogDirectory[];
  readonly #readLogConfig: (topic: string) => LogConfig;
  readonly #logConfigs = new Map<string, LogConfig>();
  /** By their contents: thousands of logs that are configured alike share one object. */
  readonly #distinctConfigs = new Map<string, LogConfig>();
  readonly #byName = new Map<string, (Partition | undefined)[]>();
  readonly #byId = new Map<string, (Partition | undefined)[]>();
  readonly #directoryOf = new Map<Partition, LogDirectory>();
  /** How many partitions there are in each directory, or on their way there. */
  readonly #counts = new Map<LogDirectory, number>();
  readonly #listeners = new Map<string, LeadershipListener[]>();
  readonly #led = new Set<Partition>();
  #applying: Promise<void> = Promise.resolve();

  constructor(options: PartitionsOptions) {
    this.#clock = options.clock;
    this.deadlines = new Deadlines(options.clock);
    this.#nodeId = options.nodeId;
    this.#directories = options.directories;
    this.#readLogConfig = options.logConfigOf;
  }

  find(topic: string, index: number): Partition | undefined {
    return this.#byName.get(topic)?.[index];
  }

  findById(topicId: string, index: number): Partition | undefined {
    return this.#byId.get(topicId)?.[index];
  }

  *all(): Iterable<Partition> {
    for (const partitions of this.#byName.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition;
    }
  }

  /** The partitions whose logs are in `directory`. */
  *in(directory: LogDirectory): Iterable<Partition> {
    for (const [partition, home] of this.#directoryOf) if (home === directory) yield partition;
  }

  /** Reads partitions under common limits, waiting for `minBytes` up to `maxWaitMs`. */
  fetch(options: FetchOptions): readonly FetchedData[] | Promise<readonly FetchedData[]> {
    return fetchPartitions(options, this.#clock, this.deadlines);
  }

  /** From now on, and at once for partitions led already. */
  onLeadership(topic: string, listener: LeadershipListener): void {
    const listeners = this.#listeners.get(topic);
    if (listeners === undefined) this.#listeners.set(topic, [listener]);
    else listeners.push(listener);
    for (const partition of this.#led) if (partition.topic === topic) listener.onLeader(partition);
  }

  /** Opens all logs that are on disk and takes up what the image assigns to this broker. Once, before any `apply`. */
  async start(image: MetadataImage): Promise<void> {
    for (const directory of this.#directories) {
      await directory.openLogs((topic, index, topicId) => {
        const known = image.topicsByName.get(topic);
        const ours = known?.partitions.get(index)?.replicas.includes(this.#nodeId) === true;
        return ours && (topicId === null || topicId === known.id) ? this.#logConfigOf(topic) : undefined;
      });
    }
    for (const topic of image.topicsByName.values()) await this.#takeUp(topic, topic.partitions.values());
  }

  /** Follows the metadata log. Ends when the logs of new partitions are there. */
  apply(changes: readonly MetadataChange[]): Promise<void> {
    this.#applying = this.#applying.then(async () => {
      for (const change of changes) await this.#applyOne(change);
    });
    return this.#applying;
  }

  /** The disk failed: all that is on it answers KAFKA_STORAGE_ERROR from now on. */
  directoryFailed(directory: LogDirectory): void {
    for (const partition of this.in(directory)) {
      partition.fail(ErrorCode.KAFKA_STORAGE_ERROR);
      this.#resign(partition);
    }
  }

  async #applyOne(change: MetadataChange): Promise<void> {
    switch (change.kind) {
      case 'topicCreated':
        return this.#takeUp(change.topic, change.topic.partitions.values());
      case 'partitionsAdded':
        return this.#takeUp(change.topic, change.partitions);
      case 'topicDeleted':
        return this.#drop(change.topic);
      case 'partitionChanged':
        return this.#takeUp(change.topic, [change.partition]);
      case 'configsChanged':
        return this.#configure(change.resource.type === TOPIC_CONFIGS ? change.resource.name : undefined);
      default:
        return;
    }
  }

  async #takeUp(topic: TopicImage, images: Iterable<PartitionImage>): Promise<void> {
    const ours = [...images].filter((image) => image.replicas.includes(this.#nodeId));
    const missing = ours.filter((image) => this.find(topic.name, image.index) === undefined);
    for (let i = 0; i < missing.length; i += CREATED_AT_ONCE) {
      await Promise.all(missing.slice(i, i + CREATED_AT_ONCE).map((image) => this.#create(topic, image.index)));
    }
    for (const image of ours) {
      const partition = this.find(topic.name, image.index);
      if (partition === undefined) throw new Error(`partition ${topic.name}-${image.index} was not created`);
      const epochBefore = partition.leaderEpoch;
      partition.lead(image);
      if (!partition.isLeader) this.#resign(partition);
      else if (!this.#led.has(partition) || partition.leaderEpoch !== epochBefore) {
        this.#led.add(partition);
        for (const listener of this.#listeners.get(topic.name) ?? []) listener.onLeader(partition);
      }
    }
  }

  async #create(topic: TopicImage, index: number): Promise<void> {
    const directory = this.#homeOf(topic.name, index);
    if (directory !== undefined) this.#count(directory, 1);
    const log = directory === undefined ? undefined : await this.#openLog(directory, topic, index);
    const partition = new Partition({ nodeId: this.#nodeId, topic: topic.name, topicId: topic.id, index, log });
    if (directory !== undefined) this.#directoryOf.set(partition, directory);
    register(this.#byName, topic.name, partition);
    register(this.#byId, topic.id, partition);
  }

  /** Where the log is, or else where the fewest are; undefined when no directory works. */
  #homeOf(topic: string, index: number): LogDirectory | undefined {
    let emptiest: LogDirectory | undefined;
    for (const directory of this.#directories) {
      if (directory.failure !== undefined) continue;
      if (directory.get(topic, index) !== undefined) return directory;
      if (emptiest === undefined || this.#countIn(directory) < this.#countIn(emptiest)) emptiest = directory;
    }
    return emptiest;
  }

  #countIn(directory: LogDirectory): number {
    return this.#counts.get(directory) ?? 0;
  }

  #count(directory: LogDirectory, more: number): void {
    this.#counts.set(directory, this.#countIn(directory) + more);
  }

  /** Undefined when the disk fails. */
  async #openLog(directory: LogDirectory, topic: TopicImage, index: number): Promise<Log | undefined> {
    const log = directory.get(topic.name, index);
    if (log !== undefined) return log;
    try {
      return await directory.create(topic.name, index, topic.id, this.#logConfigOf(topic.name));
    } catch (failure) {
      if (!(failure instanceof StorageFailure)) throw failure;
      return undefined;
    }
  }

  #logConfigOf(topic: string): LogConfig {
    const known = this.#logConfigs.get(topic);
    if (known !== undefined) return known;
    const read = this.#readLogConfig(topic);
    const contents = JSON.stringify(read);
    const config = this.#distinctConfigs.get(contents) ?? read;
    this.#distinctConfigs.set(contents, config);
    this.#logConfigs.set(topic, config);
    return config;
  }

  async #drop(topic: TopicImage): Promise<void> {
    this.#logConfigs.delete(topic.name);
    const partitions = this.#byId.get(topic.id) ?? [];
    this.#byId.delete(topic.id);
    this.#byName.delete(topic.name);
    for (const partition of partitions) {
      if (partition === undefined) continue;
      partition.fail(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      this.#resign(partition);
      const directory = this.#directoryOf.get(partition);
      this.#directoryOf.delete(partition);
      if (directory !== undefined) this.#count(directory, -1);
      if (directory !== undefined && directory.failure === undefined) await deleteLog(directory, partition);
    }
  }

  /** `topic` undefined: the broker's own configs changed, and with them the defaults of all topics. */
  #configure(topic: string | undefined): void {
    if (topic === undefined) this.#logConfigs.clear();
    else this.#logConfigs.delete(topic);
    this.#distinctConfigs.clear();
    for (const partition of topic === undefined ? this.all() : (this.#byName.get(topic) ?? [])) {
      if (partition !== undefined && partition.failure === ErrorCode.NONE)
        partition.log.updateConfig(this.#logConfigOf(partition.topic));
    }
  }

  #resign(partition: Partition): void {
    if (!this.#led.delete(partition)) return;
    for (const listener of this.#listeners.get(partition.topic) ?? []) listener.onResigned(partition);
  }
}

/** Kafka's number of the resource type. */
const TOPIC_CONFIGS = 2;

/** A disk that fails has taken its directory offline; the topic is gone all the same, and what follows has to be applied. */
async function deleteLog(directory: LogDirectory, { topic, index }: Partition): Promise<void> {
  try {
    await directory.delete(topic, index);
  } catch (failure) {
    if (!(failure instanceof StorageFailure)) throw failure;
  }
}

function register(map: Map<string, (Partition | undefined)[]>, key: string, partition: Partition): void {
  const partitions = map.get(key) ?? [];
  partitions[partition.index] = partition;
  map.set(key, partitions);
}
