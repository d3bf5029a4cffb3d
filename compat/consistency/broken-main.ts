/**
 * Shows that the check finds what it is there for: a short round against each broken broker, without other faults, has to show one of its anomalies, and one against the same
 * broker as it is none. `node build/compat/consistency/broken-main.js [--seconds N] [--seed N] [--only WORDS] [--apache-kafka JARS]`; ends with `N passed, M failed`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  answering,
  type Directory,
  FEW_INTERNAL_PARTITIONS,
  format,
  newDirectory,
  type OwnerProcess,
  startOn,
} from '../apache-kafka/directory-owner.ts';
import { endsWithThis } from '../../test/support/own-children.ts';
import { Chance } from '../apache-kafka/differential/stream/chance.ts';
import { BROKEN_BROKERS, type BrokenBroker } from './broken-broker.ts';
import { BrokerProcess } from './broker-process.ts';
import { anomaliesOf, type AnomalyName } from './checker.ts';
import { runRound } from './round.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    'apache-kafka': { type: 'string' },
  },
});
const jars = values['apache-kafka'];
const seed = Number(values.seed);
/** What is broken at random may be so where nobody looks, and a busy machine does little in a round: it is played again, longer each time. */
const MOST_ROUNDS = 5;
const FAULTY = fileURLToPath(new URL('broken-blumfeld.js', import.meta.url));

function fault({ shows }: BrokenBroker, found: ReadonlyMap<AnomalyName, number>): string | undefined {
  if (shows.length === 0) return found.size === 0 ? undefined : 'nothing is broken';
  return shows.some((name) => found.has(name)) ? undefined : `none of ${shows.join(', ')}`;
}

/** This broker with the fault inside, or the one that the layer stands before. */
function launched({ fault }: BrokenBroker, directory: Directory): Promise<OwnerProcess> {
  if (fault === undefined) return startOn(directory, jars === undefined ? 'Blumfeld' : 'Apache Kafka', jars ?? '');
  const env = { ...process.env, BLUMFELD_FAULT: fault };
  const child = endsWithThis(
    spawn(process.execPath, [FAULTY, 'start', directory.properties], { stdio: ['ignore', 'ignore', 'inherit'], env }),
  );
  return answering(directory, { process: child, ended: once(child, 'exit').then(() => '') }, fault);
}

async function foundIn(
  one: BrokenBroker,
  round: number,
  times: number,
  broker: BrokerProcess,
  directory: Directory,
): Promise<Map<AnomalyName, number>> {
  const { history } = await runRound({
    address: { host: '127.0.0.1', port: directory.port },
    broker,
    round,
    seed: seed + round,
    seconds: Number(values.seconds) * times,
    restMs: one.fault === undefined ? Infinity : 100,
    spares: true,
    transactionTimeoutMs: 60_000,
    // Of a broker that is as it should be all is waited for.
    surveyMs: one.shows.length === 0 ? 20_000 : 2000,
    layer: one.layer?.(new Chance(seed + round)),
  });
  const found = new Map<AnomalyName, number>();
  for (const { name } of anomaliesOf(history)) found.set(name, (found.get(name) ?? 0) + 1);
  return found;
}

const folder = temporaryFolder('broken');
const checks = new Checks();
let running: { fault: string | undefined; broker: BrokerProcess; directory: Directory } | undefined;
try {
  for (const [round, one] of BROKEN_BROKERS.entries()) {
    if (!one.promise.includes(values.only)) continue;
    if (running === undefined || running.fault !== one.fault) {
      await running?.broker.kill('SIGTERM');
      const directory = await newDirectory(join(folder, String(round)), FEW_INTERNAL_PARTITIONS);
      if (jars !== undefined && one.fault === undefined) await format(jars, directory);
      running = { fault: one.fault, directory, broker: new BrokerProcess(() => launched(one, directory)) };
      await running.broker.start();
    }
    let found = await foundIn(one, round, 1, running.broker, running.directory);
    for (let again = 1; again < MOST_ROUNDS && one.shows.length > 0 && fault(one, found) !== undefined; again++)
      found = await foundIn(one, round + again * BROKEN_BROKERS.length, again + 1, running.broker, running.directory);
    const why = fault(one, found);
    const counts = [...found].map(([name, count]) => `${count} ${name}`).join(', ') || 'nothing';
    checks.check(`a broker that ${one.promise}: ${counts}`, why);
  }
} finally {
  await running?.broker.kill('SIGTERM');
  removeFolder(folder);
}
checks.end();
