/**
 * The same sequence of tools against Apache Kafka and against Blumfeld: exit code and everything printed is compared, but for what `MASKS` and a step's own
 * masks name. `node build/compat/apache-kafka/tools-beside.js TOOLS-JARS BROKER-JARS`
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import { type OwnerProcess, startApacheKafka, startBlumfeld } from './directory-owner.ts';
import { java } from './java.ts';
import { startToolServer, type Said, type ToolServer } from './tool-server.ts';
import { STEPS, type Step } from './tool-steps.ts';

const checks = new Checks();

type Mask = readonly [pattern: RegExp, instead: string];

interface Side {
  readonly broker: OwnerProcess;
  readonly folder: string;
}

/** What two brokers cannot have in common, whatever they are. */
const MASKS: readonly Mask[] = [
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID'],
  [/TopicId: [\w-]{22}/g, 'TopicId: ID'],
  [/Cluster ID: [\w-]{22}/g, 'Cluster ID: ID'],
];

function masked(text: string, side: Side, more: readonly Mask[]): string {
  const [host = '', port = ''] = side.broker.address.split(':');
  let result = text
    .replaceAll(side.broker.address, 'ADDRESS')
    .replaceAll(new RegExp(`\\b${host.replaceAll('.', '\\.')}(\\s+)${port}\\b`, 'g'), 'HOST$1PORT')
    .replaceAll(join(side.folder, 'data'), 'LOGDIR')
    .replaceAll(side.folder, 'LOGDIR');
  for (const [pattern, instead] of [...MASKS, ...more]) result = result.replaceAll(pattern, instead);
  // Columns are as wide as what was masked.
  return result.replaceAll(/[ \t]+/g, ' ');
}

/** Apart from times, a process of its own tells the same as one that is shared: tools that end through System.exit get one. */
async function run(step: Step, side: Side, tools: ToolServer, jars: string): Promise<Said> {
  const file = join(side.folder, 'tool-input.json');
  if (step.file !== undefined) writeFileSync(file, step.file);
  const args = step.args.map((arg) => arg.replace('ADDRESS', side.broker.address).replace('FILE', file));
  if (step.alone !== true) return tools.run(step.main, args, step.input ?? '');
  const { code, stdout, stderr } = await java(jars, step.main, args);
  return { code: code ?? -1, stdout: stdout.toString(), stderr };
}

function shown(said: Said, step: Step, side: Side): string[] {
  const text = masked(
    `exit code ${said.code}\n${said.stdout}${said.stderr === '' ? '' : `--\n${said.stderr}`}`,
    side,
    step.masks ?? [],
  );
  const lines = text.split('\n').map((line) => line.trimEnd());
  return (step.read ?? ((all) => all))(lines);
}

const PATIENCE_MS = 10_000;

async function settled(step: Step, side: Side, say: () => Promise<Said>): Promise<string[]> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const lines = shown(await say(), step, side);
    const isDone = step.settles !== true || step.says === undefined || step.says.test(lines.join('\n'));
    if (isDone || Date.now() > deadline) return lines;
  }
}

function difference(kafka: readonly string[], blumfeld: readonly string[]): string | undefined {
  const at = kafka.findIndex((line, i) => line !== blumfeld[i]);
  const first = at < 0 && blumfeld.length > kafka.length ? kafka.length : at;
  if (first < 0) return undefined;
  return `line ${first + 1}\n    Apache Kafka: ${kafka[first] ?? '(none)'}\n    Blumfeld:     ${blumfeld[first] ?? '(none)'}`;
}

async function compare(toolJars: string, brokerJars: string): Promise<void> {
  const folder = temporaryFolder('beside');
  const [kafkaFolder, blumfeldFolder] = [join(folder, 'kafka'), join(folder, 'blumfeld')];
  const [kafka, blumfeld] = await Promise.all([
    startApacheKafka(brokerJars, kafkaFolder),
    startBlumfeld(blumfeldFolder, ['node.id=1', 'group.initial.rebalance.delay.ms=0']),
  ]);
  const tools = startToolServer(toolJars);
  try {
    const sides: readonly Side[] = [
      { broker: kafka, folder: kafkaFolder },
      { broker: blumfeld, folder: blumfeldFolder },
    ];
    for (const step of STEPS) {
      const outputs: string[][] = [];
      for (const side of sides) outputs.push(await settled(step, side, () => run(step, side, tools, toolJars)));
      const [theirs = [], ours = []] = outputs;
      if (process.env['SHOW'] !== undefined) console.log(theirs.join('\n'));
      const fault =
        difference(theirs, ours) ??
        (step.says?.test(theirs.join('\n')) === false ? `nothing like ${step.says}: ${theirs.join('\n    ')}` : undefined);
      checks.check(step.title, fault);
    }
  } finally {
    await tools.stop();
    await Promise.all([kafka.stop(), blumfeld.stop()]);
    removeFolder(folder);
  }
}

const [toolJars, brokerJars] = process.argv.slice(2);
if (toolJars === undefined || brokerJars === undefined)
  throw new Error("name the folders of the jars of Apache Kafka's tools and of its broker");
await compare(toolJars, brokerJars);
checks.end();
