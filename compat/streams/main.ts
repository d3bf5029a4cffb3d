/** Starts a Blumfeld, or takes the broker in BOOTSTRAP, and runs the program that follows with it. `node build/compat/streams/main.js COMMAND ...`; ends with `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startBlumfeld } from '../apache-kafka/processes.ts';

async function counted(command: readonly string[], bootstrap: string): Promise<{ passed: number; failed: number }> {
  const [program = '', ...args] = command;
  const env = { ...process.env, BOOTSTRAP: bootstrap, PREFIX: `streams-${process.pid}-${Date.now().toString(36)}` };
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  await once(child, 'spawn');
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let [passed, failed] = [0, 0];
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    if (line.startsWith('ok ')) passed++;
    if (line.startsWith('not ok ')) failed++;
  }
  const [code] = await exited;
  return { passed, failed: code === 0 || failed > 0 ? failed : 1 };
}

const given = process.env['BOOTSTRAP'];
const folder = mkdtempSync(join(tmpdir(), 'blumfeld-streams-'));
const broker = given === undefined ? await startBlumfeld(folder) : undefined;
try {
  const { passed, failed } = await counted(process.argv.slice(2), given ?? broker?.address ?? '');
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
}
