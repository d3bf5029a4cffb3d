/**
 * A client's connection: requests out, answers in, matched by order and number. Written without the broker's own framing, so that one checks the other.
 *
 * Checked here: answers come in the order of their requests, whole, and nothing comes unasked.
 */
import { type Api, APIS, type ApiName, type ApiTypes } from '../../src/wire/generated/apis.ts';
import { writeRequestHeader } from '../../src/wire/generated/request-header.ts';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';
import type { FakeClient, FakeNetwork } from './fake-network.ts';
import type { Scheduler } from './scheduler.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Trace } from './trace.ts';
import { demand, Violation } from './violation.ts';

/** The connection went before the answer came: what was asked may have been done. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

interface Asked {
  readonly api: ApiName;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly askedAtMs: number;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

export interface LinkWorld {
  readonly scheduler: Scheduler;
  readonly network: FakeNetwork;
  readonly trace: Trace;
  readonly port: number;
  readonly links: Set<Link>;
  fail(error: unknown): void;
}

export class Link {
  readonly name: string;
  private readonly world: LinkWorld;
  private readonly random: SeededRandom;
  private readonly client: FakeClient;
  private readonly asked: Asked[] = [];
  private received = Buffer.alloc(0);
  private correlationId: number;
  isOpen = true;

  /** Raises Disconnected when nobody listens. */
  constructor(world: LinkWorld, name: string, random: SeededRandom) {
    this.world = world;
    this.name = name;
    this.random = random;
    this.correlationId = random.below(1000);
    const events = {
      data: (chunk: Buffer): void => {
        try {
          this.take(chunk);
        } catch (error) {
          world.fail(error);
        }
      },
      closed: (): void => this.gone(),
    };
    try {
      this.client = world.network.connect(world.port, { events });
    } catch {
      throw new Disconnected('nobody listens');
    }
    world.links.add(this);
  }

  /** The oldest request that waits for its answer. */
  get waitingFor(): { readonly api: string; readonly sinceMs: number } | undefined {
    const first = this.asked[0];
    return first && { api: first.api, sinceMs: first.askedAtMs };
  }

  request<N extends ApiName>(api: N, apiVersion: number, body: ApiTypes[N]['requestDraft']): Promise<ApiTypes[N]['response']> {
    return new Promise((resolve, reject) => {
      const correlationId = this.write(api, apiVersion, body, reject);
      if (correlationId === undefined) return;
      this.asked.push({ api, apiVersion, correlationId, askedAtMs: this.world.scheduler.busyMs, resolve, reject });
    });
  }

  /** For what is not answered. */
  send<N extends ApiName>(api: N, apiVersion: number, body: ApiTypes[N]['requestDraft']): void {
    this.write(api, apiVersion, body, () => undefined);
  }

  private write<N extends ApiName>(
    name: N,
    apiVersion: number,
    body: ApiTypes[N]['requestDraft'],
    reject: (error: Error) => void,
  ): number | undefined {
    if (!this.isOpen) {
      reject(new Disconnected(`${this.name} is closed`));
      return undefined;
    }
    const api = APIS[name] as Api<N>;
    const w = new Writer();
    w.int32(0);
    const correlationId = this.correlationId++;
    const header = { requestApiKey: api.key, requestApiVersion: apiVersion, correlationId, clientId: this.name };
    writeRequestHeader(w, header, apiVersion >= api.flexibleFrom ? 2 : 1);
    api.writeRequest(w, body, apiVersion);
    const frame = w.concat();
    frame.writeInt32BE(frame.length - 4, 0);
    this.world.trace.say(this.world.scheduler.nowMs, `${this.name} asks ${name} v${apiVersion}`);
    this.client.connection.write([frame]);
    return correlationId;
  }

  private take(chunk: Buffer): void {
    this.world.trace.bytes(chunk);
    this.received = Buffer.concat([this.received, chunk]);
    while (this.received.length >= 4) {
      const size = this.received.readInt32BE(0);
      demand(size >= 4 && size < 64 * 1024 * 1024, () => `${this.name} got a frame of ${size} bytes`);
      if (this.received.length < 4 + size) break;
      const frame = this.received.subarray(4, 4 + size);
      this.received = this.received.subarray(4 + size);
      this.answer(frame);
    }
    if (this.random.oneIn(40)) this.readSlowly();
  }

  private answer(frame: Buffer): void {
    const first = this.asked.shift();
    if (first === undefined) throw new Violation(`${this.name} got an answer that it did not ask for`);
    const reader = new Reader(frame);
    const correlationId = reader.int32();
    demand(
      correlationId === first.correlationId,
      () => `${this.name} asked ${first.api} as ${first.correlationId} and was answered ${correlationId}`,
    );
    const api = APIS[first.api] as unknown as Api;
    if (first.apiVersion >= api.flexibleFrom && first.api !== 'apiVersions') reader.uvarint();
    const answer = api.readResponse(reader, first.apiVersion);
    demand(reader.remaining === 0, () => `${reader.remaining} bytes behind the answer to ${first.api} v${first.apiVersion}`);
    first.resolve(answer as never);
  }

  private readSlowly(): void {
    const { connection } = this.client;
    connection.pause();
    this.world.scheduler.at(this.random.between(1, 200), 'reads again', () => connection.resume());
  }

  private gone(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.world.links.delete(this);
    for (const { reject } of this.asked.splice(0)) reject(new Disconnected(`${this.name} lost its connection`));
  }

  close(): void {
    if (!this.isOpen) return;
    this.client.connection.destroy();
    this.gone();
  }
}
