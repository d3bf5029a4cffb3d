/** A data directory whose partitions are copies of each topic's partition 0, and what its checkpoints say of them. */
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SeededRandom } from '../../../test/sim/seeded-random.ts';
import { batchesIn, LOGS } from './load.ts';

const CHECKPOINTS = [
  'recovery-point-offset-checkpoint',
  'replication-offset-checkpoint',
  'log-start-offset-checkpoint',
  'cleaner-offset-checkpoint',
] as const;

/** Every partition of every topic is what partition 0 is. After a kill some are known to have been synced up to a segment, some to the end. */
export function multiply(data: string, partitions: number, random: SeededRandom): void {
  for (const topic of Object.keys(LOGS)) {
    for (let index = 1; index < partitions; index++) {
      rmSync(join(data, `${topic}-${index}`), { recursive: true, force: true });
      cpSync(join(data, `${topic}-0`), join(data, `${topic}-${index}`), { recursive: true });
    }
  }
  const wasKilled = !existsSync(join(data, '.kafka_cleanshutdown'));
  for (const name of CHECKPOINTS) {
    const path = join(data, name);
    if (!existsSync(path)) continue;
    const offsets = offsetsIn(path);
    for (const topic of Object.keys(LOGS)) {
      const first = offsets.get(`${topic} 0`);
      for (let index = 1; index < partitions; index++) {
        const key = `${topic} ${index}`;
        offsets.delete(key);
        if (name === 'recovery-point-offset-checkpoint' && wasKilled) offsets.set(key, drawnRecoveryPoint(data, topic, random));
        else if (first !== undefined) offsets.set(key, first);
      }
    }
    writeFileSync(path, `0\n${offsets.size}\n${[...offsets].map(([key, offset]) => `${key} ${offset}\n`).join('')}`);
  }
}

function offsetsIn(path: string): Map<string, number> {
  const lines = readFileSync(path, 'utf8').trim().split('\n').slice(2);
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

function drawnRecoveryPoint(data: string, topic: string, random: SeededRandom): number {
  const folder = join(data, `${topic}-0`);
  const bases = readdirSync(folder).flatMap((name) => (name.endsWith('.log') ? [Number(name.slice(0, -'.log'.length))] : []));
  const end = (batchesIn(folder).at(-1)?.lastOffset ?? -1) + 1;
  const way = random.below(4);
  if (way === 0) return 0;
  return way === 1 ? end : random.pick(bases);
}
