/**
 * Transactions of many clients while the broker is killed, stopped and cut off; the history is checked for what a broker that keeps Kafka's promises cannot have done.
 *
 *   node build/compat/consistency/main.js [--seconds N] [--seed N] [--rest-ms N] [--timeout-ms N] [--apache-kafka JARS] [--round-seconds N]
 *
 * Prints what was done and every kind of anomaly, keeps the history of a round that has one, and ends with `N passed, M failed`: a check for each kind.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { FEW_INTERNAL_PARTITIONS, format, newDirectory, startOn } from '../apache-kafka/directory-owner.ts';
import { BrokerProcess } from './broker-process.ts';
import { anomaliesOf, ANOMALIES, type Anomaly, type AnomalyName } from './checker.ts';
import { deleteTopics, runRound, type Round } from './round.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    'round-seconds': { type: 'string', default: '55' },
    seed: { type: 'string' },
    'rest-ms': { type: 'string', default: '4000' },
    // Apache Kafka 4.4 loses the markers of a transaction that times out while it starts after a kill: give it 60000.
    'timeout-ms': { type: 'string', default: '6000' },
    'apache-kafka': { type: 'string' },
  },
});
const jars = values['apache-kafka'];
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const KEPT = join('build', 'consistency');

const told = (counts: ReadonlyMap<string, number>): string => [...counts].map(([what, count]) => `${count} ${what}`).join(', ');

function summary({ history, faults }: Round, seconds: number): string {
  const outcomes = new Map<string, number>();
  for (const { transactionalId, outcome } of history.attempts) {
    const what = transactionalId === null ? 'polls' : outcome;
    outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
  }
  const records = history.surveys.reduce((sum, { entries }) => sum + entries.length, 0);
  return `${told(outcomes)}; ${records} records committed; ${told(faults)}; ${seconds.toFixed(0)} s`;
}

function keep(round: number, { history }: Round): string {
  mkdirSync(KEPT, { recursive: true });
  const path = join(KEPT, `history-${seed}-${round}.json`);
  writeFileSync(path, JSON.stringify(history));
  return path;
}

async function run(): Promise<Map<AnomalyName, Anomaly[]>> {
  const found = new Map<AnomalyName, Anomaly[]>();
  const folder = temporaryFolder('consistency');
  const directory = await newDirectory(folder, [
    ...FEW_INTERNAL_PARTITIONS,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms=1000',
  ]);
  if (jars !== undefined) await format(jars, directory);
  const broker = new BrokerProcess(() => startOn(directory, jars === undefined ? 'Blumfeld' : 'Apache Kafka', jars ?? ''));
  const address = { host: '127.0.0.1', port: directory.port };
  await broker.start();
  try {
    const end = Date.now() + Number(values.seconds) * 1000;
    for (let round = 1; Date.now() < end - 3000; round++) {
      const startedAt = Date.now();
      const seconds = Math.min(Number(values['round-seconds']), (end - startedAt) / 1000);
      const one = await runRound({
        address,
        broker,
        round,
        seed: seed + round,
        seconds,
        restMs: Number(values['rest-ms']),
        transactionTimeoutMs: Number(values['timeout-ms']),
        surveyMs: 20_000,
      });
      console.log(`round ${round}: ${summary(one, (Date.now() - startedAt) / 1000)}`);
      const anomalies = anomaliesOf(one.history);
      for (const anomaly of anomalies) found.set(anomaly.name, [...(found.get(anomaly.name) ?? []), anomaly]);
      if (anomalies.length === 0) await deleteTopics(address, round);
      else console.log(`${anomalies.length} anomalies; its history is kept in ${keep(round, one)}`);
    }
  } finally {
    await broker.kill('SIGTERM');
    removeFolder(folder);
  }
  return found;
}

console.log(`seed ${seed}, ${values.seconds} s${jars === undefined ? '' : ', Apache Kafka'}`);
const found = await run();
let failed = 0;
for (const [name, meaning] of Object.entries(ANOMALIES) as [AnomalyName, string][]) {
  const anomalies = found.get(name) ?? [];
  console.log(
    `${anomalies.length === 0 ? 'ok' : 'not ok'} ${name}: ${meaning}${anomalies.length === 0 ? '' : `: ${anomalies.length} times`}`,
  );
  for (const { evidence } of anomalies.slice(0, 3)) console.log(`    ${evidence.slice(0, 1000)}`);
  if (anomalies.length > 0) failed++;
}
console.log(`${Object.keys(ANOMALIES).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
