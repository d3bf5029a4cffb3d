/** Runs the clients, all of them unmodified and in processes of their own, and finds their figures in what they print. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Figures {
  /** Records, or requests, a second. */
  readonly rate?: number;
  /** Milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** Milliseconds until new topics took records. */
  readonly created?: number;
  /** The rate to that of the same client without what the load is about. */
  readonly part?: number;
  /** Milliseconds: `p99` without the other half of the load. */
  readonly alone?: number;
  /** What the broker's CPU time is divided by. */
  readonly records: number;
}

export interface Installed {
  readonly tools: string;
  readonly franzGo: string;
  readonly librdkafka: string;
}

const LIMIT_MS = 120_000;
const KAFKAJS = fileURLToPath(new URL('kafkajs-load.js', import.meta.url));
const LOGGING = '-Dlog4j2.configurationFile=compat/apache-kafka/log4j2.properties';

export class LoadFailed extends Error {
  override readonly name = 'LoadFailed';
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  if (code !== 0) throw new LoadFailed(code === null ? `no end within ${LIMIT_MS} ms` : said.trim().slice(-300));
  return said;
}

function numbers(pattern: RegExp, text: string): number[] {
  const last = [...text.matchAll(pattern)].at(-1);
  if (last === undefined) throw new LoadFailed(`no figures in: ${text.trim().slice(-300)}`);
  return last.slice(1).map(Number);
}

const lastLine = (text: string): Figures => JSON.parse(text.trim().split('\n').at(-1) ?? '') as Figures;

const java = (installed: Installed, tool: string, args: readonly string[]): Promise<string> =>
  run('java', ['-Xmx512m', LOGGING, '-cp', `${installed.tools}/*`, `org.apache.kafka.tools.${tool}`, ...args]);

export interface JavaLoad {
  readonly size: number;
  readonly records: number;
  readonly acks: string;
  readonly codec?: string;
}

export async function javaProduce(installed: Installed, address: string, topic: string, load: JavaLoad): Promise<Figures> {
  const { size, records, acks, codec = 'none' } = load;
  const warm = Math.floor(records / 4);
  const text = await java(installed, 'ProducerPerformance', [
    ...['--bootstrap-server', address, '--topic', topic, '--record-size', String(size), '--throughput', '-1'],
    ...['--num-records', String(records + warm), '--warmup-records', String(warm)],
    ...['--command-property', `acks=${acks}`, `compression.type=${codec}`],
  ]);
  const [rate = 0, p50 = 0, p99 = 0] = numbers(/records sent, ([\d.]+) records\/sec.*? (\d+) ms 50th.*? (\d+) ms 99th/g, text);
  return { rate, p50, p99, records: records + warm };
}

export async function javaConsume(installed: Installed, address: string, topic: string, records: number): Promise<Figures> {
  const group = `bench-${Date.now()}`;
  const text = await java(installed, 'ConsumerPerformance', [
    ...['--bootstrap-server', address, '--topic', topic, '--num-records', String(records), '--group', group],
    ...['--timeout', '20000', '--hide-header'],
  ]);
  const [read = 0, rate = 0] = numbers(/^\d{4}-.*?, .*?, [\d.]+, [\d.]+, (\d+), [\d.]+, \d+, \d+, [\d.]+, ([\d.]+)/gm, text);
  if (read < records) throw new LoadFailed(`read ${read} of ${records} records`);
  return { rate, records: read };
}

export async function franzGo(
  installed: Installed,
  address: string,
  kind: string,
  flags: Readonly<Record<string, string | number>>,
): Promise<Figures> {
  const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
  return lastLine(await run(installed.franzGo, [address, kind, ...args]));
}

export async function librdkafkaProduce(
  installed: Installed,
  address: string,
  topic: string,
  size: number,
  records: number,
): Promise<Figures> {
  const args = ['-P', '-t', topic, '-b', address, '-s', String(size), '-c', String(records), '-a', '-1', '-i', '1000'];
  const [, rate = 0] = numbers(/(\d+) delivered .*? in \d+ms: (\d+) msgs\/s/g, await run(installed.librdkafka, args));
  return { rate, records };
}

export async function librdkafkaConsume(installed: Installed, address: string, topic: string, records: number): Promise<Figures> {
  const args = ['-C', '-t', topic, '-p', '0', '-b', address, '-c', String(records), '-o', 'beginning', '-i', '1000'];
  const found = numbers(/(\d+) messages \(\d+ bytes\) consumed in \d+ms: (\d+) msgs\/s/g, await run(installed.librdkafka, args));
  return { rate: found[1] ?? 0, records };
}

export async function kafkajs(
  address: string,
  kind: 'produce' | 'consume',
  topic: string,
  o: { readonly size: number; readonly seconds: number; readonly records: number },
): Promise<Figures> {
  return lastLine(
    await run(process.execPath, [KAFKAJS, address, kind, topic, String(o.size), String(o.seconds), String(o.records)]),
  );
}
