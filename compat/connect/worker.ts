/** A distributed worker of Kafka Connect as a process of its own, and its REST interface. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endsWithThis } from '../../test/support/own-children.ts';

const PATIENCE_MS = 120_000;
const POLL_MS = 100;

export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`);
}

/** What the interface answers, as JSON; undefined where there is none. */
type Json = Readonly<Record<string, unknown>>;

export class Worker {
  private readonly jars: string;
  private readonly properties: string;
  private readonly rest: string;
  private process: ChildProcess | undefined;

  constructor(jars: string, folder: string, bootstrap: string, port: number) {
    this.jars = jars;
    this.rest = `http://127.0.0.1:${port}`;
    this.properties = join(folder, 'worker.properties');
    const lines = [
      `bootstrap.servers=${bootstrap}`,
      'group.id=connect',
      'exactly.once.source.support=enabled',
      'offset.flush.interval.ms=200',
      'scheduled.rebalance.max.delay.ms=0',
      'session.timeout.ms=10000',
      'heartbeat.interval.ms=1000',
      'rebalance.timeout.ms=10000',
      ...['config', 'offset', 'status'].flatMap((kind) => [
        `${kind}.storage.topic=connect-${kind}s`,
        `${kind}.storage.replication.factor=1`,
      ]),
      'offset.storage.partitions=3',
      'status.storage.partitions=1',
      'key.converter=org.apache.kafka.connect.storage.StringConverter',
      'value.converter=org.apache.kafka.connect.storage.StringConverter',
      `listeners=${this.rest}`,
      'plugin.discovery=service_load',
    ];
    writeFileSync(this.properties, `${lines.join('\n')}\n`);
  }

  /** Resolves when it has joined its group and answers. */
  async start(): Promise<void> {
    const shown = process.env['SHOW'] === undefined ? 'ignore' : 'inherit';
    const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    const main = 'org.apache.kafka.connect.cli.ConnectDistributed';
    const args = [...flags, '-cp', `${this.jars}/*`, main, this.properties];
    this.process = endsWithThis(spawn('java', args, { stdio: ['ignore', shown, shown] }));
    await until('the worker answers', () => this.ask('GET', '/connectors'));
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const ended = this.process === undefined || this.process.exitCode !== null ? undefined : once(this.process, 'exit');
    this.process?.kill(signal);
    await ended;
  }

  /** Undefined when it does not answer, or not with success: it is asked again then. */
  async ask(method: string, path: string, body?: Json): Promise<Json | undefined> {
    const text = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    try {
      const answer = await fetch(`${this.rest}${path}`, { method, ...text, signal: AbortSignal.timeout(30_000) });
      const said = await answer.text();
      if (!answer.ok) return undefined;
      return said === '' ? {} : (JSON.parse(said) as Json);
    } catch {
      return undefined;
    }
  }

  /** Asks until it succeeds. */
  async tell(method: string, path: string, body?: Json): Promise<Json> {
    return until(`${method} ${path}`, () => this.ask(method, path, body));
  }

  /** Waits until a connector and all its tasks are in `state`. */
  async isIn(name: string, state: string): Promise<void> {
    await until(`${name} is ${state}`, async () => {
      const status = (await this.ask('GET', `/connectors/${name}/status`)) as Status | undefined;
      if (status === undefined || status.connector.state !== state) return undefined;
      const tasksAre = state === 'STOPPED' ? status.tasks.length === 0 : status.tasks.every((task) => task.state === state);
      return tasksAre && (state === 'STOPPED' || status.tasks.length > 0) ? status : undefined;
    });
  }
}

interface Status {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly state: string }[];
}
