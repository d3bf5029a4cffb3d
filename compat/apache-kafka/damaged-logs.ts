/**
 * Hundreds of damaged logs at once: each partition of a data directory is a copy of one of a few small logs, with one file of it damaged at random. Apache
 * Kafka opens one copy of the directory and Blumfeld another, and all that a client can find out of each log is compared. The directory comes from a clean
 * stop of Blumfeld; KILLED=1 adds one from a kill of Apache Kafka. SEED replays. `node build/compat/apache-kafka/damaged-logs.js BROKER-JARS`; LOGS=n of each
 * kind, ONLY=plain-3 shows one log, DIFFERENCES=1
 * all that differs as meant.
 */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import type { PlainClient } from '../../test/support/plain-client.ts';
import { doDamage, drawDamage, told } from './damaged-logs/damage.ts';
import { multiply } from './damaged-logs/directory.ts';
import { batchesIn, createTopics, load, LOGS } from './damaged-logs/load.ts';
import { questionsOf } from './damaged-logs/look.ts';
import { reasonFor, type Seen } from './damaged-logs/meant.ts';
import { viewsOfApacheKafka } from './damaged-logs/survivors.ts';
import { type Case, newPlace, viewsOf, withData } from './damaged-logs/views.ts';
import { type Owner, ownedBy } from './directory-owner.ts';

const SEED = Number(process.env['SEED'] ?? 1) | 0;
const COPIES = Number(process.env['LOGS'] ?? 36);

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
  else if (process.env['DIFFERENCES'] !== undefined && lines.length > 0) console.log(`ok ${name}\n${lines.join('\n')}`);
  return isFine;
}

let passed = 0;
let failed = 0;

async function compare(jars: string, folder: string, base: string, random: SeededRandom): Promise<void> {
  const wasKilled = !existsSync(join(base, '.kafka_cleanshutdown'));
  const data = { damaged: join(folder, 'damaged'), theirs: join(folder, 'apache'), ours: join(folder, 'blumfeld') };
  cpSync(base, data.damaged, { recursive: true });
  multiply(data.damaged, COPIES + 1, random);
  const cases: Case[] = [];
  for (const topic of Object.keys(LOGS)) {
    const undamaged = join(data.damaged, `${topic}-0`);
    const batches = batchesIn(undamaged);
    cases.push(questionsOf(topic, 0, batches));
    for (let partition = 1; partition <= COPIES; partition++) {
      const place = join(data.damaged, `${topic}-${partition}`);
      const damage = drawDamage(place, random, wasKilled);
      const isAsked = (process.env['ONLY'] ?? `${topic}-${partition}`) === `${topic}-${partition}`;
      if (!isAsked) continue;
      doDamage(place, damage);
      cases.push({ ...questionsOf(topic, partition, batches), damage });
    }
  }
  cpSync(data.damaged, data.ours, { recursive: true });
  const ours = await viewsOf(place, 'Blumfeld', jars, data.ours, cases);
  const theirs = await viewsOfApacheKafka(place, jars, data.damaged, data.theirs, cases);
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

async function write(owner: Owner, jars: string, data: string, round: number, end: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const directory = withData(place, data);
  const work = async (client: PlainClient): Promise<void> => {
    if (round === 0) await createTopics(client, COPIES + 1);
    await load(client, data, round, end === 'SIGKILL');
  };
  await ownedBy(directory, owner, jars, work, end);
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error('name the folder of the jars of Apache Kafka');
const folder = temporaryFolder('damaged-logs');
const place = await newPlace(join(folder, 'place'));
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
  removeFolder(folder);
}
console.log(`SEED=${SEED}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
