/** Data directories of Apache Kafka open, cleanly stopped, compacted and killed alike, and everything in them comes out. */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkInvariants } from '../../src/log/invariants.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import type { Log } from '../../src/log/log.ts';
import { parseProducerSnapshot } from '../../src/log/producer-snapshot.ts';
import { readMetadataRecord } from '../../src/wire/metadata-record.ts';
import { batchesOf, type RecordBatch } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { NodeFiles } from '../../src/world/node-files.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { GOLDEN_NOW, type GoldenView } from '../support/golden-disk.ts';
import { FACTS } from '../support/protocol-data.ts';

interface GoldenRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key?: string | null;
  readonly value?: string | null;
}

interface GoldenBatch {
  readonly baseOffset: string;
  readonly lastOffset: string;
  readonly crc: number;
  readonly records: readonly GoldenRecord[];
}

interface GoldenFile {
  readonly batches?: readonly GoldenBatch[];
  readonly entries?: readonly (readonly (number | string)[])[];
  readonly aborted?: readonly unknown[];
  readonly producers?: readonly {
    readonly producerId: string;
    readonly epoch: number;
    readonly lastSequence: number;
    readonly lastOffset: string;
  }[];
  readonly text?: string;
}

interface Golden {
  readonly files: { readonly [path: string]: GoldenFile };
  readonly view: { readonly partitions: { readonly [partition: string]: GoldenView } };
}

const CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, retentionMs: -1, segmentIndexBytes: 131_072 };
const IDENTITY = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'U0NSzs5MRFCWG_YBqsIJvA' };

const open = (path: string): Promise<LogDirectory> =>
  LogDirectory.open({
    files: new NodeFiles(),
    clock: new VirtualClock(GOLDEN_NOW),
    random: new SeededRandom(1),
    path,
    identity: IDENTITY,
    // User records bear timestamps of 2023: by those their producers would have expired.
    live: { producerIdExpirationMs: Number.MAX_SAFE_INTEGER, directoryDeleteDelayMs: 60_000, verifiesTransactions: true },
  });

async function readAll(log: Log, upTo: 'logEnd' | 'highWatermark' | 'lastStable', committed: boolean): Promise<number[]> {
  const offsets: number[] = [];
  for (let offset = log.logStartOffset; ; ) {
    const read = await log.read(offset, { maxBytes: 300, minOneBatch: true, upTo });
    if (read.sizeInBytes === 0) return offsets;
    const bytes = Buffer.isBuffer(read.records) ? read.records : Buffer.concat(read.records);
    const aborted = [...(read.abortedTransactions ?? [])];
    const open = new Set<number>();
    for (const batch of batchesOf(bytes)) {
      for (const { producerId, firstOffset } of aborted) if (firstOffset <= batch.baseOffset) open.add(producerId);
      if (batch.isControl) {
        open.delete(batch.producerId);
        for (const [i, each] of [...aborted.entries()].reverse()) {
          if (each.producerId === batch.producerId && each.firstOffset < batch.baseOffset) aborted.splice(i, 1);
        }
        continue;
      }
      if (committed && batch.isTransactional && open.has(batch.producerId)) continue;
      for (const record of recordsOf(batch)) if (record.offset >= offset) offsets.push(record.offset);
    }
    expect(read.nextOffset).to.be.greaterThan(offset);
    offset = read.nextOffset;
  }
}

/** index.interval.bytes of the topics that have their own. */
async function indexIntervals(log: Log): Promise<Map<string, number>> {
  const intervals = new Map<string, number>();
  for await (const batch of log.batches()) {
    for (const { value } of batch.isControl ? [] : recordsOf(batch)) {
      const record = value === null ? undefined : readMetadataRecord(value);
      if (record?.kind !== 'ConfigRecord' || record.value.name !== 'index.interval.bytes') continue;
      intervals.set(record.value.resourceName, Number(record.value.value));
    }
  }
  return intervals;
}

/** The log files of a partition in the golden listing, in order. */
function goldenBatches(golden: Golden, partition: string): GoldenBatch[] {
  const logs = Object.keys(golden.files).filter((path) => path.startsWith(`${partition}/`) && path.endsWith('.log'));
  return logs.toSorted().flatMap((path) => golden.files[path]?.batches ?? []);
}

for (const name of ['before-cleaning', 'after-cleaning', 'killed']) {
  describe(`Golden data directory ${name}`, () => {
    const golden = JSON.parse(readFileSync(join(FACTS, 'disk', `${name}.json`), 'utf8')) as Golden;
    const files = new NodeFiles();
    let path: string;
    let directory: LogDirectory;
    let metadata: Log;

    before(async () => {
      path = mkdtempSync(join(tmpdir(), 'blumfeld-'));
      execFileSync('tar', ['xzf', join(FACTS, 'disk', `${name}.tar.gz`), '-C', path]);
      directory = await open(path);
      metadata = await directory.openMetadataLog(CONFIG);
      await directory.openLogs(() => CONFIG);
    });

    after(async () => {
      await directory.stop({ clean: false, brokerEpoch: -1 });
      rmSync(path, { recursive: true });
    });

    it('knows how it was stopped', () => {
      const text = golden.files['.kafka_cleanshutdown']?.text;
      expect(directory.cleanShutdown).to.equal(text !== undefined);
      if (text !== undefined)
        expect(directory.previousBrokerEpoch).to.equal((JSON.parse(text) as { brokerEpoch: number }).brokerEpoch);
    });

    it('opens every partition, with its invariants', () => {
      const partitions = new Set(
        Object.keys(golden.files)
          .filter((file) => file.endsWith('.log') && !file.includes('-delete'))
          .map((file) => file.slice(0, file.indexOf('/'))),
      );
      const opened = [...directory.logs()].map((log) => `${log.topic}-${log.partition}`);
      expect(new Set(opened)).to.deep.equal(partitions);
      for (const log of directory.logs()) checkInvariants(log);
      expect(metadata.logEndOffset).to.be.greaterThan(100);
    });

    it('gives every batch and every record as written', async () => {
      for (const log of directory.logs()) {
        const wanted = goldenBatches(golden, `${log.topic}-${log.partition}`);
        const got: RecordBatch[] = [];
        for await (const batch of log.batches(0)) got.push(batch);
        expect(got.map((b) => [String(b.baseOffset), String(b.lastOffset), b.crc])).to.deep.equal(
          wanted.map((b) => [b.baseOffset, b.lastOffset, b.crc]),
        );
        for (const [i, batch] of got.entries()) {
          const records = recordsOf(batch);
          expect(records.map((r) => [String(r.offset), String(r.timestamp)])).to.deep.equal(
            wanted[i]?.records.map((r) => [r.offset, r.timestamp]),
          );
          for (const [j, { key, value }] of (wanted[i]?.records ?? []).entries()) {
            if (key !== undefined) expect(records[j]?.key?.toString('hex') ?? null).to.equal(key);
            if (value !== undefined) expect(records[j]?.value?.toString('hex') ?? null).to.equal(value);
          }
        }
      }
    });

    it('shows readers what they saw before, aborted transactions included', async () => {
      for (const [partition, view] of Object.entries(golden.view.partitions)) {
        const at = partition.lastIndexOf('-');
        const log = directory.get(partition.slice(0, at), Number(partition.slice(at + 1)));
        if (log === undefined) throw new Error(`${partition} was not opened`);
        log.setHighWatermark(log.logEndOffset);
        expect(log.logStartOffset, partition).to.equal(Number(view.start));
        expect(log.highWatermark, partition).to.equal(Number(view.highWatermark));
        expect(log.lastStableOffset, partition).to.equal(Number(view.lastStableOffset));
        expect(await readAll(log, 'lastStable', true), partition).to.deep.equal(view.readCommitted);
        const data = await readAll(log, 'logEnd', false);
        expect(data, partition).to.deep.equal(view.readUncommitted);
      }
    });

    it('knows the producers that the last snapshot knows', () => {
      for (const log of directory.logs()) {
        const partition = `${log.topic}-${log.partition}`;
        const snapshots = Object.keys(golden.files).filter(
          (file) => file.startsWith(`${partition}/`) && file.endsWith('.snapshot'),
        );
        const last = snapshots.toSorted().pop();
        if (last === undefined || Number(last.slice(partition.length + 1, -9)) !== log.logEndOffset) continue;
        const wanted = golden.files[last]?.producers ?? [];
        const known = [...log.producerState.entries()].map((entry) => ({
          producerId: String(entry.producerId),
          epoch: entry.producerEpoch,
          lastSequence: entry.lastSequence,
          lastOffset: String(entry.lastBatch?.lastOffset ?? -1),
        }));
        expect(known, partition).to.have.deep.members(
          wanted.map(({ producerId, epoch, lastSequence, lastOffset }) => ({ producerId, epoch, lastSequence, lastOffset })),
        );
      }
    });

    it('reads and writes snapshots byte for byte', async () => {
      const { formatProducerSnapshot } = await import('../../src/log/producer-snapshot.ts');
      for (const file of Object.keys(golden.files)) {
        if (!file.endsWith('.snapshot') || files.stat(`${path}/${file}`) === undefined) continue;
        const bytes = files.readFile(`${path}/${file}`);
        expect(formatProducerSnapshot(parseProducerSnapshot(bytes) ?? []).toString('hex'), file).to.equal(bytes.toString('hex'));
      }
    });

    // The later directories were appended to after a restart, where Kafka counts index intervals anew; compaction leaves its own.
    if (name === 'before-cleaning')
      it('makes from the logs alone the indexes that Kafka made', async () => {
        await directory.stop({ clean: true, brokerEpoch: -1 });
        const remade = ['.index', '.timeindex', '.txnindex'];
        for (const file of Object.keys(golden.files)) {
          if (remade.some((suffix) => file.endsWith(suffix)) && !file.includes('-delete')) files.remove(`${path}/${file}`);
        }
        for (const checkpoint of ['.kafka_cleanshutdown', 'recovery-point-offset-checkpoint'])
          files.remove(`${path}/${checkpoint}`);
        directory = await open(path);
        const intervals = await indexIntervals(await directory.openMetadataLog(CONFIG));
        await directory.openLogs((topic) => ({
          ...CONFIG,
          indexIntervalBytes: intervals.get(topic) ?? CONFIG.indexIntervalBytes,
        }));
        await directory.stop({ clean: true, brokerEpoch: -1 });
        for (const [file, { entries, aborted }] of Object.entries(golden.files)) {
          // Kafka does not close the metadata log: its time index lacks the last entry.
          if (file.includes('-delete') || file === '__cluster_metadata-0/00000000000000000000.timeindex') continue;
          const size = entries !== undefined ? entries.length * (file.endsWith('.index') ? 8 : 12) : (aborted?.length ?? 0) * 34;
          if (!remade.some((suffix) => file.endsWith(suffix))) continue;
          const bytes = files.stat(`${path}/${file}`) === undefined ? Buffer.alloc(0) : files.readFile(`${path}/${file}`);
          expect(bytes.length, file).to.equal(size);
          for (const [i, [first, second]] of (entries ?? []).entries()) {
            const shown = file.endsWith('.index')
              ? [bytes.readInt32BE(i * 8), bytes.readInt32BE(i * 8 + 4)]
              : [String(bytes.readBigInt64BE(i * 12)), bytes.readInt32BE(i * 12 + 8)];
            expect(shown, file).to.deep.equal([first, second]);
          }
        }
      });
  });
}
