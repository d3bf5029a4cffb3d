/**
 * Two data directories of one node, handed back and forth between Blumfeld and Apache Kafka, after clean stops and after kills: all that a client can find out has to be there
 * each time, what was unfinished can be ended, and each adds to it before it hands over. The metadata log begins with a snapshot that Blumfeld made. Then the directories that Apache Kafka made once, one a node
 * (`graduation/golden.ts`). Every file that is there at the end is read by the dump tool. `node build/compat/apache-kafka/graduation.js BROKER-JARS TOOLS-JARS`
 */
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import { dumpEveryFile } from './dumped-files.ts';
import { move } from './graduation/calls.ts';
import { difference, type Facts, factsOf } from './graduation/facts.ts';
import { GOLDEN, graduateGolden } from './graduation/golden.ts';
import { newDirectory, type Owner, ownedBy } from './directory-owner.ts';
import type { PlainClient } from '../../test/support/plain-client.ts';
import { LASTING, TRIMMING } from './graduation/settings.ts';
import { add, goOn, known, type Left, startIsKept, trimMetadata } from './graduation/workload.ts';
import { startToolServer } from './tool-server.ts';

const checks = new Checks();
const { check } = checks;

/** Who has the directory, and how it gives it up. */
const ROUNDS: readonly (readonly [owner: Owner, end: 'SIGTERM' | 'SIGKILL'])[] = [
  ['Blumfeld', 'SIGTERM'],
  ['Apache Kafka', 'SIGTERM'],
  ['Blumfeld', 'SIGKILL'],
  ['Apache Kafka', 'SIGKILL'],
  ['Blumfeld', 'SIGKILL'],
  ['Blumfeld', 'SIGTERM'],
];

async function graduate(jars: string, folder: string, dataDirs: readonly string[]): Promise<void> {
  const few = ['offsets.topic.num.partitions=5', 'transaction.state.log.num.partitions=3'];
  const directory = await newDirectory(folder, [...LASTING, ...TRIMMING, ...few], dataDirs);
  let before: { readonly facts: Facts; readonly left: Left } | undefined;
  let came = 'nothing';
  for (const [index, [owner, signal]] of ROUNDS.entries()) {
    const round = index + 1;
    const work = async (client: PlainClient): Promise<void> => {
      if (before !== undefined) {
        const found = await factsOf(client, known(index));
        check(`${owner} finds all ${before.facts.size} facts after ${came}`, difference(before.facts, found));
        await goOn(client, round, before.left);
        for (const partition of [0, 1]) await move(client, `round-${round - 1}`, partition, dataDirs);
        check(
          `${owner} ends the transaction, goes on with the producer, keeps the member and moves logs after ${came}`,
          undefined,
        );
      }
      const left = await add(client, round);
      await startIsKept(dataDirs, left.topic);
      if (index === 0) {
        await trimMetadata(client, dataDirs[0] ?? '');
        check(`${owner} cuts the metadata log off where a snapshot ends`, undefined);
      }
      before = { facts: await factsOf(client, known(round)), left };
      came = signal === 'SIGTERM' ? `a clean stop of ${owner}` : `a kill -9 of ${owner}`;
    };
    await ownedBy(directory, owner, jars, work, signal);
  }
}

async function inFolder(title: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder('graduation');
  try {
    await work(folder);
  } catch (error) {
    checks.broke(title, error);
  } finally {
    removeFolder(folder);
  }
}

const [jars, toolJars] = process.argv.slice(2);
if (jars === undefined || toolJars === undefined)
  throw new Error('name the folders of the jars of Apache Kafka and of its tools');
const tools = startToolServer(toolJars);
const only = process.env['ONLY'];
if (only === undefined || only === 'rounds') {
  await inFolder('the rounds', async (folder) => {
    const dataDirs = ['one', 'two'].map((name) => join(folder, name));
    await graduate(jars, folder, dataDirs);
    for (const dataDir of dataDirs) await dumpEveryFile(tools, dataDir, check);
  });
}
for (const name of GOLDEN) {
  if (only !== undefined && only !== name) continue;
  await inFolder(`the directory ${name}`, async (folder) => {
    const dataDir = await graduateGolden(jars, folder, name, check);
    await dumpEveryFile(tools, dataDir, check);
  });
}
await tools.stop();
checks.end();
