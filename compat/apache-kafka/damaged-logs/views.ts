/** A broker on a directory of damaged logs, and how it shows each of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlainClient } from '../../../test/support/plain-client.ts';
import { type Directory, newDirectory, type Owner, ownedBy, SAID } from '../directory-owner.ts';
import { LASTING } from '../graduation/settings.ts';
import type { Damage } from './damage.ts';
import { LOGS } from './load.ts';
import { isServed, look, lookAgain, type Questions, type View } from './look.ts';

/** Without a damage: what the others were before theirs. */
export interface Case extends Questions {
  readonly damage?: Damage;
}

export type Views = Map<Case, View>;

/** How many logs are asked about at a time. */
const ASKED_AT_ONCE = 4;
const PATIENCE_MS = 30_000;
const SETTINGS = [
  ...LASTING,
  'offsets.topic.num.partitions=1',
  'transaction.state.log.num.partitions=1',
  'log.retention.ms=-1',
  'log.index.size.max.bytes=65536',
  'num.recovery.threads.per.data.dir=4',
  // Nothing is compacted but when it is told to be.
  'log.cleaner.min.compaction.lag.ms=9000000000000000000',
];

/** The ports stay the same for all data directories: the metadata say where the controller listens. */
export const newPlace = async (folder: string): Promise<Directory> => newDirectory(folder, SETTINGS);

/** The same broker, on another data directory. */
export function withData(place: Directory, data: string): Directory {
  const text = readFileSync(place.properties, 'utf8').replace(/^log\.dirs=.*$/m, `log.dirs=${data}`);
  writeFileSync(place.properties, text);
  return { ...place, dataDirs: [data] };
}

export const linesSaid = ({ folder }: Directory): string[] => readFileSync(join(folder, SAID), 'utf8').split('\n');

/** Fails at once where Apache Kafka says that it will not lead them. */
async function untilServed(client: PlainClient, directory: Directory, owner: Owner): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (const topic of Object.keys(LOGS)) {
    while (!(await isServed(client, topic))) {
      const fault =
        owner === 'Blumfeld' ? undefined : linesSaid(directory).find((line) => line.includes('metadata publishing fault'));
      if (fault !== undefined || Date.now() > deadline)
        throw new Error(`${owner} does not lead ${topic}-0: ${fault ?? 'it says nothing'}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** All logs as they are, then once more in their turn as appends to them have left them. The broker is killed. */
export async function viewsOf(
  place: Directory,
  owner: Owner,
  jars: string,
  data: string,
  cases: readonly Case[],
): Promise<Views> {
  const directory = withData(place, data);
  const views: Views = new Map();
  const clients: PlainClient[] = [];
  const each = async (work: (one: Case, client: PlainClient) => Promise<void>): Promise<void> => {
    const left = [...cases];
    await Promise.all(
      clients.map(async (client) => {
        for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one, client);
      }),
    );
  };
  const ask = async (client: PlainClient): Promise<void> => {
    for (let i = 0; i < ASKED_AT_ONCE; i++) clients.push(new PlainClient({ host: '127.0.0.1', port: directory.port }));
    await untilServed(client, directory, owner);
    await each(async (one, other) => void views.set(one, await look(other, one)));
    await each((one, other) => lookAgain(other, one, views.get(one) ?? new Map()));
  };
  try {
    await ownedBy(directory, owner, jars, ask, 'SIGKILL');
  } finally {
    for (const client of clients) client.close();
  }
  return views;
}
