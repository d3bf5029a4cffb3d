/**
 * Starts a Blumfeld (or Apache Kafka, with its jars in APACHE_KAFKA; or takes the broker in BOOTSTRAP) and runs the program that follows with it. The program may ask for its broker
 * to be killed by a line `kill the broker`, and is told in a line when it is there again. `node build/compat/streams/main.js COMMAND ...`; ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { endsWithThis } from '../../test/support/own-children.ts';
import { type CrashingBroker, startedIn } from './crashing-broker.ts';

async function counted(command: readonly string[], broker: CrashingBroker): Promise<{ passed: number; failed: number }> {
  const [program = '', ...args] = command;
  const env = { ...process.env, BOOTSTRAP: broker.bootstrap, PREFIX: `streams-${process.pid}-${Date.now().toString(36)}` };
  const child = endsWithThis(spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env }));
  await once(child, 'spawn');
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let [passed, failed] = [0, 0];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'kill the broker') {
      await broker.crash();
      child.stdin.write('it is there again\n');
      continue;
    }
    console.log(line);
    if (line.startsWith('ok ')) passed++;
    if (line.startsWith('not ok ')) failed++;
  }
  const [code] = await exited;
  return { passed, failed: code === 0 || failed > 0 ? failed : 1 };
}

const folder = temporaryFolder('streams');
const broker = await startedIn(folder);
try {
  const { passed, failed } = await counted(process.argv.slice(2), broker);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await broker.stop();
  removeFolder(folder);
}
