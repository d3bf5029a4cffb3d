/** Plays a stream of requests to both brokers in the same order and says where the answers differ. */
import { TOPICS } from './values.ts';
import type { Address } from '../../../../test/support/plain-client.ts';
import type { Plain } from '../compare.ts';
import { unexplained } from './differences.ts';
import type { StreamRequest } from './request.ts';
import { pause, Side } from './side.ts';

export interface Brokers {
  readonly kafka: Address;
  readonly blumfeld: Address;
}

export interface Difference {
  readonly index: number;
  readonly request: StreamRequest;
  readonly lines: readonly string[];
  /** The same for the same mistake, whatever the names and indexes. */
  readonly signature: string;
}

/** Asked again while they differ: a broker of Apache Kafka takes up what its controller has decided a moment later. */
const READS = new Set([
  'metadata',
  'describeTopicPartitions',
  'describeConfigs',
  'describeLogDirs',
  'listConfigResources',
  'describeGroups',
  'listGroups',
]);
const CHANGES_TOPICS = new Set(['createTopics', 'deleteTopics', 'createPartitions', 'metadata']);
const CHANGES_CONFIGS = new Set(['alterConfigs', 'incrementalAlterConfigs']);
const ENDS_TRANSACTIONS = new Set(['initProducerId', 'endTxn']);
const TRIES = 160;
const PAUSE_MS = 25;

const signatureOf = (request: StreamRequest, lines: readonly string[]): string => {
  const [first = ''] = lines;
  return `${request.api} ${first
    .replaceAll(/\[\d+\]/g, '[]')
    .replaceAll(/s\d+-\d+-/g, '')
    .slice(0, 160)}`;
};

const outcomeOf = (answer: Plain): Plain =>
  answer !== null && typeof answer === 'object' && !Array.isArray(answer) ? (answer.errorCode ?? null) : answer;

export class Play {
  private readonly sides: readonly [Side, Side];
  private readonly prefix: string;
  readonly differences: Difference[] = [];

  constructor(brokers: Brokers, prefix: string, timestamp: number) {
    this.prefix = prefix;
    this.sides = [new Side(brokers.kafka, prefix, timestamp), new Side(brokers.blumfeld, prefix, timestamp)];
  }

  async run(requests: readonly StreamRequest[]): Promise<void> {
    let held: (() => Promise<void>) | undefined;
    for (const [index, request] of requests.entries()) {
      const waiting = await this.send(index, request);
      await held?.();
      held = request.held === true ? waiting : undefined;
      if (request.held !== true) await waiting();
    }
    await held?.();
    await this.clean();
  }

  /** Sends to both; what is returned waits for both answers and compares them. */
  private async send(index: number, request: StreamRequest): Promise<() => Promise<void>> {
    const sent = await Promise.all(this.sides.map((side) => side.send(request)));
    return async () => {
      const [kafka = null, blumfeld = null] = await Promise.all(sent.map(({ answer }) => answer));
      const lines = await this.compared(request, kafka, blumfeld);
      if (lines.length > 0) this.differences.push({ index, request, lines, signature: signatureOf(request, lines) });
      if (request.api === 'fetch' && outcomeOf(kafka) !== outcomeOf(blumfeld))
        for (const side of this.sides) side.forgetSession();
      await this.settle(index, request, blumfeld);
    };
  }

  private async compared(request: StreamRequest, kafka: Plain, blumfeld: Plain): Promise<readonly string[]> {
    let lines = unexplained(request, kafka, blumfeld, this.prefix);
    if (!READS.has(request.api)) return lines;
    for (let tried = 0; lines.length > 0 && tried < TRIES; tried++) {
      await pause(PAUSE_MS);
      const answers = await Promise.all(this.sides.map(async (side) => (await side.send(request)).answer));
      lines = unexplained(request, answers[0] ?? null, answers[1] ?? null, this.prefix);
    }
    return lines;
  }

  /** Waits until both brokers show and serve what a request has changed. */
  private async settle(index: number, request: StreamRequest, answer: Plain): Promise<void> {
    if (CHANGES_TOPICS.has(request.api)) {
      if (request.api === 'metadata' && !mayCreate(request, answer)) return;
      const lines = await this.topicsAlike(request.api === 'metadata');
      if (lines.length > 0) {
        this.differences.push({ index, request, lines, signature: `after ${signatureOf(request, lines)}` });
      }
    }
    if (CHANGES_CONFIGS.has(request.api)) await this.configsAlike(request);
    if (ENDS_TRANSACTIONS.has(request.api)) await Promise.all(this.sides.map((side) => this.transactionsEnded(side)));
  }

  /** Waits until the ends that are decided stand in every partition. */
  private async transactionsEnded(side: Side): Promise<void> {
    const transactionalIds = [0, 1].map((id) => `${this.prefix}tx${id}`);
    for (let tried = 0; tried < TRIES; tried++) {
      const { transactionStates } = await side.quiet('describeTransactions', 0, { transactionalIds });
      if (!transactionStates.some(({ transactionState }) => transactionState.startsWith('Prepare'))) return;
      await pause(PAUSE_MS);
    }
  }

  private async topicsAlike(created: boolean): Promise<readonly string[]> {
    const names = Array.from({ length: TOPICS }, (_, i) => `${this.prefix}t${i}`);
    let lines: readonly string[] = [];
    for (let tried = 0; tried < TRIES * 2; tried++) {
      if (tried > 0 || created) await pause(PAUSE_MS);
      const views = await Promise.all(this.sides.map((side) => this.view(side, names)));
      const [kafka = null, blumfeld = null] = views.map(({ topics }) => topics);
      lines =
        JSON.stringify(kafka) === JSON.stringify(blumfeld)
          ? []
          : [`topics: Kafka ${JSON.stringify(kafka)}, Blumfeld ${JSON.stringify(blumfeld)}`];
      if (lines.length === 0 && views.every(({ ready }) => ready)) return [];
    }
    return lines;
  }

  /** How many partitions each topic has, and whether all of them are led. */
  private async view(side: Side, names: readonly string[]): Promise<{ topics: Plain; ready: boolean }> {
    const metadata = await side.quiet('metadata', 12, { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false });
    const topics = metadata.topics.map((one) => ({ name: one.name, error: one.errorCode, partitions: one.partitions.length }));
    for (const one of metadata.topics) if (one.name !== null && one.errorCode === 0) side.learnTopic(one.name, one.topicId);
    const there = metadata.topics.filter((one) => one.errorCode === 0);
    const offsets = await side.quiet('listOffsets', 7, {
      replicaId: -1,
      topics: there.map((one) => ({
        name: String(one.name),
        partitions: one.partitions.map(({ partitionIndex }) => ({ partitionIndex, timestamp: -1 })),
      })),
    });
    const ready = offsets.topics.every((topic) => topic.partitions.every((one) => one.errorCode === 0));
    topics.sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1));
    return { topics: topics.map((one) => ({ ...one, name: String(one.name).slice(this.prefix.length) })), ready };
  }

  private async configsAlike(request: StreamRequest): Promise<void> {
    const resources = (request.body.resources as readonly { resourceType: number; resourceName: string }[]).map(
      ({ resourceType, resourceName }) => ({ resourceType, resourceName, configurationKeys: null }),
    );
    const asking: StreamRequest = {
      api: 'describeConfigs',
      version: 4,
      body: { resources, includeSynonyms: true, includeDocumentation: false },
    };
    const answers = await Promise.all(this.sides.map(async (side) => (await side.send(asking)).answer));
    await this.compared(asking, answers[0] ?? null, answers[1] ?? null);
  }

  private async clean(): Promise<void> {
    const names = Array.from({ length: TOPICS }, (_, i) => `${this.prefix}t${i}`);
    await Promise.all(
      this.sides.map(async (side) => {
        await side.quiet('deleteTopics', 5, { topicNames: names, timeoutMs: 10_000 }).catch(() => undefined);
        side.close();
      }),
    );
  }
}

/** A Metadata request may have made the topics that it did not find. */
function mayCreate(request: StreamRequest, answer: Plain): boolean {
  if (request.version >= 4 && request.body.allowAutoTopicCreation !== true) return false;
  const topics = answer !== null && typeof answer === 'object' && !Array.isArray(answer) ? answer.topics : null;
  return (
    Array.isArray(topics) &&
    topics.some((one) => one !== null && typeof one === 'object' && !Array.isArray(one) && one.errorCode !== 0)
  );
}
