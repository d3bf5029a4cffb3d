/**
 * Apache Kafka's tool for transactions beside Blumfeld and beside Apache Kafka: the same transactions are open, ended and hanging in both, and it has to say the same of them and to
 * end them alike. Then the copier of messages in transactions, and every file that was written through the dump tool.
 * `node build/compat/apache-kafka/transactions.js TOOLS-JARS BROKER-JARS`
 */
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { Connection } from '../consistency/connection.ts';
import { fetchCommitted } from '../consistency/reader.ts';
import { TransactionalProducer, type Partition } from '../consistency/transactional-producer.ts';
import {
  type Directory,
  FEW_INTERNAL_PARTITIONS,
  format,
  newDirectory,
  type Owner,
  type OwnerProcess,
  startOn,
} from './directory-owner.ts';
import { dumpEveryFile } from './dumped-files.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';

const TOOL = 'org.apache.kafka.tools.TransactionsCommand';
const COPIER = 'org.apache.kafka.tools.TransactionalMessageCopier';
const VERIFIABLE_PRODUCER = 'org.apache.kafka.tools.VerifiableProducer';
const PATIENCE_MS = 30_000;
const MESSAGES = 2000;
const TIMEOUT_MS = 600_000;
/** Without it a broker lets no transaction hang that was never begun. */
const OVERRIDES = [...FEW_INTERNAL_PARTITIONS, 'transaction.partition.verification.enable=false'];

const checks = new Checks();
const { check } = checks;

interface Side {
  readonly owner: Owner;
  readonly directory: Directory;
  readonly running: OwnerProcess;
  readonly connection: Connection;
}

const addressOf = ({ directory }: Side): string => `127.0.0.1:${directory.port}`;

async function begun(owner: Owner, folder: string, jars: string): Promise<Side> {
  const directory = await newDirectory(join(folder, owner.replace(' ', '-')), OVERRIDES);
  if (owner === 'Apache Kafka') await format(jars, directory);
  const running = await startOn(directory, owner, jars);
  const side = {
    owner,
    directory,
    running,
    connection: new Connection({ host: '127.0.0.1', port: directory.port }, 'tools', PATIENCE_MS),
  };
  await createTopic(side, 'events', 2);
  await side.connection.settle(
    'findCoordinator',
    { keyType: 1, coordinatorKeys: ['any'] },
    4,
    ({ coordinators }) => coordinators[0]?.errorCode ?? -1,
    PATIENCE_MS,
  );
  return side;
}

async function createTopic({ connection }: Side, name: string, numPartitions: number): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }];
  await connection.settle(
    'createTopics',
    { topics, timeoutMs: 10_000 },
    7,
    (answer) => answer.topics[0]?.errorCode ?? -1,
    PATIENCE_MS,
  );
}

const events = (index: number): Partition => ({ topic: 'events', index });

/** One transaction is committed, one aborted, one left open in both partitions, and one is in the second partition that no coordinator knows of. */
async function transactionsOn({ connection }: Side): Promise<void> {
  for (const [id, commit] of [
    ['committed', true],
    ['aborted', false],
  ] as const) {
    const producer = new TransactionalProducer(connection, id, 'new', TIMEOUT_MS, PATIENCE_MS);
    await producer.init();
    for (const index of [0, 1]) await producer.send(events(index), [[Buffer.from('a '), Buffer.from('b ')]]);
    await producer.end(commit);
    for (const index of [0, 1]) await marked(connection, events(index));
  }
  const open = new TransactionalProducer(connection, 'open', 'new', TIMEOUT_MS, PATIENCE_MS);
  await open.init();
  for (const index of [0, 1]) await open.send(events(index), [[Buffer.from('c ')]]);
  await hang(connection);
}

/** Markers are written after the answer: what comes next is to lie behind them in both. */
async function marked(connection: Connection, partition: Partition): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { lastStableOffset, highWatermark } = await fetchCommitted(connection, partition, 0, {
      maxBytes: 1,
      untilMs: PATIENCE_MS,
    });
    if (lastStableOffset === highWatermark) return;
    if (Date.now() > deadline) throw new Error(`no marker came: ${lastStableOffset} of ${highWatermark}`);
  }
}

/** As a producer does whose request is late: nobody added the partition. */
async function hang(connection: Connection): Promise<void> {
  const init = { transactionalId: 'hanging', transactionTimeoutMs: TIMEOUT_MS, producerId: -1n, producerEpoch: -1 };
  const { producerId, producerEpoch } = await connection.settle(
    'initProducerId',
    init,
    4,
    ({ errorCode }) => errorCode,
    PATIENCE_MS,
  );
  const records = buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: [{ key: null, value: Buffer.from('lost '), timestamp: Date.now() - 120_000 }],
    producerId: Number(producerId),
    producerEpoch,
    baseSequence: 0,
    transactional: true,
  });
  const topicData = [{ name: 'events', partitionData: [{ index: 1, records }] }];
  await connection.settle(
    'produce',
    { transactionalId: 'hanging', acks: -1, timeoutMs: 10_000, topicData },
    9,
    ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode ?? -1,
    PATIENCE_MS,
  );
}

/** Lines in any order; times and durations are the machine's. */
function masked(text: string, side: Side): string[] {
  return text
    .replaceAll(addressOf(side), 'ADDRESS')
    .replaceAll(/\b17\d{11}\b/g, 'TIME')
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/(?<=\b600000\s+TIME\s+)\d+/g, 'DURATION')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .sort();
}

interface Step {
  readonly title: string;
  readonly args: readonly string[];
  /** What Apache Kafka's output has to hold. */
  readonly says: RegExp;
}

const STEPS: readonly Step[] = [
  { title: 'lists', args: ['list'], says: /open.*Ongoing/ },
  { title: 'lists what has lasted', args: ['list', '--duration-filter', '3600000'], says: /^TransactionalId Coordinator/m },
  {
    title: 'describes an open transaction',
    args: ['describe', '--transactional-id', 'open'],
    says: /Ongoing.*events-0,events-1|events-1,events-0/,
  },
  { title: 'describes one that is committed', args: ['describe', '--transactional-id', 'committed'], says: /CompleteCommit/ },
  { title: 'describes one that is aborted', args: ['describe', '--transactional-id', 'aborted'], says: /CompleteAbort/ },
  { title: 'describes one that there is not', args: ['describe', '--transactional-id', 'nobody'], says: /not found|Could not/i },
  { title: 'describes producers', args: ['describe-producers', '--topic', 'events', '--partition', '0'], says: /None/ },
  { title: 'describes hanging producers', args: ['describe-producers', '--topic', 'events', '--partition', '1'], says: /\d/ },
  { title: 'finds what hangs', args: ['find-hanging', '--topic', 'events', '--max-transaction-timeout', '0'], says: /events 1/ },
  {
    title: 'finds what hangs on a broker',
    args: ['find-hanging', '--broker-id', '1', '--max-transaction-timeout', '0'],
    says: /events 1/,
  },
  {
    title: 'aborts what hangs',
    args: ['abort', '--topic', 'events', '--partition', '1', '--start-offset', 'HANGING'],
    says: /exit code 0/,
  },
  {
    title: 'finds nothing that hangs after that',
    args: ['find-hanging', '--broker-id', '1', '--max-transaction-timeout', '0'],
    says: /^Topic Partition/m,
  },
  {
    title: 'terminates an open transaction',
    args: ['forceTerminateTransaction', '--transactionalId', 'open'],
    says: /exit code 0/,
  },
  {
    title: 'describes the one that was terminated',
    args: ['describe', '--transactional-id', 'open'],
    says: /CompleteAbort|Empty/,
  },
  { title: 'lists all in the end', args: ['list'], says: /hanging/ },
];

async function saidOf(step: Step, side: Side, tools: ToolServer, hangingAt: number): Promise<string[]> {
  const args = step.args.map((arg) => arg.replace('HANGING', String(hangingAt)));
  const { code, stdout, stderr } = await tools.run(TOOL, ['--bootstrap-server', addressOf(side), ...args]);
  return masked(`exit code ${code}\n${stdout}\n${stderr}`, side);
}

async function besides(sides: readonly [Side, Side], tools: ToolServer): Promise<void> {
  for (const step of STEPS) {
    const [kafka, blumfeld] = [await saidOf(step, sides[0], tools, 7), await saidOf(step, sides[1], tools, 7)];
    const [expected, found] = [kafka.join('\n'), blumfeld.join('\n')];
    const odd = expected.split('\n').some((line) => step.says.test(line))
      ? undefined
      : `Apache Kafka says nothing like ${String(step.says)}:\n${expected}`;
    check(
      `the transactions tool ${step.title}`,
      odd ?? (expected === found ? undefined : `Apache Kafka: ${expected}\nBlumfeld: ${found}`),
    );
  }
  for (const side of sides) {
    const end = await fetchCommitted(side.connection, events(1), 0, { maxBytes: 1 << 20, untilMs: PATIENCE_MS });
    const values = end.entries.map(({ value }) => value).join(' ');
    check(
      `${side.owner} shows what was committed behind it`,
      values === 'a b' && end.next === end.highWatermark ? undefined : `${values}, ${end.next} of ${end.highWatermark}`,
    );
  }
}

/** Each message of the input once in the output, in order, though the copier aborts at random. */
async function copies(side: Side, tools: ToolServer): Promise<void> {
  await createTopic(side, 'copier-in', 1);
  await createTopic(side, 'copier-out', 1);
  const at = addressOf(side);
  await tools.run(VERIFIABLE_PRODUCER, ['--bootstrap-server', at, '--topic', 'copier-in', '--max-messages', String(MESSAGES)]);
  const topics = ['--input-topic', 'copier-in', '--input-partition', '0', '--output-topic', 'copier-out'];
  for (const [id, more] of [
    ['assigned', []],
    ['grouped', ['--group-mode', '--use-group-metadata']],
  ] as const) {
    const size = ['--transaction-size', '70', '--enable-random-aborts', '--max-messages', String(MESSAGES)];
    const said = await tools.run(COPIER, [
      '--broker-list',
      at,
      ...topics,
      '--transactional-id',
      id,
      '--consumer-group',
      id,
      ...size,
      ...more,
    ]);
    check(
      `${side.owner}: the copier (${id}) ends well`,
      said.code === 0 ? undefined : `${said.stdout.slice(-500)}${said.stderr.slice(-500)}`,
    );
  }
  const [input, output] = [await valuesOf(side, 'copier-in'), await valuesOf(side, 'copier-out')];
  check(
    `${side.owner}: the copier copies each message once for each run`,
    output === `${input},${input}` ? undefined : `${output.length} characters where twice ${input.length} were to be`,
  );
}

async function valuesOf({ connection }: Side, topic: string): Promise<string> {
  const values: string[] = [];
  for (let at = 0; ; ) {
    const { texts, next, highWatermark } = await fetchCommitted(connection, { topic, index: 0 }, at, {
      maxBytes: 1 << 20,
      untilMs: PATIENCE_MS,
    });
    values.push(...texts);
    if (next === highWatermark) return values.join(',');
    at = next;
  }
}

async function main(toolJars: string, brokerJars: string): Promise<void> {
  const folder = temporaryFolder('transactions');
  const tools = startToolServer(toolJars);
  try {
    const sides = [await begun('Apache Kafka', folder, brokerJars), await begun('Blumfeld', folder, brokerJars)] as const;
    try {
      for (const side of sides) await transactionsOn(side);
      await besides(sides, tools);
      for (const side of sides) await copies(side, tools);
    } finally {
      for (const { connection, running } of sides) {
        connection.cut();
        await running.stop();
      }
    }
    await dumpEveryFile(tools, join(sides[1].directory.folder, 'data'), check);
  } finally {
    await tools.stop();
    removeFolder(folder);
  }
}

const [toolJars, brokerJars] = process.argv.slice(2);
if (toolJars === undefined || brokerJars === undefined)
  throw new Error("name the folders of the jars of Apache Kafka's tools and of its broker");
try {
  await main(toolJars, brokerJars);
} catch (error) {
  checks.broke('the tools run', error);
}
checks.end();
