/**
 * One run of transactions from one seed: producers of several transactional ids and of both protocols, some of them two of one id, readers of committed
 * records and of all, an auditor, and what befalls the broker, its disk included.
 *
 * Power is lost only where everything is synced before it is acknowledged: elsewhere that may split transactions, as in Apache Kafka.
 */
import { Actor } from './actor.ts';
import { createTopic, finalize, setConfig } from './admin.ts';
import type { TopicModel } from './cluster-model.ts';
import { befall } from './fate.ts';
import { fetchAlong, fetchCommitted } from './fetcher.ts';
import type { Target } from './producer.ts';
import { run } from './run.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedWorld } from './simulated-world.ts';
import { audit, describe, LOOK_EVERY_MS, lookAtOffsets } from './transaction-auditor.ts';
import { TransactionModel } from './transaction-model.ts';
import { TransactionWatcher } from './transaction-watcher.ts';
import { type Plan, TransactionalProducer } from './transactional-producer.ts';
import { demand } from './violation.ts';

export interface TransactionOutcome {
  readonly hash: string;
  readonly steps: number;
  readonly events: ReadonlyMap<string, number>;
  readonly committed: number;
  readonly aborted: number;
  readonly partlyMarked: number;
}

const LONGEST_TIMEOUT_MS = 60_000;
const TRANSACTION_VERSION = 'transaction.version';
const NEWEST_LEVEL = 2;

function settingsFor(random: SeededRandom, isSynced: boolean): Record<string, string> {
  return {
    'offsets.topic.num.partitions': '2',
    'transaction.state.log.num.partitions': '2',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': `${LOOK_EVERY_MS}`,
    'log.flush.offset.checkpoint.interval.ms': random.pick(['500', '60000']),
    'auto.create.topics.enable': 'false',
    ...(isSynced ? { 'log.flush.interval.messages': '1' } : {}),
  };
}

function topicConfigs(random: SeededRandom, isSynced: boolean): Record<string, string> {
  return {
    ...(isSynced ? { 'flush.messages': '1' } : {}),
    ...(random.oneIn(2) ? { 'internal.segment.bytes': `${random.pick([2000, 5000, 20_000])}` } : {}),
    ...(random.oneIn(3) ? { 'index.interval.bytes': `${random.pick([0, 100, 1000])}` } : {}),
  };
}

export async function simulateTransactions(seed: number, showTrace = false): Promise<TransactionOutcome> {
  const random = new SeededRandom(seed ^ 0x2f6e_2b1d);
  const isSynced = random.oneIn(2);
  const world = new SimulatedWorld(seed, settingsFor(random, isSynced), showTrace);
  const transactions = new TransactionModel(() => ({
    nowMs: world.scheduler.nowMs,
    busyMs: world.scheduler.busyMs,
    clockSets: world.events.get('clock set') ?? 0,
  }));
  const watcher = new TransactionWatcher(transactions);
  world.watchers.push(watcher);
  await run(world, direct(world, random, transactions, watcher, isSynced));
  const ended = (ending: string): number => transactions.attempts.filter(({ seen }) => seen?.ending === ending).length;
  return {
    hash: world.trace.hash,
    steps: world.trace.steps,
    events: world.events,
    committed: ended('Commit'),
    aborted: ended('Abort'),
    partlyMarked: watcher.partlyMarked,
  };
}

async function direct(
  world: SimulatedWorld,
  random: SeededRandom,
  transactions: TransactionModel,
  watcher: TransactionWatcher,
  isSynced: boolean,
): Promise<void> {
  const admin = new Actor(world, 'admin');
  const orders = await createTopic(admin, 'orders', random.between(1, 3), topicConfigs(random, isSynced));
  const payments = await createTopic(admin, 'payments', random.between(1, 2), topicConfigs(random, isSynced));
  const targets = [orders, payments].flatMap((topic) => topic.partitions.map((_, index): Target => ({ topic, index })));
  const level = random.pick([NEWEST_LEVEL, NEWEST_LEVEL, 1, 0]);
  if (level < NEWEST_LEVEL) await finalize(admin, TRANSACTION_VERSION, level, false);
  const plans = plansFor(random, transactions, targets, level);
  for (const { id } of plans) await findCoordinators(admin, id.name, id.group);
  let isOver = false;
  const until = (): boolean => isOver;
  const follow = (work: Promise<unknown>): Promise<void> => world.follow(work.then(() => undefined));
  const fates = { mayLosePower: isSynced, mayFailDisk: true, most: 6 };
  const befalling = follow(befall(world, random.fork(), until, fates));
  const producing = plans.map((plan, i) => follow(new TransactionalProducer(new Actor(world, `tx-${i}`), plan).run()));
  const looking = [
    follow(fetchCommitted(new Actor(world, 'committed'), targets, transactions, until)),
    follow(fetchCommitted(new Actor(world, 'committed-too'), [random.pick(targets)], transactions, until)),
    follow(fetchAlong(new Actor(world, 'all'), targets, until)),
    follow(audit(new Actor(world, 'auditor'), transactions, targets, until)),
    ...(plans.every(({ protocol }) => protocol === 'explicit')
      ? [follow(switchLevels(new Actor(world, 'switcher'), level, until))]
      : []),
    follow(refuseWrites(new Actor(world, 'refuser'), random.pick([orders, payments]), until)),
  ];
  await Promise.all(producing);
  isOver = true;
  await befalling;
  await Promise.all(looking);
  await end(world, random, transactions, watcher, targets);
}

/**
 * Now and then everything is too large for a topic: it takes no records, and no markers either, which are tried again. Meanwhile transactions are marked in their other
 * partitions, and are not complete.
 */
async function refuseWrites(actor: Actor, topic: TopicModel, isOver: () => boolean): Promise<void> {
  const { random, world } = actor;
  while (!isOver()) {
    await world.scheduler.sleep(random.between(50, 1000));
    for (const maxBytes of ['0', '1048588']) {
      while (!(await setConfig(actor, topic, 'max.message.bytes', maxBytes))) await actor.rest();
      await world.scheduler.sleep(random.below(random.oneIn(4) ? 2000 : 100));
    }
  }
}

/** Clients of the older protocol go on while the cluster changes what its own aborts do to the epoch, and how states are stored. */
async function switchLevels(actor: Actor, first: number, isOver: () => boolean): Promise<void> {
  const { random, world } = actor;
  for (let level = first; ; ) {
    await world.scheduler.sleep(random.between(50, 2000));
    if (isOver()) return;
    const next = (level + random.between(1, NEWEST_LEVEL)) % (NEWEST_LEVEL + 1);
    await finalize(actor, TRANSACTION_VERSION, next, next > level);
    level = next;
  }
}

/** Clients of the newer protocol come where the cluster is at the newest transaction.version. */
function plansFor(
  random: SeededRandom,
  transactions: TransactionModel,
  targets: readonly Target[],
  level: number,
): readonly Plan[] {
  const plans: Plan[] = [];
  const ids = random.between(2, 3);
  for (let i = 0; i < ids; i++) {
    const id = transactions.idOf(`id-${i}`);
    const producers = random.oneIn(2) ? 2 : 1;
    for (let one = 0; one < producers; one++) {
      const protocol = random.oneIn(2) || level < NEWEST_LEVEL ? 'explicit' : 'implicit';
      const timeoutMs = random.pick([1000, 5000, LONGEST_TIMEOUT_MS]);
      plans.push({ transactions, id, protocol, timeoutMs, targets, rounds: random.between(2, 8) });
    }
  }
  return plans;
}

async function findCoordinators(actor: Actor, transactionalId: string, group: string): Promise<void> {
  for (const [keyType, key] of [
    [0, group],
    [1, transactionalId],
  ] as const) {
    for (;;) {
      const link = await actor.link();
      const answer = await actor.unlessDisconnected(link.request('findCoordinator', 6, { keyType, coordinatorKeys: [key] }));
      if (answer?.coordinators[0]?.errorCode === 0) break;
      await actor.world.scheduler.sleep(20);
    }
  }
}

/** Everything is given its time, and then looked at; after one more restart it is as it was. */
async function end(
  world: SimulatedWorld,
  random: SeededRandom,
  transactions: TransactionModel,
  watcher: TransactionWatcher,
  targets: readonly Target[],
): Promise<void> {
  const actor = new Actor(world, 'last');
  await world.isUp();
  await aged(world);
  const before = await states(actor, transactions);
  if (random.oneIn(3)) {
    if (await world.stop()) world.start();
  } else world.die(random.oneIn(2) || !world.syncsEverything ? 'kill' : 'power cut');
  await world.isUp();
  const after = await states(actor, transactions);
  demand(before === after, () => `transactional ids were ${before} before the last restart, and are ${after}`);
  const endsAtMs = world.scheduler.nowMs + 3000;
  const read = await fetchCommitted(actor, targets, transactions, () => world.scheduler.nowMs > endsAtMs);
  await world.isUp();
  await world.lookAgain();
  for (const log of world.logs()) {
    watcher.checkEnd(log);
    const values = read.get(`${log.topic}-${log.partition}`);
    if (values !== undefined) watcher.checkRead(log, values);
  }
  await offsetsAtEnd(actor, transactions, targets);
  while (!(await world.stop())) await world.isUp();
}

/** Longer than any timeout by the clock on the wall, wherever that was set to. */
async function aged(world: SimulatedWorld): Promise<void> {
  const setBackMs = 10 * 60_000 * (world.events.get('clock set') ?? 0);
  await world.scheduler.sleep(LONGEST_TIMEOUT_MS + setBackMs + 3 * LOOK_EVERY_MS);
  await world.isUp();
}

/** All transactional ids, each at rest. */
async function states(actor: Actor, transactions: TransactionModel): Promise<string> {
  const all: string[] = [];
  for (const id of transactions.ids.values()) {
    for (;;) {
      const found = await describe(actor, id);
      if (found === undefined && id.newest === undefined) break;
      if (found !== undefined) {
        const { transactionState, topics } = found;
        demand(
          !transactionState.startsWith('Prepare') && transactionState !== 'Ongoing' && topics.length === 0,
          () => `${id.name} hangs in ${transactionState}, of ${topics.map(({ topic }) => topic).join()}`,
        );
        all.push(JSON.stringify(found, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
        break;
      }
      await actor.world.scheduler.sleep(20);
    }
  }
  return all.join(' ');
}

/** Every group has the offsets of its last transaction that was committed. */
async function offsetsAtEnd(actor: Actor, transactions: TransactionModel, targets: readonly Target[]): Promise<void> {
  for (const id of transactions.ids.values()) {
    for (const target of targets)
      while ((await lookAtOffsets(actor, transactions, id, target)) === undefined) await actor.world.scheduler.sleep(20);
  }
}
