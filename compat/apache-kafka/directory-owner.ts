/** Blumfeld or Apache Kafka as the process that has a data directory at the time, both with the same properties file: it can be handed from one to the other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../test/support/child-broker.ts';
import { NoAnswer, PlainClient } from '../../test/support/plain-client.ts';
import { freePort } from './free-port.ts';
import { formatStorage } from './processes.ts';

export type Owner = 'Blumfeld' | 'Apache Kafka';

export interface OwnerProcess {
  readonly process: ChildProcess;
  /** With what it said of errors. */
  readonly ended: Promise<string>;
}

const LOGGING = '-Dlog4j2.configurationFile=compat/apache-kafka/log4j2.properties';
const PATIENCE_MS = 90_000;

export interface Directory {
  readonly folder: string;
  /** Path of the properties file. */
  readonly properties: string;
  readonly port: number;
}

/** Writes the properties of a broker of its own in `folder`; the data is in `data` below it. */
export async function newDirectory(folder: string, more: readonly string[] = []): Promise<Directory> {
  const [port, controllerPort] = [await freePort(), await freePort()];
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'controller.listener.names=CONTROLLER',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
    `log.dirs=${join(folder, 'data')}`,
    'offsets.topic.num.partitions=5',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.num.partitions=5',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    ...more,
  ];
  writeFileSync(properties, `${lines.join('\n')}\n`);
  return { folder, properties, port };
}

/** Apache Kafka does not begin on an empty directory; Blumfeld does. */
export const format = (jars: string, { properties }: Directory): Promise<void> => formatStorage(jars, properties);

function spawned(owner: Owner, jars: string, properties: string): OwnerProcess {
  if (owner === 'Blumfeld') {
    const { process, ended } = runCommand(['start', properties]);
    if (processShown()) process.stderr?.pipe(globalThis.process.stderr);
    return { process, ended: ended.then(({ stderr }) => stderr) };
  }
  const child = spawn('java', ['-Xmx512m', LOGGING, '-cp', `${jars}/*`, 'kafka.Kafka', properties], {
    stdio: ['ignore', 'ignore', processShown() ? 'inherit' : 'ignore'],
  });
  return { process: child, ended: once(child, 'exit').then(() => 'SHOW=1 shows what it said') };
}

const processShown = (): boolean => process.env['SHOW'] !== undefined;

/** Starts it and waits until it answers. */
export async function startOn(directory: Directory, owner: Owner, jars: string): Promise<OwnerProcess> {
  return answering(directory, spawned(owner, jars, directory.properties), owner);
}

/** The process, as soon as it answers on the directory's port. */
export async function answering({ folder, port }: Directory, started: OwnerProcess, name: string): Promise<OwnerProcess> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline && started.process.exitCode === null) {
    const client = new PlainClient({ host: '127.0.0.1', port });
    try {
      const { brokers } = await client.call('metadata', { topics: [] }, 12, 'start');
      if (brokers.length > 0) return started;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    } finally {
      client.close();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const code = started.process.exitCode;
  started.process.kill('SIGKILL');
  const what = code === null ? `did not answer within ${PATIENCE_MS / 1000} s` : `ended with ${code}`;
  throw new Error(`${name} ${what} on ${folder}: ${await started.ended}`);
}
