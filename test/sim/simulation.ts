/** One run of everything from one seed: a broker, its clients, and what befalls it. Raises a Violation, with the seed and the last lines of the trace. */
import { Actor } from './actor.ts';
import { administrate, createTopic } from './admin.ts';
import type { TopicModel } from './cluster-model.ts';
import { befall } from './fate.ts';
import { fetchAlong } from './fetcher.ts';
import { commitAlone, takePart } from './member.ts';
import { producePlainly, produceIdempotently, type Target } from './producer.ts';
import { run } from './run.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedWorld } from './simulated-world.ts';

export interface Outcome {
  readonly hash: string;
  readonly steps: number;
  /** How often what happened. */
  readonly events: ReadonlyMap<string, number>;
  readonly acknowledged: number;
}

function settingsFor(random: SeededRandom): Record<string, string> {
  return {
    'offsets.topic.num.partitions': '2',
    'log.retention.check.interval.ms': '1000',
    'log.flush.offset.checkpoint.interval.ms': random.pick(['500', '60000']),
    'log.flush.start.offset.checkpoint.interval.ms': random.pick(['500', '60000']),
    'log.segment.delete.delay.ms': random.pick(['0', '100', '60000']),
    'auto.create.topics.enable': 'false',
    ...(random.oneIn(4) ? { 'log.flush.interval.messages': '1' } : {}),
  };
}

function topicConfigs(random: SeededRandom, isSynced: boolean): Record<string, string> {
  return {
    ...(isSynced ? { 'flush.messages': '1' } : random.oneIn(3) ? { 'flush.ms': `${random.between(1, 500)}` } : {}),
    ...(random.oneIn(2) ? { 'internal.segment.bytes': `${random.pick([5000, 8000, 20_000])}` } : {}),
    ...(random.oneIn(3) ? { 'index.interval.bytes': `${random.pick([0, 100, 1000])}` } : {}),
    ...(random.oneIn(4) ? { 'compression.type': random.pick(['gzip', 'lz4', 'uncompressed']) } : {}),
  };
}

export async function simulate(seed: number, showTrace = false): Promise<Outcome> {
  const random = new SeededRandom(seed ^ 0x51ed_270b);
  const world = new SimulatedWorld(seed, settingsFor(random), showTrace);
  await run(world, direct(world, random));
  let acknowledged = 0;
  for (const topic of world.model.topics.values())
    for (const partition of topic.partitions) acknowledged += partition.acknowledged;
  return { hash: world.trace.hash, steps: world.trace.steps, events: world.events, acknowledged };
}

async function direct(world: SimulatedWorld, random: SeededRandom): Promise<void> {
  const admin = new Actor(world, 'admin');
  const synced = await createTopic(admin, 'synced', random.between(1, 2), topicConfigs(random, true));
  const plain = await createTopic(admin, 'plain', random.between(1, 2), topicConfigs(random, false));
  const topics = [synced, plain];
  const targets = topics.flatMap((topic) => topic.partitions.map((_, index): Target => ({ topic, index })));
  let isOver = false;
  const befalling = world.follow(befall(world, random.fork(), () => isOver));
  const { working, readers } = cast(world, random, admin, topics, targets, () => isOver);
  await Promise.all(working);
  isOver = true;
  await befalling;
  await Promise.all(readers);
  await end(world, random, targets);
}

function cast(
  world: SimulatedWorld,
  random: SeededRandom,
  admin: Actor,
  topics: readonly TopicModel[],
  targets: readonly Target[],
  isOver: () => boolean,
): { readonly working: Promise<void>[]; readonly readers: Promise<void>[] } {
  const actor = (name: string): Actor => new Actor(world, name);
  const working = [
    producePlainly(actor('one'), targets, 1, random.between(3, 25)),
    producePlainly(actor('all'), targets, -1, random.between(3, 25)),
    produceIdempotently(actor('once'), random.pick(targets), random.between(5, 40)),
    produceIdempotently(actor('once-too'), random.pick(targets), random.between(5, 40)),
  ];
  if (random.oneIn(2)) working.push(producePlainly(actor('none'), targets, 0, random.between(3, 10)));
  if (!random.oneIn(3)) working.push(administrate(admin, topics, random.between(2, 8)));
  if (random.oneIn(2)) working.push(commitAlone(actor('solo'), 'alone', targets, random.between(5, 15)));
  if (random.oneIn(2)) {
    const members = random.between(1, 3);
    for (let i = 0; i < members; i++) working.push(takePart(actor(`member-${i}`), 'together', targets, random.between(3, 8)));
  }
  const readers = [fetchAlong(actor('reader'), targets, isOver), fetchAlong(actor('reader-too'), [random.pick(targets)], isOver)];
  return { working: working.map((work) => world.follow(work)), readers: readers.map((work) => world.follow(work)) };
}

/** One more restart, everything read through the front door, and a clean end. */
async function end(world: SimulatedWorld, random: SeededRandom, targets: readonly Target[]): Promise<void> {
  await world.isUp();
  if (random.oneIn(3)) {
    if (await world.stop()) world.start();
  } else world.die(random.oneIn(2) ? 'kill' : 'power cut');
  await world.isUp();
  const last = new Actor(world, 'last');
  const endsAtMs = world.scheduler.nowMs + 2000;
  await fetchAlong(last, targets, () => world.scheduler.nowMs > endsAtMs);
  // Long enough for everything that is done from time to time, retention too.
  if (random.oneIn(4)) await world.scheduler.sleep(40_000);
  await world.isUp();
  await world.lookAgain();
  while (!(await world.stop())) await world.isUp();
}
