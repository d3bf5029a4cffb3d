/**
 * Lines of a file go through a topic into another file by Kafka Connect, with exactly-once sources, while the worker and the broker are killed.
 * `node build/compat/connect/main.js FOLDER-OF-JARS`; ends with `N passed, N failed`.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { freePort } from '../apache-kafka/free-port.ts';
import { type CrashingBroker, startedIn } from '../streams/crashing-broker.ts';
import { until, Worker } from './worker.ts';

const LINES_PER_STEP = 2000;
const TOPIC = 'lines';

interface Flow {
  readonly broker: CrashingBroker;
  readonly worker: Worker;
  readonly from: string;
  readonly to: string;
  written: number;
}

const lineOf = (index: number): string => `line ${String(index).padStart(7, '0')}`;
const linesUpTo = (count: number): string[] => Array.from({ length: count }, (_, index) => lineOf(index));

function write(flow: Flow, count = LINES_PER_STEP): void {
  const lines = Array.from({ length: count }, (_, index) => `${lineOf(flow.written + index)}\n`);
  appendFileSync(flow.from, lines.join(''));
  flow.written += count;
}

const linesIn = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);

/** Waits until the other file has every line; connectors write theirs at least once. */
async function arrived(flow: Flow): Promise<string[]> {
  return until(`${flow.written} lines arrive`, () => {
    const lines = linesIn(flow.to);
    return Promise.resolve(new Set(lines).size >= flow.written ? lines : undefined);
  });
}

/** What a consumer of committed records finds in the topic. */
async function committed(bootstrap: string, atLeast: number): Promise<string[]> {
  const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `reader-${Date.now()}` });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      values.push(String(message.value));
      return Promise.resolve();
    },
  });
  await until(`${atLeast} records are read`, () => Promise.resolve(values.length >= atLeast ? true : undefined));
  await consumer.disconnect();
  return values;
}

/** Steps in their order: each goes on from where the one before has ended. */
const STEPS: readonly (readonly [name: string, run: (flow: Flow) => Promise<boolean>])[] = [
  [
    'lines go through the topic from file to file, once and in order',
    async (flow) => {
      write(flow);
      const { worker, from, to } = flow;
      const source = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector', file: from, topic: TOPIC };
      const sink = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector', file: to, topics: TOPIC };
      await worker.tell('PUT', '/connectors/source/config', { ...source, 'tasks.max': '1', 'exactly.once.support': 'requested' });
      await worker.tell('PUT', '/connectors/sink/config', { ...sink, 'tasks.max': '1' });
      return (await arrived(flow)).join() === linesUpTo(flow.written).join();
    },
  ],
  [
    'a worker that is killed at work goes on where its last transaction ended',
    async (flow) => {
      write(flow);
      await flow.worker.kill('SIGKILL');
      write(flow);
      await flow.worker.start();
      await arrived(flow);
      return (await committed(flow.broker.bootstrap, flow.written)).join() === linesUpTo(flow.written).join();
    },
  ],
  [
    'a broker that is killed at work costs no line and doubles none',
    async (flow) => {
      write(flow);
      await flow.broker.crash();
      write(flow);
      await arrived(flow);
      return (await committed(flow.broker.bootstrap, flow.written)).join() === linesUpTo(flow.written).join();
    },
  ],
  [
    'a connector that is paused waits, and goes on when it is resumed',
    async (flow) => {
      await flow.worker.tell('PUT', '/connectors/sink/pause');
      await flow.worker.isIn('sink', 'PAUSED');
      const before = linesIn(flow.to).length;
      write(flow);
      await committed(flow.broker.bootstrap, flow.written);
      const meanwhile = linesIn(flow.to).length;
      await flow.worker.tell('PUT', '/connectors/sink/resume');
      await arrived(flow);
      return meanwhile === before;
    },
  ],
  [
    'the offsets of a stopped sink are seen, and are its group’s',
    async (flow) => {
      await flow.worker.tell('PUT', '/connectors/sink/stop');
      await flow.worker.isIn('sink', 'STOPPED');
      const { offsets } = (await flow.worker.tell('GET', '/connectors/sink/offsets')) as { offsets: SinkOffset[] };
      const admin = new Kafka({ brokers: [flow.broker.bootstrap], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const [group] = await admin.fetchOffsets({ groupId: 'connect-sink', topics: [TOPIC] });
      await admin.disconnect();
      const seen = offsets.map(
        ({ partition, offset }) => `${partition.kafka_topic} ${partition.kafka_partition} ${offset.kafka_offset}`,
      );
      const held = (group?.partitions ?? []).filter(({ offset }) => offset !== '-1');
      return seen.length > 0 && seen.join() === held.map((one) => `${TOPIC} ${one.partition} ${one.offset}`).join();
    },
  ],
  [
    'a sink whose offsets are deleted reads everything again',
    async (flow) => {
      await flow.worker.tell('DELETE', '/connectors/sink/offsets');
      writeFileSync(flow.to, '');
      await flow.worker.tell('PUT', '/connectors/sink/resume');
      return (await arrived(flow)).join() === linesUpTo(flow.written).join();
    },
  ],
  [
    'a source whose offsets are deleted sends everything again',
    async (flow) => {
      await flow.worker.tell('PUT', '/connectors/source/stop');
      await flow.worker.isIn('source', 'STOPPED');
      await flow.worker.tell('DELETE', '/connectors/source/offsets');
      await flow.worker.tell('PUT', '/connectors/source/resume');
      const twice = [...linesUpTo(flow.written), ...linesUpTo(flow.written)];
      return (await committed(flow.broker.bootstrap, twice.length)).join() === twice.join();
    },
  ],
  [
    'connectors are deleted, and the worker leaves',
    async (flow) => {
      for (const name of ['source', 'sink']) await flow.worker.tell('DELETE', `/connectors/${name}`);
      const left = await flow.worker.tell('GET', '/connectors');
      await flow.worker.kill('SIGTERM');
      return Object.keys(left).length === 0;
    },
  ],
];

interface SinkOffset {
  readonly partition: { readonly kafka_topic: string; readonly kafka_partition: number };
  readonly offset: { readonly kafka_offset: number };
}

const folder = temporaryFolder('connect');
const broker = await startedIn(folder);
const worker = new Worker(process.argv[2] ?? '', folder, broker.bootstrap, await freePort());
const flow: Flow = { broker, worker, from: join(folder, 'from.txt'), to: join(folder, 'to.txt'), written: 0 };
let [passed, failed] = [0, 0];
try {
  await worker.start();
  for (const [name, run] of STEPS) {
    const ok = await run(flow).catch((error: unknown) => console.log(String(error)));
    console.log(`${ok === true ? 'ok' : 'not ok'} ${name}`);
    if (ok === true) passed++;
    else failed++;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await worker.kill('SIGKILL');
  await broker.stop();
  removeFolder(folder);
}
