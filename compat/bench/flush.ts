/**
 * What an fsync before each acknowledgement costs (`flush.messages=1` of a topic), here and in Apache Kafka: the same loads by kafkajs and
 * by Apache Kafka's producer-perf-test, the brokers in alternation. `node build/compat/bench/flush.js BROKER-JARS TOOLS-JARS` prints the table, and writes it into
 * docs/acknowledgement.md unless QUICK is set.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { java } from '../apache-kafka/java.ts';
import { type BenchedBroker, remove, startApacheKafka, startBlumfeld } from './brokers.ts';
import { median } from './samples.ts';

const DOCUMENT = 'docs/acknowledgement.md';
const [BEGIN, END] = ['<!-- flush -->', '<!-- /flush -->'];
const RECORD_BYTES = 1024;
const ROUNDS = process.env['QUICK'] === undefined ? 3 : 1;

interface Figures {
  readonly rate: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

interface Load {
  readonly name: string;
  measure(broker: BenchedBroker, topic: string, tools: string): Promise<Figures>;
}

const LOADS: readonly Load[] = [
  { name: 'kafkajs, one record after another', measure: oneByOne },
  { name: 'Java, as fast as it goes in batches of 16 KiB', measure: inBatches },
];

async function oneByOne(broker: BenchedBroker, topic: string): Promise<Figures> {
  const [warmup, count] = [300, 2000];
  const producer = new Kafka({ brokers: [broker.address], logLevel: logLevel.ERROR }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const value = randomBytes(RECORD_BYTES);
  const times: number[] = [];
  for (let i = 0; i < warmup + count; i++) {
    const begun = performance.now();
    await producer.send({ topic, acks: -1, messages: [{ value }] });
    if (i >= warmup) times.push(performance.now() - begun);
  }
  await producer.disconnect();
  const rate = (count * 1000) / times.reduce((sum, time) => sum + time, 0);
  times.sort((a, b) => a - b);
  return { rate, p50Ms: times[count / 2] ?? Number.NaN, p99Ms: times[count * 0.99] ?? Number.NaN };
}

async function inBatches(broker: BenchedBroker, topic: string, tools: string): Promise<Figures> {
  const size = [
    '--num-records',
    '140000',
    '--warmup-records',
    '20000',
    '--record-size',
    String(RECORD_BYTES),
    '--throughput',
    '-1',
  ];
  const args = ['--bootstrap-server', broker.address, '--topic', topic, ...size, '--command-property', 'acks=all'];
  const output = await java(tools, 'org.apache.kafka.tools.ProducerPerformance', args);
  const rate = [...output.stdout.toString().matchAll(/([\d.]+) records\/sec/g)].at(-1)?.[1];
  if (rate === undefined) throw new Error(`producer-perf-test said: ${output.stdout.toString()}${output.stderr}`);
  return { rate: Number(rate) };
}

async function createTopic(broker: BenchedBroker, topic: string, flushes: boolean, tools: string): Promise<void> {
  const config = flushes ? ['--config', 'flush.messages=1'] : [];
  const args = ['--bootstrap-server', broker.address, '--create', '--topic', topic, '--partitions', '1', ...config];
  const { code, stderr } = await java(tools, 'org.apache.kafka.tools.TopicCommand', args);
  if (code !== 0) throw new Error(`${topic} could not be created: ${stderr}`);
}

async function measure(brokerJars: string, tools: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'blumfeld-flush-'));
  const brokers = [await startApacheKafka(brokerJars, join(folder, 'kafka')), await startBlumfeld(join(folder, 'blumfeld'))];
  const samples = new Map<string, Figures[]>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, load] of LOADS.entries()) {
        for (const flushes of [false, true]) {
          for (const broker of brokers) {
            const topic = `flush-${index}-${flushes}-${round}`;
            await createTopic(broker, topic, flushes, tools);
            const key = `${load.name} | ${flushes ? '1' : 'not set'} | ${broker.name}`;
            const figures = await load.measure(broker, topic, tools);
            console.log(key, JSON.stringify(figures));
            samples.set(key, [...(samples.get(key) ?? []), figures]);
          }
        }
      }
    }
  } finally {
    for (const broker of brokers) await broker.stop();
    remove(folder);
  }
  return [...samples].map(([key, all]) => {
    const shown = (of: (one: Figures) => number | undefined, digits: number): string =>
      median(all.map(of).filter((one) => one !== undefined))?.toFixed(digits) ?? '';
    return `| ${key} | ${shown(({ rate }) => rate, 0)} | ${shown(({ p50Ms }) => p50Ms, 2)} | ${shown(({ p99Ms }) => p99Ms, 2)} |`;
  });
}

function table(rows: readonly string[]): string {
  const date = new Date().toISOString().slice(0, 10);
  const conditions = `Written by \`compat/bench/flush\` on ${date}: ${cpus().length} cores that brokers, clients and other work share, Node ${process.versions.node}, records of 1 KiB, \`acks=all\`, one partition, medians of ${ROUNDS} rounds, the brokers in alternation.`;
  return [
    conditions,
    '',
    '| load | `flush.messages` | broker | records a second | p50, ms | p99, ms |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const [brokerJars, tools] = process.argv.slice(2);
if (brokerJars === undefined || tools === undefined)
  throw new Error("name the folders of the jars of Apache Kafka's broker and of its tools");
const text = table(await measure(brokerJars, tools));
console.log(text);
if (process.env['QUICK'] === undefined) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} has no ${BEGIN} before ${END}`);
  writeFileSync(DOCUMENT, `${document.slice(0, begin + BEGIN.length)}\n${text}\n${document.slice(end)}`);
}
