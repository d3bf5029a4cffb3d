/**
 * What the benchmark asks of the disk, each on directories of its own: starts on what many partitions have left, compaction, and a reader of the past
 * beside a writer.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Directory, newDirectory, type Owner } from '../apache-kafka/directory-owner.ts';
import { type BenchedBroker, remove, startIn } from './brokers.ts';
import { type Figures, franzGo, type Installed } from './clients.ts';

export interface StorageFigure {
  readonly name: string;
  readonly unit: string;
  readonly kafka: readonly number[];
  readonly ours: readonly number[];
}

export interface StorageBench {
  readonly installed: Installed;
  /** Apache Kafka's broker. */
  readonly jars: string;
  readonly quick: boolean;
  say(text: string): void;
}

const BROKERS: readonly Owner[] = ['Apache Kafka', 'Blumfeld'];
const RECORD_BYTES = 1024;
const COMPACTION_LIMIT_MS = 120_000;

type Measured = ReadonlyMap<Owner, number>;

function figure(name: string, unit: string, measured: Measured): StorageFigure {
  const of = (broker: Owner): number[] => [measured.get(broker)].filter((value) => value !== undefined);
  return { name, unit, kafka: of('Apache Kafka'), ours: of('Blumfeld') };
}

async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'blumfeld-bench-'));
  try {
    return await run(folder);
  } finally {
    remove(folder);
  }
}

const dataIn = ({ folder }: Directory): string => join(folder, 'data');

/** Runs one broker on a directory and ends it; it is killed when something fails. */
async function during<T>(
  directory: Directory,
  name: Owner,
  jars: string,
  run: (broker: BenchedBroker) => Promise<T>,
  end: 'stop' | 'kill' = 'stop',
): Promise<T> {
  const broker = await startIn(directory, name, jars);
  try {
    const result = await run(broker);
    await broker[end]();
    return result;
  } catch (error) {
    await broker.kill();
    throw error;
  }
}

/** Starts on a copy of the directory, and kills at once: milliseconds. */
async function startOn(original: Directory, name: Owner, jars: string): Promise<number> {
  const copy = await newDirectory(`${original.folder}-${name.replace(' ', '-')}`);
  cpSync(dataIn(original), dataIn(copy), { recursive: true });
  try {
    const broker = await startIn(copy, name, jars);
    await broker.kill();
    return broker.startMs;
  } finally {
    remove(copy.folder);
  }
}

/** Both brokers start on copies of one directory, which Blumfeld has made: after a clean stop, and after a kill behind more writes. */
function starts({ installed, jars, say }: StorageBench, partitions: number): Promise<StorageFigure[]> {
  const written = { topic: 'spread', topics: partitions / 10, partitions: 10, records: partitions * 2, size: 100 };
  const write = (broker: BenchedBroker): Promise<Figures> => franzGo(installed, broker.address, 'spread', written);
  return inFolder(async (folder) => {
    const original = await newDirectory(join(folder, 'original'));
    const figures: StorageFigure[] = [];
    for (const end of ['stop', 'kill'] as const) {
      await during(original, 'Blumfeld', jars, write, end);
      const measured = new Map<Owner, number>();
      for (const name of BROKERS) {
        measured.set(name, await startOn(original, name, jars));
        say(`${name}: ${partitions} partitions: ${Math.round(measured.get(name) ?? 0)} ms after a ${end}`);
      }
      const after = end === 'stop' ? 'clean stop' : 'kill';
      figures.push(figure(`start on ${partitions.toLocaleString('en-US')} partitions after a ${after}`, 'ms', measured));
    }
    return figures;
  });
}

/** Until the checkpoint of the cleaner has the topic. */
async function cleaned(directory: Directory, topic: string): Promise<void> {
  const checkpoint = join(dataIn(directory), 'cleaner-offset-checkpoint');
  const begun = performance.now();
  while (!existsSync(checkpoint) || !readFileSync(checkpoint, 'latin1').includes(`${topic} 0 `)) {
    if (performance.now() - begun > COMPACTION_LIMIT_MS)
      throw new Error(`${topic} was not compacted within ${COMPACTION_LIMIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Nine records of ten have a key that comes again later. The broker looks for work every 100 ms. */
function compaction({ installed, jars, quick, say }: StorageBench): Promise<StorageFigure[]> {
  const records = (quick ? 64 : 512) * 1024;
  const [rate, cpu] = [new Map<Owner, number>(), new Map<Owner, number>()];
  return inFolder(async (folder) => {
    for (const name of BROKERS) {
      const directory = await newDirectory(join(folder, name.replace(' ', '-')), ['log.cleaner.backoff.ms=100']);
      await during(directory, name, jars, async (broker) => {
        const topic = 'keyed';
        await franzGo(installed, broker.address, 'keyed', { topic, records, keys: Math.floor(records / 10), size: RECORD_BYTES });
        const before = { at: performance.now(), cpuSeconds: broker.cpuSeconds() };
        await franzGo(installed, broker.address, 'compact', { topic });
        await cleaned(directory, topic);
        const megabytes = (records * RECORD_BYTES) / 1e6;
        rate.set(name, (megabytes * 1000) / (performance.now() - before.at));
        cpu.set(name, ((broker.cpuSeconds() - before.cpuSeconds) * 1000) / megabytes);
      });
      say(`${name}: compaction ${Math.round(rate.get(name) ?? 0)} MB/s, ${(cpu.get(name) ?? 0).toFixed(2)} s of CPU a GB`);
      remove(directory.folder);
    }
    return [
      figure('compaction, 90 % of the keys come again', 'MB a second', rate),
      figure('compaction, 90 % of the keys come again', 'CPU a GB, s', cpu),
    ];
  });
}

/** What the operating system has of the files in memory is written and given up. */
function forget(folder: string): void {
  for (const file of readdirSync(folder)) {
    const path = join(folder, file);
    if (!file.endsWith('.log') || !statSync(path).isFile()) continue;
    spawnSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
  }
}

/** A log of 5 GB that is no longer in memory is read from its start while 50 MB a second are written at its end. */
function past({ installed, jars, quick, say }: StorageBench): Promise<StorageFigure[]> {
  const records = Math.floor((quick ? 0.5e9 : 5e9) / RECORD_BYTES);
  const measured: Record<'rate' | 'p99' | 'rise', Map<Owner, number>> = { rate: new Map(), p99: new Map(), rise: new Map() };
  return inFolder(async (folder) => {
    for (const name of BROKERS) {
      const directory = await newDirectory(join(folder, name.replace(' ', '-')), ['log.segment.bytes=134217728']);
      await during(directory, name, jars, async ({ address }) => {
        const topic = 'past';
        await franzGo(installed, address, 'create', { topic, partitions: 1 });
        await franzGo(installed, address, 'fill', { topic, size: RECORD_BYTES, records });
        forget(join(dataIn(directory), `${topic}-0`));
        const load = { topic, size: RECORD_BYTES, records, pace: Math.floor(50e6 / RECORD_BYTES), seconds: 4 };
        const { rate = 0, p99 = 0, alone = 0 } = await franzGo(installed, address, 'past', load);
        measured.rate.set(name, (rate * RECORD_BYTES) / 1e6);
        measured.p99.set(name, p99);
        measured.rise.set(name, p99 / alone);
        say(
          `${name}: past read at ${Math.round((rate * RECORD_BYTES) / 1e6)} MB/s, writers' p99 ${alone} ms alone, ${p99} ms beside`,
        );
      });
      remove(directory.folder);
    }
    const name = `log of ${quick ? '0.5' : '5'} GB read from its start while 50 MB a second are written`;
    return [
      figure(name, 'read, MB a second', measured.rate),
      figure(name, "writers' p99, ms", measured.p99),
      figure(name, "writers' p99 to that without the reader", measured.rise),
    ];
  });
}

export const STORAGE_LOADS: readonly { readonly name: string; run(bench: StorageBench): Promise<StorageFigure[]> }[] = [
  { name: 'start on 1,000 partitions', run: (bench) => starts(bench, 1000) },
  { name: 'start on 10,000 partitions', run: (bench) => (bench.quick ? Promise.resolve([]) : starts(bench, 10_000)) },
  { name: 'compaction', run: compaction },
  { name: 'past beside writers', run: past },
];
