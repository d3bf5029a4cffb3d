/**
 * Produce and fetch rates of Blumfeld and of Apache Kafka, as the Java client measures them, in alternating rounds on this machine; the middle value of the rounds
 * and their ratio. Clients and brokers share the cores: ratios of one run say something, single figures little.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { java, startApacheKafka, startBlumfeld, type RunningProcess } from '../apache-kafka/processes.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const LOADS = [
  { size: 100, records: 500_000 },
  { size: 1024, records: 150_000 },
] as const;

type Measure = (jars: string, server: string, topic: string) => Promise<number>;

function figure(what: string, text: string, pattern: RegExp): number {
  const found = [...text.matchAll(pattern)].at(-1)?.[1];
  if (found === undefined) throw new Error(`${what} says no rate: ${text}`);
  return Number(found);
}

const produce =
  (size: number, records: number, acks: string): Measure =>
  async (jars, server, topic) => {
    const load = ['--num-records', String(records), '--record-size', String(size), '--throughput', '-1'];
    const { stdout, stderr } = await java(jars, 'org.apache.kafka.tools.ProducerPerformance', [
      '--topic',
      topic,
      ...load,
      '--producer-props',
      `bootstrap.servers=${server}`,
      `acks=${acks}`,
    ]);
    return figure('the producer', stdout.toString() + stderr, /records sent, ([\d.]+) records\/sec/g);
  };

const consume =
  (records: number): Measure =>
  async (jars, server, topic) => {
    const { stdout, stderr } = await java(jars, 'org.apache.kafka.tools.ConsumerPerformance', [
      '--bootstrap-server',
      server,
      '--topic',
      topic,
      '--num-records',
      String(records),
      '--timeout',
      '30000',
      '--hide-header',
    ]);
    return figure(
      'the consumer',
      stdout.toString() + stderr,
      /^\d{4}-.*?, .*?, [\d.]+, [\d.]+, \d+, [\d.]+, \d+, \d+, [\d.]+, ([\d.]+)/gm,
    );
  };

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function bench(tools: string, brokerJars: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'blumfeld-bench-'));
  const started = Date.now();
  const blumfeld = await startBlumfeld(join(folder, 'blumfeld'));
  const blumfeldMs = Date.now() - started;
  const kafka = await startApacheKafka(brokerJars, join(folder, 'kafka'));
  const brokers: readonly (readonly [string, RunningProcess])[] = [
    ['Apache Kafka', kafka],
    ['Blumfeld', blumfeld],
  ];
  console.log(`Blumfeld ready after ${blumfeldMs} ms. Records per second, middle of ${ROUNDS} rounds:`);
  console.log('| load | Apache Kafka | Blumfeld | ratio |\n|---|---|---|---|');
  try {
    for (const { size, records } of LOADS) {
      const measures: readonly (readonly [string, Measure])[] = [
        [`produce ${size} B, acks=1`, produce(size, records, '1')],
        [`produce ${size} B, acks=all`, produce(size, records, 'all')],
        [`consume ${size} B`, consume(records)],
      ];
      for (const [name, measure] of measures) {
        const rates = new Map<string, number[]>(brokers.map(([broker]) => [broker, []]));
        for (let round = 0; round < ROUNDS; round++)
          for (const [broker, { address }] of brokers) rates.get(broker)?.push(await measure(tools, address, `bench-${size}`));
        const [theirs, ours] = [middle(rates.get('Apache Kafka') ?? []), middle(rates.get('Blumfeld') ?? [])];
        console.log(`| ${name} | ${Math.round(theirs)} | ${Math.round(ours)} | ${(ours / theirs).toFixed(2)} |`);
      }
    }
  } finally {
    await Promise.all([blumfeld.stop(), kafka.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

const [tools, brokerJars] = process.argv.slice(2);
if (tools === undefined || brokerJars === undefined)
  throw new Error("name the folders of the jars of Apache Kafka's tools and broker");
await bench(tools, brokerJars);
