/** Starts Apache Kafka and Blumfeld side by side and has them compared. `node build/compat/apache-kafka/judge.js JARS [ARGUMENTS OF differential/main]` */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { startApacheKafka, startBlumfeld } from './directory-owner.ts';

const COMPARE = fileURLToPath(new URL('differential/main.js', import.meta.url));

async function judge(jars: string, more: readonly string[]): Promise<number> {
  const folder = temporaryFolder('judge');
  const [kafka, blumfeld] = await Promise.all([
    startApacheKafka(jars, join(folder, 'kafka')),
    startBlumfeld(join(folder, 'blumfeld'), ['node.id=1']),
  ]);
  try {
    const child = spawn(process.execPath, [COMPARE, '--kafka', kafka.address, '--blumfeld', blumfeld.address, ...more], {
      stdio: 'inherit',
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    await Promise.all([kafka.stop(), blumfeld.stop()]);
    removeFolder(folder);
  }
}

const [jars, ...more] = process.argv.slice(2);
if (jars === undefined) throw new Error("name the folder of Apache Kafka's jars");
process.exitCode = await judge(jars, more);
