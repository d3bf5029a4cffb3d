/** Partitions and brokers as a client on one listener gets to see them: shared by Metadata and the Describe requests. */
import type { PartitionImage } from '../machine/metadata/topic-image.ts';
import { directoryOf, isDirectoryOnline } from '../wire/directory-id.ts';
import type { Context, Endpoint } from './context.ts';

/** In place of a broker's id. */
export const NO_BROKER = -1;

/** Brokers that are not fenced and that the client can reach. */
export function aliveBrokers(context: Context): readonly Endpoint[] {
  const alive: Endpoint[] = [];
  for (const { id } of context.image.brokers.values()) {
    const endpoint = aliveBroker(id, context);
    if (endpoint !== undefined) alive.push(endpoint);
  }
  return alive;
}

/** Any broker that is alive serves as controller for clients: requests are passed on (KIP-590). This one first. */
export function controllerFor(context: Context): number {
  if (aliveBroker(context.nodeId, context) !== undefined) return context.nodeId;
  return aliveBrokers(context)[0]?.nodeId ?? NO_BROKER;
}

/** A request's answers use one of these: brokers are looked up once each, however many partitions they have. */
export class BrokerView {
  readonly #context: Context;
  readonly #alive = new Map<number, boolean>();

  constructor(context: Context) {
    this.#context = context;
  }

  isAlive(brokerId: number): boolean {
    let alive = this.#alive.get(brokerId);
    if (alive === undefined) {
      alive = aliveBroker(brokerId, this.#context) !== undefined;
      this.#alive.set(brokerId, alive);
    }
    return alive;
  }

  isRegistered(brokerId: number): boolean {
    return this.#context.image.brokers.has(brokerId);
  }

  /** The same list when all are alive. */
  aliveOf(brokers: readonly number[]): readonly number[] {
    return brokers.every((id) => this.isAlive(id)) ? brokers : brokers.filter((id) => this.isAlive(id));
  }

  offlineReplicas(partition: PartitionImage): readonly number[] {
    return partition.replicas.filter((id) => {
      const online = this.#context.image.brokers.get(id)?.logDirs ?? [];
      return !this.isAlive(id) || !isDirectoryOnline(directoryOf(partition, id), online);
    });
  }
}

function aliveBroker(id: number, context: Context): Endpoint | undefined {
  return context.image.brokers.get(id)?.fenced === false ? context.endpointOf(id, context.connection) : undefined;
}
