/**
 * Runs programs of clients against a broker and judges what they say, or prints what all of them said.
 *
 *   node build/compat/clients.js run CLIENT COMMAND ... [-- CLIENT COMMAND ...]   each with a broker of its own; BOOTSTRAP=HOST:PORT takes one that
 *                                                         runs already, ONLY=CLIENT leaves the others out
 *   node build/compat/clients.js report
 *
 * The program finds the broker in BOOTSTRAP and a name for its topics and groups in PREFIX, and says for each scenario of `scenarios.json` one line: `ok NAME`,
 * `FAIL NAME: why`, or `n/a NAME: why` where the client has no such call. A scenario it says nothing of has failed. `passes.json` lists what each client must pass:
 * what is in it and does not pass is a failure of the run, what passes and is not in it is too (`UPDATE=1` adds it), so that the list only grows. Every FAIL is one
 * as well: what a client cannot do is `n/a`, and explained in its FINDINGS.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';
import { startBlumfeld } from './apache-kafka/directory-owner.ts';
import { endsWithThis } from '../test/support/own-children.ts';

type Verdict = 'ok' | 'FAIL' | 'n/a';

interface Outcome {
  readonly verdict: Verdict;
  readonly why: string;
}

/** The checkout and its folder `compat`, seen from build/compat (or build/NAME/compat). */
const ROOT = (() => {
  let folder = fileURLToPath(new URL('.', import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = join(folder, '..');
  return folder;
})();
const COMPAT = join(ROOT, 'compat');
const REPORT = join(ROOT, 'build', 'compat-report');
const PASSES = join(COMPAT, 'passes.json');
/** Several times what the slowest takes. */
const LONGEST_SECONDS = 480;
/** Transactions that are left open are looked for every ten seconds else. */
const OVERRIDES = ['transaction.abort.timed.out.transaction.cleanup.interval.ms=500'];

const scenarios = Object.keys(JSON.parse(readFileSync(join(COMPAT, 'scenarios.json'), 'utf8')) as Record<string, string>);
const passes = JSON.parse(readFileSync(PASSES, 'utf8')) as Record<string, string[]>;

/** What the program says, line by line; lines of no scenario are its own talk and are only shown. */
async function outcomesOf(command: readonly string[], bootstrap: string): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const prefix = `compat-${process.pid}-${Date.now().toString(36)}`;
  const [program = '', ...args] = command;
  const child = endsWithThis(
    spawn(program, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, BOOTSTRAP: bootstrap, PREFIX: prefix },
    }),
  );
  await once(child, 'spawn');
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    // What it has started may have its output still.
    lines.close();
  }, LONGEST_SECONDS * 1000);
  for await (const line of lines) {
    console.log(line);
    const [, verdict, name = '', why = ''] = /^(ok|FAIL|n\/a) ([\w-]+)(?:: (.*))?$/.exec(line) ?? [];
    if (verdict !== undefined && scenarios.includes(name)) outcomes.set(name, { verdict: verdict as Verdict, why });
  }
  const [code, signal] = await exited;
  clearTimeout(timer);
  const end = signal === null ? `exit code ${code}` : `${signal}, after ${LONGEST_SECONDS} s at most`;
  for (const name of scenarios) {
    if (outcomes.has(name)) continue;
    console.log(`FAIL ${name}: not said (${end})`);
    outcomes.set(name, { verdict: 'FAIL', why: `not said (${end})` });
  }
  return outcomes;
}

/** How many scenarios passed, and how many went against the list of passes. */
function judge(client: string, outcomes: ReadonlyMap<string, Outcome>): { passed: number; failed: number } {
  const owed = new Set(passes[client]);
  const passing = scenarios.filter((name) => outcomes.get(name)?.verdict === 'ok');
  const failing = scenarios.filter((name) => outcomes.get(name)?.verdict === 'FAIL');
  const lost = scenarios.filter((name) => owed.has(name) && outcomes.get(name)?.verdict === 'n/a');
  const gained = passing.filter((name) => !owed.has(name));
  for (const name of lost) console.log(`not ok ${client} ${name}: it passed before, and is not asked for now`);
  if (gained.length > 0 && process.env['UPDATE'] !== '1') {
    console.log(`not ok ${client} passes ${gained.join(', ')}: add it to compat/passes.json (UPDATE=1 does)`);
  } else if (gained.length > 0) {
    passes[client] = scenarios.filter((name) => owed.has(name) || gained.includes(name));
    const lines = Object.keys(passes)
      .sort()
      .map((name) => `  ${JSON.stringify(name)}: [${(passes[name] ?? []).map((one) => JSON.stringify(one)).join(', ')}]`);
    writeFileSync(PASSES, `{\n${lines.join(',\n')}\n}\n`);
    gained.length = 0;
  }
  return { passed: passing.length, failed: failing.length + lost.length + gained.length };
}

async function run(client: string, command: readonly string[]): Promise<{ passed: number; failed: number }> {
  console.log(`-- ${client}`);
  const given = process.env['BOOTSTRAP'];
  const folder = temporaryFolder('compat');
  const broker = given === undefined ? await startBlumfeld(folder, OVERRIDES) : undefined;
  try {
    const outcomes = await outcomesOf(command, given ?? broker?.address ?? '');
    mkdirSync(REPORT, { recursive: true });
    writeFileSync(join(REPORT, `${client}.json`), JSON.stringify(Object.fromEntries(outcomes)));
    return judge(client, outcomes);
  } finally {
    await broker?.stop();
    removeFolder(folder);
  }
}

/** Clients as columns, scenarios as rows; below it why something failed or is not there. */
function report(): void {
  const clients = [
    ...new Set([
      ...Object.keys(passes),
      ...(existsSync(REPORT) ? readdirSync(REPORT) : []).map((file) => file.replace(/\.json$/, '')),
    ]),
  ].sort();
  const said = new Map(
    clients.map((client) => {
      const file = join(REPORT, `${client}.json`);
      return [client, existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Outcome>) : {}];
    }),
  );
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  console.log(row(['scenario', ...clients]));
  console.log(row(['---', ...clients.map(() => '---')]));
  for (const name of scenarios)
    console.log(row([name, ...clients.map((client) => said.get(client)?.[name]?.verdict ?? 'not run')]));
  for (const client of clients) {
    for (const [name, { verdict, why }] of Object.entries(said.get(client) ?? {})) {
      if (verdict !== 'ok') console.log(`${client}: ${verdict} ${name}: ${why}`);
    }
  }
}

async function runAll(args: readonly string[]): Promise<void> {
  let [passed, failed] = [0, 0];
  for (let rest = args; rest.length > 0; ) {
    const end = rest.includes('--') ? rest.indexOf('--') : rest.length;
    const [client = '', ...command] = rest.slice(0, end);
    rest = rest.slice(end + 1);
    const only = process.env['ONLY'];
    if (only !== undefined && only !== client) continue;
    const counts = await run(client, command);
    passed += counts.passed;
    failed += counts.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

const [verb, ...args] = process.argv.slice(2);
if (verb === 'run' && args.length > 1) await runAll(args);
else if (verb === 'report') report();
else throw new Error('usage: clients.js run CLIENT COMMAND ... [-- CLIENT COMMAND ...] | clients.js report');
