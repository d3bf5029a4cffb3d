/**
 * Partitions of Apache Kafka with any one file of theirs, or of the data directory's, damaged: they open; what is served with a checksum that agrees is
 * what was written; and of what the damage did not touch everything is there that Apache Kafka would keep.
 *
 * What it would keep: after a clean stop logs are not read, so that all but the damaged batch stays, where it can still be found: by the headers before it
 * in its segment, or in another segment. After an unclean one the log ends with the first damage above the recovery point. `SEED` replays a run.
 */
import { expect } from 'chai';
import { batchSizeAt } from '../../src/log/batch-header.ts';
import { readOffsetCheckpoint } from '../../src/log/checkpoint-file.ts';
import { CorruptBatch } from '../../src/log/corrupt-batch.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import type { Log } from '../../src/log/log.ts';
import type { LogRead } from '../../src/log/log-contract.ts';
import { batchesOf, RecordBatch } from '../../src/wire/record-batch.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import type { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { type Damage, doDamage, drawDamage } from '../support/damage.ts';
import { filesBelow, GOLDEN_NOW, goldenDisk } from '../support/golden-disk.ts';
import { SEED } from '../support/property.ts';
import { batch, bytesOf, offsetsIn, put } from './log-fixture.ts';

const DATA = '/data';
const IDENTITY = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'U0NSzs5MRFCWG_YBqsIJvA' };
const CASES = process.env['THOROUGH'] === undefined ? 700 : 30_000;
/** In a batch: what its checksum does not cover, and the last offset, which decides whether a reader looks into it. */
const isPayload = (at: number): boolean => at >= 17 && !(at >= 23 && at < 27);

interface Batch {
  readonly segment: number;
  readonly position: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly bytes: Buffer;
}

/** One golden data directory. */
interface Directory {
  readonly name: string;
  readonly files: FakeFiles;
  readonly isClean: boolean;
  readonly paths: readonly string[];
  readonly batches: ReadonlyMap<string, readonly Batch[]>;
  readonly starts: ReadonlyMap<string, number>;
  readonly recoveryPoints: ReadonlyMap<string, number>;
}

const configOf = (topic: string): LogConfig => ({
  ...DEFAULT_LOG_CONFIG,
  retentionMs: -1,
  segmentIndexBytes: 131_072,
  cleanupPolicy: topic === 'keyed' || topic.startsWith('__') ? ['compact'] : ['delete'],
});

async function openLogs(files: FakeFiles): Promise<LogDirectory> {
  const directory = await LogDirectory.open({
    files,
    clock: new VirtualClock(GOLDEN_NOW),
    random: new SeededRandom(1),
    path: DATA,
    identity: IDENTITY,
    live: { producerIdExpirationMs: Number.MAX_SAFE_INTEGER, directoryDeleteDelayMs: 60_000, verifiesTransactions: true },
  });
  await directory.openLogs((topic, _, topicId) => (topicId === null ? undefined : configOf(topic)));
  return directory;
}

const partitionOf = (path: string): string | undefined => /^\/data\/([^/]+-\d+)\//.exec(path)?.[1];

/** The batches in the files of one partition. */
function batchesIn(files: FakeFiles, partition: string): Batch[] {
  const found: Batch[] = [];
  for (const { name } of files.list(`${DATA}/${partition}`)) {
    if (!name.endsWith('.log')) continue;
    const bytes = files.readFile(`${DATA}/${partition}/${name}`);
    for (const batch of batchesOf(bytes)) {
      const end = batch.position + batch.sizeInBytes;
      const { position, baseOffset } = batch;
      found.push({ segment: Number(name.slice(0, 20)), position, end, baseOffset, bytes: bytes.subarray(position, end) });
    }
  }
  return found.toSorted((a, b) => a.baseOffset - b.baseOffset);
}

async function golden(name: string): Promise<Directory> {
  const files = await goldenDisk(name, DATA);
  for (const { name: entry, directory } of files.list(DATA)) {
    if (directory && (entry.endsWith('-delete') || entry === '__cluster_metadata-0')) files.removeDirectory(`${DATA}/${entry}`);
  }
  const partitions = files.list(DATA).flatMap((entry) => (entry.directory ? [entry.name] : []));
  const isClean = files.stat(`${DATA}/.kafka_cleanshutdown`) !== undefined;
  return {
    name,
    files,
    isClean,
    paths: filesBelow(files, DATA).filter((path) => !/\.lock$|meta\.properties$|bootstrap\.checkpoint$/.test(path)),
    batches: new Map(partitions.map((partition) => [partition, batchesIn(files, partition)])),
    starts: readOffsetCheckpoint(files, `${DATA}/log-start-offset-checkpoint`),
    recoveryPoints: readOffsetCheckpoint(files, `${DATA}/recovery-point-offset-checkpoint`),
  };
}

/** Undefined where the log says that there is no batch to be read. */
async function readOrCorrupt(log: Log, offset: number): Promise<LogRead | undefined> {
  try {
    return await log.read(offset, { maxBytes: 300, minOneBatch: true, upTo: 'logEnd' });
  } catch (error) {
    if (error instanceof CorruptBatch) return undefined;
    throw error;
  }
}

/** Base offsets of the batches that come out; what comes out with a checksum that agrees must have been put in. */
async function served(log: Log, batches: readonly Batch[]): Promise<Set<number>> {
  const written = new Map(batches.map(({ bytes }) => [bytes.subarray(21).toString('latin1'), bytes]));
  const found = new Set<number>();
  log.setHighWatermark(log.logEndOffset);
  for (const { baseOffset } of batches) {
    if (found.has(baseOffset) || baseOffset < log.logStartOffset || baseOffset >= log.logEndOffset) continue;
    for (let offset = baseOffset; offset < log.logEndOffset; ) {
      const read = await readOrCorrupt(log, offset);
      if (read === undefined || read.sizeInBytes === 0) break;
      expect(read.nextOffset, 'the next offset').to.be.greaterThan(offset);
      const bytes = bytesOf(read.records);
      for (let at = 0; at < bytes.length; at += batchSizeAt(bytes, at)) {
        const each = new RecordBatch(bytes, at);
        if (!each.isValid) continue;
        expect(written.has(each.bytes.subarray(21).toString('latin1')), 'a batch that nobody wrote').to.equal(true);
        found.add(each.baseOffset);
      }
      offset = read.nextOffset;
    }
  }
  return found;
}

/** What has to be there of a partition after the damage. */
function keptBatches(directory: Directory, partition: string, damage: Damage): readonly Batch[] {
  const all = (directory.batches.get(partition) ?? []).filter(
    ({ baseOffset }) => baseOffset >= (directory.starts.get(partition) ?? 0),
  );
  if (damage.path.endsWith('log-start-offset-checkpoint') || damage.path.endsWith('partition.metadata')) return [];
  if (!damage.path.endsWith('.log') || partitionOf(damage.path) !== partition) return all;
  const segment = Number(/(\d{20})\.log$/.exec(damage.path)?.[1]);
  const from = damage.kind === 'flipped' ? damage.at : damage.kind === 'truncated' ? damage.size : 0;
  const hit = all.findIndex((batch) => batch.segment === segment && batch.end > from);
  if (hit < 0) return all;
  const lastOffsetOf = (index: number): number => (all[index + 1]?.baseOffset ?? Number.MAX_SAFE_INTEGER) - 1;
  const isRead =
    !directory.isClean &&
    lastOffsetOf(all.findLastIndex((b) => b.segment === segment)) >= (directory.recoveryPoints.get(partition) ?? 0);
  if (isRead) return all.slice(0, hit);
  const first = all[hit];
  const isFindable = damage.kind === 'flipped' && first !== undefined && isPayload(damage.at - first.position);
  return all.filter((each, index) => index < hit || each.segment > segment || (isFindable && index > hit));
}

async function tryOne(directory: Directory, damage: Damage): Promise<void> {
  const files = directory.files.copy();
  doDamage(files, damage);
  const opened = await openLogs(files);
  let appended: { readonly topic: string; readonly partition: number; readonly offset: number } | undefined;
  for (const [partition, batches] of directory.batches) {
    const own = partitionOf(damage.path);
    if (own !== undefined && own !== partition) continue;
    const at = partition.lastIndexOf('-');
    const log = opened.get(partition.slice(0, at), Number(partition.slice(at + 1)));
    const kept = keptBatches(directory, partition, damage);
    if (log === undefined) {
      expect(kept, `what is kept of ${partition}, which is not there`).to.deep.equal([]);
      continue;
    }
    const found = await served(log, batches);
    const lost = kept.filter(({ baseOffset }) => !found.has(baseOffset)).map(({ baseOffset }) => baseOffset);
    expect(lost, `lost of ${partition}`).to.deep.equal([]);
    if (own !== undefined)
      appended = { topic: log.topic, partition: log.partition, offset: put(log, batch({ timestamp: GOLDEN_NOW }), 9) };
  }
  await opened.stop({ clean: true, brokerEpoch: 1 });
  const again = await openLogs(files.kill());
  if (appended !== undefined) {
    const log = again.get(appended.topic, appended.partition);
    log?.setHighWatermark(log.logEndOffset);
    const read = await log?.read(appended.offset, { maxBytes: 1, minOneBatch: true, upTo: 'logEnd' });
    expect(offsetsIn(read?.records ?? []), 'what was appended afterwards').to.deep.equal([appended.offset]);
  }
  await again.stop({ clean: true, brokerEpoch: 1 });
}

describe('a damaged file', function () {
  this.timeout(600_000);

  for (const name of ['before-cleaning', 'after-cleaning', 'killed']) {
    it(`of the directory ${name} harms nothing but itself`, async () => {
      const directory = await golden(name);
      const random = new SeededRandom(SEED);
      const wrong: string[] = [];
      for (let i = 0; i < CASES && wrong.length < 5; i++) {
        const damage = drawDamage(directory.files, random.pick(directory.paths), random);
        try {
          await tryOne(directory, damage);
        } catch (error) {
          wrong.push(`SEED=${SEED}, case ${i}, ${JSON.stringify(damage)}: ${(error as Error).stack}`);
        }
      }
      expect(wrong.join('\n')).to.equal('');
    });
  }
});
