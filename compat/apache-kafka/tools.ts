/**
 * Apache Kafka's command line tools against Blumfeld: 10,000 keyed records in each codec through the console producer and consumer, every byte compared; topics,
 * configs, offsets and groups described; and every file that was written read by the dump tool. `node build/compat/apache-kafka/tools.js JARS`
 */
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import { dumpEveryFile } from './dumped-files.ts';
import { startBlumfeld } from './directory-owner.ts';
import { java, type Output } from './java.ts';
import { startToolServer } from './tool-server.ts';

const RECORDS = 10_000;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const PARTITIONS = 3;

const TOOLS = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  configs: 'kafka.admin.ConfigCommand',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  offsets: 'org.apache.kafka.tools.GetOffsetShell',
  producer: 'org.apache.kafka.tools.ConsoleProducer',
  consumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
} as const;

const checks = new Checks();
const { check } = checks;

/** Undefined when `output` is that of a tool that succeeded and says `expected`. */
function said(output: Output, ...expected: readonly RegExp[]): string | undefined {
  const text = output.stdout.toString();
  const missing = expected.find((pattern) => !pattern.test(text));
  if (output.code === 0 && missing === undefined) return undefined;
  return `${missing === undefined ? `exit code ${output.code}` : `nothing like ${String(missing)}`} in: ${text}\n${output.stderr}`;
}

/** Keys that repeat, values of many lengths and scripts; no tabs and line ends, which the console tools split at. */
function line(i: number): string {
  const filler = ['x', 'ß', '値', '🜁', ' '][i % 5] ?? 'x';
  return `key-${i % 977}\tvalue ${i} ${filler.repeat(i % 500)}`;
}

/** `partition`, `offset`, `key` and `value` of each line that the console consumer prints. */
function parsed(output: Buffer): { partition: number; offset: number; record: string }[] {
  return output
    .toString()
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => {
      const [partition = '', offset = '', ...record] = text.split('\t');
      return {
        partition: Number(partition.replace('Partition:', '')),
        offset: Number(offset.replace('Offset:', '')),
        record: record.join('\t'),
      };
    });
}

function compared(output: Output, lines: readonly string[]): string | undefined {
  if (output.code !== 0) return `exit code ${output.code}: ${output.stderr}`;
  const records = parsed(output.stdout);
  if (records.length !== lines.length) return `${records.length} of ${lines.length} records came back\n${output.stderr}`;
  const [sent, received] = [[...lines].sort(), records.map((one) => one.record).sort()];
  const wrong = sent.findIndex((text, i) => text !== received[i]);
  if (wrong >= 0) return `sent ${sent[wrong]}\ngot  ${received[wrong]}`;
  const positionOf = new Map(lines.map((text, i) => [text, i]));
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const own = records.filter((one) => one.partition === partition);
    const disorder = own.findIndex(
      (one, i) =>
        one.offset !== i || (i > 0 && (positionOf.get(one.record) ?? 0) < (positionOf.get(own[i - 1]?.record ?? '') ?? 0)),
    );
    if (disorder >= 0) return `out of order in partition ${partition} at offset ${own[disorder]?.offset}`;
  }
  return undefined;
}

async function codecs(jars: string, server: string): Promise<void> {
  const lines = Array.from({ length: RECORDS }, (_, i) => line(i));
  const input = Buffer.from(`${lines.join('\n')}\n`);
  for (const codec of CODECS) {
    const topic = `console-${codec}`;
    const group = `group-${codec}`;
    const parsing = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=\t'];
    const produced = await java(
      jars,
      TOOLS.producer,
      ['--bootstrap-server', server, '--topic', topic, '--compression-codec', codec, ...parsing],
      input,
    );
    check(
      `console producer sends ${RECORDS} records in ${codec}`,
      said(produced) ?? (/ERROR|Exception/.test(produced.stderr) ? produced.stderr : undefined),
    );
    const printing = ['print.key=true', 'print.partition=true', 'print.offset=true', 'key.separator=\t'].flatMap((one) => [
      '--formatter-property',
      one,
    ]);
    const reading = ['--from-beginning', '--max-messages', String(RECORDS), '--timeout-ms', '30000', '--group', group];
    const consumed = await java(jars, TOOLS.consumer, ['--bootstrap-server', server, '--topic', topic, ...reading, ...printing]);
    check(`console consumer gives back every byte in ${codec}`, compared(consumed, lines));
  }
}

const sum = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);

async function administration(jars: string, server: string): Promise<void> {
  const at = ['--bootstrap-server', server];
  const listed = await java(jars, TOOLS.topics, [...at, '--list']);
  check('topics tool lists', said(listed, ...CODECS.map((codec) => new RegExp(`^console-${codec}$`, 'm'))));
  const described = await java(jars, TOOLS.topics, [...at, '--describe', '--topic', 'console-none']);
  check(
    'topics tool describes',
    said(described, /PartitionCount: 3\s+ReplicationFactor: 1/, /Partition: 2\s+Leader: 1\s+Replicas: 1\s+Isr: 1/),
  );
  check(
    'configs tool alters',
    said(
      await java(jars, TOOLS.configs, [
        ...at,
        '--alter',
        '--topic',
        'console-none',
        '--add-config',
        'retention.ms=86400000,cleanup.policy=[compact,delete],min.compaction.lag.ms=86400000',
      ]),
      /Completed updating config/,
    ),
  );
  check(
    'configs tool describes',
    said(
      await java(jars, TOOLS.configs, [...at, '--describe', '--topic', 'console-none']),
      /retention\.ms=86400000/,
      /cleanup\.policy=compact,delete/,
    ),
  );
  check(
    'topics tool adds partitions',
    said(await java(jars, TOOLS.topics, [...at, '--alter', '--topic', 'console-gzip', '--partitions', '5'])),
  );
  const offsets = await java(jars, TOOLS.offsets, [...at, '--topic-partitions', 'console-.*']);
  const total = sum(offsets.stdout.toString(), /^console-\w+:\d+:(\d+)$/gm);
  check(
    'get-offsets tool counts every record',
    said(offsets) ?? (total === CODECS.length * RECORDS ? undefined : `${total}\n${offsets.stdout.toString()}`),
  );
  const groups = await java(jars, TOOLS.groups, [...at, '--list']);
  check('consumer-groups tool lists', said(groups, ...CODECS.map((codec) => new RegExp(`^group-${codec}$`, 'm'))));
  const lags = await java(jars, TOOLS.groups, [...at, '--describe', '--all-groups']);
  const rows = [...lags.stdout.toString().matchAll(/^group-(\w+)\s+console-\w+\s+(\d)\s+(\d+)\s+(\d+)\s+(\d+)\s/gm)];
  // The two partitions that were added have no committed offset: they are rows with a dash and are not counted.
  const whole =
    rows.length === CODECS.length * PARTITIONS && rows.every(([, , , current, end, lag]) => current === end && lag === '0');
  check('consumer-groups tool describes every group with lag 0', said(lags) ?? (whole ? undefined : lags.stdout.toString()));
  check('topics tool deletes', said(await java(jars, TOOLS.topics, [...at, '--delete', '--topic', 'console-lz4'])));
}

async function main(jars: string): Promise<void> {
  const folder = temporaryFolder('tools');
  const dataDir = join(folder, 'data');
  try {
    const broker = await startBlumfeld(dataDir, [
      'log.segment.bytes=1048576',
      'log.index.interval.bytes=1024',
      'log.segment.delete.delay.ms=1',
    ]);
    for (const codec of CODECS) {
      const made = await java(jars, TOOLS.topics, [
        '--bootstrap-server',
        broker.address,
        '--create',
        '--topic',
        `console-${codec}`,
        '--partitions',
        String(PARTITIONS),
        '--replication-factor',
        '1',
      ]);
      check(`topics tool creates console-${codec}`, said(made, /Created topic/));
    }
    await codecs(jars, broker.address);
    await administration(jars, broker.address);
    await broker.stop();
    const server = startToolServer(jars);
    const logs = await dumpEveryFile(server, dataDir, check);
    await server.stop();
    const payloads = [...logs.matchAll(/payload: value \d+ /g)].length;
    check('dump tool finds every record', payloads === (CODECS.length - 1) * RECORDS ? undefined : `${payloads} records`);
  } finally {
    removeFolder(folder);
  }
  checks.end();
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error("name the folder of the jars of Apache Kafka's tools");
await main(jars);
