/**
 * Partitions over a disk in memory and a clock that tests move, and handlers over them: what a broker is below its connections, with one node, 1,
 * that leads everything.
 */
import { type ConnectionInfo, type Context, type Handler, NO_REPLY, type Reply } from '../../src/api/context.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import type { LogDirectory } from '../../src/log/log-directory.ts';
import { Log } from '../../src/log/log.ts';
import { MetadataImage } from '../../src/machine/metadata/image.ts';
import { MetadataChanges } from '../../src/machine/metadata/metadata-change.ts';
import { FetchSessions } from '../../src/partition/fetch-sessions.ts';
import { Partitions } from '../../src/partition/partitions.ts';
import type { Partition } from '../../src/partition/partition.ts';
import { APIS, type ApiName, type ApiTypes } from '../../src/wire/generated/apis.ts';
import { readMetadataRecord, writeMetadataRecord, type MetadataRecordDraft } from '../../src/wire/metadata-record.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { FilesInMemory } from './files-in-memory.ts';

export const NODE_ID = 1;

/** A topic's id that can be told apart in failures. */
export const idOf = (topic: string): string => `${topic}AAAAAAAAAAAAAAAAAAAAAA`.slice(0, 21) + 'A';

export class SmallBroker {
  readonly files = new FilesInMemory();
  readonly turns: (() => void)[] = [];
  readonly clock = new VirtualClock(1_700_000_000_000, (run) => this.turns.push(run));
  readonly image = new MetadataImage();
  readonly configs = new Map<string, LogConfig>();
  readonly settings = new Map<string, number | boolean>([
    ['fetch.max.bytes', 57_671_680],
    ['transaction.max.timeout.ms', 900_000],
  ]);
  readonly #logs = new Map<string, Log>();
  readonly deleted: string[] = [];
  readonly directory: LogDirectory;
  readonly partitions: Partitions;
  readonly fetchSessions: FetchSessions;
  readonly connection = new FakeConnection();
  #seed = 7;

  constructor(options: { readonly slots?: number } = {}) {
    this.directory = this.#fakeDirectory();
    this.partitions = new Partitions({
      nodeId: NODE_ID,
      clock: this.clock,
      directories: [this.directory],
      logConfigOf: (topic) => this.configs.get(topic) ?? DEFAULT_LOG_CONFIG,
    });
    this.fetchSessions = new FetchSessions({ clock: this.clock, random: this.random, slots: options.slots ?? 1000 });
  }

  readonly random = {
    bytes: (size: number): Buffer => Buffer.alloc(size, 1),
    below: (bound: number): number => {
      this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return this.#seed % bound;
    },
  };

  /** Ends the turn: what was queued for it runs, and what that queues too, and the promises they settle. */
  async turn(): Promise<void> {
    await settled();
    while (this.turns.length > 0) {
      for (const run of this.turns.splice(0)) run();
      await settled();
    }
  }

  async advance(ms: number): Promise<void> {
    const moving = { done: false };
    const moved = this.clock.advance(ms).finally(() => {
      moving.done = true;
    });
    while (!moving.done) await this.turn();
    await moved;
    await this.turn();
  }

  async createTopic(
    name: string,
    partitions = 1,
    config: Partial<LogConfig> = {},
    replicas: readonly number[] = [NODE_ID],
  ): Promise<void> {
    this.configs.set(name, { ...DEFAULT_LOG_CONFIG, ...config });
    const records: MetadataRecordDraft[] = [{ kind: 'TopicRecord', value: { name, topicId: idOf(name) } }];
    for (let index = 0; index < partitions; index++) records.push(partitionRecord(name, index, replicas));
    await this.applyRecords(records);
  }

  async applyRecords(records: readonly MetadataRecordDraft[]): Promise<void> {
    const changes = new MetadataChanges();
    for (const record of records) this.image.apply(readMetadataRecord(writeMetadataRecord(record, 0)), changes);
    const applied = this.partitions.apply(changes.list);
    await this.turn();
    await applied;
  }

  partition(topic: string, index = 0): Partition {
    const partition = this.partitions.find(topic, index);
    if (partition === undefined) throw new Error(`no partition ${topic}-${index}`);
    return partition;
  }

  /** Appends and writes records of these values; returns the first offset. */
  async append(topic: string, values: readonly string[], index = 0, timestamp = this.clock.now()): Promise<number> {
    const result = this.partition(topic, index).append(batchOf(values, { timestamp }), { requiredAcks: -1, origin: 'client' });
    if (!result.ok) throw new Error(`append failed with ${result.error}: ${result.message}`);
    await this.turn();
    return result.firstOffset;
  }

  /** Asks a handler by way of the codecs: request and answer are what a client would send and get. What the handler does not need is not there. */
  ask<N extends ApiName>(
    name: N,
    handler: Handler<N>,
    version: number,
    request: ApiTypes[N]['requestDraft'],
    over: Partial<Context> = {},
  ): Asked<N> {
    const api = APIS[name] as Codecs<N>;
    const w = new Writer();
    api.writeRequest(w, request, version);
    const read = api.readRequest(new Reader(w.concat()), version);
    return new Asked(handler, read, this.#context(version, over), (reply) => {
      const answer = new Writer();
      api.writeResponse(answer, reply, version);
      return api.readResponse(new Reader(answer.concat()), version);
    });
  }

  #context(apiVersion: number, over: Partial<Context>): Context {
    const { clock, connection, fetchSessions, image, partitions, random } = this;
    const settings = {
      int: (name: string) => this.#setting(name, 'number'),
      boolean: (name: string) => this.#setting(name, 'boolean'),
    };
    const context: Partial<Context> = {
      clock,
      random,
      image,
      partitions,
      fetchSessions,
      connection,
      apiVersion,
      clientId: 'test',
      nodeId: NODE_ID,
      logDirectories: [this.directory],
      settings: settings as unknown as Context['settings'],
      endpointOf: (nodeId) => ({ nodeId, host: `node-${nodeId}`, port: 9092, rack: null }),
      ...over,
    };
    return context as Context;
  }

  #setting<T>(name: string, type: string): T {
    const value = this.settings.get(name);
    if (typeof value !== type) throw new Error(`no ${type} setting ${name}`);
    return value as T;
  }

  #fakeDirectory(): LogDirectory {
    const key = (topic: string, index: number): string => `${topic}-${index}`;
    const directory = {
      path: '/data',
      failure: undefined,
      partitionCount: 0,
      futures: () => [],
      openLogs: () => Promise.resolve(),
      get: (topic: string, index: number) => this.#logs.get(key(topic, index)),
      create: async (topic: string, index: number, topicId: string, config: LogConfig) => {
        const { clock, files, random } = this;
        const log = await Log.open({
          files,
          clock,
          random,
          directory: `/data/${key(topic, index)}`,
          topic,
          partition: index,
          topicId,
          config,
        });
        this.#logs.set(key(topic, index), log);
        return log;
      },
      delete: (topic: string, index: number) => {
        this.deleted.push(key(topic, index));
        this.files.rename(`/data/${key(topic, index)}`, `/data/${key(topic, index)}.gone-delete`);
        this.#logs.delete(key(topic, index));
        return Promise.resolve();
      },
      space: () => this.files.space(),
    };
    return directory as unknown as LogDirectory;
  }
}

interface Codecs<N extends ApiName> {
  readRequest(r: Reader, version: number): ApiTypes[N]['request'];
  writeRequest(w: Writer, m: ApiTypes[N]['requestDraft'], version: number): void;
  readResponse(r: Reader, version: number): ApiTypes[N]['response'];
  writeResponse(w: Writer, m: ApiTypes[N]['responseDraft'], version: number): void;
}

/** A request under way: whether it has been answered is visible at any moment. */
export class Asked<N extends ApiName> {
  settled = false;
  /** The handler wants no answer. */
  unanswered = false;
  error: Error | undefined;
  #response: ApiTypes[N]['response'] | undefined;
  readonly #through: (reply: ApiTypes[N]['responseDraft']) => ApiTypes[N]['response'];

  constructor(
    handler: Handler<N>,
    request: ApiTypes[N]['request'],
    context: Context,
    through: (reply: ApiTypes[N]['responseDraft']) => ApiTypes[N]['response'],
  ) {
    this.#through = through;
    try {
      const reply = handler(request, context);
      if (reply instanceof Promise)
        reply.then(
          (late) => this.#settle(late),
          (error: unknown) => this.#fail(error),
        );
      else this.#settle(reply);
    } catch (error) {
      this.#fail(error);
    }
  }

  #settle(reply: Reply<N>): void {
    this.settled = true;
    if (reply === NO_REPLY) this.unanswered = true;
    else this.#response = this.#through(reply);
  }

  #fail(error: unknown): void {
    this.settled = true;
    this.error = error instanceof Error ? error : new Error(String(error));
  }

  get answer(): ApiTypes[N]['response'] {
    if (this.error !== undefined) throw this.error;
    if (this.#response === undefined) throw new Error('not answered');
    return this.#response;
  }
}

export class FakeConnection implements ConnectionInfo {
  readonly id = 1;
  readonly listenerName = 'PLAINTEXT';
  readonly localHost = '127.0.0.1';
  readonly localPort = 9092;
  readonly remoteHost = '127.0.0.1';
  readonly remotePort = 1234;
  closed = false;
  clientSoftwareName = '';
  clientSoftwareVersion = '';
  readonly #onClosed = new Set<() => void>();

  onClosed(run: () => void): () => void {
    this.#onClosed.add(run);
    return () => this.#onClosed.delete(run);
  }

  close(): void {
    this.closed = true;
    for (const run of this.#onClosed) run();
  }
}

export interface BatchOptions {
  readonly timestamp?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
}

export function batchOf(values: readonly string[], options: BatchOptions = {}): Buffer {
  const { timestamp = 1_700_000_000_000, ...rest } = options;
  return buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: values.map((value) => ({ key: null, value: Buffer.from(value), timestamp })),
    ...rest,
  });
}

export function partitionRecord(
  topic: string,
  partitionId: number,
  replicas: readonly number[],
  leader = NODE_ID,
): MetadataRecordDraft {
  return {
    kind: 'PartitionRecord',
    value: {
      partitionId,
      topicId: idOf(topic),
      replicas: [...replicas],
      isr: [...replicas],
      removingReplicas: [],
      addingReplicas: [],
      leader,
      leaderEpoch: 0,
      partitionEpoch: 0,
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
