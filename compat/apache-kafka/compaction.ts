/**
 * The same data directory compacted by Apache Kafka and by Blumfeld, twice, and what they leave compared: every field of every batch and record, every
 * index entry, the aborted transactions, the checkpoint. `node build/compat/apache-kafka/compaction.js BROKER-JARS`
 *
 * What may differ, and is left out: delete horizons, which are the time of the cleaning (that there is one may not), and with them size and checksum of
 * their batches, since timestamps are relative to them; size and checksum of compressed batches that lost records, since the compressors are not the
 * same; so also positions in indexes, which are compared by the batches they point at; and an epoch that has no records yet.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import type { PlainClient } from '../../test/support/plain-client.ts';
import { difference, factsOfPartition } from './compaction/facts.ts';
import { addMore, compactLater, compactNow, load, moveTimesAway, TOPICS } from './compaction/load.ts';
import { newDirectory, type Owner, ownedBy } from './directory-owner.ts';
import { LASTING } from './graduation/settings.ts';

const checks = new Checks();
const { check } = checks;

const SETTINGS = [
  ...LASTING,
  'offsets.topic.num.partitions=2',
  'transaction.state.log.num.partitions=2',
  'log.retention.check.interval.ms=100000000',
];
const PATIENCE_MS = 120_000;
/** Longer than several turns of the cleaner: what it does once more after its checkpoint is part of what it does. */
const SETTLED_MS = 2000;

const jars = process.argv[2];
if (jars === undefined) throw new Error('name the folder of the jars of Apache Kafka');

async function run(owner: Owner, folder: string, work: (client: PlainClient) => Promise<void>): Promise<void> {
  await ownedBy(await newDirectory(folder, SETTINGS), owner, jars as string, work);
}

/** Until the checkpoint says of each topic that it is clean up to its active segment, and a while longer. */
async function cleaned(folder: string, round: number): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  const data = join(folder, 'data');
  const activeSegment = (topic: string): number =>
    Math.max(...readdirSync(join(data, `${topic}-0`)).map((name) => Number(/^(\d{20})\.log$/.exec(name)?.[1] ?? 0)));
  const wanted = TOPICS.map((topic) => `${topic} 0 ${activeSegment(topic)}`);
  for (let now: readonly string[] = []; !wanted.every((line) => now.includes(line)); ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    try {
      now = readFileSync(join(data, 'cleaner-offset-checkpoint'), 'utf8').split('\n');
    } catch {
      // Not there yet.
    }
    if (Date.now() > deadline)
      throw new Error(`cleaning ${round} has not come to its end: ${now.join(' ')}, wanted ${wanted.join(', ')}`);
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
}

async function compacted(owner: Owner, base: string, folder: string): Promise<void> {
  mkdirSync(folder);
  cpSync(join(base, 'data'), join(folder, 'data'), { recursive: true, preserveTimestamps: true });
  await run(owner, folder, async (client) => {
    await compactNow(client);
    await cleaned(folder, 1);
  });
  cpSync(join(folder, 'data'), join(folder, 'once'), { recursive: true });
  await run(owner, folder, async (client) => {
    // Longer than delete.retention.ms of the topics.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await compactLater(client);
    await addMore(client);
    await compactNow(client);
    await cleaned(folder, 2);
  });
}

const folder = temporaryFolder('compaction');
try {
  const base = join(folder, 'base');
  mkdirSync(base);
  await run('Blumfeld', base, load);
  moveTimesAway(join(base, 'data', 'distant-0'));
  const [theirs, ours] = [join(folder, 'kafka'), join(folder, 'blumfeld')];
  await compacted('Apache Kafka', base, theirs);
  await compacted('Blumfeld', base, ours);
  for (const [cleaning, name] of [
    ['once', 'once'],
    ['twice', 'data'],
  ] as const) {
    for (const topic of TOPICS) {
      const [kafka, blumfeld] = [theirs, ours].map((one) => factsOfPartition(join(one, name, `${topic}-0`)));
      check(`${topic}, cleaned ${cleaning}: ${kafka?.length ?? 0} facts`, difference(kafka ?? [], blumfeld ?? []));
    }
    const [kafka, blumfeld] = [theirs, ours].map((one) =>
      readFileSync(join(one, name, 'cleaner-offset-checkpoint'), 'utf8')
        .split('\n')
        .toSorted(),
    );
    check(`the cleaner's checkpoint, cleaned ${cleaning}`, difference(kafka ?? [], blumfeld ?? []));
  }
} catch (error) {
  checks.broke('compaction beside Apache Kafka', error);
} finally {
  removeFolder(folder);
}
checks.end();
