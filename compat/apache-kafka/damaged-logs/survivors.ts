/**
 * The damaged logs that Apache Kafka starts with. One that it does not start with takes all others of the directory along, so it is left out and the rest is
 * opened again: by its name where Apache Kafka names it, else by opening each half of the logs by itself, and so on.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Directory } from '../directory-owner.ts';
import { told } from './damage.ts';
import { type Case, linesSaid, type Views, viewsOf } from './views.ts';

/** So many logs are left out by what is said of them, before halves are opened. */
const NAMED = 6;

const nameOf = ({ topic, partition }: Case): string => `${topic}-${partition}`;

/** What Apache Kafka said of the error that ended it: a message and those of its causes. */
function lastWords(said: readonly string[]): string[] {
  const first = said.findIndex((line) =>
    / ERROR (?:There was an error in one of the threads|Encountered \w+(?: \w+)? fault)/.test(line),
  );
  if (first < 0) return [];
  const end = said.findIndex((line, i) => i > first && line.startsWith('['));
  return said.slice(first, end < 0 ? said.length : end).filter((line) => !/^\s/.test(line));
}

/** The log that Apache Kafka ended with, if it named one. */
function culpritOf(words: readonly string[], cases: readonly Case[]): Case | undefined {
  return cases.find((one) => {
    const names = [`/${nameOf(one)}/`, `partition=${nameOf(one)},`, `partition=${nameOf(one)}]`];
    return words.some((line) => names.some((name) => line.includes(name)));
  });
}

/** The directory with the damage of these logs; all others are as partition 0 of their topic. */
function layOut(data: string, from: string, all: readonly Case[], damaged: readonly Case[]): void {
  rmSync(data, { recursive: true, force: true });
  cpSync(from, data, { recursive: true });
  for (const one of all) {
    if (one.damage === undefined || damaged.includes(one)) continue;
    const log = join(data, nameOf(one));
    rmSync(log, { recursive: true });
    cpSync(join(from, `${one.topic}-0`), log, { recursive: true });
  }
}

/** How Apache Kafka shows the logs of the directory `from`, on copies of it at `data`. Those that it does not start with have no view. */
export async function viewsOfApacheKafka(
  place: Directory,
  jars: string,
  from: string,
  data: string,
  all: readonly Case[],
): Promise<Views> {
  let named = 0;
  const open = async (cases: readonly Case[]): Promise<Views> => {
    layOut(data, from, all, cases);
    try {
      return await viewsOf(place, 'Apache Kafka', jars, data, cases);
    } catch (error) {
      const damaged = cases.filter(({ damage }) => damage !== undefined);
      if (damaged.length === 0) throw error;
      const words = lastWords(linesSaid(place));
      const why = words[1] ?? words[0] ?? String(error);
      const culprit = damaged.length === 1 ? damaged[0] : named++ < NAMED ? culpritOf(words, damaged) : undefined;
      if (culprit?.damage === undefined) {
        console.log(`# Apache Kafka does not start with one of ${damaged.length} logs, and does not name it: ${why}`);
        const middle = cases.length >> 1;
        return new Map([...(await open(cases.slice(0, middle))), ...(await open(cases.slice(middle)))]);
      }
      console.log(`# Apache Kafka does not start with ${nameOf(culprit)}, ${told(culprit.damage)}: ${why}`);
      return open(cases.filter((one) => one !== culprit));
    }
  };
  return open(all);
}
