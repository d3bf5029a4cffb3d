/** One of the two brokers while a stream is played: resolves symbols, sends, learns what the broker drew itself, and names it by symbols in answers. */
import type { ApiName, ApiTypes } from '../../../../src/wire/generated/apis.ts';
import { buildBatch } from '../../../../src/wire/record-batch-builder.ts';
import { type Address, NoAnswer, PlainClient } from '../../../../test/support/plain-client.ts';
import { NO_SUCH_ID, ZERO_ID } from '../case.ts';
import { plain, type Plain } from '../compare.ts';
import type { BatchPlan, Json, StreamRequest } from './request.ts';

/** How long an answer may take; no request of a stream is meant to wait for longer than a moment. */
const PATIENCE_MS = 8000;
/** How long a request that will be held has to arrive before the next one is sent. */
const HEAD_START_MS = 60;
/** CONCURRENT_TRANSACTIONS, and NOT_ENOUGH_REPLICAS, in whose name older producers are told of it. */
const NOT_DONE = /"(?:partitionErrorCode|errorCode)":(?:51|19)\b/;
const CONCURRENT_TRIES = 40;
const CONCURRENT_PAUSE_MS = 25;
const SYMBOL = /^\$(t|id|g|m|gen|s|e|ts|n|i|c|p|pe|q):(.*)$/;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A plan whose symbols are resolved. */
type ResolvedPlan = Omit<BatchPlan, 'producerId' | 'producerEpoch' | 'baseSequence'> & {
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
};

function batchOf(plan: ResolvedPlan, timestamp: number): Buffer {
  const { values, keyless, aheadMs = 0, damage, cut = 0, ...rest } = plan;
  const records = values.map((value, i) => ({
    key: keyless === true ? null : Buffer.from(`k${i}`),
    value: value === null ? null : Buffer.from(value),
    timestamp: timestamp + aheadMs + i,
  }));
  const bytes = buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, ...rest });
  if (damage !== undefined) Buffer.from(damage.hex, 'hex').copy(bytes, damage.position);
  return bytes.subarray(0, Math.max(0, bytes.length - cut));
}

export class Side {
  private readonly to: Address;
  private readonly prefix: string;
  private readonly timestamp: number;
  private client: PlainClient;
  private second: PlainClient;
  private readonly topicIds = new Map<string, string>();
  private readonly timesMade = new Map<string, number>();
  private readonly members = new Map<string, string>();
  private readonly generations = new Map<string, number>();
  private clusterId = 'unknown';
  private session = { id: 0, epoch: 0 };
  /** By number of the transactional id. */
  private readonly producers = new Map<string, { readonly id: number; readonly epoch: number }>();
  private readonly sequences = new Map<string, number>();
  /** What the sequences become when all batches of the request under way are taken. */
  private taken = new Map<string, number>();
  /** What a broker drew, longest first when replaced, and the symbol it is shown as. */
  private readonly symbols = new Map<string, string>();

  constructor(to: Address, prefix: string, timestamp: number) {
    this.to = to;
    this.prefix = prefix;
    this.timestamp = timestamp;
    this.client = new PlainClient(to);
    this.second = new PlainClient(to);
  }

  /** After answers that differ, and are meant to, the sessions of the two brokers are not comparable any more. */
  forgetSession(): void {
    this.session = { id: 0, epoch: 0 };
  }

  close(): void {
    this.client.close();
    this.second.close();
  }

  /** The answer under symbols, or in words why there is none. Requests that are held return at once with a promise of the answer. */
  async send(request: StreamRequest): Promise<{ readonly answer: Promise<Plain> }> {
    this.taken = new Map();
    const body = this.resolve(request.body) as ApiTypes[ApiName]['requestDraft'];
    if (request.api === 'produce' && request.body.acks === 0) return { answer: this.unanswered(request, body) };
    const answer = this.settled(request, body);
    if (request.held === true) await Promise.race([answer, pause(HEAD_START_MS)]);
    return { answer };
  }

  /** Outside the comparison, in the newest version. A connection that an earlier request has cost is replaced, once. */
  async quiet<N extends ApiName>(api: N, version: number, draft: ApiTypes[N]['requestDraft']): Promise<ApiTypes[N]['response']> {
    try {
      return await this.client.call(api, draft, version, 'stream');
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.client.close();
      this.client = new PlainClient(this.to);
      return this.client.call(api, draft, version, 'stream');
    }
  }

  /** Asked again while the coordinator is not done with what was before, or a partition with finding out. */
  private async settled(request: StreamRequest, body: ApiTypes[ApiName]['requestDraft']): Promise<Plain> {
    for (let tried = 0; ; tried++) {
      const answer = await this.ask(request, body);
      if (tried === CONCURRENT_TRIES || !NOT_DONE.test(JSON.stringify(answer))) return answer;
      await pause(CONCURRENT_PAUSE_MS);
    }
  }

  private async ask(request: StreamRequest, body: ApiTypes[ApiName]['requestDraft']): Promise<Plain> {
    const client = request.held === true ? this.second : this.client;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new NoAnswer('silence')), PATIENCE_MS);
    });
    try {
      const answer = await Promise.race([client.call(request.api, body, request.version, 'stream'), late]);
      const shown = plain(answer);
      this.learn(request, shown);
      return this.named(shown);
    } catch (error) {
      if (!(error instanceof NoAnswer)) return `not readable: ${String(error)}`;
      client.close();
      if (client === this.second) this.second = new PlainClient(this.to);
      else this.client = new PlainClient(this.to);
      return error.message;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A Produce with acks of zero has no answer; whether the connection survives it is told by what follows. */
  private async unanswered(request: StreamRequest, body: ApiTypes[ApiName]['requestDraft']): Promise<Plain> {
    void this.client.call(request.api, body, request.version, 'stream').catch(() => undefined);
    const abandoned = this.client;
    this.client = new PlainClient(this.to);
    // The broker takes up connections independently: what was sent first is given time to be first.
    await pause(HEAD_START_MS);
    abandoned.close();
    return 'sent';
  }

  private resolve(value: Json): unknown {
    if (typeof value === 'string') return this.resolveText(value);
    if (Array.isArray(value)) return value.map((one) => this.resolve(one as Json));
    if (value === null || typeof value !== 'object') return value;
    const struct = value as { readonly [name: string]: Json };
    if (typeof struct.$hex === 'string') return Buffer.from(struct.$hex, 'hex');
    if (Array.isArray(struct.$batches)) {
      const plans = struct.$batches as unknown as BatchPlan[];
      return Buffer.concat(plans.map((plan) => batchOf(this.resolvedPlan(plan), this.timestamp)));
    }
    return Object.fromEntries(Object.entries(struct).map(([name, inner]) => [name, this.resolve(inner)]));
  }

  private resolvedPlan(plan: BatchPlan): ResolvedPlan {
    const { producerId, producerEpoch, baseSequence, ...rest } = plan;
    const number = (given: number | string | undefined): number | undefined =>
      typeof given === 'string' ? Number(this.resolve(given)) : given;
    const sequence = number(baseSequence);
    if (typeof baseSequence === 'string' && sequence !== undefined)
      this.taken.set(this.sequenceKey(baseSequence.slice('$q:'.length)), sequence + plan.values.length);
    const named = { producerId: number(producerId), producerEpoch: number(producerEpoch), baseSequence: sequence };
    return { ...rest, ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)) };
  }

  /** With every epoch sequences begin anew. */
  private sequenceKey(which: string): string {
    return `${which} ${this.producers.get(which.slice(0, which.indexOf('/')))?.epoch}`;
  }

  private resolveText(text: string): unknown {
    const [, kind, which = ''] = SYMBOL.exec(text) ?? [];
    switch (kind) {
      case 't':
        return `${this.prefix}t${which}`;
      case 'n':
        return `${this.prefix}${which}`;
      case 'g':
        return `${this.prefix}g${which}`;
      case 'id':
        return this.topicIds.get(`${this.prefix}t${which}`) ?? NO_SUCH_ID;
      case 'm':
        return this.members.get(which) ?? 'nobody';
      case 'gen':
        return this.generations.get(`${this.prefix}g${which}`) ?? 1;
      case 's':
        return this.session.id;
      case 'e':
        return this.session.epoch;
      case 'ts':
        return BigInt(this.timestamp + Number(which));
      case 'c':
        return this.clusterId;
      case 'p':
        return this.producers.get(which)?.id ?? -1;
      case 'pe':
        return this.producers.get(which)?.epoch ?? -1;
      case 'q':
        return this.sequences.get(this.sequenceKey(which)) ?? 0;
      case 'i':
        return BigInt(which);
      default:
        return text;
    }
  }

  private learn(request: StreamRequest, answer: Plain): void {
    this.learnTopics(answer);
    if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) return;
    if (typeof answer.clusterId === 'string') this.clusterId = answer.clusterId;
    if (request.api === 'joinGroup') this.learnMember(request, answer);
    this.learnProducer(request, answer);
    if (request.api === 'fetch' && answer.errorCode === 0 && Number(answer.sessionId) > 0) {
      const id = Number(answer.sessionId);
      this.session = { id, epoch: id === this.session.id ? this.session.epoch + 1 : 1 };
    }
  }

  private learnProducer({ api, body }: StreamRequest, answer: { readonly [name: string]: Plain }): void {
    const whose = /^\$n:tx(\d)$/.exec(String(body.transactionalId))?.[1];
    const { errorCode, producerId, producerEpoch } = answer;
    if ((api === 'initProducerId' || api === 'endTxn') && whose !== undefined && errorCode === 0 && Number(producerId ?? -1) >= 0)
      this.producers.set(whose, { id: Number(producerId), epoch: Number(producerEpoch) });
    if (api !== 'produce') return;
    if (!/"errorCode":[^0]/.test(JSON.stringify(answer))) for (const [key, next] of this.taken) this.sequences.set(key, next);
    this.taken = new Map();
  }

  private learnMember(request: StreamRequest, answer: { readonly [name: string]: Plain }): void {
    const memberId = String(answer.memberId);
    const groupId = String(request.body.groupId);
    if (!groupId.startsWith('$g:')) return;
    const which = `${groupId.slice(3)}.${request.member ?? 0}`;
    if (/-[0-9a-f]{8}-[0-9a-f]{4}-/.test(memberId)) {
      this.members.set(which, memberId);
      if (!this.symbols.has(memberId)) this.symbols.set(memberId, `<member ${this.symbols.size}>`);
    }
    if (answer.errorCode === 0) this.generations.set(`${this.prefix}g${groupId.slice(3)}`, Number(answer.generationId));
  }

  /** Every struct that holds a name and an id tells what the id means. */
  private learnTopics(value: Plain): void {
    if (Array.isArray(value)) return value.forEach((one) => this.learnTopics(one));
    if (value === null || typeof value !== 'object') return;
    const { name, topicId } = value;
    if (typeof name === 'string' && typeof topicId === 'string' && topicId !== ZERO_ID && topicId !== NO_SUCH_ID) {
      this.learnTopic(name, topicId);
    }
    for (const inner of Object.values(value)) this.learnTopics(inner);
  }

  learnTopic(name: string, topicId: string): void {
    if (!name.startsWith(this.prefix) || this.symbols.has(topicId)) return;
    const made = (this.timesMade.get(name) ?? 0) + 1;
    this.timesMade.set(name, made);
    this.topicIds.set(name, topicId);
    this.symbols.set(topicId, `<id of ${name.slice(this.prefix.length)}, ${made}>`);
  }

  private named(value: Plain): Plain {
    if (typeof value === 'string') {
      let text = value;
      for (const [actual, symbol] of this.symbols) if (text.includes(actual)) text = text.replaceAll(actual, symbol);
      return text;
    }
    if (Array.isArray(value)) return value.map((one) => this.named(one));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.named(inner)]));
  }
}
