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
import { futureNameFits } from '../log/partition-directory-name.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { MetadataChange } from '../machine/metadata/metadata-change.ts';
import type { PartitionImage, TopicImage } from '../machine/metadata/topic-image.ts';
import { prepareToCompress, ZSTD } from '../wire/compression/codec.ts';
import { DIRECTORY_LOST, directoryOf } from '../wire/directory-id.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';
import { StorageFailure } from '../world/files.ts';
import { Deadlines } from './deadlines.ts';
import type { FetchedData } from './fetch-sessions.ts';
import { type FetchOptions, fetchPartitions } from './fetch.ts';
import { type FoundCopy, foundCopies, openFoundLogs } from './found-logs.ts';
import { Partition } from './partition.ts';
import { ReplicaHomes } from './replica-homes.ts';
import { type ReplicaAssignment, ReplicaMoves } from './replica-moves.ts';
import { ConfigResourceType } from '../wire/config-resource.ts';

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
  /** See ReplicaMovesOptions. Default: nobody is told, and nothing can be moved. */
  assign?(assignment: ReplicaAssignment): Promise<ErrorCode | undefined>;
  /** See ReplicaMovesOptions. Default: one. */
  readonly movesAtOnce?: number;
  /** See ReplicaMovesOptions. Default: without limit. */
  maxMoveBytesPerSecond?(): number;
}

export class Partitions {
  /** Of everything that waits for partitions: one heap, one timer. */
  readonly deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #nodeId: number;
  readonly #homes: ReplicaHomes;
  readonly #moves: ReplicaMoves;
  readonly #assign: (assignment: ReplicaAssignment) => Promise<ErrorCode | undefined>;
  readonly #readLogConfig: (topic: string) => LogConfig;
  readonly #logConfigs = new Map<string, LogConfig>();
  /** By their contents: thousands of logs that are configured alike share one object. */
  readonly #distinctConfigs = new Map<string, LogConfig>();
  readonly #byName = new Map<string, (Partition | undefined)[]>();
  readonly #byId = new Map<string, (Partition | undefined)[]>();
  readonly #listeners = new Map<string, LeadershipListener[]>();
  readonly #led = new Set<Partition>();
  #applying: Promise<void> = Promise.resolve();

  constructor(options: PartitionsOptions) {
    this.#clock = options.clock;
    this.deadlines = new Deadlines(options.clock);
    this.#nodeId = options.nodeId;
    this.#homes = new ReplicaHomes(options.directories);
    this.#assign = options.assign ?? (() => Promise.resolve(undefined));
    this.#moves = new ReplicaMoves({
      clock: options.clock,
      homes: this.#homes,
      assign: this.#assign,
      movesAtOnce: options.movesAtOnce ?? 1,
      maxBytesPerSecond: options.maxMoveBytesPerSecond ?? (() => Number.MAX_SAFE_INTEGER),
    });
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
  in(directory: LogDirectory): Iterable<Partition> {
    return this.#homes.in(directory);
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

  /**
   * Opens all logs that are on disk, takes up what the image assigns to this broker, and goes on with what was being moved. Once, before any `apply`.
   * A directory whose disk fails at that is offline from then on. Rejects with an Error when a partition is found twice.
   */
  async start(image: MetadataImage): Promise<void> {
    const { directories } = this.#homes;
    const found = { directories, image, nodeId: this.#nodeId, logConfigOf: (topic: string) => this.#logConfigOf(topic) };
    await openFoundLogs(found);
    for (const topic of image.topicsByName.values()) await this.#takeUp(topic, topic.partitions.values());
    for (const copy of foundCopies(found)) await this.#resumeMove(copy);
  }

  async #resumeMove({ copy, directory, recorded }: FoundCopy): Promise<void> {
    const partition = this.find(copy.topic, copy.partition);
    if (partition === undefined || partition.failure !== ErrorCode.NONE || directory.failure !== undefined) return;
    if (this.#homes.of(partition) === directory) await directory.retire(copy);
    else this.#moves.begin(partition, directory, copy, recorded);
  }

  /** Begins no step of a move any more. Before the directories are stopped. */
  stop(): Promise<void> {
    return this.#moves.stop();
  }

  /** Resolves when nothing is being moved between directories. */
  movesSettled(): Promise<void> {
    return this.#moves.settled();
  }

  /**
   * AlterReplicaLogDirs for one partition: moves it to the directory, or remembers that it is to be made there. NOT_LEADER_OR_FOLLOWER: it is not
   * here, whether or not there is such a partition. After all changes that came before.
   */
  alterLogDir(topic: string, index: number, path: string): Promise<ErrorCode> {
    const altered = this.#applying.then(() => this.#alterLogDir(topic, index, path));
    this.#applying = altered.then(() => undefined);
    return altered;
  }

  async #alterLogDir(topic: string, index: number, path: string): Promise<ErrorCode> {
    if (!futureNameFits(topic, index)) return ErrorCode.INVALID_TOPIC_EXCEPTION;
    const destination = this.#homes.withPath(path);
    if (destination === undefined) return ErrorCode.LOG_DIR_NOT_FOUND;
    if (destination.failure !== undefined) return ErrorCode.KAFKA_STORAGE_ERROR;
    if (destination.isCordoned) return ErrorCode.INVALID_REPLICA_ASSIGNMENT;
    const partition = this.find(topic, index);
    if (partition?.failure === ErrorCode.KAFKA_STORAGE_ERROR) return ErrorCode.KAFKA_STORAGE_ERROR;
    const home = partition === undefined ? undefined : this.#homes.of(partition);
    const target = partition === undefined ? undefined : this.#moves.destinationOf(partition);
    if (partition !== undefined && target !== undefined && target !== destination) await this.#moves.cancel(partition);
    if (home !== destination && target !== destination) this.#homes.prefer(topic, index, destination);
    if (partition === undefined || partition.failure !== ErrorCode.NONE) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    if (home === destination || target === destination) return ErrorCode.NONE;
    if (this.#homes.hasOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
    return this.#beginMove(partition, destination);
  }

  async #beginMove(partition: Partition, destination: LogDirectory): Promise<ErrorCode> {
    const { topic, index, topicId } = partition;
    try {
      const copy = await destination.createFuture(topic, index, topicId, this.#logConfigOf(topic));
      this.#homes.forget(topic, index);
      this.#moves.begin(partition, destination, copy, false);
      return ErrorCode.NONE;
    } catch (failure) {
      if (!(failure instanceof StorageFailure)) throw failure;
      return ErrorCode.KAFKA_STORAGE_ERROR;
    }
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
    this.#moves.directoryFailed(directory);
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
        return this.#configure(change.resource.type === ConfigResourceType.TOPIC ? change.resource.name : undefined);
      default:
        return;
    }
  }

  async #takeUp(topic: TopicImage, images: Iterable<PartitionImage>): Promise<void> {
    const ours = [...images].filter((image) => image.replicas.includes(this.#nodeId));
    const missing = ours.filter((image) => this.find(topic.name, image.index) === undefined);
    for (let i = 0; i < missing.length; i += CREATED_AT_ONCE) {
      await Promise.all(missing.slice(i, i + CREATED_AT_ONCE).map((image) => this.#create(topic, image)));
    }
    for (const image of ours) {
      const partition = this.find(topic.name, image.index);
      if (partition === undefined) throw new Error(`partition ${topic.name}-${image.index} was not created`);
      this.#tellWhere(partition, image);
      const epochBefore = partition.leaderEpoch;
      partition.lead(image);
      if (!partition.isLeader) this.#resign(partition);
      else if (!this.#led.has(partition) || partition.leaderEpoch !== epochBefore) {
        this.#led.add(partition);
        for (const listener of this.#listeners.get(topic.name) ?? []) listener.onLeader(partition);
      }
    }
  }

  async #create(topic: TopicImage, image: PartitionImage): Promise<void> {
    const { index } = image;
    const home = this.#homes.choose(topic.name, index, directoryOf(image, this.#nodeId));
    const log = typeof home === 'number' ? home : await this.#openLog(home, topic, index);
    const partition = new Partition({ nodeId: this.#nodeId, topic: topic.name, topicId: topic.id, index, log });
    if (typeof home !== 'number') this.#homes.set(partition, home);
    // The disk failed before anybody was told that the partition is there.
    if (typeof home !== 'number' && typeof log === 'number') this.#tell(partition, DIRECTORY_LOST);
    if (typeof log !== 'number') this.#homes.forget(topic.name, index);
    register(this.#byName, topic.name, partition);
    register(this.#byId, topic.id, partition);
  }

  /** The metadata log is to know in which directory the partition is. It is ahead of us while a move is being finished. */
  #tellWhere(partition: Partition, image: PartitionImage): void {
    const home = this.#homes.of(partition);
    const recorded = directoryOf(image, this.#nodeId);
    if (home === undefined || home.failure !== undefined || home.directoryId === recorded) return;
    if (this.#moves.destinationOf(partition)?.directoryId === recorded) return;
    this.#tell(partition, home.directoryId);
  }

  #tell({ topicId, index }: Partition, directoryId: string): void {
    void this.#assign({ topicId, partitionIndex: index, directoryId });
  }

  /** KAFKA_STORAGE_ERROR when the disk fails. */
  async #openLog(directory: LogDirectory, topic: TopicImage, index: number): Promise<Log | ErrorCode> {
    const log = directory.get(topic.name, index);
    if (log !== undefined) return log;
    try {
      return await directory.create(topic.name, index, topic.id, this.#logConfigOf(topic.name));
    } catch (failure) {
      if (!(failure instanceof StorageFailure)) throw failure;
      return ErrorCode.KAFKA_STORAGE_ERROR;
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
      await this.#moves.cancel(partition);
      const directory = this.#homes.of(partition);
      this.#homes.set(partition, undefined);
      if (directory !== undefined && directory.failure === undefined) await deleteLog(directory, partition);
    }
  }

  /** `topic` undefined: the broker's own configs changed, and with them the defaults of all topics. */
  async #configure(topic: string | undefined): Promise<void> {
    if (topic === undefined) this.#logConfigs.clear();
    else this.#logConfigs.delete(topic);
    this.#distinctConfigs.clear();
    for (const partition of topic === undefined ? this.all() : (this.#byName.get(topic) ?? [])) {
      if (partition === undefined || partition.failure !== ErrorCode.NONE) continue;
      const config = this.#logConfigOf(partition.topic);
      if (config.compressionType === 'zstd') await prepareToCompress(ZSTD);
      partition.log.updateConfig(config);
      this.#moves.destinationOf(partition)?.future(partition.topic, partition.index)?.updateConfig(config);
    }
  }

  #resign(partition: Partition): void {
    if (!this.#led.delete(partition)) return;
    for (const listener of this.#listeners.get(partition.topic) ?? []) listener.onResigned(partition);
  }
}

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
