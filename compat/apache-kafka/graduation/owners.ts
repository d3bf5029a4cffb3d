/** Who runs on a data directory, and how it is started and stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { runCommand } from '../../../test/support/child-broker.ts';
import { NoAnswer, PlainClient } from '../../../test/support/plain-client.ts';
import { CLIENT } from './calls.ts';

const PATIENCE_MS = 90_000;

export type Owner = 'Blumfeld' | 'Apache Kafka';

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly client: PlainClient;
}

export interface Ports {
  readonly client: number;
  readonly controller: number;
}

export async function freePorts(): Promise<Ports> {
  return { client: await freePort(), controller: await freePort() };
}

/** The same settings for both; what lies in the data directories is in `dataDirs`, `folder` is for the file of settings. */
export function propertiesIn(folder: string, ports: Ports, dataDirs: readonly string[], more: readonly string[] = []): string {
  const path = join(folder, 'server.properties');
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=PLAINTEXT://127.0.0.1:${ports.client},CONTROLLER://localhost:${ports.controller}`,
    'controller.listener.names=CONTROLLER',
    `controller.quorum.bootstrap.servers=localhost:${ports.controller}`,
    `log.dirs=${dataDirs.join(',')}`,
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    // Nothing expires between two looks.
    'offsets.retention.minutes=2000000000',
    'transactional.id.expiration.ms=2000000000',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms=2000000000',
    // Apache Kafka leaves snapshots of its metadata; Blumfeld begins at the newest.
    'metadata.log.max.record.bytes.between.snapshots=4000',
    // What DeleteRecords moved is kept by this checkpoint alone, in both.
    'log.flush.start.offset.checkpoint.interval.ms=100',
    // So that logs are compacted while they are looked at.
    'log.cleaner.backoff.ms=200',
    ...more,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

function spawned(owner: Owner, jars: string, properties: string): { process: ChildProcess; ended: Promise<unknown> } {
  if (owner === 'Blumfeld') return runCommand(['start', properties]);
  const logging = '-Dlog4j2.configurationFile=compat/apache-kafka/log4j2.properties';
  const child = spawn('java', ['-Xmx512m', logging, '-cp', `${jars}/*`, 'kafka.Kafka', properties], {
    stdio: ['ignore', 'ignore', process.env['SHOW'] === undefined ? 'ignore' : 'inherit'],
  });
  return { process: child, ended: once(child, 'exit') };
}

export async function start(owner: Owner, jars: string, properties: string, port: number): Promise<Running> {
  const { process: child, ended } = spawned(owner, jars, properties);
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const client = new PlainClient({ host: '127.0.0.1', port });
    try {
      const { brokers } = await client.call('metadata', { topics: [] }, 12, CLIENT);
      if (brokers.length > 0) return { process: child, ended, client };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
    client.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`${owner} did not answer on this directory within ${PATIENCE_MS / 1000} s`);
}

export async function stop(running: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  running.client.close();
  running.process.kill(signal);
  await running.ended;
}
