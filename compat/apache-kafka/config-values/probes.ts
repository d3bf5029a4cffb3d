/** Every way to say one value of one config to a broker, none of which changes anything. */
import { ConfigResourceType } from '../../../src/wire/config-resource.ts';
import type { ApiTypes } from '../../../src/wire/generated/apis.ts';
import {
  BROKER_CONFIGS,
  CLIENT_METRICS_CONFIGS,
  type ConfigFact,
  GROUP_CONFIGS,
  TOPIC_CONFIGS,
} from '../../../src/wire/generated/configs.ts';
import { NoAnswer, type PlainClient } from '../../../test/support/plain-client.ts';
import { valuesOf } from './values.ts';

export type Answer = readonly [code: number, message: string | null];

export interface Probe {
  readonly title: string;
  readonly ask: Ask;
}

type Ask =
  | { readonly api: 'incrementalAlterConfigs'; readonly draft: ApiTypes['incrementalAlterConfigs']['requestDraft'] }
  | { readonly api: 'alterConfigs'; readonly draft: ApiTypes['alterConfigs']['requestDraft'] }
  | { readonly api: 'createTopics'; readonly draft: ApiTypes['createTopics']['requestDraft'] };

const { TOPIC, BROKER, GROUP, CLIENT_METRICS } = ConfigResourceType;
const OPERATIONS = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'] as const;

/** The resources whose configs are tried. The topic is there. */
const PROBED_TOPIC = 'config-values';
const RESOURCES: readonly {
  readonly type: number;
  readonly name: string;
  readonly shown: string;
  readonly facts: readonly ConfigFact[];
}[] = [
  { type: BROKER, name: '1', shown: 'broker 1', facts: BROKER_CONFIGS },
  { type: BROKER, name: '', shown: 'all brokers', facts: BROKER_CONFIGS },
  { type: TOPIC, name: PROBED_TOPIC, shown: 'a topic', facts: TOPIC_CONFIGS },
  { type: GROUP, name: 'config-values', shown: 'a group', facts: GROUP_CONFIGS },
  { type: CLIENT_METRICS, name: 'config-values', shown: 'client metrics', facts: CLIENT_METRICS_CONFIGS },
];

const short = (value: string | null): string =>
  value === null ? 'null' : JSON.stringify(value.length > 60 ? `${value.slice(0, 10)}… (${value.length})` : value);

/** Configs that have to go together. */
const TOGETHER: readonly Readonly<Record<string, string>>[] = [
  { 'log.retention.ms': '1000', 'log.local.retention.ms': '1000' },
  { 'log.retention.ms': '1000', 'log.local.retention.ms': '1001' },
  { 'log.retention.ms': '1000', 'log.local.retention.ms': '-1' },
  { 'log.retention.ms': '-1', 'log.local.retention.ms': '-1' },
  { 'log.retention.ms': '-7', 'log.local.retention.ms': '1001' },
  { 'log.retention.bytes': '1000', 'log.local.retention.bytes': '1000' },
  { 'log.retention.bytes': '1000', 'log.local.retention.bytes': '1001' },
  { 'log.retention.bytes': '1000', 'log.local.retention.bytes': '-1' },
  { 'log.retention.bytes': '0', 'log.local.retention.bytes': '1' },
  { 'log.retention.bytes': '1000', 'log.remote.copy.lag.bytes': '1001' },
  { 'log.retention.bytes': '1000', 'log.local.retention.bytes': '500', 'log.remote.copy.lag.bytes': '501' },
  { 'log.retention.ms': '1000', 'log.local.retention.ms': '500', 'log.remote.copy.lag.ms': '501' },
  { 'log.retention.ms': '-1', 'log.remote.copy.lag.ms': '9223372036854775807' },
  { 'max.connections.per.ip': '0', 'max.connections.per.ip.overrides': '127.0.0.1:5' },
  { 'max.connections.per.ip': '0', 'max.connections.per.ip.overrides': '' },
  { 'log.cleaner.threads': '2', 'log.cleaner.dedupe.buffer.size': '2097152' },
  { 'group.consumer.assignment.interval.ms': '15000', 'group.share.assignment.interval.ms': '15001' },
  { 'num.io.threads': '16', 'background.threads': '21' },
];

export function probes(): Probe[] {
  const all: Probe[] = TOGETHER.flatMap((configs) => ['1', ''].map((broker) => together(broker, configs)));
  for (const { type, name, shown, facts } of RESOURCES) {
    for (const fact of facts) {
      const isFixed = fact.update === 'read-only';
      const values = isFixed ? ['x'] : valuesOf(fact);
      for (const value of values) {
        for (const operation of operationsFor(fact, value)) all.push(incremental(type, name, shown, fact, operation, value));
        if (!isFixed) all.push(legacy(type, name, shown, fact, value));
        if (type === TOPIC) all.push(creation(fact, value));
      }
    }
  }
  return all;
}

/** What is no list is refused in the same words whatever is added: two values are enough. */
function operationsFor(fact: ConfigFact, value: string | null): readonly number[] {
  if (fact.type === 'LIST') return [0, 1, 2, 3];
  return value === null || value === '' || value === '1' || value === 'some text' ? [0, 1, 2, 3] : [0];
}

const incremental = (
  resourceType: number,
  resourceName: string,
  shown: string,
  { name }: ConfigFact,
  configOperation: number,
  value: string | null,
): Probe => ({
  title: `${shown}: ${OPERATIONS[configOperation]} ${name} ${short(value)}`,
  ask: {
    api: 'incrementalAlterConfigs',
    draft: { resources: [{ resourceType, resourceName, configs: [{ name, configOperation, value }] }], validateOnly: true },
  },
});

const together = (resourceName: string, configs: Readonly<Record<string, string>>): Probe => ({
  title: `${resourceName === '' ? 'all brokers' : 'broker 1'}: SET ${JSON.stringify(configs)}`,
  ask: {
    api: 'incrementalAlterConfigs',
    draft: {
      resources: [
        {
          resourceType: BROKER,
          resourceName,
          configs: Object.entries(configs).map(([name, value]) => ({ name, configOperation: 0, value })),
        },
      ],
      validateOnly: true,
    },
  },
});

const legacy = (
  resourceType: number,
  resourceName: string,
  shown: string,
  { name }: ConfigFact,
  value: string | null,
): Probe => ({
  title: `${shown}: AlterConfigs ${name}=${short(value)}`,
  ask: {
    api: 'alterConfigs',
    draft: { resources: [{ resourceType, resourceName, configs: [{ name, value }] }], validateOnly: true },
  },
});

const creation = ({ name }: ConfigFact, value: string | null): Probe => ({
  title: `CreateTopics ${name}=${short(value)}`,
  ask: {
    api: 'createTopics',
    draft: {
      topics: [
        { name: 'config-values-new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [{ name, value }] },
      ],
      timeoutMs: 10_000,
      validateOnly: true,
    },
  },
});

/** The topic is there when this resolves, and known to the broker. */
export async function makeTopic(connect: () => PlainClient): Promise<void> {
  const client = connect();
  const topics = [{ name: PROBED_TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
  await client.call('createTopics', { topics, timeoutMs: 10_000 }, VERSIONS.createTopics, CLIENT);
  for (let errorCode = -1; errorCode !== 0; ) {
    const known = await client.call('metadata', { topics: [{ name: PROBED_TOPIC }], allowAutoTopicCreation: false }, 12, CLIENT);
    errorCode = known.topics[0]?.errorCode ?? -1;
  }
  client.close();
}

/** Asks all over a few connections, and gives the answers in the order of the probes. A connection that is closed is an answer. */
export async function answersOf(connect: () => PlainClient, all: readonly Probe[]): Promise<(Answer | string)[]> {
  const answers: (Answer | string)[] = [];
  const waiting = all.entries();
  const askSome = async (): Promise<void> => {
    let client = connect();
    for (const [i, { ask }] of waiting) {
      try {
        answers[i] = await answerOf(client, ask);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        answers[i] = error.message;
        client.close();
        client = connect();
      }
    }
    client.close();
  };
  await Promise.all(Array.from({ length: ABREAST }, askSome));
  return answers;
}

async function answerOf(client: PlainClient, { api, draft }: Ask): Promise<Answer> {
  const one =
    api === 'createTopics'
      ? (await client.call(api, draft, VERSIONS[api], CLIENT)).topics[0]
      : api === 'alterConfigs'
        ? (await client.call(api, draft, VERSIONS[api], CLIENT)).responses[0]
        : (await client.call(api, draft, VERSIONS[api], CLIENT)).responses[0];
  if (one === undefined) throw new Error(`${api} is answered for nothing`);
  return [one.errorCode, one.errorMessage ?? null];
}

const CLIENT = 'config-values';
const ABREAST = 4;
const VERSIONS = { incrementalAlterConfigs: 1, alterConfigs: 2, createTopics: 7 } as const;
