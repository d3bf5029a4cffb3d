/** What happens to the broker and to the connections while the clients are at work. */
import type { Chance } from '../apache-kafka/differential/stream/chance.ts';
import type { BrokerProcess } from './broker-process.ts';
import type { Connection } from './connection.ts';

export interface Victims {
  /** Undefined when nothing is to be done to it. */
  readonly broker: BrokerProcess | undefined;
  /** All that are open. */
  readonly connections: () => readonly Connection[];
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const FAULTS: { readonly [name: string]: (victims: Victims, chance: Chance) => Promise<void> } = {
  async kill({ broker }, chance) {
    await broker?.kill('SIGKILL');
    await sleep(chance.below(500));
    await broker?.start();
  },
  async restart({ broker }) {
    await broker?.kill('SIGTERM');
    await broker?.start();
  },
  async pause({ broker }, chance) {
    broker?.signal('SIGSTOP');
    await sleep(200 + chance.below(chance.often(0.3) ? 7000 : 1500));
    broker?.signal('SIGCONT');
  },
  async cutAll({ connections }) {
    for (const connection of connections()) connection.cut();
    await sleep(10);
  },
  async cutSome({ connections }, chance) {
    for (let left = 20; left > 0; left--) {
      for (const connection of connections()) if (chance.often(0.15)) connection.cut();
      await sleep(chance.below(50));
    }
  },
};

const CUTS = ['cutAll', 'cutSome'];
const WEIGHTED = ['kill', 'kill', 'kill', 'restart', 'pause', 'pause', 'cutAll', 'cutSome', 'cutSome'];

/** Fault after fault until the run is over; how many of each. None when the rest between them is endless. */
export async function harm(
  victims: Victims,
  chance: Chance,
  isOver: () => boolean,
  restMs: number,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  if (restMs === Infinity) return counts;
  for (;;) {
    const end = Date.now() + restMs / 2 + chance.below(restMs);
    while (Date.now() < end && !isOver()) await sleep(50);
    if (isOver()) return counts;
    const name = chance.one(victims.broker === undefined ? CUTS : WEIGHTED);
    await FAULTS[name]?.(victims, chance);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}
