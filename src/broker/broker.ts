/**
 * A whole broker in this process: what tests and programs start. Many may run side by side; they share nothing.
 *
 *     await using broker = await Broker.start({ port: 0, topics: { orders: 3 } });
 *     new Kafka({ brokers: [broker.bootstrapServers] });
 */
import type { Services } from '../api/context.ts';
import type { TransactionStepName } from '../host/transaction-steps.ts';
import { serveCleaning } from '../log/cleaner-service.ts';
import type { Clock } from '../world/clock.ts';
import { InlineThreads } from '../world/inline-threads.ts';
import { NodeClock } from '../world/node-clock.ts';
import { NodeFiles } from '../world/node-files.ts';
import { NodeNetwork } from '../world/node-network.ts';
import { NodeRandom } from '../world/node-random.ts';
import { NodeThreads } from '../world/node-threads.ts';
import { forgetTemporary, temporaryPath } from '../world/node-temporary.ts';
import { VirtualClock } from '../world/virtual-clock.ts';
import type { World } from '../world/world.ts';
import { compose, type RunningBroker } from './composition.ts';
import type { TopicToCreate } from './environment.ts';
import { isWildcard } from './listener-config.ts';
import { createLogger, type Logger } from './logger.ts';
import { Settings, type SettingsSource } from './settings.ts';
import { SettingsError } from './settings-error.ts';

/** A number of partitions, or more about the topic. Counts left out are the broker's `num.partitions` and `default.replication.factor`. */
export type TopicOptions =
  | number
  | { readonly partitions?: number; readonly replicationFactor?: number; readonly configs?: Readonly<Record<string, string>> };

export interface BrokerOptions {
  /** Port of the first listener, on 127.0.0.1 unless `settings` say otherwise; 0 takes a free one. Default: 9092, or what `listeners` says. */
  readonly port?: number;
  /** Created before the broker is ready; those that exist stay as they are. */
  readonly topics?: Readonly<Record<string, TopicOptions>>;
  /** Where the data is kept. Default: a temporary directory that is removed at stop. */
  readonly dataDir?: string;
  /** Apache Kafka's broker configs by name. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Apache Kafka's own defaults, without the ones for development. */
  readonly likeProduction?: boolean;
  /** `virtual`: time stands still except for `broker.time.advance`. */
  readonly clock?: 'virtual' | Clock;
  /** Parts of the machine to put in the place of the real ones. */
  readonly world?: Partial<World>;
  readonly log?: Logger;
  /** Cluster id for data directories that have none yet. Default: a random one. */
  readonly clusterId?: string;
  /** Told when the broker cannot go on because its disk failed. It has to be stopped then. */
  readonly onFatal?: (reason: Error) => void;
  /** For tests that stop a broker in the middle of a transaction: told of each step of its coordinator as it is taken. */
  readonly onTransactionStep?: ((step: TransactionStepName) => void) | undefined;
}

/** What `start` needs when settings come from several places. */
export interface BrokerSources extends Omit<BrokerOptions, 'settings' | 'topics'> {
  readonly sources: readonly SettingsSource[];
  readonly topics: readonly TopicToCreate[];
}

export class Broker {
  /** `host:port` of each listener, joined by commas. */
  readonly bootstrapServers: string;
  readonly dataDirs: readonly string[];
  readonly settings: Settings;
  readonly #running: RunningBroker;
  readonly #clock: Clock;
  readonly #removeData: () => void;
  #stopped: Promise<void> | undefined;

  private constructor(running: RunningBroker, settings: Settings, clock: Clock, removeData: () => void) {
    this.#running = running;
    this.settings = settings;
    this.#clock = clock;
    this.#removeData = removeData;
    this.dataDirs = running.services.logDirectories.map(({ path }) => path);
    this.bootstrapServers = running.listeners.map(({ host, port }) => `${shownHost(host)}:${port}`).join(',');
  }

  /** Ready to serve when the promise resolves. Rejects with SettingsError, whose message says what to do, or with what the disk or the network said. */
  static start(options: BrokerOptions = {}): Promise<Broker> {
    const given = new Map(Object.entries(options.settings ?? {}).map(([name, value]) => [name, String(value)]));
    const defaults = given.has('listeners') ? [] : [['listeners', 'PLAINTEXT://127.0.0.1:9092'] as const];
    return Broker.startFrom({
      ...options,
      sources: [
        { origin: 'default', values: new Map(defaults) },
        { origin: 'settings', values: given },
      ],
      topics: topicsOf(options.topics ?? {}),
    });
  }

  static async startFrom(options: BrokerSources): Promise<Broker> {
    const machine = worldOf(options);
    const log = options.log ?? createLogger('warn', machine.clock, (line) => void process.stderr.write(line));
    const ephemeral = ephemeralPath(options, machine);
    const removeData = (): void => {
      if (ephemeral === undefined) return;
      machine.files.removeDirectory(ephemeral);
      forgetTemporary(ephemeral);
    };
    try {
      const settings = new Settings([...options.sources, overrides(options, ephemeral)], {
        likeProduction: options.likeProduction === true,
      });
      for (const warning of settings.warnings) log.warn(warning);
      const running = await compose({
        world: { ...machine, network: options.world?.network ?? networkOf(settings) },
        settings,
        log,
        topics: options.topics,
        clusterId: options.clusterId,
        onFatal: (reason) => options.onFatal?.(reason),
        onTransactionStep: options.onTransactionStep,
      });
      return new Broker(running, settings, machine.clock, removeData);
    } catch (error) {
      removeData();
      throw error;
    }
  }

  /** What request handlers get, for tests and consoles in this process. */
  get services(): Services {
    return this.#running.services;
  }

  /** Moves the time of a broker started with `clock: 'virtual'`. */
  get time(): VirtualClock {
    if (this.#clock instanceof VirtualClock) return this.#clock;
    throw new Error("this broker runs on the machine's clock; start it with clock: 'virtual'");
  }

  /** Serves no more, writes what is left and leaves the data as after a clean shutdown. Any number of times. */
  stop(): Promise<void> {
    this.#stopped ??= this.#running.stop().finally(this.#removeData);
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** The machine's own queue of connections is longer than Apache Kafka's default, because one thread accepts them all. */
function networkOf(settings: Settings): NodeNetwork {
  const backlog = 'socket.listen.backlog.size';
  return settings.explicit().has(backlog) ? new NodeNetwork({ backlog: settings.int(backlog) }) : new NodeNetwork();
}

function worldOf({ clock: given, world = {} }: BrokerSources): Omit<World, 'network'> {
  const clock = given === 'virtual' ? new VirtualClock() : (given ?? world.clock ?? new NodeClock());
  const random = world.random ?? new NodeRandom();
  const { files } = world;
  // A disk that is no disk is known to this thread alone.
  const threads =
    files === undefined
      ? new NodeThreads(new URL('./cleaner-main.js', import.meta.url))
      : new InlineThreads(clock, (parent) => serveCleaning(parent, files));
  return { clock, files: files ?? new NodeFiles(), random, threads: world.threads ?? threads };
}

function ephemeralPath(options: BrokerSources, { random }: Pick<World, 'random'>): string | undefined {
  const named =
    options.dataDir !== undefined || options.sources.some(({ values }) => values.has('log.dirs') || values.has('log.dir'));
  return named ? undefined : temporaryPath(`blumfeld-${random.bytes(8).toString('hex')}`);
}

/** What the other options say, as settings. */
function overrides({ port, dataDir, sources }: BrokerSources, ephemeral: string | undefined): SettingsSource {
  const values = new Map<string, string>();
  const directory = dataDir ?? ephemeral;
  if (directory !== undefined) values.set('log.dirs', directory);
  if (port !== undefined) {
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new SettingsError(`Port ${port} is no port; use 0 to 65535`);
    const listeners = sources.reduce((last, source) => source.values.get('listeners') ?? last, 'PLAINTEXT://:9092');
    values.set('listeners', listeners.replace(/:-?\d+\s*(?=,|$)/, `:${port}`));
  }
  return { origin: 'options', values };
}

function topicsOf(topics: NonNullable<BrokerOptions['topics']>): TopicToCreate[] {
  return Object.entries(topics).map(([name, topic]) => {
    const { partitions = -1, replicationFactor = -1, configs = {} } = typeof topic === 'number' ? { partitions: topic } : topic;
    return { name, partitions, replicationFactor, configs };
  });
}

function shownHost(host: string): string {
  if (isWildcard(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
