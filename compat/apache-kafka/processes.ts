/** Java programs, Apache Kafka and Blumfeld as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { NoAnswer, PlainClient } from '../../test/support/plain-client.ts';

export interface Output {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const LOGGING = '-Dlog4j2.configurationFile=compat/apache-kafka/log4j2.properties';

/** Runs a Java main class to its end. Started for speed: tools live for seconds. */
export async function java(jars: string, main: string, args: readonly string[], input?: Buffer): Promise<Output> {
  const child = spawn('java', [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    LOGGING,
    '-cp',
    `${jars}/*`,
    main,
    ...args,
  ]);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}

export interface RunningProcess {
  readonly address: string;
  stop(): Promise<void>;
}

const stopper = (child: ChildProcess): (() => Promise<void>) => {
  const ended = once(child, 'exit');
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
};

export async function startBlumfeld(dataDir: string, overrides: readonly string[] = []): Promise<RunningProcess> {
  const child = spawn(
    process.execPath,
    [MAIN, 'start', '--port', '0', '--data-dir', dataDir, ...overrides.flatMap((one) => ['--override', one])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:KAFKA|CLUSTER_ID)/.test(name))),
    },
  );
  const stop = stopper(child);
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    const port = /ready on \S+?:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return { address: `127.0.0.1:${port}`, stop };
  }
  throw new Error(`Blumfeld ended before it was ready: ${said}`);
}

/** Formats the log directories that the properties file names. */
export async function formatStorage(jars: string, properties: string): Promise<void> {
  const args = ['format', '--standalone', '-t', '5L6g3nShT-eMCtK--X86sw', '-c', properties];
  const { code, stdout, stderr } = await java(jars, 'kafka.tools.StorageTool', args);
  if (code !== 0) throw new Error(`Apache Kafka's storage could not be formatted: ${stderr}${stdout.toString()}`);
}

/** Apache Kafka as broker and controller in one, formatted afresh in `folder`, ready when it answers. */
export async function startApacheKafka(jars: string, folder: string): Promise<RunningProcess> {
  const [port, controllerPort] = [await freePort(), await freePort()];
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'controller.listener.names=CONTROLLER',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
    `log.dirs=${join(folder, 'logs')}`,
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
  ];
  writeFileSync(properties, `${lines.join('\n')}\n`);
  await formatStorage(jars, properties);
  const child = spawn('java', ['-Xmx512m', LOGGING, '-cp', `${jars}/*`, 'kafka.Kafka', properties], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const stop = stopper(child);
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const client = new PlainClient({ host: '127.0.0.1', port });
    try {
      const answer = await client.call('metadata', { topics: [] }, 12, 'probe');
      if (answer.brokers.length > 0) return { address: `127.0.0.1:${port}`, stop };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    } finally {
      client.close();
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error('Apache Kafka did not answer within a minute');
}
