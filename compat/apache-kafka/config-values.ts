/**
 * Every config of brokers, topics, groups and client metrics, with a systematic set of values (`config-values/values.ts`), said to Apache Kafka and to
 * Blumfeld in every way in which configs can be said, and only to be validated: code and text of each answer are compared. Then what both refuse to start
 * with; there the words may differ. `node build/compat/apache-kafka/config-values.js BROKER-JARS`, half a minute.
 */
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { address, PlainClient } from '../../test/support/plain-client.ts';
import { Checks } from '../checks.ts';
import { answersOf, makeTopic, probes } from './config-values/probes.ts';
import { starts } from './config-values/starts.ts';
import { newDirectory, startApacheKafka, startOn } from './directory-owner.ts';

const checks = new Checks();

async function alterations(jars: string, folder: string): Promise<void> {
  const brokers = await Promise.all([
    startApacheKafka(jars, join(folder, 'kafka')),
    newDirectory(join(folder, 'blumfeld')).then((directory) => startOn(directory, 'Blumfeld', jars)),
  ]);
  try {
    const all = probes();
    const [theirs, ours] = await Promise.all(
      brokers.map(async (broker) => {
        const connect = (): PlainClient => new PlainClient(address(broker.address));
        await makeTopic(connect);
        return answersOf(connect, all);
      }),
    );
    const shown = (answer: unknown): string => JSON.stringify(answer).replaceAll(/127\.0\.0\.1:\d+(?=,|\])/g, 'PORT');
    const different = all.flatMap(({ title }, i) => {
      const [a, b] = [shown(theirs?.[i]), shown(ours?.[i])];
      return a === b ? [] : [`${title}\n  Apache Kafka: ${a}\n  Blumfeld:     ${b}`];
    });
    checks.check(`${all.length} ways to alter a config`, different.length === 0 ? undefined : different.join('\n'));
  } finally {
    await Promise.all(brokers.map((broker) => broker.stop()));
  }
}

async function beginnings(jars: string): Promise<void> {
  const tried = await starts(jars);
  const different = tried.filter(({ theirs, ours }) => (theirs === null) !== (ours === null));
  const lines = different.map(({ title, theirs, ours }) => `${title}\n  Apache Kafka: ${theirs}\n  Blumfeld:     ${ours}`);
  checks.check(`${tried.length} settings to start with`, lines.length === 0 ? undefined : lines.join('\n'));
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error("name the folder of Apache Kafka's jars");
const folder = temporaryFolder('config-values');
try {
  await alterations(jars, folder);
  await beginnings(jars);
} catch (error) {
  checks.broke('the comparison', error);
} finally {
  removeFolder(folder);
}
checks.end();
