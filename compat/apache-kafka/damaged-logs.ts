/**
 * Hundreds of damaged logs at once: each partition of a data directory is a copy of one of a few small logs, with one file of it damaged at random. Apache
 * Kafka opens one copy of the directory and Blumfeld another, and all that a client can find out of each log is compared. The directory comes from a clean
 * stop of Blumfeld; KILLED=1 adds one from a kill of Apache Kafka, which then often leads no partition at all because of one log, and not always one that
 * can be named. `node build/compat/apache-kafka/damaged-logs.js BROKER-JARS`; SEED replays, LOGS=n of each kind, ONLY=plain-3 shows one log, SHOW=1 all
 * that differs as meant.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlainClient } from '../../test/support/plain-client.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { type Damage, doDamage, drawDamage, told } from './damaged-logs/damage.ts';
import { hasNegativeOffset, multiply } from './damaged-logs/directory.ts';
import { batchesIn, createTopics, load, LOGS } from './damaged-logs/load.ts';
import { look, lookAgain, type Questions, questionsOf, served, type View } from './damaged-logs/look.ts';
import { reasonFor, type Seen } from './damaged-logs/meant.ts';
import { LASTING } from './graduation/settings.ts';
import { type Directory, newDirectory, type Owner, ownedBy, SAID } from './directory-owner.ts';

const SEED = Number(process.env['SEED'] ?? 1) | 0;
const COPIES = Number(process.env['LOGS'] ?? 36);
/** How many logs are asked about at a time. */
const ASKED_AT_ONCE = 4;
/** So often Apache Kafka is started once more without a log that it does not start with. */
const STARTS = 12;
const SETTINGS = [
  ...LASTING,
  'offsets.topic.num.partitions=1',
  'transaction.state.log.num.partitions=1',
  'log.retention.ms=-1',
  'log.index.size.max.bytes=65536',
  'producer.id.expiration.ms=2000000000',
  'num.recovery.threads.per.data.dir=4',
];
/** Nothing is compacted while it is looked at. */
const AT_REST = 'log.cleaner.min.compaction.lag.ms=9000000000000000000';

/** Without a damage: what the others were before theirs. */
interface Case extends Questions {
  readonly damage?: Damage;
}

async function answered(owner: Owner, jars: string, data: string, cases: readonly Case[]): Promise<Map<Case, View>> {
  const directory = withData(data, [AT_REST]);
  const views = new Map<Case, View>();
  const clients: PlainClient[] = [];
  const each = async (work: (one: Case, client: PlainClient) => Promise<void>): Promise<void> => {
    const left = [...cases];
    await Promise.all(
      clients.map(async (client) => {
        for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one, client);
      }),
    );
  };
  const ask = async (client: PlainClient): Promise<void> => {
    for (let i = 0; i < ASKED_AT_ONCE; i++) clients.push(new PlainClient({ host: '127.0.0.1', port: directory.port }));
    for (const topic of Object.keys(LOGS)) await served(client, topic);
    await each(async (one, other) => void views.set(one, await look(other, one)));
    await each((one, other) => lookAgain(other, one, views.get(one) ?? new Map()));
  };
  try {
    await ownedBy(directory, owner, jars, ask, 'SIGKILL');
  } finally {
    for (const client of clients) client.close();
  }
  return views;
}

/** Says what differs, and whether all of it is meant. */
function compared(name: string, seen: Seen): boolean {
  const lines: string[] = [];
  let isFine = true;
  for (const fact of new Set([...seen.theirs.keys(), ...seen.ours.keys()])) {
    const [theirs, ours] = [seen.theirs.get(fact), seen.ours.get(fact)];
    if (theirs === ours) continue;
    const reason = reasonFor(seen, fact);
    if (reason === undefined) isFine = false;
    lines.push(
      `    ${fact}: Apache Kafka ${theirs}, Blumfeld ${ours}, undamaged ${seen.truth.get(fact)}${reason === undefined ? '' : ` (meant: ${reason})`}`,
    );
  }
  if (!isFine) console.log(`not ok ${name}\n${lines.join('\n')}`);
  else if (process.env['SHOW'] !== undefined && lines.length > 0) console.log(`ok ${name}\n${lines.join('\n')}`);
  return isFine;
}

/** The ports stay the same for all: the metadata say where the controller listens. */
function withData(data: string, more: readonly string[] = []): Directory {
  const text = readFileSync(place.properties, 'utf8').replace(/^log\.dirs=.*$/m, `log.dirs=${data}`);
  const properties = join(folder, 'server.properties');
  writeFileSync(properties, `${text}${more.join('\n')}\n`);
  return { ...place, folder, properties, dataDirs: [data] };
}

let passed = 0;
let failed = 0;

async function compare(jars: string, folder: string, base: string, random: SeededRandom): Promise<void> {
  const wasKilled = !existsSync(join(base, '.kafka_cleanshutdown'));
  const data = { theirs: join(folder, 'apache'), ours: join(folder, 'blumfeld') };
  cpSync(base, data.theirs, { recursive: true });
  multiply(data.theirs, COPIES + 1, random);
  const cases: Case[] = [];
  for (const topic of Object.keys(LOGS)) {
    const undamaged = join(data.theirs, `${topic}-0`);
    const batches = batchesIn(undamaged);
    cases.push(questionsOf(topic, 0, batches));
    for (let partition = 1; partition <= COPIES; partition++) {
      const place = join(data.theirs, `${topic}-${partition}`);
      const damage = drawDamage(place, random, wasKilled);
      const isAsked = (process.env['ONLY'] ?? `${topic}-${partition}`) === `${topic}-${partition}`;
      if (!isAsked) continue;
      doDamage(place, damage);
      cases.push({ ...questionsOf(topic, partition, batches), damage });
    }
  }
  cpSync(data.theirs, data.ours, { recursive: true });
  const ours = await answered('Blumfeld', jars, data.ours, cases);
  const theirs = await answeredByApacheKafka(jars, folder, data.theirs, cases);
  for (const one of cases) {
    const name = `${one.topic}-${one.partition} after a ${wasKilled ? 'kill' : 'clean stop'}: ${one.damage === undefined ? 'undamaged' : told(one.damage)}`;
    const truth = ours.get(cases.find(({ topic, damage }) => topic === one.topic && damage === undefined) ?? one);
    const [theirView, ourView] = [theirs.get(one), ours.get(one)];
    if (truth === undefined || ourView === undefined) throw new Error(`${name} was not asked about`);
    // Where Apache Kafka does not start Blumfeld has to, and it has.
    const isFine = theirView === undefined || compared(name, { damage: one.damage, theirs: theirView, ours: ourView, truth });
    if (isFine) passed++;
    else failed++;
  }
  for (const path of Object.values(data)) rmSync(path, { recursive: true });
}

/** The log that Apache Kafka ended with, or that keeps it from leading any, by what it said. */
function culpritOf(said: readonly string[], cases: readonly Case[], data: string): Case | undefined {
  if (said.some((line) => line.includes('High watermark offset should be non-negative'))) {
    return cases.find(({ topic, partition }) => hasNegativeOffset(join(data, `${topic}-${partition}`), join(data, `${topic}-0`)));
  }
  const names = ({ topic, partition }: Case, line: string): boolean =>
    line.includes(`/${topic}-${partition}/`) || line.includes(`partition=${topic}-${partition},`);
  const fatal = /There was an error in one of the threads|^java\.nio\.file\.NoSuchFileException/;
  const since = said.slice(said.findIndex((line) => fatal.test(line)));
  const blamed = since.find((line) => cases.some((one) => names(one, line))) ?? '';
  return cases.find((one) => names(one, blamed));
}

/** Logs that Apache Kafka does not start with are made whole again, and have no view. */
async function answeredByApacheKafka(
  jars: string,
  folder: string,
  data: string,
  cases: readonly Case[],
): Promise<Map<Case, View>> {
  let left = cases;
  const backup = join(folder, 'before');
  cpSync(data, backup, { recursive: true });
  for (let tries = 0; ; tries++) {
    try {
      return await answered('Apache Kafka', jars, data, left);
    } catch (error) {
      const said = readFileSync(join(folder, SAID), 'utf8').split('\n');
      const culprit = culpritOf(said, left, backup);
      if (culprit?.damage === undefined || tries === STARTS) throw error;
      console.log(`# Apache Kafka does not start with ${culprit.topic}-${culprit.partition}: ${told(culprit.damage)}`);
      left = left.filter((one) => one !== culprit);
      rmSync(data, { recursive: true });
      const place = join(backup, `${culprit.topic}-${culprit.partition}`);
      rmSync(place, { recursive: true });
      cpSync(join(backup, `${culprit.topic}-0`), place, { recursive: true });
      cpSync(backup, data, { recursive: true });
    }
  }
}

async function write(owner: Owner, jars: string, data: string, round: number, end: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const directory = withData(data);
  const work = async (client: PlainClient): Promise<void> => {
    if (round === 0) await createTopics(client, COPIES + 1);
    await load(client, round, end === 'SIGKILL');
  };
  await ownedBy(directory, owner, jars, work, end);
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error('name the folder of the jars of Apache Kafka');
const folder = mkdtempSync(join(tmpdir(), 'blumfeld-damaged-logs-'));
const place = await newDirectory(join(folder, 'place'), SETTINGS);
try {
  const base = join(folder, 'base');
  mkdirSync(base);
  const random = new SeededRandom(SEED);
  await write('Blumfeld', jars, base, 0, 'SIGTERM');
  await compare(jars, folder, base, random);
  if (process.env['KILLED'] !== undefined) {
    await write('Apache Kafka', jars, base, 1, 'SIGKILL');
    await compare(jars, folder, base, random);
  }
} finally {
  if (process.env['KEEP'] === undefined) rmSync(folder, { recursive: true, force: true });
  else console.log(`kept ${folder}`);
}
console.log(`SEED=${SEED}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
