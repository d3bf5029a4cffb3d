/** A client that connects again by itself, asks again what may pass, and gives up when told to. What it asks, it asks in order. */
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { NoAnswer, PlainClient, type Address } from '../../test/support/plain-client.ts';

/** Errors that say: nothing was done, ask again. */
const PASSING = new Set<number>([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.UNSTABLE_OFFSET_COMMIT,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
]);

/** Errors after which nobody knows whether it was done; asking again is safe for everything a transaction consists of. */
const UNCERTAIN = new Set<number>([ErrorCode.REQUEST_TIMED_OUT, ErrorCode.NETWORK_EXCEPTION]);

/** Neither an answer nor an error that stays came in time. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
}

/** An error that stays. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: number;
  /** Whether an earlier try may have been carried out. */
  readonly uncertain: boolean;

  constructor(what: string, code: number, uncertain: boolean) {
    super(`${what}: ${Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? code}`);
    this.code = code;
    this.uncertain = uncertain;
  }
}

/** Asks once. NoAnswer when there is none. */
export type Exchange = <N extends ApiName>(
  name: N,
  draft: ApiTypes[N]['requestDraft'],
  version: number,
) => Promise<ApiTypes[N]['response']>;

/** Stands between the clients and the broker, and may ask for something else than it was asked for, or answer something else than was answered. */
export type Layer = (forward: Exchange) => Exchange;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Connection {
  private readonly to: Address;
  private readonly clientId: string;
  private readonly patienceMs: number;
  private client: PlainClient | undefined;
  private readonly isLayered: boolean;
  /** One try. */
  readonly call: Exchange;

  /** `patienceMs`: how long one answer is waited for before the connection is given up. */
  constructor(to: Address, clientId: string, patienceMs: number, layer?: Layer) {
    this.to = to;
    this.clientId = clientId;
    this.patienceMs = patienceMs;
    this.isLayered = layer !== undefined;
    const call: Exchange = async (name, draft, version) => {
      for await (const answer of this.exchange(name, [draft], version)) return answer;
      throw new NoAnswer(name);
    };
    this.call = layer === undefined ? call : layer(call);
  }

  private async *exchange<N extends ApiName>(
    name: N,
    drafts: readonly ApiTypes[N]['requestDraft'][],
    version: number,
  ): AsyncGenerator<ApiTypes[N]['response']> {
    this.client ??= new PlainClient(this.to, this.patienceMs);
    const client = this.client;
    try {
      yield* client.calls(name, drafts, version, this.clientId);
    } catch (error) {
      client.close();
      if (this.client === client) this.client = undefined;
      throw error;
    }
  }

  /** Asks until there is an answer that stays: what `errorOf` finds in it decides. GaveUp after `untilMs`, Refused with any other error. */
  async settle<N extends ApiName>(
    name: N,
    draft: ApiTypes[N]['requestDraft'],
    version: number,
    errorOf: (response: ApiTypes[N]['response']) => number,
    untilMs: number,
  ): Promise<ApiTypes[N]['response']> {
    const deadline = Date.now() + untilMs;
    let uncertain = false;
    for (let wait = 5; ; wait = Math.min(100, wait * 2)) {
      try {
        const response = await this.call(name, draft, version);
        const code = errorOf(response);
        if (code === 0) return response;
        if (!PASSING.has(code) && !UNCERTAIN.has(code)) throw new Refused(name, code, uncertain);
        if (UNCERTAIN.has(code)) uncertain = true;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        uncertain = true;
      }
      if (Date.now() > deadline) throw new GaveUp(name);
      await pause(wait);
    }
  }

  /**
   * The same for requests that go out one behind the other: those that follow one that failed are asked again with it, as they come out of order then. One by one through a layer.
   */
  async settleAll<N extends ApiName>(
    name: N,
    drafts: readonly ApiTypes[N]['requestDraft'][],
    version: number,
    errorOf: (response: ApiTypes[N]['response']) => number,
    untilMs: number,
  ): Promise<ApiTypes[N]['response'][]> {
    const settled: ApiTypes[N]['response'][] = [];
    const deadline = Date.now() + untilMs;
    while (settled.length < drafts.length) {
      const rest = drafts.slice(settled.length);
      const [first] = rest;
      if (this.isLayered || rest.length === 1 || Date.now() > deadline) {
        if (first !== undefined) settled.push(await this.settle(name, first, version, errorOf, deadline - Date.now()));
        continue;
      }
      try {
        let isWhole = true;
        for await (const answer of this.exchange(name, rest, version)) {
          isWhole &&= errorOf(answer) === 0;
          if (isWhole) settled.push(answer);
        }
        // The one that failed is asked again alone, which tells what is to become of it.
        const next = drafts[settled.length];
        if (!isWhole && next !== undefined) settled.push(await this.settle(name, next, version, errorOf, deadline - Date.now()));
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        await pause(20);
      }
    }
    return settled;
  }

  /** The connection is gone, whatever it waits for. */
  cut(): void {
    this.client?.close();
    this.client = undefined;
  }
}
