/**
 * A live broker in a process of its own is sent requests of every API at every version it advertises, half of them damaged byte by byte as well. It may refuse,
 * and it may close the connection; it must go on, say nothing about a failed handler, and keep what was stored.
 */
import { HANDLERS } from '../../src/api/table.ts';
import { APIS, type Api, type ApiName } from '../../src/wire/generated/apis.ts';
import { writeRequestHeader } from '../../src/wire/generated/request-header.ts';
import { servedApi } from '../../src/wire/header.ts';
import { Writer } from '../../src/wire/writer.ts';
import { Victim } from '../../test/hostile/victim.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { apiSchemas, type Schema } from '../../test/support/protocol-data.ts';
import { FrameClient } from './frame-client.ts';
import { Grammar, mutated } from './grammar.ts';

const TOPICS = ['fuzz-a', 'fuzz-b', 'fuzz-c'];
const LOOK_EVERY = 500;
const LANES = 4;
const MAX_RESIDENT_BYTES = 900 * 1024 * 1024;

export interface Outcome {
  readonly requests: number;
  readonly findings: readonly string[];
}

interface Target {
  readonly name: ApiName;
  readonly api: Api;
  readonly schema: Schema;
  readonly versions: readonly number[];
}

function targets(): Target[] {
  const schemas = new Map(apiSchemas().map((schema) => [schema.key, schema]));
  return (Object.keys(HANDLERS) as ApiName[]).flatMap((name) => {
    const api = APIS[name] as unknown as Api;
    const served = servedApi(api.key);
    const schema = schemas.get(api.key)?.request;
    if (HANDLERS[name] === null || served === undefined || schema === undefined) return [];
    const versions = Array.from({ length: served.maxVersion - served.minVersion + 1 }, (_, i) => served.minVersion + i);
    return [{ name, api, schema, versions }];
  });
}

/** Header and body; undefined where the drawn values cannot be written. */
function contentOf({ api, schema }: Target, version: number, grammar: Grammar, correlationId: number): Buffer | undefined {
  const w = new Writer();
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId: 'fuzz' };
  writeRequestHeader(w, header, version >= api.flexibleFrom ? 2 : 1);
  try {
    api.writeRequest(w, grammar.request(schema, version), version);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return Buffer.concat([...w.chunks()]);
}

async function idsOf(victim: Victim): Promise<string[]> {
  const { topics } = await victim.ask('metadata', 12, { topics: TOPICS.map((name) => ({ name })) });
  return topics.map(({ topicId }) => topicId);
}

/** Sends frames that were found before, then new ones until the time is over. */
export async function fuzzRequests(seed: number, seconds: number, known: readonly Buffer[]): Promise<Outcome> {
  const victim = await Victim.start({ settings: { 'offsets.topic.num.partitions': '2' }, topics: TOPICS });
  const run = new RequestFuzzer(victim, seed);
  try {
    await run.replay(known);
    await run.until(performance.now() + seconds * 1000, await idsOf(victim));
  } catch (error) {
    run.found(`${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    const { code, stderr } = await victim.stop();
    if (code !== 0) run.found(`the broker ended with ${code}: ${stderr.slice(0, 2000)}`);
  }
  return { requests: run.requests, findings: run.findings };
}

class RequestFuzzer {
  readonly findings: string[] = [];
  requests = 0;
  readonly #victim: Victim;
  readonly #seed: number;
  /** What was sent last, newest at the end. */
  readonly #recent: string[] = [];
  #said = '';

  constructor(victim: Victim, seed: number) {
    this.#victim = victim;
    this.#seed = seed;
    victim.onError((text) => {
      this.#said += text;
    });
  }

  found(what: string): void {
    if (this.findings.length < 5)
      this.findings.push(`${what}\nseed ${this.#seed}; last sent:\n${this.#recent.slice(-LANES * 2).join('\n')}`);
  }

  async #send(client: FrameClient, frame: Buffer, expectsAnswer: boolean): Promise<void> {
    this.requests++;
    this.#recent.push(frame.toString('hex').slice(0, 4000));
    if (this.#recent.length > 50) this.#recent.shift();
    await client.exchange(frame, expectsAnswer);
    if (this.#said === '') return;
    this.found(`the broker says: ${this.#said}`);
    this.#said = '';
  }

  async replay(frames: readonly Buffer[]): Promise<void> {
    const client = new FrameClient(this.#victim.address);
    for (const frame of frames) await this.#send(client, frame, false);
    client.close();
    await this.#victim.serves();
  }

  async until(end: number, topicIds: readonly string[]): Promise<void> {
    const all = targets();
    const random = new SeededRandom(this.#seed);
    const lane = async (): Promise<void> => {
      const own = random.fork();
      const grammar = new Grammar(own, { topics: TOPICS, topicIds });
      const client = new FrameClient(this.#victim.address);
      while (performance.now() < end && this.findings.length === 0) {
        const target = own.pick(all);
        const version = own.pick(target.versions);
        const content = contentOf(target, version, grammar, own.below(1000));
        if (content === undefined) continue;
        const damaged = own.oneIn(2);
        await this.#send(client, damaged ? mutated(content, own) : content, !damaged);
      }
      client.close();
    };
    const looking = this.#look(end);
    await Promise.all(Array.from({ length: LANES }, lane));
    await looking;
    await this.#victim.serves();
  }

  async #look(end: number): Promise<void> {
    for (let at = LOOK_EVERY; performance.now() < end && this.findings.length === 0; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (this.requests < at) continue;
      at = this.requests + LOOK_EVERY;
      await this.#victim.serves();
      const resident = this.#victim.rssBytes();
      if (resident > MAX_RESIDENT_BYTES) this.found(`${Math.round(resident / 1024 / 1024)} MiB resident`);
    }
  }
}
