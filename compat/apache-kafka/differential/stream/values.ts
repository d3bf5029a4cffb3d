/**
 * What may stand in a field, by its name: mostly what is right for the scene of the request, sometimes what is odd or wrong. The scene keeps fields together
 * that speak of the same thing, such as a topic's name and id.
 */
import { SUPPORTED_FEATURES } from '../../../../src/machine/metadata/features.ts';
import { BROKER_CONFIGS, type ConfigFact, GROUP_CONFIGS, TOPIC_CONFIGS } from '../../../../src/wire/generated/configs.ts';
import { NO_SUCH_ID, ZERO_ID } from '../case.ts';
import type { Chance } from './chance.ts';
import type { BatchPlan, Json } from './request.ts';

export const TOPICS = 8;
export const GROUPS = 3;

export interface Scene {
  readonly api: string;
  readonly version: number;
  /** How likely a field is odd. */
  readonly oddness: number;
  readonly topic: number;
  readonly group: number;
  readonly member: number;
  /** Config resource: its type. */
  readonly resourceType?: number;
  readonly config?: string;
  /** In a stream of transactions: which of its transactional ids. */
  readonly transaction?: number;
}

/** What the stream's own requests have done so far, as far as later ones want to know. */
export interface Ledger {
  readonly sequences: Map<string, number>;
}

/** The empty group belongs to all streams: none keeps anything in it. */
const SHARED: ReadonlySet<string> = new Set(['offsetCommit', 'offsetFetch', 'offsetDelete', 'deleteGroups', 'describeGroups']);

const ODD_TEXTS = ['', ' ', 'a b', '..', 'a/b', 'ü', 'x'.repeat(250), '$n:other'] as const;
const ODD_INT32 = [-2, -1, 0, 1, 7, 99, 2_147_483_647, -2_147_483_648] as const;
const ODD_INT64 = ['-9223372036854775808', '-2', '-1', '0', '5', '1000000', '9223372036854775807'] as const;
const ODD_PARTITIONS = [-1, 3, 5, 99, 2_147_483_647] as const;
const UNHARMED: ReadonlySet<string> = new Set(['retention.ms', 'retention.bytes', 'local.retention.ms', 'local.retention.bytes']);
/** Values that make what is stored depend on the clock or on a compressor. */
const NOT_COMPARABLE: ReadonlySet<string> = new Set(['message.timestamp.type', 'compression.type']);

const NUMBERS = ['0', '1', '-1', '1000', '1048576', '86400000', '2147483648', '9223372036854775807', '12.5', 'abc', '', ' 7 '];
const factsOf = (resourceType: number | undefined): readonly ConfigFact[] =>
  resourceType === 4 ? BROKER_CONFIGS : resourceType === 32 ? GROUP_CONFIGS : TOPIC_CONFIGS;

function configName(chance: Chance, scene: Scene): string {
  if (chance.often(scene.oddness)) return chance.one(['no.such.config', '', 'Retention.ms', 'cleanup.policy ']);
  if (scene.resourceType === 16) return chance.one(['interval.ms', 'metrics', 'match']);
  return chance.one(factsOf(scene.resourceType)).name;
}

function configValue(chance: Chance, scene: Scene): string | null {
  if (chance.often(scene.oddness / 2)) return null;
  if (scene.resourceType === 16) {
    return chance.one([
      '100',
      '5',
      '30000',
      'abc',
      '*',
      'org.apache.kafka',
      '',
      'client_id=a',
      'client_id',
      'nobody=x',
      'client_id=[',
    ]);
  }
  const fact = factsOf(scene.resourceType).find((one) => one.name === scene.config);
  if (fact === undefined) return chance.one(['1', 'x', '']);
  if (UNHARMED.has(fact.name)) return chance.one(['-1', '86400000', '604800000', '-2', '-3', 'abc', '']);
  if (fact.name === 'compression.type') return chance.one(['producer', 'uncompressed', 'brotli', '']);
  if (NOT_COMPARABLE.has(fact.name)) return chance.one(['CreateTime', 'createtime', 'none']);
  switch (fact.type) {
    case 'BOOLEAN':
      return chance.one(['true', 'false', 'TRUE', 'yes', '']);
    case 'INT':
    case 'LONG':
    case 'SHORT':
      return chance.one(NUMBERS);
    case 'DOUBLE':
      return chance.one(['0', '0.5', '1', '1.5', '-0.1', 'x', '1e-3', '']);
    case 'LIST':
      return chance.one([
        'delete',
        'compact',
        'compact,delete',
        'delete,delete',
        '',
        'x',
        '*',
        '0:1,1:1',
        '1:0',
        ',',
        ' compact , delete ',
      ]);
    default:
      return chance.one(['a', '', 'b c', fact.default ?? 'd']);
  }
}

const valueText = (chance: Chance): string | null =>
  chance.often(0.1) ? null : 'v'.repeat(1 + chance.below(chance.often(0.1) ? 900 : 12));

const DAMAGE: readonly BatchPlan['damage'][] = [
  { position: 17, hex: '00000001' },
  { position: 16, hex: '01' },
  { position: 16, hex: '03' },
  { position: 8, hex: '00000005' },
  { position: 8, hex: 'fffffffb' },
  // A length that with its own overhead passes 2^31 overflows in Apache Kafka, which then gives up the request: not a rule to follow.
  { position: 8, hex: '7ffffff0' },
  { position: 57, hex: '00000009' },
  { position: 57, hex: 'ffffffff' },
  { position: 23, hex: '00000008' },
  { position: 21, hex: '0007' },
  { position: 21, hex: 'ff00' },
  { position: 0, hex: '0000000000000009' },
  { position: 61, hex: 'ff' },
];

/** One batch, idempotent now and then, with the sequence that is due there. */
function batchPlan(chance: Chance, scene: Scene, partition: Json, ledger: Ledger): BatchPlan {
  const values = Array.from({ length: 1 + chance.below(4) }, () => valueText(chance));
  const odd = chance.often(scene.oddness);
  const base: BatchPlan = {
    values,
    aheadMs: chance.below(1000),
    ...(chance.often(0.2) ? { codec: chance.one([1, 2, 3, 4] as const) } : {}),
    ...(odd && chance.often(0.2) ? { keyless: true } : {}),
    ...(odd && chance.often(0.15) ? { aheadMs: chance.one([-100_000_000, 7_200_000_000, -999_999_999_999]) } : {}),
    ...(odd && chance.often(0.1) ? { control: true } : {}),
    ...(odd && chance.often(0.1) ? { transactional: true } : {}),
    ...(odd && chance.often(0.35) ? { damage: chance.one(DAMAGE.filter((one) => one !== undefined)) } : {}),
    ...(odd && chance.often(0.1) ? { cut: 1 + chance.below(80) } : {}),
  };
  if (!chance.often(0.3)) return base;
  const producer = 770_000 + chance.below(2);
  const key = `${producer}/${scene.topic}/${JSON.stringify(partition)}`;
  const due = ledger.sequences.get(key) ?? 0;
  const baseSequence = chance.often(0.8) ? due : chance.one([due + 1, 0, Math.max(0, due - values.length), 2_147_483_647, -1]);
  if (baseSequence === due && base.damage === undefined) ledger.sequences.set(key, due + values.length);
  return { ...base, producerId: producer, producerEpoch: chance.often(0.9) ? 0 : chance.one([1, -1, 5]), baseSequence };
}

export function recordsValue(chance: Chance, scene: Scene, partition: Json, ledger: Ledger): Json {
  if (chance.often(scene.oddness / 4)) return chance.one<Json>([{ $hex: '' }, { $hex: '00' }, { $hex: '00'.repeat(61) }]);
  const count = chance.often(scene.oddness / 2) ? 2 : 1;
  return { $batches: Array.from({ length: count }, () => batchPlan(chance, scene, partition, ledger) as unknown as Json) };
}

const SUBSCRIPTION = { $hex: '0000000000010001740000000000' } as const;

export type Choose = (chance: Chance, scene: Scene) => Json;
export interface Choice {
  readonly good: Choose;
  readonly odd: Choose;
}
export const choice = (good: Choose, odd: Choose): Choice => ({ good, odd });
export const among = (good: readonly Json[], odd: readonly Json[]): Choice =>
  choice(
    (c) => c.one(good),
    (c) => c.one(odd),
  );

const topicName = choice(
  (_, scene) => `$t:${scene.topic}`,
  (chance) => chance.one([...ODD_TEXTS, `$t:${chance.below(TOPICS)}`]),
);
const topicId = choice(
  (_, scene) => `$id:${scene.topic}`,
  (chance) => chance.one([ZERO_ID, NO_SUCH_ID, `$id:${chance.below(TOPICS)}`]),
);
const partition = choice(
  (chance) => chance.below(2),
  (chance) => chance.one(ODD_PARTITIONS),
);
const groupId = choice(
  (_, scene) => `$g:${scene.group}`,
  (chance, { api }) => chance.one([SHARED.has(api) ? '$n:none' : '', '$n:nogroup', `$g:${chance.below(GROUPS)}`]),
);
const memberId = choice(
  (_, scene) => `$m:${scene.group}.${scene.member}`,
  (chance) => chance.one(['', 'nobody', `$m:${chance.below(GROUPS)}.${chance.below(2)}`]),
);
const generation = choice(
  (_, scene) => `$gen:${scene.group}`,
  (chance) => chance.one([-1, 0, 1, 99]),
);
const instance = choice(
  () => null,
  (chance) => chance.one<Json>([null, 'one', 'two', '', 'a/b', '.', 'x'.repeat(250)]),
);
const epoch = among([-1, -1, 0], [1, 7, -2, 2_147_483_647]);
const offset = choice(
  (chance) => chance.below(8),
  (chance) => chance.one([...ODD_INT64]),
);
const truth = among([false, true], [true]);

/** By `api.field`, else by `field`. */
const CHOICES: Readonly<Record<string, Choice>> = {
  'apiVersions.clientSoftwareName': among(['differential', 'a.b-c'], ['', '-a', 'a b', 'ü', 'a-']),
  'apiVersions.clientSoftwareVersion': among(['1.0', '1'], ['', '-1', '1 0', 'v_1']),
  'apiVersions.clusterId': among([null], [null, 'other', '', '$c:']),
  'apiVersions.nodeId': among([-1], [1, 7, -2]),
  'fetch.clusterId': among([null], [null]),
  'metadata.name': choice(
    (_, scene) => `$t:${scene.topic}`,
    (chance, scene) =>
      scene.version >= 10 && chance.often(0.2)
        ? `$t:${chance.below(TOPICS)}`
        : chance.one(['', 'a b', '..', 'x'.repeat(250), `$t:${chance.below(TOPICS)}`]),
  ),
  'createTopics.numPartitions': among([1, 2, 3, -1], [0, -2, 10_001, 2_147_483_647]),
  'createTopics.replicationFactor': among([1, 1, -1], [0, 2, -2, 32_767]),
  'createTopics.partitionIndex': among([0], [1, 2, -1]),
  'joinGroup.name': among(['range', 'sticky'], ['', 'x']),
  'joinGroup.metadata': choice(
    () => SUBSCRIPTION,
    (chance) => ({ $hex: chance.one(['', '00', 'ffff', '0000ffffffff']) }),
  ),
  'syncGroup.assignment': choice(
    (chance) => ({ $hex: chance.one(['0102', '0000000000000000000']).padEnd(20, '0') }),
    () => ({ $hex: '' }),
  ),
  'updateFeatures.feature': among(
    [...SUPPORTED_FEATURES].filter(([, { max }]) => max > 0).map(([name]) => name),
    ['', 'no.such.version', 'Metadata.version', 'test.feature.version', 'unit.test.feature.version.7'],
  ),
  'updateFeatures.maxVersionLevel': among([0, 1, 2, 7, 23, 31, 32, 33], [-1, 6, 34, 32_767, -32_768]),
  'updateFeatures.upgradeType': among([1, 2, 3], [0, 4, -1, 127]),
  acks: among([-1, 1], [2, -2, 0]),
  allowAutoTopicCreation: among([false, false, true], [true]),
  brokerIds: among([1], [1, 1, 99, -1]),
  committedLeaderEpoch: epoch,
  committedMetadata: among(['', 'note', null], ['m'.repeat(4096), 'ü'.repeat(4000)]),
  committedOffset: offset,
  configOperation: among([0, 0, 0, 1, 2, 3], [-1, 4, 9]),
  configurationKeys: choice(configName, configName),
  coordinatorKeys: groupId,
  count: among([2, 3, 4], [-1, 0, 1, 2, 20_000, 2_147_483_647]),
  currentLeaderEpoch: epoch,
  enable2Pc: among([false], [true]),
  endpointType: among([1], [0, 2, 3, -1]),
  fetchOffset: offset,
  generationId: generation,
  generationIdOrMemberEpoch: choice(
    (chance, scene) => (chance.often(0.6) ? `$gen:${scene.group}` : -1),
    (chance) => chance.one([-1, -2, 0, 99]),
  ),
  groupId,
  groupInstanceId: instance,
  groups: groupId,
  groupsNames: groupId,
  highWatermark: among(['9223372036854775807'], ['0', '-1', '3']),
  includeAuthorizedOperations: truth,
  includeClusterAuthorizedOperations: truth,
  includeDocumentation: truth,
  includeFencedBrokers: truth,
  includeSynonyms: truth,
  includeTopicAuthorizedOperations: truth,
  index: partition,
  isolationLevel: among([0, 1], [0, 1]),
  'listOffsets.isolationLevel': among([0, 1], [2, -1]),
  keepPreparedTxn: among([false], [true]),
  key: groupId,
  keyType: among([0], [2, 3, -1, 9]),
  lastFetchedEpoch: among([-1, -1, 0], [5, -2]),
  leaderEpoch: among([0, 1], [-1, -2, 9]),
  logStartOffset: among(['-1', '0'], ['5', '-7']),
  maxBytes: among([1_000_000, 100_000], [0, 1, 2_147_483_647]),
  maxWaitMs: among([0, 1, 10], [0]),
  memberEpoch: among([-1], [0, 5, -3]),
  memberId,
  minBytes: among([0, 1], [-1, 1_000_000]),
  offset: choice(
    (chance) => chance.below(6),
    (chance) => chance.one([...ODD_INT64]),
  ),
  partition,
  partitionIndex: partition,
  partitionIndexes: partition,
  partitionMaxBytes: among([1_000_000, 200], [0, 1, 2_147_483_647]),
  partitions: partition,
  producerEpoch: among([-1, 0], [3, -2, 32_767]),
  producerId: among([-1, 5], [0, '9223372036854775807', -2]),
  protocolName: among(['range', 'sticky', null], ['x', '']),
  protocolType: among(['consumer'], ['', 'connect', null]),
  rackId: among([''], ['r1']),
  reason: among([null, 'because'], ['', 'r'.repeat(300)]),
  rebalanceTimeoutMs: among([60_000], [60_000]),
  replicaDirectoryId: among([ZERO_ID], [NO_SUCH_ID]),
  replicaEpoch: among(['-1'], ['-1']),
  replicaId: among([-1], [-1]),
  requireStable: truth,
  resourceName: choice(
    (chance, scene) =>
      scene.resourceType === 4
        ? chance.one(['1', ''])
        : scene.resourceType === 32
          ? `$g:${scene.group}`
          : scene.resourceType === 16
            ? '$n:metrics'
            : `$t:${scene.topic}`,
    (chance) => chance.one(['', 'a b', '99', '$n:nothing', '1', `$t:${chance.below(TOPICS)}`]),
  ),
  resourceType: choice(
    (_, scene) => scene.resourceType ?? 2,
    (chance) => chance.one([0, 1, 3, 99, -1]),
  ),
  resourceTypes: among([2, 4, 16, 32], [0, 1, 99]),
  responsePartitionLimit: among([2000, 3], [0, 1, -1]),
  retentionTimeMs: among(['-1'], ['-1', '1000']),
  sessionEpoch: choice(
    (chance, scene) => (scene.oddness > 0 && chance.often(0.1) ? 3 : '$e:'),
    (chance) => chance.one([-1, 0, 1, 9, -2]),
  ),
  sessionId: choice(
    () => '$s:',
    (chance) => chance.one([0, 12_345, -1]),
  ),
  sessionTimeoutMs: among([300_000], [5, 2_000_000_000, -1, 0]),
  statesFilter: among(['Stable', 'Empty'], ['stable', 'Nothing', '', 'PreparingRebalance', 'Dead']),
  timeoutMs: among([10_000], [10_000]),
  timestamp: choice(
    (chance) => chance.one<Json>([-1, -2, -3, '$ts:0', '$ts:500']),
    (chance) => chance.one<Json>([-4, -5, -6, -7, 0, '$ts:-99999', '$ts:99999', ...ODD_INT64]),
  ),
  topic: topicName,
  topicId,
  topicName,
  topicNames: topicName,
  transactionTimeoutMs: among([60_000], [0, -1, 2_147_483_647]),
  transactionalId: among([null], [null, '']),
  typesFilter: among(['classic', 'consumer'], ['Classic', 'none', '', 'share', 'streams']),
  validateOnly: among([false, false, true], [true]),
};

/** What stands in one field that is no struct and no bytes of records. */
export function fieldValue(
  chance: Chance,
  scene: Scene,
  field: { readonly name: string; readonly type: string },
  more: Readonly<Record<string, Choice>> = {},
): Json {
  const odd = chance.often(scene.oddness);
  const isConfig = scene.config !== undefined;
  if (isConfig && field.name === 'name') return scene.config;
  if (isConfig && field.name === 'value') return configValue(chance, scene);
  const found =
    more[`${scene.api}.${field.name}`] ??
    more[field.name] ??
    CHOICES[`${scene.api}.${field.name}`] ??
    (field.name === 'name' ? topicName : CHOICES[field.name]);
  const type = field.type.replace('[]', '');
  if (found !== undefined) {
    const chosen = odd ? found.odd(chance, scene) : found.good(chance, scene);
    return type === 'int64' && typeof chosen === 'string' && !chosen.startsWith('$') ? `$i:${chosen}` : chosen;
  }
  if (type === 'bool') return chance.often(0.5);
  if (type === 'string') return odd ? chance.one(ODD_TEXTS) : 'text';
  if (type === 'bytes') return { $hex: odd ? '' : '0001' };
  if (type === 'uuid') return odd ? NO_SUCH_ID : ZERO_ID;
  if (type === 'int64') return odd ? `$i:${chance.one(ODD_INT64)}` : 1;
  const wide = chance.one(ODD_INT32);
  return odd && type === 'int32' ? wide : 1;
}

export { configName };
