/**
 * A broker in a process of its own that is treated badly, and what has to hold afterwards: it serves, its memory is back, nothing stored is harmed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { type ChildBroker, type Ended, runCommand } from '../support/child-broker.ts';
import { type Address, PlainClient } from '../support/plain-client.ts';

const MIB = 1024 * 1024;
/** What a load may leave behind: heap that the engine has grown and not given back. */
const SLACK_BYTES = 160 * MIB;
const MEMORY_PATIENCE_MS = 20_000;
/** Every collection looks at everything, so that what is resident is in use and not merely not collected yet. */
const COLLECTS_ALL = '--gc-global';
/**
 * glibc else moves the size from which on it gives memory back as soon as it is freed, up to 32 MiB, and keeps what lies below anything that is in use: hundreds of
 * megabytes or none, as it happens.
 */
const GIVES_BACK = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };
const PRODUCE = 9;
const FETCH = 12;

/** Written before anything happens, and compared after everything. */
const KEPT = 'kept';
/** Written to after each load. */
const ALIVE = 'alive';

export interface VictimOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Kept at the end when it is given. */
  readonly dataDir?: string;
  readonly topics?: readonly string[];
  /** How long its clients wait for an answer. */
  readonly patienceMs?: number;
}

export function batchOf(values: readonly (string | Buffer)[], timestamp = Date.now()): Buffer {
  const records = values.map((value) => ({ key: null, value: Buffer.from(value), timestamp }));
  return buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records });
}

export type Produced = ApiTypes['produce']['response']['responses'][number]['partitionResponses'][number];

export class Victim {
  readonly #o: VictimOptions;
  readonly dataDir: string;
  readonly #clients = new Set<PlainClient>();
  #broker: ChildBroker;
  #port = 0;
  #kept: Buffer = Buffer.alloc(0);
  #alive = 0;
  #rssBefore = 0;

  private constructor(options: VictimOptions, dataDir: string) {
    this.#o = options;
    this.dataDir = dataDir;
    this.#broker = this.#run();
  }

  static async start(options: VictimOptions = {}): Promise<Victim> {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'blumfeld-hostile-'));
    const victim = new Victim(options, dataDir);
    await victim.#isUp();
    await victim.#keep();
    await victim.serves();
    victim.#rssBefore = victim.rssBytes();
    return victim;
  }

  #run(): ChildBroker {
    const settings = Object.entries(this.#o.settings ?? {}).flatMap(([name, value]) => ['--override', `${name}=${value}`]);
    const topics = [KEPT, ALIVE, ...(this.#o.topics ?? [])].flatMap((topic) => ['--topic', topic]);
    const args = ['start', '--port', String(this.#port), '--data-dir', this.dataDir, ...topics, ...settings];
    return runCommand(args, GIVES_BACK, undefined, [COLLECTS_ALL]);
  }

  async #isUp(): Promise<void> {
    this.#port = await this.#broker.port();
  }

  get address(): Address {
    return { host: '127.0.0.1', port: this.#port };
  }

  get ended(): Promise<Ended> {
    return this.#broker.ended;
  }

  get pid(): number {
    const { pid } = this.#broker.process;
    if (pid === undefined) throw new Error('the broker was not started');
    return pid;
  }

  /** What it writes to its error output, as it comes. */
  onError(listener: (text: string) => void): void {
    this.#broker.process.stderr?.on('data', (chunk: Buffer) => listener(chunk.toString()));
  }

  /** Closed at the end. */
  client(): PlainClient {
    const client = new PlainClient(this.address, this.#o.patienceMs);
    this.#clients.add(client);
    return client;
  }

  /** One request over a connection of its own. */
  async ask<N extends ApiName>(name: N, version: number, draft: ApiTypes[N]['requestDraft']): Promise<ApiTypes[N]['response']> {
    const client = new PlainClient(this.address, this.#o.patienceMs);
    try {
      return await client.call(name, draft, version, 'hostile');
    } finally {
      client.close();
    }
  }

  async produce(topic: string, records: Buffer, client?: PlainClient): Promise<Produced> {
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
    const request = { acks: -1, timeoutMs: 1000, topicData };
    const { responses } = await (client === undefined
      ? this.ask('produce', PRODUCE, request)
      : client.call('produce', request, PRODUCE, 'hostile'));
    const [answer] = responses[0]?.partitionResponses ?? [];
    if (answer === undefined) throw new Error(`no answer for ${topic}`);
    return answer;
  }

  /** Everything in partition 0 from `offset` on, up to `maxBytes`. */
  async fetch(topic: string, offset = 0, maxBytes = 16 * MIB): Promise<Buffer> {
    const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: maxBytes }];
    const { responses, errorCode } = await this.ask('fetch', FETCH, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes,
      topics: [{ topic, partitions }],
    });
    const [answer] = responses[0]?.partitions ?? [];
    expect([errorCode, answer?.errorCode], `fetch of ${topic}`).to.deep.equal([0, 0]);
    return Buffer.from(answer?.records ?? Buffer.alloc(0));
  }

  /** The values of all records in partition 0, by as many fetches as it takes. */
  async values(topic: string): Promise<string[]> {
    const values: string[] = [];
    for (let offset = 0; ; ) {
      const records = batchesOf(await this.fetch(topic, offset)).flatMap((batch) => recordsOf(batch));
      const last = records.at(-1);
      if (last === undefined) return values;
      values.push(...records.map(({ value }) => String(value)));
      offset = last.offset + 1;
    }
  }

  async #keep(): Promise<void> {
    if ((await this.fetch(KEPT)).length === 0) {
      for (let i = 0; i < 20; i++) {
        const values = Array.from({ length: 25 }, (_, j) => `${i}/${j} ${'x'.repeat((i * 37 + j) % 200)}`);
        expect((await this.produce(KEPT, batchOf(values))).errorCode).to.equal(0);
      }
    }
    this.#kept = await this.fetch(KEPT);
  }

  /** A record goes in and comes out, and what was stored before is as it was. */
  async serves(): Promise<void> {
    const value = `alive ${this.#alive++}`;
    const { errorCode, baseOffset } = await this.produce(ALIVE, batchOf([value]));
    expect(errorCode, 'produce after the load').to.equal(0);
    const records = batchesOf(await this.fetch(ALIVE, Number(baseOffset))).flatMap((batch) => recordsOf(batch));
    expect(records.map((record) => String(record.value))).to.deep.equal([value]);
    expect((await this.fetch(KEPT)).equals(this.#kept), 'what is stored is as it was').to.equal(true);
  }

  #status(name: string, otherwise: number): number {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? otherwise);
    } catch {
      return otherwise;
    }
  }

  /** Resident bytes of the child; 0 where the machine does not say. */
  rssBytes(): number {
    return this.#status('VmRSS', 0) * 1024;
  }

  /** The most that was resident since the start; 0 where the machine does not say. */
  peakBytes(): number {
    return this.#status('VmHWM', 0) * 1024;
  }

  /** Small requests give the engine occasion to collect, until memory is what it was before the load and a bit. */
  async memoryIsBack(): Promise<void> {
    const limit = this.#rssBefore + SLACK_BYTES;
    const deadline = performance.now() + MEMORY_PATIENCE_MS;
    const client = this.client();
    while (this.rssBytes() > limit && performance.now() < deadline) {
      for (let i = 0; i < 50; i++) await client.call('metadata', { topics: null }, 12, 'hostile');
    }
    client.close();
    expect(this.rssBytes() / MIB, 'resident MiB after the load').to.be.below(limit / MIB);
  }

  /** What every hostile test ends with. */
  async isUnharmed(): Promise<void> {
    await this.serves();
    await this.memoryIsBack();
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    const ended = await this.end(signal);
    this.#broker = this.#run();
    await this.#isUp();
    return ended;
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    this.#broker.process.kill(signal);
    return this.#broker.ended;
  }

  /** Ends it and gives what it wrote on the way. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    const ended = await this.end(signal);
    if (this.#o.dataDir === undefined) rmSync(this.dataDir, { recursive: true, force: true });
    return ended;
  }
}
