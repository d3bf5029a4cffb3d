/** The two brokers under load, each a process of its own: started, looked at from outside, stopped. */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answersMetadata, type Directory, format, newDirectory, type Owner } from '../apache-kafka/directory-owner.ts';
import { freePort } from '../apache-kafka/free-port.ts';
import { LOGGING } from '../apache-kafka/java.ts';

const COMMAND = fileURLToPath(new URL('../../bin/main.cjs', import.meta.url));
/** As kafka-server-start.sh does. */
const JVM = '-Xmx1G -Xms1G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35'.split(' ');
/** Without certificates that neither broker uses: Node.js 20 parses all that NODE_EXTRA_CA_CERTS names before it runs anything, 30 ms a start. */
const ENVIRONMENT = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };
const QUIET: SpawnOptions = { stdio: 'ignore', env: ENVIRONMENT };
const TICKS_PER_SECOND = 100;
/** Apache Kafka may have ten thousand partitions to read. */
const PATIENCE_MS = 200_000;

export interface BenchedBroker {
  readonly name: Owner;
  readonly address: string;
  /** From the start of the process to the first answer to a Metadata request. */
  readonly startMs: number;
  /** CPU seconds so far. */
  cpuSeconds(): number;
  residentMb(): number;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export async function startBlumfeld(folder: string): Promise<BenchedBroker> {
  const port = await freePort();
  const begun = performance.now();
  const options = ['start', '--port', String(port), '--data-dir', join(folder, 'data')];
  return answering('Blumfeld', spawn(process.execPath, [COMMAND, ...options], QUIET), port, begun);
}

/** Starts on what is in the directory; Apache Kafka's storage is formatted before the clock starts, where it is empty. */
export async function startIn(directory: Directory, name: Owner, jars: string): Promise<BenchedBroker> {
  const { properties, dataDirs, port } = directory;
  const jar = ['-cp', `${jars}/*`];
  if (name === 'Apache Kafka' && !dataDirs.every((path) => existsSync(path))) await format(jars, directory);
  const begun = performance.now();
  const child =
    name === 'Apache Kafka'
      ? spawn('java', [...JVM, LOGGING, ...jar, 'kafka.Kafka', properties], QUIET)
      : spawn(process.execPath, [COMMAND, 'start', properties], QUIET);
  return answering(name, child, port, begun);
}

export async function startApacheKafka(jars: string, folder: string): Promise<BenchedBroker> {
  return startIn(await newDirectory(folder), 'Apache Kafka', jars);
}

async function answering(name: Owner, child: ChildProcess, port: number, begun: number): Promise<BenchedBroker> {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started`);
  const ended = once(child, 'exit');
  while (performance.now() - begun < PATIENCE_MS && child.exitCode === null) {
    if (await answersMetadata(port)) {
      const startMs = performance.now() - begun;
      const endBy = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
        child.kill(signal);
        await ended;
      };
      return {
        name,
        address: `127.0.0.1:${port}`,
        startMs,
        cpuSeconds: () => cpuSecondsOf(pid),
        residentMb: () => residentMbOf(pid),
        stop: () => endBy('SIGTERM'),
        kill: () => endBy('SIGKILL'),
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  child.kill('SIGKILL');
  await ended;
  throw new Error(`${name} did not answer within ${PATIENCE_MS} ms, or has ended`);
}

function fieldsOf(path: string): number[] {
  const text = readFileSync(path, 'utf8');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

function cpuSecondsOf(pid: number): number {
  const fields = fieldsOf(`/proc/${pid}/stat`);
  return ((fields[11] ?? 0) + (fields[12] ?? 0)) / TICKS_PER_SECOND;
}

function residentMbOf(pid: number): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (Number(found) * 1024) / 1e6;
}

/** CPU seconds of this process and all that it has waited for. */
export function ownCpuSeconds(): number {
  const fields = fieldsOf('/proc/self/stat');
  return [11, 12, 13, 14].reduce((sum, index) => sum + (fields[index] ?? 0), 0) / TICKS_PER_SECOND;
}

/** CPU seconds that the whole machine has been busy. */
export function machineCpuSeconds(): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softIrq + steal) / TICKS_PER_SECOND;
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
