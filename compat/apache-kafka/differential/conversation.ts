/** One case at one version against one broker: what is asked, what is answered, and the set-up that is not part of the comparison. */
import { servedVersions } from './versions.ts';
import { plain, type Plain } from './compare.ts';
import { type Address, PlainClient, NoAnswer } from '../../../test/support/plain-client.ts';
import { fit } from './fit.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import type { ApiName, ApiTypes } from '../../../src/wire/generated/apis.ts';
import { buildBatch, type BatchDraft } from '../../../src/wire/record-batch-builder.ts';

export interface Entry {
  readonly api: string;
  readonly answer: Plain;
}

export interface Topic {
  readonly name: string;
  readonly topicId: string;
}

interface CallOptions {
  readonly version?: number;
  /** Another connection than the first, by any name. */
  readonly on?: string;
  /** Not part of the comparison. */
  readonly quiet?: boolean;
}

const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
]);

/** Record timestamps of all cases: fixed for a run, so that both brokers are sent the same bytes. */
export interface Run {
  readonly prefix: string;
  readonly timestamp: number;
  /** The newest version of an API that clients use, where the levels of features keep them from newer ones. */
  readonly newest?: Readonly<Partial<Record<ApiName, number>>>;
}

/** The newest version that clients of this run use. */
export function newestVersion({ newest }: Run, api: ApiName): number {
  return Math.min(servedVersions(api).max, newest?.[api] ?? Number.POSITIVE_INFINITY);
}

export class Conversation {
  readonly transcript: Entry[] = [];
  private readonly connections = new Map<string, PlainClient>();
  private readonly to: Address;
  readonly run: Run;
  private readonly api: ApiName;
  readonly version: number;
  private readonly label: string;

  constructor(to: Address, run: Run, api: ApiName, version: number, label: string) {
    this.to = to;
    this.run = run;
    this.api = api;
    this.version = version;
    this.label = label;
  }

  /** Asks in the version under test, or the newest one for other APIs; the draft loses what that version does not have. */
  async call<N extends ApiName>(
    api: N,
    draft: ApiTypes[N]['requestDraft'],
    options: CallOptions = {},
  ): Promise<ApiTypes[N]['response']> {
    const version = options.version ?? (api === this.api ? this.version : newestVersion(this.run, api));
    try {
      const answer = await this.connection(options.on ?? 'first').call(api, fit(api, draft, version), version, 'differential');
      if (options.quiet !== true) this.transcript.push({ api, answer: plain(answer) });
      return answer;
    } catch (error) {
      if (error instanceof NoAnswer) this.transcript.push({ api, answer: error.message });
      throw error;
    }
  }

  /** Sends without waiting for an answer's end; the answer comes with the promise. */
  connection(name: string): PlainClient {
    const open = this.connections.get(name) ?? new PlainClient(this.to);
    this.connections.set(name, open);
    return open;
  }

  /** Notes something else than an answer. */
  note(what: string, value: unknown): void {
    this.transcript.push({ api: what, answer: plain(value) });
  }

  /** A name that belongs to this case and version alone. */
  name(what: string): string {
    return `${this.run.prefix}-${this.label}-${this.version}-${what}`;
  }

  /** A topic that is there and led. */
  async topic(what: string, numPartitions = 1, configs: Record<string, string> = {}): Promise<Topic> {
    const name = this.name(what);
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
    await this.quiet('createTopics', {
      topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: entries }],
      timeoutMs: 10_000,
    });
    const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1 }));
    await this.settle('listOffsets', { replicaId: -1, topics: [{ name, partitions }] }, (answer) =>
      answer.topics.flatMap((topic) => topic.partitions.map((one) => one.errorCode)),
    );
    const metadata = await this.quiet('metadata', { topics: [{ name }], allowAutoTopicCreation: false });
    const topicId = metadata.topics[0]?.topicId;
    if (topicId === undefined) throw new Error(`no topic id for ${name}`);
    return { name, topicId };
  }

  /** A group whose coordinator is ready. */
  async group(what: string): Promise<string> {
    const groupId = this.name(what);
    await this.settle('findCoordinator', { keyType: 0, coordinatorKeys: [groupId] }, (answer) =>
      answer.coordinators.map((one) => one.errorCode),
    );
    await this.settle('offsetFetch', { groups: [{ groupId, topics: null }] }, (answer) =>
      answer.groups.map((one) => one.errorCode),
    );
    return groupId;
  }

  /** The bytes of one batch; timestamps one millisecond apart. */
  batch(values: readonly (string | null)[], more: Partial<BatchDraft> = {}): Buffer {
    const records = values.map((value, i) => ({
      key: Buffer.from(`k${i}`),
      value: value === null ? null : Buffer.from(value),
      timestamp: this.run.timestamp + i,
    }));
    return buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, ...more });
  }

  /** Appends to partition 0, in the newest version, outside the comparison. */
  async append(topic: Topic, records: Buffer, partition = 0): Promise<void> {
    await this.quiet('produce', {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic.name, topicId: topic.topicId, partitionData: [{ index: partition, records }] }],
    });
  }

  quiet<N extends ApiName>(api: N, draft: ApiTypes[N]['requestDraft']): Promise<ApiTypes[N]['response']> {
    return this.call(api, draft, { quiet: true, version: newestVersion(this.run, api) });
  }

  /** Asks again as long as an answer holds an error that passes. */
  async settle<N extends ApiName>(
    api: N,
    draft: ApiTypes[N]['requestDraft'],
    errors: (answer: ApiTypes[N]['response']) => readonly number[],
  ): Promise<void> {
    for (let asked = 0; asked < 500; asked++) {
      const answer = await this.quiet(api, draft);
      if (!errors(answer).some((code) => RETRIABLE.has(code))) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new NoAnswer(`${api} did not settle`);
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
  }
}
