/**
 * Shows that the check finds what it is there for: a short round against each broken broker, without other faults, has to show one of its anomalies, and one against the same
 * broker as it is none. `node build/compat/consistency/broken-main.js [--seconds N] [--seed N] [--only WORDS] [--apache-kafka JARS]`; ends with `N passed, M failed`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, newDirectory } from '../apache-kafka/directory-owner.ts';
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

function fault({ shows }: BrokenBroker, found: ReadonlyMap<AnomalyName, number>): string | undefined {
  if (shows.length === 0) return found.size === 0 ? undefined : 'nothing is broken';
  return shows.some((name) => found.has(name)) ? undefined : `none of ${shows.join(', ')}`;
}

const folder = mkdtempSync(join(tmpdir(), 'blumfeld-broken-'));
let [passed, failed] = [0, 0];
try {
  const directory = await newDirectory(folder);
  if (jars !== undefined) await format(jars, directory);
  const broker = new BrokerProcess(directory, jars === undefined ? 'Blumfeld' : 'Apache Kafka', jars ?? '');
  await broker.start();
  try {
    for (const [round, one] of BROKEN_BROKERS.entries()) {
      if (!one.promise.includes(values.only)) continue;
      const { history } = await runRound({
        address: { host: '127.0.0.1', port: directory.port },
        broker,
        round,
        seed: seed + round,
        seconds: Number(values.seconds),
        restMs: Infinity,
        transactionTimeoutMs: 60_000,
        surveyMs: 2000,
        layer: one.layer(new Chance(seed + round)),
      });
      const found = new Map<AnomalyName, number>();
      for (const { name } of anomaliesOf(history)) found.set(name, (found.get(name) ?? 0) + 1);
      const why = fault(one, found);
      if (why === undefined) passed++;
      else failed++;
      const counts = [...found].map(([name, count]) => `${count} ${name}`).join(', ');
      console.log(
        `${why === undefined ? 'ok' : 'not ok'} a broker that ${one.promise}: ${counts || 'nothing'}${why === undefined ? '' : `; ${why}`}`,
      );
    }
  } finally {
    await broker.kill('SIGTERM');
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
