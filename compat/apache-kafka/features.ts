/**
 * Features over the life of a data directory. Directories as of several releases of Apache Kafka, with the static quorums of then, are led through the same updates by Apache
 * Kafka and by Blumfeld: answers, what clients are told, and the records that are left are compared; then each is handed to the other, which has to find the same levels. After that Java
 * producers at every level of transaction.version: what they wrote, and what the coordinators noted.
 * `node build/compat/apache-kafka/features.js TOOLS-JARS BROKER-JARS`
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { SUPPORTED_FEATURES } from '../../src/machine/metadata/features.ts';
import { Connection } from '../consistency/connection.ts';
import { Checks } from '../checks.ts';
import {
  type Directory,
  FEW_INTERNAL_PARTITIONS,
  format,
  newDirectory,
  type Owner,
  type OwnerProcess,
  startOn,
} from './directory-owner.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';

const PATIENCE_MS = 30_000;
const DUMP = 'org.apache.kafka.tools.DumpLogSegments';
const COPIER = 'org.apache.kafka.tools.TransactionalMessageCopier';
const PRODUCER = 'org.apache.kafka.tools.VerifiableProducer';
const OWNERS = ['Apache Kafka', 'Blumfeld'] as const;

const [UPGRADE, SAFE, UNSAFE] = [1, 2, 3];
const METADATA = 'metadata.version';
const TRANSACTION = 'transaction.version';
const ELR = 'eligible.leader.replicas.version';
const KRAFT = 'kraft.version';

interface Update {
  readonly feature: string;
  readonly level: number;
  readonly type?: number;
  readonly validateOnly?: boolean;
}

const RELEASES = ['3.3', '4.0', '4.2'];

/** Played on directories of every release: what is an upgrade for one is refused for another. */
const UPDATES: readonly Update[] = [
  { feature: METADATA, level: 6 },
  { feature: METADATA, level: 7, type: SAFE },
  { feature: ELR, level: 1 },
  { feature: KRAFT, level: 1, validateOnly: true },
  { feature: TRANSACTION, level: 2 },
  { feature: METADATA, level: 12 },
  { feature: METADATA, level: 14, validateOnly: true },
  { feature: METADATA, level: 16 },
  { feature: METADATA, level: 15, type: SAFE },
  { feature: METADATA, level: 29 },
  { feature: METADATA, level: 24, type: SAFE },
  { feature: METADATA, level: 22, type: SAFE },
  { feature: METADATA, level: 22, type: UNSAFE },
  { feature: ELR, level: 1 },
  { feature: TRANSACTION, level: 1, type: SAFE },
  { feature: METADATA, level: 33 },
  { feature: KRAFT, level: 1 },
  { feature: KRAFT, level: 1 },
  { feature: KRAFT, level: 0, type: SAFE },
];

const HANDED_OVER: readonly Update[] = [
  { feature: TRANSACTION, level: 0, type: UNSAFE },
  { feature: ELR, level: 0, type: SAFE },
];

const checks = new Checks();
const { check } = checks;

function same(name: string, kafka: readonly string[], blumfeld: readonly string[]): void {
  const at = kafka.findIndex((line, i) => line !== blumfeld[i]);
  const first = at < 0 && blumfeld.length > kafka.length ? kafka.length : at;
  const fault = first < 0 ? undefined : `Apache Kafka: ${kafka[first] ?? '(none)'}\nBlumfeld:     ${blumfeld[first] ?? '(none)'}`;
  check(name, kafka.length === 0 ? 'nothing to compare' : fault);
}

interface Side {
  readonly directory: Directory;
  readonly running: OwnerProcess;
  readonly connection: Connection;
}

async function started(directory: Directory, owner: Owner, jars: string): Promise<Side> {
  const running = await startOn(directory, owner, jars);
  const at = { host: '127.0.0.1', port: directory.port };
  return { directory, running, connection: new Connection(at, 'features', PATIENCE_MS) };
}

async function stopped({ connection, running }: Side): Promise<void> {
  connection.cut();
  await running.stop();
}

async function createTopic({ connection }: Side, name: string, numPartitions = 1): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }];
  const errorOf = (answer: { readonly topics: readonly { readonly errorCode: number }[] }) => answer.topics[0]?.errorCode ?? -1;
  await connection.settle('createTopics', { topics, timeoutMs: 10_000 }, 7, errorOf, PATIENCE_MS);
}

/** `name=level` of all features that Blumfeld supports, as clients are told. */
async function levelsOf({ connection }: Side): Promise<readonly string[]> {
  const client = { clientSoftwareName: 'features', clientSoftwareVersion: '1' };
  const { finalizedFeatures } = await connection.call('apiVersions', client, 4);
  return finalizedFeatures
    .filter(({ name }) => SUPPORTED_FEATURES.get(name)?.max !== 0)
    .map(({ name, minVersionLevel, maxVersionLevel }) => `${name}=${minVersionLevel}-${maxVersionLevel}`)
    .sort();
}

/** What is answered, and what clients are told once it is in force: with Apache Kafka that is a moment later. */
async function answered(side: Side, { feature, level, type = UPGRADE, validateOnly = false }: Update): Promise<string> {
  const featureUpdates = [{ feature, maxVersionLevel: level, upgradeType: type }];
  const answer = await side.connection.call('updateFeatures', { timeoutMs: 10_000, featureUpdates, validateOnly }, 2);
  const isInForce = answer.errorCode === 0 && !validateOnly;
  const isTold = (levels: readonly string[]): boolean => {
    if (!isInForce) return true;
    const told = levels.find((one) => one.startsWith(`${feature}=`));
    return told === (level === 0 ? undefined : `${feature}=${level}-${level}`);
  };
  const deadline = Date.now() + PATIENCE_MS;
  let levels = await levelsOf(side);
  while (!isTold(levels) && Date.now() < deadline) levels = await levelsOf(side);
  return `${feature} ${level}: ${answer.errorCode} ${answer.errorMessage ?? ''} -> ${levels.join(' ')}`;
}

const RECORD = /payload: (\{.*\})$/;

interface Payload {
  readonly type: string;
  readonly version: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What features left in the metadata log: levels and configs in order, and how brokers and partitions were written. */
async function metadataOf(tools: ToolServer, { folder }: Directory): Promise<readonly string[]> {
  const log = join(folder, 'data/__cluster_metadata-0/00000000000000000000.log');
  const { stdout } = await tools.run(DUMP, ['--cluster-metadata-decoder', '--files', log]);
  const payloads = stdout.split('\n').flatMap((line) => {
    const text = RECORD.exec(line)?.[1];
    return text === undefined ? [] : [JSON.parse(text) as Payload];
  });
  const of = (kind: string, shown: (payload: Payload) => string): string[] =>
    payloads.filter(({ type }) => type === kind).map((payload) => `${kind} ${shown(payload)}`);
  const count = (data: unknown): string => (Array.isArray(data) ? `${data.length}` : 'no');
  return [
    ...of('FEATURE_LEVEL_RECORD', ({ data }) => JSON.stringify(data)),
    ...of('CONFIG_RECORD', ({ data }) => JSON.stringify(data)),
    ...of(
      'REGISTER_BROKER_RECORD',
      ({ version, data }) => `version ${version}, fenced ${String(data['fenced'])}, ${count(data['logDirs'])} directories`,
    ),
    ...of('PARTITION_RECORD', ({ version, data }) => `version ${version}, ${count(data['directories'])} directories`),
    ...of('KRAFT_VERSION', ({ data }) => JSON.stringify(data)),
    `${stdout.split('\n').filter((line) => /KRaftVersion|KRaftVoters/.test(line)).length} records of the quorum`,
  ];
}

async function agedDirectories(release: string, folder: string, jars: string): Promise<readonly Directory[]> {
  const directories: Directory[] = [];
  for (const owner of OWNERS) {
    const voters = await newDirectory(join(folder, `${release}-${owner.replace(' ', '-')}`), [
      ...FEW_INTERNAL_PARTITIONS,
      'controller.quorum.voters=1@127.0.0.1:CONTROLLER-PORT',
    ]);
    await format(jars, voters, ['--release-version', release]);
    directories.push(voters);
  }
  return directories;
}

/** The directory of each led through all updates by its first owner, then by the other. */
async function throughReleases(release: string, folder: string, jars: string, tools: ToolServer): Promise<void> {
  const directories = await agedDirectories(release, folder, jars);
  const first = await Promise.all(directories.map((directory, i) => started(directory, OWNERS[i] ?? 'Blumfeld', jars)));
  const last: (readonly string[])[] = [];
  try {
    for (const update of [undefined, ...UPDATES]) {
      const said = await Promise.all(
        first.map(async (side) => (update === undefined ? (await levelsOf(side)).join(' ') : answered(side, update))),
      );
      same(`${release}: ${update === undefined ? 'as formatted' : said[0]}`, [said[0] ?? ''], [said[1] ?? '']);
      if (update !== undefined && update.validateOnly !== true) {
        const name = `at-${UPDATES.indexOf(update)}`;
        await Promise.all(first.map((side) => createTopic(side, name)));
      }
    }
    for (const side of first) last.push(await levelsOf(side));
  } finally {
    await Promise.all(first.map(stopped));
  }
  const records = [];
  for (const directory of directories) records.push(await metadataOf(tools, directory));
  same(`${release}: ${records[0]?.length} lines of what is in the metadata log`, records[0] ?? [], records[1] ?? []);

  const second = await Promise.all(directories.map((directory, i) => started(directory, OWNERS[1 - i] ?? 'Blumfeld', jars)));
  try {
    for (const [i, side] of second.entries())
      same(`${release}: ${OWNERS[1 - i]} finds the levels of ${OWNERS[i]}`, last[i] ?? [], await levelsOf(side));
    for (const update of HANDED_OVER) {
      const said = await Promise.all(second.map((side) => answered(side, update)));
      same(`${release}: handed over, ${said[1]}`, [said[1] ?? ''], [said[0] ?? '']);
    }
  } finally {
    await Promise.all(second.map(stopped));
  }

  const third = await Promise.all(directories.map((directory, i) => started(directory, OWNERS[i] ?? 'Blumfeld', jars)));
  try {
    const [kafka, blumfeld] = [third[0], third[1]];
    if (kafka !== undefined && blumfeld !== undefined)
      same(`${release}: both have them back`, await levelsOf(kafka), await levelsOf(blumfeld));
  } finally {
    await Promise.all(third.map(stopped));
  }
}

/** Batches as `epoch x: n records` and `epoch x: COMMIT`. */
async function batchesOf(tools: ToolServer, { folder }: Directory, topic: string): Promise<readonly string[]> {
  const log = join(folder, `data/${topic}-0/00000000000000000000.log`);
  const { stdout } = await tools.run(DUMP, ['--deep-iteration', '--files', log]);
  const lines: string[] = [];
  let epoch = '';
  let records = 0;
  const flush = (): void => {
    if (records > 0) lines.push(`epoch ${epoch}: ${records} records`);
    records = 0;
  };
  for (const line of stdout.split('\n')) {
    const batch = /count: (\d+).*producerEpoch: (-?\d+).*isTransactional: (\w+) isControl: (\w+)/.exec(line);
    if (batch?.[4] === 'false') {
      if (batch[2] !== epoch) flush();
      epoch = batch[2] ?? '';
      records += Number(batch[1]);
      if (batch[3] !== 'true') lines.push('a batch outside of transactions');
    } else if (batch !== null) {
      flush();
      epoch = batch[2] ?? '';
    }
    const marker = /endTxnMarker: (\w+)/.exec(line)?.[1];
    if (marker !== undefined) lines.push(`epoch ${epoch}: ${marker}`);
  }
  flush();
  return lines;
}

const STATES = ['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'];

/**
 * What the coordinator noted of an id: state, epoch and partitions, in the order of the log; and the version of the records. Of partitions added one after the other what they
 * came to: clients of before transaction.version 2 add them in any order.
 */
async function notesOf(tools: ToolServer, { folder }: Directory, transactionalId: string): Promise<readonly string[]> {
  const data = join(folder, 'data');
  const logs = readdirSync(data)
    .filter((name) => name.startsWith('__transaction_state-'))
    .map((name) => join(data, name, '00000000000000000000.log'));
  const { stdout } = await tools.run(DUMP, ['--transaction-log-decoder', '--files', logs.join(',')]);
  const notes = stdout
    .split('\n')
    .filter((line) => line.includes(`"transactionalId":"${transactionalId}"`))
    .map((line) => {
      const { version, data: value } = JSON.parse(RECORD.exec(line)?.[1] ?? 'null') as Payload;
      const topics = (value['transactionPartitions'] ?? []) as readonly { readonly topic: string }[];
      return {
        state: STATES[Number(value['transactionStatus'])],
        told: `version ${version}, epoch ${String(value['producerEpoch'])}, client ${String(value['clientTransactionVersion'] ?? 0)}`,
        topics: topics.map(({ topic }) => topic).sort(),
      };
    });
  return notes
    .filter(({ state }, i) => state !== 'Ongoing' || notes[i + 1]?.state !== 'Ongoing')
    .map(({ state, told, topics }) => `${state}, ${told}, ${topics.join(' ')}`);
}

const LEVELS = [2, 1, 0, 2];
const MESSAGES = 200;

async function copied(side: Side, tools: ToolServer, name: string): Promise<string> {
  const at = `127.0.0.1:${side.directory.port}`;
  await createTopic(side, `${name}-in`);
  await createTopic(side, `${name}-out`);
  const written = ['--bootstrap-server', at, '--topic', `${name}-in`, '--max-messages', String(MESSAGES)];
  const from = ['--broker-list', at, '--input-topic', `${name}-in`, '--input-partition', '0', '--output-topic', `${name}-out`];
  const how = ['--transactional-id', name, '--consumer-group', name, '--transaction-size', '40'];
  const source = await tools.run(PRODUCER, written);
  const copy = await tools.run(COPIER, [
    ...from,
    ...how,
    '--max-messages',
    String(MESSAGES),
    '--group-mode',
    '--use-group-metadata',
  ]);
  return source.code === 0 && copy.code === 0 ? '' : `${source.stderr}${copy.stdout.slice(-500)}${copy.stderr.slice(-1000)}`;
}

/** A producer of its own at every level. */
async function producers(folder: string, jars: string, tools: ToolServer): Promise<void> {
  const directories: Directory[] = [];
  for (const owner of OWNERS) {
    const directory = await newDirectory(join(folder, `producers-${owner.replace(' ', '-')}`), FEW_INTERNAL_PARTITIONS);
    await format(jars, directory);
    directories.push(directory);
  }
  const sides = await Promise.all(directories.map((directory, i) => started(directory, OWNERS[i] ?? 'Blumfeld', jars)));
  const names = LEVELS.map((level, i) => `copier-${i}-at-${level}`);
  try {
    for (const [i, level] of LEVELS.entries()) {
      const type = level < (LEVELS[i - 1] ?? 2) ? SAFE : UPGRADE;
      for (const side of sides) await answered(side, { feature: TRANSACTION, level, type });
      const faults = [];
      for (const side of sides) faults.push(await copied(side, tools, names[i] ?? ''));
      check(`${names[i]}: the Java producer ends well with both`, faults.join('') || undefined);
    }
  } finally {
    await Promise.all(sides.map(stopped));
  }
  for (const name of names) {
    const [theirs, ours] = [[], []] as string[][];
    for (const [lines, directory] of [
      [theirs, directories[0]],
      [ours, directories[1]],
    ] as const) {
      if (directory === undefined || lines === undefined) continue;
      lines.push(...(await batchesOf(tools, directory, `${name}-out`)), ...(await notesOf(tools, directory, name)));
    }
    same(`${name}: ${theirs?.length} batches and notes of the coordinator`, theirs ?? [], ours ?? []);
    if (process.env['SHOW'] !== undefined) console.log(theirs?.join('\n'));
  }
}

async function main(toolJars: string, brokerJars: string): Promise<void> {
  const folder = temporaryFolder('features');
  const tools = startToolServer(toolJars);
  try {
    for (const release of RELEASES) await throughReleases(release, folder, brokerJars, tools);
    await producers(folder, brokerJars, tools);
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
  checks.broke('the features run', error);
}
checks.end();
