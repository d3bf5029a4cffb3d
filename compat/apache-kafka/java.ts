/** Java programs as processes of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Output {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Says what is worth saying, and to standard error: what tools print is compared. */
export const LOGGING = '-Dlog4j2.configurationFile=compat/apache-kafka/log4j2.properties';
/** For what lives for seconds. */
export const FOR_TOOLS = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', LOGGING] as const;

/** Runs a main class to its end. */
export async function java(jars: string, main: string, args: readonly string[], input?: Buffer): Promise<Output> {
  const child = spawn('java', [...FOR_TOOLS, '-cp', `${jars}/*`, main, ...args]);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}
