/**
 * Blumfeld or Apache Kafka as the process that has data directories at the time, both with the same properties file: what one leaves can be handed to the
 * other. Whatever compares the two starts them here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ChildBroker, runCommand } from '../../test/support/child-broker.ts';
import { endsWithThis } from '../../test/support/own-children.ts';
import { NoAnswer, PlainClient } from '../../test/support/plain-client.ts';
import { freePort } from './free-port.ts';
import { java, LOGGING } from './java.ts';

const PATIENCE_MS = 90_000;
const CLUSTER_ID = '5L6g3nShT-eMCtK--X86sw';

/** What Apache Kafka has to say, beside its properties file. */
export const SAID = 'apache-kafka.log';

export type Owner = 'Blumfeld' | 'Apache Kafka';

/** A process that may be starting still. */
export interface Spawned {
  readonly process: ChildProcess;
  /** With what it said of errors. */
  readonly ended: Promise<string>;
}

export interface OwnerProcess extends Spawned {
  readonly address: string;
  /** SIGTERM unless said otherwise; resolves when the process is gone. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface Directory {
  readonly folder: string;
  /** Path of the properties file, in the folder. */
  readonly properties: string;
  readonly dataDirs: readonly string[];
  readonly port: number;
}

/** For brokers whose internal topics are not looked at: most of a start is theirs. */
export const FEW_INTERNAL_PARTITIONS = ['offsets.topic.num.partitions=5', 'transaction.state.log.num.partitions=5'] as const;

/** Writes the properties of a broker of its own in `folder`; of a setting that `more` has too, that value counts. CONTROLLER-PORT in `more` stands for that port. */
export async function newDirectory(
  folder: string,
  more: readonly string[] = [],
  dataDirs: readonly string[] = [join(folder, 'data')],
): Promise<Directory> {
  const [port, controllerPort] = [await freePort(), await freePort()];
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'controller.listener.names=CONTROLLER',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
    `log.dirs=${dataDirs.join(',')}`,
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    ...more.map((line) => line.replace('CONTROLLER-PORT', String(controllerPort))),
  ];
  writeFileSync(properties, `${lines.join('\n')}\n`);
  return { folder, properties, dataDirs, port };
}

/** Apache Kafka does not begin on an empty directory; Blumfeld does. For a dynamic quorum of one at the newest release, unless told otherwise. */
export async function format(jars: string, { properties }: Directory, how: readonly string[] = ['--standalone']): Promise<void> {
  const args = ['format', ...how, '-t', CLUSTER_ID, '-c', properties];
  const { code, stdout, stderr } = await java(jars, 'kafka.tools.StorageTool', args);
  if (code !== 0) throw new Error(`Apache Kafka's storage could not be formatted: ${stderr}${stdout.toString()}`);
}

const isShown = (): boolean => process.env['SHOW'] !== undefined;

function asSpawned({ process: child, ended }: ChildBroker): Spawned {
  if (isShown()) child.stderr?.pipe(process.stderr);
  return { process: child, ended: ended.then(({ stderr }) => stderr) };
}

function spawned(owner: Owner, jars: string, properties: string): Spawned {
  if (owner === 'Blumfeld') return asSpawned(runCommand(['start', properties]));
  const said = openSync(join(dirname(properties), SAID), 'w');
  const child = spawn('java', ['-Xmx512m', LOGGING, '-cp', `${jars}/*`, 'kafka.Kafka', properties], {
    stdio: ['ignore', 'ignore', isShown() ? 'inherit' : said],
  });
  closeSync(said);
  return { process: endsWithThis(child), ended: once(child, 'exit').then(() => 'SHOW=1 shows what it said') };
}

const listening = (started: Spawned, port: number): OwnerProcess => ({
  ...started,
  address: `127.0.0.1:${port}`,
  async stop(signal = 'SIGTERM') {
    started.process.kill(signal);
    const said = await started.ended;
    const { exitCode } = started.process;
    // Java ends with 143 after a SIGTERM.
    if (signal === 'SIGTERM' && exitCode !== 0 && exitCode !== 143)
      throw new Error(`it ended with ${exitCode} when it was to stop: ${said}`);
  },
});

/** Starts it and waits until it answers. */
export async function startOn(directory: Directory, owner: Owner, jars: string): Promise<OwnerProcess> {
  return answering(directory, spawned(owner, jars, directory.properties), owner);
}

/** The process, as soon as it answers on the directory's port. */
export async function answering({ folder, port }: Directory, started: Spawned, name: string): Promise<OwnerProcess> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline && started.process.exitCode === null) {
    if (await answersMetadata(port)) return listening(started, port);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const code = started.process.exitCode;
  started.process.kill('SIGKILL');
  const what = code === null ? `did not answer within ${PATIENCE_MS / 1000} s` : `ended with ${code}`;
  throw new Error(`${name} ${what} on ${folder}: ${await started.ended}`);
}

/** Whether a broker listens there that knows of itself. */
export async function answersMetadata(port: number): Promise<boolean> {
  const client = new PlainClient({ host: '127.0.0.1', port });
  try {
    return (await client.call('metadata', { topics: [] }, 12, 'start')).brokers.length > 0;
  } catch (error) {
    if (error instanceof NoAnswer) return false;
    throw error;
  } finally {
    client.close();
  }
}

/** Apache Kafka formatted afresh in `folder`. */
export async function startApacheKafka(jars: string, folder: string): Promise<OwnerProcess> {
  const directory = await newDirectory(folder);
  await format(jars, directory);
  return startOn(directory, 'Apache Kafka', jars);
}

/** Blumfeld as people start it: by flags, on a port that it chooses. */
export async function startBlumfeld(dataDir: string, overrides: readonly string[] = []): Promise<OwnerProcess> {
  const flags = ['--port', '0', '--data-dir', dataDir, ...overrides.flatMap((one) => ['--override', one])];
  const broker = runCommand(['start', ...flags]);
  return listening(asSpawned(broker), await broker.port());
}

/** Lets one of them have the directory while `work` lasts. */
export async function ownedBy<T>(
  directory: Directory,
  owner: Owner,
  jars: string,
  work: (client: PlainClient) => Promise<T>,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<T> {
  const running = await startOn(directory, owner, jars);
  const client = new PlainClient({ host: '127.0.0.1', port: directory.port });
  try {
    return await work(client);
  } finally {
    client.close();
    await running.stop(signal);
  }
}
