/** Where to go instead: the leader of partitions that are not led here, and how to reach it (KIP-951). */
import type { Context } from './context.ts';

export interface LeaderHint {
  /** -1 when there is none, or none that is known. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface LeaderEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export class LeaderHints {
  readonly #context: Context;
  readonly #endpoints = new Map<number, LeaderEndpoint>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Endpoints of all leaders named so far. */
  get endpoints(): readonly LeaderEndpoint[] {
    return this.#endpoints.size === 0 ? NONE : [...this.#endpoints.values()];
  }

  of(topic: string, index: number): LeaderHint {
    const here = this.#context.partitions.find(topic, index);
    const image = this.#context.image.partition(topic, index);
    const leaderId = here?.leaderId ?? image?.leader ?? -1;
    const leaderEpoch = here?.leaderEpoch ?? image?.leaderEpoch ?? -1;
    const endpoint = leaderId < 0 ? undefined : this.#context.endpointOf(leaderId, this.#context.connection);
    if (endpoint !== undefined) this.#endpoints.set(leaderId, endpoint);
    return { leaderId, leaderEpoch };
  }
}

const NONE: readonly LeaderEndpoint[] = [];
