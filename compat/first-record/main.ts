/**
 * The examples under "The first record" of the README, run as they stand there: each has to print the record that it wrote. `node build/compat/first-record/main.js`,
 * in PYTHON a Python that has confluent-kafka.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import { startBlumfeld } from '../apache-kafka/directory-owner.ts';

const LONGEST_SECONDS = 300;

interface Example {
  /** As the README calls it. */
  readonly name: string;
  /** Kind and text of each block of code. */
  readonly blocks: readonly { readonly kind: string; readonly text: string }[];
}

/** What is in the section, a paragraph that begins in bold each. */
function examples(readme: string): Example[] {
  const section = /^## The first record$([\s\S]*?)^## /m.exec(readme)?.[1] ?? '';
  return section
    .split(/^(?=\*\*)/m)
    .slice(1)
    .map((part) => ({
      name: /^\*\*(.+?)\*\*/.exec(part)?.[1] ?? '',
      blocks: [...part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => ({ kind, text })),
    }));
}

/** The file that a block is saved as, and what is run then. Blocks of `sh` are run by themselves. */
const FILES: Readonly<Record<string, { readonly file: string; readonly command?: string }>> = {
  js: { file: 'greetings.mjs', command: 'node greetings.mjs' },
  java: { file: 'Greetings.java' },
  python: { file: 'greetings.py', command: '"${PYTHON:-python3}" greetings.py' },
};

/** Ends as soon as `expected` is said: a consumer may go on. */
async function says(command: string, folder: string, expected: RegExp): Promise<string | undefined> {
  const child = spawn('bash', ['-euc', command], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const ended = once(child, 'close');
  let text = '';
  let found = false;
  const end = (): void => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', end);
  const hear = (chunk: Buffer): void => {
    text += chunk.toString();
    if (found || !expected.test(text)) return;
    found = true;
    setTimeout(end, 500);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const timer = setTimeout(end, LONGEST_SECONDS * 1000);
  await ended;
  clearTimeout(timer);
  process.off('exit', end);
  return found ? undefined : `nothing like ${String(expected)} in: ${text}`;
}

async function run(example: Example, address: string, number: number): Promise<string | undefined> {
  const folder = temporaryFolder('first');
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const commands: string[] = [];
  for (const { kind, text } of example.blocks) {
    const there = text.replaceAll('localhost:9092', address);
    const file = FILES[kind];
    if (file !== undefined) writeFileSync(join(folder, file.file), there);
    commands.push(file === undefined ? there : (file.command ?? ''));
  }
  const key = ['one', 'two', 'three', 'four'][number] ?? '';
  try {
    return await says(commands.join('\n'), folder, new RegExp(`^(?:b')?${key}'? (?:b')?hello'?$`, 'm'));
  } finally {
    removeFolder(folder);
  }
}

const all = examples(readFileSync('README.md', 'utf8'));
const folder = temporaryFolder('first-data');
const broker = await startBlumfeld(folder);
const checks = new Checks();
if (all.length !== 4) checks.check('the README has 4 examples of a first record', `it has ${all.length}`);
try {
  for (const [number, example] of all.entries()) {
    const begun = performance.now();
    const fault = await run(example, broker.address, number);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    checks.check(fault === undefined ? `${example.name}: a record written and read in ${seconds} s` : example.name, fault);
  }
} finally {
  await broker.stop();
  removeFolder(folder);
}
checks.end();
