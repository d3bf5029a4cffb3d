/**
 * A live broker in a process of its own is sent requests of every API at every version it advertises, half of them damaged byte by byte as well. It may refuse,
 * and it may close the connection; it must go on, say nothing about a failed handler, and keep what was stored.
 *
 * Invariants: whatever goes wrong is a finding and ends the run, never the process; the frames that were sent before it are kept whole.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HANDLERS } from '../../src/api/table.ts';
import { APIS, type Api, type ApiName } from '../../src/wire/generated/apis.ts';
import { writeRequestHeader } from '../../src/wire/generated/request-header.ts';
import { servedApi } from '../../src/wire/header.ts';
import { Writer } from '../../src/wire/writer.ts';
import { Victim } from '../../test/hostile/victim.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { NoAnswer } from '../../test/support/plain-client.ts';
import { apiSchemas, type Schema } from '../../test/support/protocol-data.ts';
import { FrameClient } from './frame-client.ts';
import { Grammar, mutated } from './grammar.ts';
import { patiently, Silence } from './patience.ts';

const TOPICS = ['fuzz-a', 'fuzz-b', 'fuzz-c'];
const LOOK_EVERY = 500;
const LOOK_EVERY_MS = 2000;
const LANES = 4;
const MAX_RESIDENT_BYTES = 900 * 1024 * 1024;
const MOST_FINDINGS = 5;
const MOST_RECENT = 50;
/** Patience is counted in the broker's own time; this is only not to wait forever. */
const UNTIL_SILENCE_IS_TOLD_MS = 3_600_000;

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

/** Sends frames that were found before, then new ones until the time is over. Those before a finding are kept in `folder`. */
export async function fuzzRequests(seed: number, seconds: number, known: readonly Buffer[], folder: string): Promise<Outcome> {
  const victim = await Victim.start({
    settings: { 'offsets.topic.num.partitions': '2' },
    topics: TOPICS,
    patienceMs: UNTIL_SILENCE_IS_TOLD_MS,
  });
  const run = new RequestFuzzer(victim, seed);
  await run.replay(known);
  await run.until(performance.now() + seconds * 1000);
  // Who does not answer may not heed a signal either.
  const { code, stderr } = await victim.stop(run.isSilent ? 'SIGKILL' : 'SIGTERM');
  if (code !== 0 && !run.isSilent) run.found(`the broker ended with ${code}: ${stderr.slice(0, 2000)}`);
  run.keepFrames(folder);
  return { requests: run.requests, findings: run.findings };
}

export class RequestFuzzer {
  readonly findings: string[] = [];
  requests = 0;
  isSilent = false;
  readonly #victim: Victim;
  readonly #seed: number;
  readonly #patienceMs: number | undefined;
  /** What was sent last, newest at the end. */
  readonly #recent: string[] = [];
  #said = '';

  /** `patienceMs`: of the broker's own time, before it is silent. */
  constructor(victim: Victim, seed: number, patienceMs?: number) {
    this.#victim = victim;
    this.#seed = seed;
    this.#patienceMs = patienceMs;
    victim.onError((text) => {
      this.#said += text;
    });
  }

  found(what: string): void {
    if (this.findings.length < MOST_FINDINGS) this.findings.push(`${what}\nseed ${this.#seed}, after ${this.requests} requests`);
  }

  /** Writes what was sent before a finding, as regressions.txt has it, and says where. */
  keepFrames(folder: string): void {
    if (this.findings.length === 0) return;
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `requests-${this.#seed}.txt`);
    writeFileSync(file, `${this.#recent.join('\n')}\n`);
    this.findings.push(`the last ${this.#recent.length} frames are in ${file}, newest at the end`);
  }

  async #send(client: FrameClient, frame: Buffer, expectsAnswer: boolean): Promise<void> {
    this.requests++;
    this.#recent.push(frame.toString('hex'));
    if (this.#recent.length > MOST_RECENT) this.#recent.shift();
    await client.exchange(frame, expectsAnswer);
    if (this.#said === '') return;
    this.found(`the broker says: ${this.#said}`);
    this.#said = '';
  }

  /** What has to go well while the broker is treated badly. */
  async #whole(what: () => Promise<void>): Promise<void> {
    try {
      await patiently(this.#victim, what(), this.#patienceMs);
    } catch (error) {
      const { name, message, stack } = error as Error;
      if (error instanceof Silence) this.isSilent = true;
      const isExpected = error instanceof Silence || error instanceof NoAnswer || name === 'AssertionError';
      this.found(isExpected ? `${name}: ${message}` : String(stack));
    }
  }

  async #serves(): Promise<void> {
    await this.#whole(() => this.#victim.serves());
  }

  async replay(frames: readonly Buffer[]): Promise<void> {
    const client = new FrameClient(this.#victim.address);
    for (const frame of frames) await this.#send(client, frame, false);
    client.close();
    await this.#serves();
  }

  /** Until `endMs` or a finding. */
  async until(endMs: number): Promise<void> {
    let topicIds: string[] = [];
    await this.#whole(async () => {
      topicIds = await idsOf(this.#victim);
    });
    const isOver = (): boolean => performance.now() >= endMs || this.findings.length > 0;
    const random = new SeededRandom(this.#seed);
    const all = targets();
    const lane = async (): Promise<void> => {
      const own = random.fork();
      const grammar = new Grammar(own, { topics: TOPICS, topicIds });
      const client = new FrameClient(this.#victim.address);
      while (!isOver()) {
        const target = own.pick(all);
        const version = own.pick(target.versions);
        const content = contentOf(target, version, grammar, own.below(1000));
        if (content === undefined) continue;
        const damaged = own.oneIn(2);
        await this.#send(client, damaged ? mutated(content, own) : content, !damaged);
      }
      client.close();
    };
    await Promise.all([this.#look(isOver), ...Array.from({ length: LANES }, lane)]);
    if (this.findings.length === 0) await this.#serves();
  }

  async #look(isOver: () => boolean): Promise<void> {
    for (let [at, beforeMs] = [0, 0]; !isOver(); ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (this.requests < at && performance.now() < beforeMs) continue;
      at = this.requests + LOOK_EVERY;
      beforeMs = performance.now() + LOOK_EVERY_MS;
      await this.#serves();
      const resident = this.#victim.rssBytes();
      if (resident > MAX_RESIDENT_BYTES) this.found(`${Math.round(resident / 1024 / 1024)} MiB resident`);
    }
  }
}
