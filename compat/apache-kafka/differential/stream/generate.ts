/**
 * Makes streams of requests from the schemas and a seed. Every request is of a random API that is served and of a random version; about half of them are right in
 * every field, the others are odd in one or in many. A stream begins by making what the rest of it speaks of.
 */
import { HANDLERS } from '../../../../src/api/table.ts';
import type { ApiName } from '../../../../src/wire/generated/apis.ts';
import { type Field, schemaOf, within } from '../fit.ts';
import { servedVersions } from '../versions.ts';
import { Chance } from './chance.ts';
import type { Json, StreamRequest } from './request.ts';
import { TRANSACTIONAL_CHOICES, TRANSACTIONAL_URN, transactionalRecords } from './transactional.ts';
import { type Choice, configName, fieldValue, GROUPS, type Ledger, recordsValue, type Scene, TOPICS } from './values.ts';

/** How often an API is chosen beyond the others. */
const WEIGHTS: Readonly<Partial<Record<ApiName, number>>> = {
  produce: 4,
  fetch: 4,
  joinGroup: 2,
  syncGroup: 2,
  offsetCommit: 2,
  createTopics: 2,
};

/**
 * Markers of transactions carry the time at which they were written, and make all that follows unlike; they have cases of their own. A broker that has unregistered
 * itself is none any more. Users are those of the whole cluster, which several streams would share.
 */
const LEFT_OUT: ReadonlySet<ApiName> = new Set([
  'writeTxnMarkers',
  'unregisterBroker',
  'alterUserScramCredentials',
  'describeUserScramCredentials',
]);

export const STREAM_APIS = (Object.keys(HANDLERS) as ApiName[]).filter((name) => HANDLERS[name] !== null && !LEFT_OUT.has(name));
const URN = STREAM_APIS.flatMap((name) => Array.from({ length: WEIGHTS[name] ?? 1 }, () => name));

interface Walk {
  readonly chance: Chance;
  readonly ledger: Ledger;
  /** Before those of values.ts. */
  readonly choices?: Readonly<Record<string, Choice>>;
  readonly structs: readonly { readonly name: string; readonly fields: readonly Field[] }[];
}

const TOPIC_NAMING = new Set(['name', 'topic', 'topicId']);
/** Arrays whose elements may not be many, or none, in what is compared. */
const NEVER_EMPTY = new Set(['describeTopicPartitions.topics', 'addPartitionsToTxn.transactions']);
/** Where null asks for everything there is. */
const RARELY_NULL = 0.08;

function lengthOf({ chance }: Walk, scene: Scene, field: Field): number {
  const most = NEVER_EMPTY.has(`${scene.api}.${field.name}`) ? 1 : 0;
  if (chance.often(scene.oddness)) return Math.max(most, chance.one([0, 2, 3]));
  if (field.name === 'assignments' || field.name === 'forgottenTopicsData') return chance.often(0.15) ? 1 : 0;
  if (field.name === 'configs' && scene.api === 'createTopics') return chance.often(0.4) ? 1 + chance.below(2) : 0;
  return chance.often(0.7) ? 1 : 2;
}

/** The scene inside one element: a topic, a resource or a config of its own. */
function sceneWithin({ chance }: Walk, scene: Scene, field: Field, fields: readonly Field[]): Scene {
  if (fields.some((one) => one.name === 'resourceType')) {
    const resourceType = chance.one([2, 2, 2, 2, 4, 16, 32]);
    return { ...scene, resourceType, topic: chance.below(TOPICS), group: chance.below(GROUPS) };
  }
  if (field.name === 'configs') return { ...scene, config: configName(chance, scene) };
  if (field.name === 'protocols') return scene;
  if (fields.some((one) => TOPIC_NAMING.has(one.name))) return { ...scene, topic: topicFor(chance, scene.api) };
  if (fields.some((one) => one.name === 'groupId')) return { ...scene, group: chance.below(GROUPS) };
  return scene;
}

/** Topics are deleted and made in the upper half alone, as a rule, so that the lower half is there. */
function topicFor(chance: Chance, api: string): number {
  const half = TOPICS / 2;
  if (api === 'createTopics' || api === 'deleteTopics') return half + chance.below(half);
  return chance.often(0.75) ? chance.below(half) : half + chance.below(half);
}

function struct(walk: Walk, scene: Scene, fields: readonly Field[]): { [name: string]: Json } {
  const out: { [name: string]: Json } = {};
  for (const field of fields) {
    if (!within(field.versions, scene.version)) continue;
    if (field.name === 'records' && scene.transaction !== undefined)
      out[field.name] = transactionalRecords(walk.chance, scene, scene.transaction, out.index ?? 0);
    else if (field.name === 'records') out[field.name] = recordsValue(walk.chance, scene, out.index ?? 0, walk.ledger);
    else out[field.name] = value(walk, scene, field);
  }
  return out;
}

function value(walk: Walk, scene: Scene, field: Field): Json {
  const nullable = field.nullable !== undefined && within(field.nullable, scene.version);
  const inner = field.fields ?? walk.structs.find((one) => one.name === field.type.replace('[]', ''))?.fields;
  const isArray = field.type.startsWith('[]');
  if (nullable && (isArray || inner !== undefined)) {
    const none = !isArray || field.name === 'assignments' ? 0.85 : scene.api === 'createTopics' ? 0 : RARELY_NULL;
    if (walk.chance.often(none)) return null;
  }
  if (!isArray) return inner === undefined ? fieldValue(walk.chance, scene, field, walk.choices) : struct(walk, scene, inner);
  return Array.from({ length: lengthOf(walk, scene, field) }, () =>
    inner === undefined
      ? fieldValue(walk.chance, scene, field, walk.choices)
      : struct(walk, sceneWithin(walk, scene, field, inner), inner),
  );
}

/** Of the elements that name the same, the first. */
const distinct = <T extends { readonly [name: string]: Json }>(all: readonly T[], nameOf: (one: T) => Json): readonly T[] =>
  all.filter((one, i) => all.findIndex((other) => JSON.stringify(nameOf(other)) === JSON.stringify(nameOf(one))) === i);

/** A partition twice in one Produce or Fetch: which of the two counts follows from several hash tables in turn. */
function partitionsOnce(
  body: { [name: string]: Json },
  topics: string,
  partitions: string,
  index: string,
): { [name: string]: Json } {
  const all = (body[topics] ?? []) as readonly { readonly [name: string]: Json }[];
  const once = distinct(all, (one) => one.topicId ?? one.name ?? one.topic ?? null).map((topic) => ({
    ...topic,
    [partitions]: distinct(
      (topic[partitions] ?? []) as readonly { readonly [name: string]: Json }[],
      (one) => one[index] ?? null,
    ),
  }));
  return { ...body, [topics]: once };
}

/** Brokers are shared by all streams: their configs are tried, not changed. */
function harmless(api: ApiName, body: { [name: string]: Json }): { [name: string]: Json } {
  if (api === 'produce') return partitionsOnce(body, 'topicData', 'partitionData', 'index');
  // A protocol twice: Apache Kafka never answers.
  if (api === 'joinGroup') {
    const protocols = body.protocols as readonly { readonly [name: string]: Json }[];
    return { ...body, protocols: distinct(protocols, (one) => one.name ?? '') };
  }
  // Every feature is as high as it goes: no upgrade changes a level, and in version 0 there is nothing else.
  if (api === 'updateFeatures' && 'validateOnly' in body) {
    const updates = body.featureUpdates as readonly { readonly [name: string]: Json }[];
    return updates.every((one) => one.upgradeType === 1) ? body : { ...body, validateOnly: true };
  }
  if (api === 'fetch') return partitionsOnce(body, 'topics', 'partitions', 'partition');
  if (api !== 'alterConfigs' && api !== 'incrementalAlterConfigs') return body;
  const resources = body.resources as readonly { readonly [name: string]: Json }[];
  const tried = resources.some((one) => one.resourceType === 4) ? { ...body, validateOnly: true } : body;
  // Apache Kafka never answers an AlterConfigs that names a resource twice.
  return api === 'alterConfigs'
    ? { ...tried, resources: distinct(resources, (one) => [one.resourceType ?? 0, one.resourceName ?? '']) }
    : tried;
}

/** `transaction`: of which transactional id, in a stream of transactions. */
function request(chance: Chance, ledger: Ledger, api: ApiName, transaction?: number): StreamRequest {
  const { min, max } = servedVersions(api);
  const version = min + chance.below(max - min + 1);
  const { fields, structs = [] } = schemaOf(api).request;
  const member = chance.often(0.8) ? 0 : 1;
  const group = chance.below(GROUPS);
  const oddness = chance.one([0, 0, 0, 0.05, 0.1, 0.1, 0.3]);
  const scene: Scene = {
    api,
    version,
    oddness,
    topic: topicFor(chance, api),
    group,
    member,
    ...(transaction !== undefined && { transaction }),
  };
  const choices = transaction === undefined ? {} : TRANSACTIONAL_CHOICES;
  const body = harmless(api, struct({ chance, ledger, structs, choices }, scene, fields));
  if (api === 'joinGroup') return { api, version, body, member, ...(member === 1 ? { held: true } : {}) };
  return { api, version, body, ...(api === 'syncGroup' && member === 1 ? { held: true } : {}) };
}

const FIRST: readonly StreamRequest[] = [
  {
    api: 'createTopics',
    version: 7,
    body: {
      topics: Array.from({ length: TOPICS - 2 }, (_, i) => ({
        name: `$t:${i}`,
        numPartitions: i === 0 ? 1 : 2 + (i % 2),
        replicationFactor: 1,
        assignments: [],
        configs: i === 3 ? [{ name: 'cleanup.policy', value: 'compact' }] : [],
      })),
      timeoutMs: 10_000,
      validateOnly: false,
    },
  },
  ...[0, 1, 2].map(
    (topic): StreamRequest => ({
      api: 'produce',
      version: 12,
      body: {
        transactionalId: null,
        acks: -1,
        timeoutMs: 10_000,
        topicData: [
          {
            name: `$t:${topic}`,
            partitionData: [
              { index: 0, records: { $batches: [{ values: ['a', 'b', 'c'] }, { values: ['d', 'e'], aheadMs: 500 }] } },
            ],
          },
        ],
      },
    }),
  ),
];

/** A stream of `length` requests after those that set the scene. */
export function generate(seed: number, length: number): readonly StreamRequest[] {
  const chance = new Chance(seed);
  const ledger: Ledger = { sequences: new Map() };
  return [...FIRST, ...Array.from({ length }, () => request(chance, ledger, chance.one(URN)))];
}

/** The same of two transactional ids: what begins, fills and ends their transactions, and what can be seen of them. */
export function generateTransactions(seed: number, length: number): readonly StreamRequest[] {
  const chance = new Chance(seed);
  const ledger: Ledger = { sequences: new Map() };
  const begin = [0, 1].map((id) => ({ ...INIT, body: { ...INIT.body, transactionalId: `$n:tx${id}` } }));
  const rest = Array.from({ length }, () => request(chance, ledger, chance.one(TRANSACTIONAL_URN), chance.below(2)));
  return [...FIRST, ...begin, ...rest];
}

const INIT: StreamRequest = {
  api: 'initProducerId',
  version: 5,
  body: { transactionalId: null, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 },
};
