/** The `blumfeld` command in a process of its own, as people run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { endsWithThis } from './own-children.ts';

/** What ships, in one file, where it was built. */
const BUNDLED = fileURLToPath(new URL('../../bin/main.cjs', import.meta.url));
const MAIN = existsSync(BUNDLED) ? BUNDLED : fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildBroker {
  readonly process: ChildProcess;
  /** The line that says it is ready. Rejects with what it wrote when it ends before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<Ended>;
  port(): Promise<number>;
}

export function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd?: string,
  nodeFlags: readonly string[] = [],
): ChildBroker {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:KAFKA|CLUSTER_ID)/.test(name)));
  const child = endsWithThis(
    spawn(process.execPath, [...nodeFlags, MAIN, ...args], {
      env: { ...own, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    }),
  );
  let stdout = '';
  let stderr = '';
  let isReady: (line: string) => void = () => undefined;
  let isNot: (error: Error) => void = () => undefined;
  const ready = new Promise<string>((resolve, reject) => {
    isReady = resolve;
    isNot = reject;
  });
  ready.catch(() => undefined);
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    const line = /^blumfeld is ready.*$/m.exec(stdout)?.[0];
    if (line !== undefined && stdout.includes(`${line}\n`)) isReady(line);
  });
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => {
    isNot(new Error(`ended with ${String(code)} before it was ready: ${stderr}`));
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr };
  });
  return { process: child, ready, ended, port: async () => Number(/:(\d+)[ ,]/.exec(await ready)?.[1]) };
}
