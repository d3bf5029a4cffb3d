/**
 * Apache Kafka and Blumfeld each start on a copy of the same damaged data directory, and what a client finds there is compared: where a log starts and ends, and
 * what a fetch at each of its batches gives. `node build/compat/apache-kafka/damage.js BROKER-JARS`; `ONLY=words` runs the cases whose titles hold them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { batchSizeAt, SHORTEST_BATCH } from '../../src/log/batch-header.ts';
import { batchesOf, RecordBatch } from '../../src/wire/record-batch.ts';
import { FACTS } from '../../test/support/protocol-data.ts';
import type { PlainClient } from '../../test/support/plain-client.ts';
import { CLIENT, settled } from './graduation/calls.ts';
import { newDirectory, type Owner, ownedBy } from './directory-owner.ts';
import { LASTING } from './graduation/settings.ts';

const SETTINGS = [
  ...LASTING,
  'offsets.topic.num.partitions=2',
  'transaction.state.log.num.partitions=2',
  'share.coordinator.state.topic.num.partitions=1',
  'log.retention.ms=-1',
];

type Archive = 'before-cleaning' | 'killed';

interface Case {
  readonly title: string;
  readonly archive: Archive;
  readonly path: string;
  /** Undefined: the file goes. */
  damage(bytes: Buffer): Buffer | undefined;
  /** What is done to the data directory besides. */
  readonly also?: (data: string) => void;
  /** Why the two differ, where they are meant to. */
  readonly meant?: string;
}

const flipped =
  (at: number, mask = 0x55) =>
  (bytes: Buffer): Buffer => {
    bytes[at] = (bytes[at] ?? 0) ^ mask;
    return bytes;
  };
/** A byte of the n-th batch. */
const inBatch =
  (n: number, at: number, mask?: number) =>
  (bytes: Buffer): Buffer =>
    flipped((batchesOf(bytes)[n]?.position ?? 0) + at, mask)(bytes);
const truncated =
  (by: number) =>
  (bytes: Buffer): Buffer =>
    bytes.subarray(0, bytes.length - by);
/** Ends with the n-th batch. */
const endingWith =
  (n: number) =>
  (bytes: Buffer): Buffer =>
    bytes.subarray(0, batchesOf(bytes)[n]?.position);
/** Batches from the n-th on are so much further. */
const moved =
  (n: number, by: number) =>
  (bytes: Buffer): Buffer => {
    for (const batch of batchesOf(bytes).slice(n)) batch.setBaseOffset(batch.baseOffset + by);
    return bytes;
  };
const gone = (): undefined => undefined;
const emptied = (): Buffer => Buffer.alloc(0);

const FIRST = '00000000000000000000';
const MIDDLE = '00000000000000000032';
const LAST = '00000000000000000052';
const FAR = 2 ** 31;
/** Nothing is known to be flushed. */
const unflushed = (data: string): void => rmSync(join(data, 'recovery-point-offset-checkpoint'));
/** The last segment of the log begins further than 2^31 behind the one before it. */
function lastMovedAway(data: string): void {
  const folder = join(data, 'plain-0');
  for (const name of readdirSync(folder).filter((each) => each.startsWith(LAST))) {
    const to = join(folder, String(Number(LAST) + 3 * FAR).padStart(20, '0') + name.slice(LAST.length));
    if (name.endsWith('.log')) writeFileSync(to, moved(0, 3 * FAR)(readFileSync(join(folder, name))));
    else if (!name.endsWith('.timeindex')) writeFileSync(to, readFileSync(join(folder, name)));
    rmSync(join(folder, name));
  }
}

const KEPT_OUT = 'what is no batch at the end is cut off';

const CASES: readonly Case[] = [
  { title: 'a record after a clean stop', archive: 'before-cleaning', path: `plain-0/${MIDDLE}.log`, damage: inBatch(2, 70) },
  {
    title: 'a length after a clean stop',
    archive: 'before-cleaning',
    path: `plain-0/${MIDDLE}.log`,
    damage: inBatch(2, 8, 0x80),
  },
  {
    title: 'a larger length after a clean stop',
    archive: 'before-cleaning',
    path: `plain-0/${MIDDLE}.log`,
    damage: inBatch(2, 9, 1),
    meant:
      'a length that leads too far hides no batch that the index knows, and what is in front of that is CORRUPT_MESSAGE; Apache Kafka goes on in the next segment',
  },
  {
    title: 'a base offset after a clean stop',
    archive: 'before-cleaning',
    path: `plain-0/${MIDDLE}.log`,
    damage: inBatch(2, 4, 1),
    meant: 'a batch whose offsets cannot be is told as CORRUPT_MESSAGE, and readers go on behind it',
  },
  {
    title: 'a torn end after a clean stop',
    archive: 'before-cleaning',
    path: `plain-0/${LAST}.log`,
    damage: truncated(5),
    meant: KEPT_OUT,
  },
  { title: 'a missing index', archive: 'before-cleaning', path: `plain-0/${FIRST}.index`, damage: gone },
  { title: 'an index of an odd size', archive: 'before-cleaning', path: `plain-0/${FIRST}.timeindex`, damage: truncated(1) },
  {
    title: 'a damaged snapshot of producers',
    archive: 'before-cleaning',
    path: `txn-0/00000000000000000024.snapshot`,
    damage: flipped(20),
  },
  { title: 'no leader epochs', archive: 'before-cleaning', path: `plain-0/leader-epoch-checkpoint`, damage: emptied },
  {
    title: 'no partition.metadata',
    archive: 'before-cleaning',
    path: `plain-0/partition.metadata`,
    damage: gone,
    meant: 'a log without a topic id stays that of the topic of its name; Apache Kafka begins an empty one',
  },
  { title: 'a record after a kill', archive: 'killed', path: `plain-0/${LAST}.log`, damage: inBatch(2, 70) },
  { title: 'a torn end after a kill', archive: 'killed', path: `plain-0/${LAST}.log`, damage: truncated(5) },
  {
    title: 'a record in an earlier segment after a kill',
    archive: 'killed',
    path: `plain-0/${MIDDLE}.log`,
    damage: inBatch(2, 70),
  },
  { title: 'an emptied last segment after a kill', archive: 'killed', path: `plain-0/${LAST}.log`, damage: emptied },
  {
    title: 'an emptied segment among others after a kill',
    archive: 'killed',
    path: `plain-0/${MIDDLE}.log`,
    damage: emptied,
    also: unflushed,
  },
  {
    title: 'a segment among others that ends early after a kill',
    archive: 'killed',
    path: `plain-0/${MIDDLE}.log`,
    damage: endingWith(3),
    also: unflushed,
  },
  {
    title: 'a base offset beyond the next segment after a kill',
    archive: 'killed',
    path: `plain-0/${FIRST}.log`,
    damage: inBatch(2, 4, 1),
    also: unflushed,
    meant: 'the batch is told as CORRUPT_MESSAGE; Apache Kafka empties the segment, and deletes those behind it',
  },
  {
    title: 'offsets that go too far in the last segment after a kill',
    archive: 'killed',
    path: `plain-0/${LAST}.log`,
    damage: moved(2, 2 * FAR),
    also: unflushed,
  },
  {
    title: 'offsets that go too far after a kill',
    archive: 'killed',
    path: `plain-0/${MIDDLE}.log`,
    damage: moved(4, 2 * FAR),
    also: (data) => {
      unflushed(data);
      lastMovedAway(data);
    },
  },
  {
    title: 'offsets that go too far after a clean stop',
    archive: 'before-cleaning',
    path: `plain-0/${MIDDLE}.log`,
    damage: moved(4, 2 * FAR),
    also: lastMovedAway,
  },
];

type View = ReadonlyMap<string, string>;

function batchOffsets(folder: string): number[] {
  const logs = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .toSorted();
  return logs.flatMap((name) => batchesOf(readFileSync(join(folder, name))).map(({ baseOffset }) => baseOffset));
}

async function offsetAt(client: PlainClient, topic: string, timestamp: bigint): Promise<string> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }];
  let offset = '';
  await settled(`offsets of ${topic}`, async () => {
    const answer = await client.call(
      'listOffsets',
      { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] },
      7,
      CLIENT,
    );
    const [found] = answer.topics[0]?.partitions ?? [];
    offset = String(found?.offset);
    return found?.errorCode ?? -1;
  });
  return offset;
}

/** Error, or the first batch and whether its checksum agrees. */
async function fetchAt(client: PlainClient, topic: string, fetchOffset: number): Promise<string> {
  const wanted = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(fetchOffset),
    lastFetchedEpoch: -1,
    partitionMaxBytes: 1,
  };
  const answer = await client.call(
    'fetch',
    { maxWaitMs: 0, minBytes: 0, maxBytes: 1, topics: [{ topic, partitions: [wanted] }] },
    12,
    CLIENT,
  );
  const [data] = answer.responses[0]?.partitions ?? [];
  if (data?.errorCode !== 0) return `error ${data?.errorCode}`;
  const bytes = data.records ?? Buffer.alloc(0);
  const size = bytes.length < SHORTEST_BATCH ? -1 : batchSizeAt(bytes, 0);
  if (size < 0 || size > bytes.length) return bytes.length === 0 ? 'nothing' : 'no batch';
  const batch = new RecordBatch(bytes, 0);
  return `${batch.baseOffset} ${batch.isValid ? 'sound' : 'unsound'}`;
}

async function viewOf(owner: Owner, jars: string, { archive, path, damage, also }: Case): Promise<View> {
  const folder = temporaryFolder('damage');
  const data = join(folder, 'data');
  mkdirSync(data);
  try {
    execFileSync('tar', ['xzf', join(FACTS, 'disk', `${archive}.tar.gz`), '-C', data]);
    const [partition = ''] = path.split('/');
    const topic = partition.replace(/-\d+$/, '');
    const offsets = new Set(batchOffsets(join(data, partition)));
    const damaged = damage(readFileSync(join(data, path)));
    if (damaged === undefined) rmSync(join(data, path));
    else writeFileSync(join(data, path), damaged);
    also?.(data);
    if (also !== undefined) for (const offset of batchOffsets(join(data, partition))) offsets.add(offset);
    const look = async (client: PlainClient): Promise<View> => {
      const view = new Map([
        ['start', await offsetAt(client, topic, -2n)],
        ['end', await offsetAt(client, topic, -1n)],
      ]);
      for (const offset of offsets) view.set(`fetch at ${offset}`, await fetchAt(client, topic, offset));
      return view;
    };
    return await ownedBy(await newDirectory(folder, SETTINGS), owner, jars, look, 'SIGKILL');
  } catch (error) {
    return new Map([['outcome', error instanceof Error ? error.message : String(error)]]);
  } finally {
    removeFolder(folder);
  }
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error('name the folder of the jars of Apache Kafka');
let passed = 0;
let failed = 0;
for (const one of CASES) {
  if (!one.title.includes(process.env['ONLY'] ?? '')) continue;
  const [theirs, ours] = [await viewOf('Apache Kafka', jars, one), await viewOf('Blumfeld', jars, one)];
  const names = [...new Set([...theirs.keys(), ...ours.keys()])];
  const different = names.flatMap((name) =>
    theirs.get(name) === ours.get(name) ? [] : [`${name}: Apache Kafka ${theirs.get(name)}, Blumfeld ${ours.get(name)}`],
  );
  const isAsMeant = different.length === 0 ? one.meant === undefined : one.meant !== undefined;
  if (isAsMeant) passed++;
  else failed++;
  const reason = one.meant === undefined ? '' : ` (differs as meant: ${one.meant})`;
  console.log(`${isAsMeant ? 'ok' : 'not ok'} ${one.title}${reason}`);
  if (!isAsMeant || process.env['SHOW'] !== undefined) for (const line of different) console.log(`    ${line}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
