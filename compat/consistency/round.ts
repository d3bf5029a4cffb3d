/** One round: fresh topics, clients and faults for a while, then every transaction is ended and every log read to its end. */
import type { Address } from '../../test/support/plain-client.ts';
import { Chance } from '../apache-kafka/differential/stream/chance.ts';
import type { BrokerProcess } from './broker-process.ts';
import { copy, read, write, type Setting } from './clients.ts';
import { Connection, type Layer } from './connection.ts';
import { harm } from './faults.ts';
import type { Attempt, CommittedOffset, Entry, History, Survey } from './history.ts';
import { committedOffset, fetchCommitted } from './reader.ts';
import { logOf, TransactionalProducer, type Partition } from './transactional-producer.ts';

export interface RoundOptions {
  readonly address: Address;
  readonly broker: BrokerProcess;
  readonly round: number;
  readonly seed: number;
  readonly seconds: number;
  /** Between two faults, on average. */
  readonly restMs: number;
  /** After which the broker aborts a transaction that is left open. */
  readonly transactionTimeoutMs: number;
  /** How long markers are waited for in the end. */
  readonly surveyMs: number;
  /** What the clients' requests go through. */
  readonly layer?: Layer | undefined;
  /** Cuts connections and does nothing to the broker. */
  readonly spares?: boolean;
}

export interface Round {
  readonly history: History;
  readonly faults: ReadonlyMap<string, number>;
}

const WRITERS = 6;
const READERS = 2;
const EVENT_PARTITIONS = 3;
const COPY_PARTITIONS = 2;
/** Two clients share each of these, each copies one log. */
const COPIERS = ['left', 'right'] as const;
const HEAL_MS = 60_000;
const SURVEY_BYTES = 1 << 20;
const NO_ID = 'A'.repeat(22);

const partitionsOf = (topic: string, count: number): Partition[] =>
  Array.from({ length: count }, (_, index) => ({ topic, index }));

export async function runRound(options: RoundOptions): Promise<Round> {
  const { address, broker, round, seed, seconds, layer } = options;
  const events = partitionsOf(`events-${round}`, EVENT_PARTITIONS);
  const copies = partitionsOf(`copies-${round}`, COPY_PARTITIONS);
  const admin = new Connection(address, 'admin', 10_000, layer);
  await createTopics(admin, [events, copies]);
  const open = new Set<Connection>();
  const attempts: Attempt[] = [];
  let deadline = Date.now() + seconds * 1000;
  const setting: Setting = {
    events,
    copies,
    transactionTimeoutMs: options.transactionTimeoutMs,
    transactionalIds: Array.from({ length: WRITERS }, (_, i) => `writer-${i}`),
    connect(clientId, patienceMs) {
      const connection = new Connection(address, clientId, patienceMs, layer);
      open.add(connection);
      return connection;
    },
    record: (attempt) => void attempts.push(attempt),
    isOver: () => Date.now() > deadline,
    now: () => performance.now(),
  };
  let clients = 0;
  const chance = (): Chance => new Chance(seed * 1000 + clients++);
  const group = (name: string): string => `copier-${name}-${round}`;
  const work = [
    ...setting.transactionalIds.map((id, i) => write(`w${i}`, id, setting, chance())),
    ...Array.from({ length: READERS }, (_, i) => read(`r${i}`, setting, chance())),
    ...COPIERS.flatMap((name, i) =>
      ['a', 'b'].map((twin) => copy(`c${name}${twin}`, group(name), events[i] ?? { topic: '', index: 0 }, setting, chance())),
    ),
  ];
  const harming = harm(
    { broker: options.spares === true ? undefined : broker, connections: () => [...open] },
    chance(),
    setting.isOver,
    options.restMs,
  );
  // One that breaks down ends the round for all: nobody may start a broker that was left behind.
  const all = [harming, ...work].map((one) => one.finally(() => undefined));
  for (const one of all) one.catch(() => void (deadline = 0));
  await Promise.allSettled(all);
  await Promise.all(work);
  const faults = await harming;
  const ids = [...setting.transactionalIds, ...COPIERS.map(group)];
  await Promise.all(ids.map((id) => endWhatIsOpen(new Connection(address, 'healer', 5000, layer), id)));
  const surveys = await surveyed(admin, [...events, ...copies], options.surveyMs);
  const offsets: CommittedOffset[] = [];
  for (const [i, name] of COPIERS.entries()) {
    const from = events[i] ?? { topic: '', index: 0 };
    offsets.push({ group: group(name), log: logOf(from), offset: await committedOffset(admin, group(name), from, HEAL_MS) });
  }
  admin.cut();
  return { history: { attempts, surveys, offsets }, faults };
}

async function createTopics(admin: Connection, topics: readonly (readonly Partition[])[]): Promise<void> {
  const configs = [
    { name: 'segment.bytes', value: '1048576' },
    { name: 'retention.ms', value: '-1' },
  ];
  const request = {
    topics: topics.map((one) => ({
      name: one[0]?.topic ?? '',
      numPartitions: one.length,
      replicationFactor: 1,
      assignments: [],
      configs,
    })),
    timeoutMs: 10_000,
  };
  await admin.settle(
    'createTopics',
    request,
    7,
    ({ topics }) => topics.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0,
    HEAL_MS,
  );
  for (const keyType of [0, 1])
    await admin.settle(
      'findCoordinator',
      { keyType, coordinatorKeys: ['any'] },
      4,
      ({ coordinators }) => coordinators[0]?.errorCode ?? -1,
      HEAL_MS,
    );
}

/** An hour of rounds fills no disk. */
export async function deleteTopics(address: Address, round: number): Promise<void> {
  const admin = new Connection(address, 'admin', 10_000);
  const topics = [`events-${round}`, `copies-${round}`].map((name) => ({ name, topicId: NO_ID }));
  await admin.settle(
    'deleteTopics',
    { topics, timeoutMs: 10_000 },
    6,
    ({ responses }) => responses.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0,
    HEAL_MS,
  );
  admin.cut();
}

async function endWhatIsOpen(connection: Connection, transactionalId: string): Promise<void> {
  await new TransactionalProducer(connection, transactionalId, 'new', 60_000, HEAL_MS).init();
  connection.cut();
}

/** Every log to its end. Markers may still be on their way, so what is stable is waited for. */
async function surveyed(connection: Connection, logs: readonly Partition[], patienceMs: number): Promise<Survey[]> {
  const surveys: Survey[] = [];
  const deadline = Date.now() + patienceMs;
  for (const partition of logs) {
    const entries: Entry[] = [];
    for (let at = 0; ; ) {
      const {
        entries: more,
        next,
        lastStableOffset,
        highWatermark,
      } = await fetchCommitted(connection, partition, at, {
        maxBytes: SURVEY_BYTES,
        untilMs: HEAL_MS,
        maxWaitMs: 200,
      });
      entries.push(...more);
      const isWhole = next === highWatermark && next === lastStableOffset;
      if (isWhole || (next === at && Date.now() > deadline)) {
        surveys.push({ log: logOf(partition), entries, lastStableOffset, highWatermark });
        break;
      }
      at = next;
    }
  }
  return surveys;
}
