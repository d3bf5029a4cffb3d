/** Levels of features, what is answered where they cannot change, and transactions at every level of transaction.version. Features that Blumfeld has not are left out. */
import { FEATURES } from '../../../../src/wire/generated/features.ts';
import { SUPPORTED_FEATURES } from '../../../../src/machine/metadata/features.ts';
import type { ApiName, ApiTypes } from '../../../../src/wire/generated/apis.ts';
import { type Case, many, one } from '../case.ts';
import type { Conversation, Topic } from '../conversation.ts';

export type Updates = readonly (readonly [feature: string, level: number, upgradeType?: number])[];

const [UNKNOWN, UPGRADE, SAFE, UNSAFE] = [0, 1, 2, 3];
const TRANSACTION = 'transaction.version';
const METADATA = 'metadata.version';
const KRAFT = 'kraft.version';
const MIN_ISR = 'min.insync.replicas';
const [BROKER, SET, DELETE] = [4, 0, 1];
const ELR = 'eligible.leader.replicas.version';

const update = (updates: Updates, validateOnly = false): ApiTypes['updateFeatures']['requestDraft'] => ({
  timeoutMs: 10_000,
  featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = UPGRADE]) => ({ feature, maxVersionLevel, upgradeType })),
  validateOnly,
});

const tried = (name: string, updates: Updates): Case => one('updateFeatures', name, () => update(updates, true), { from: 1 });
const sent = (name: string, updates: Updates): Case => one('updateFeatures', name, () => update(updates));

/** Only tried: nothing changes. In version 0 nothing can be tried, and nothing goes down. */
const TRIED: readonly Case[] = [
  ...FEATURES.filter(({ name, max }) => SUPPORTED_FEATURES.get(name)?.max === max).flatMap(({ name, min, max }) => [
    ...[-32_768, -1, 0, min - 1, min, max - 1, max, max + 1, max + 2, 32_767].flatMap((level) =>
      [UNKNOWN, UPGRADE, SAFE, UNSAFE, 4, -1].map((type) =>
        tried(`${name} to ${level} by upgrade type ${type}`, [[name, level, type]]),
      ),
    ),
    sent(`${name} to the level it has`, [[name, max]]),
  ]),
  ...Array.from({ length: 26 }, (_, level) => tried(`${METADATA} down to ${level + 7}`, [[METADATA, level + 7, SAFE]])),
  tried('a feature that is none', [['no.such.feature', 1]]),
  tried('a feature that is none at level 0', [['no.such.feature', 0]]),
  tried('a feature that is none at level 0, down', [['no.such.feature', 0, SAFE]]),
  tried('the empty name', [['', 0]]),
  tried('a feature of tests', [['test.feature.version', 1]]),
  ...['test.feature.version', ...Array.from({ length: 9 }, (_, i) => `unit.test.feature.version.${i}`)].map((name) =>
    tried(`${name} at level 0`, [[name, 0, SAFE]]),
  ),
  tried('none', []),
  sent('none at all', []),
  sent('a level that is none', [[TRANSACTION, 3]]),
  sent('nobody’s feature', [['no.such.feature', 1]]),
  sent('down, without leave', [[TRANSACTION, 1]]),
  sent('kraft.version as it is', [[KRAFT, 1]]),
  tried('one twice', [
    [TRANSACTION, 7],
    [TRANSACTION, 2],
  ]),
  tried('one twice, the second wrong', [
    [TRANSACTION, 2],
    [TRANSACTION, 7],
  ]),
  ...[
    [TRANSACTION, METADATA, ELR, KRAFT, 'no.such.feature'],
    ['b', 'a', 'c'],
    ['no.such.feature', KRAFT, ELR, METADATA, TRANSACTION],
    Array.from({ length: 13 }, (_, i) => `feature-${i}`),
    Array.from({ length: 40 }, (_, i) => `another.feature.${i}`),
  ].map((names, i) =>
    tried(
      `the first of several that are wrong, ${i + 1}`,
      names.map((name) => [name, 99]),
    ),
  ),
  tried('eligible leaders with a metadata.version too low for them', [
    [METADATA, 7],
    [ELR, 1],
  ]),
  one(
    'updateFeatures',
    'downgrades allowed in version 0',
    () => ({
      timeoutMs: 10_000,
      featureUpdates: [{ feature: TRANSACTION, maxVersionLevel: 1, allowDowngrade: true }],
      validateOnly: false,
    }),
    { to: 0 },
  ),
];

const CLIENT = { clientSoftwareName: 'differential', clientSoftwareVersion: '1' };
/** The source of a config that is set for one broker. */
const OF_ONE_BROKER = 2;
const PATIENCE_MS = 10_000;

/** Waits until a client is told of the levels: Apache Kafka's broker hears of them after its controller has answered. */
async function told(x: Conversation, updates: Updates): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { finalizedFeatures } = await x.quiet('apiVersions', CLIENT);
    const levels = new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]));
    if (updates.every(([name, level]) => (levels.get(name) ?? 0) === level)) return;
    if (Date.now() > deadline) throw new Error(`${JSON.stringify(updates)} is not told of`);
  }
}

/** Changes levels and waits until they are in force. */
export async function changeLevels(x: Conversation, updates: Updates): Promise<void> {
  const answer = await x.quiet('updateFeatures', update(updates));
  if (answer.errorCode !== 0) throw new Error(`the levels stay: ${answer.errorMessage}`);
  await told(x, updates);
}

const DRAFTS: Record<string, readonly Updates[]> = {
  'transaction.version down and up': [[[TRANSACTION, 1, SAFE]], [[TRANSACTION, 0, SAFE]], [[TRANSACTION, 1]], [[TRANSACTION, 2]]],
  'transaction.version off at once': [[[TRANSACTION, 0, UNSAFE]], [[TRANSACTION, 2]]],
  'eligible leaders off and on': [[[ELR, 0, SAFE]], [[ELR, 1]]],
  'two features at once': [
    [
      [TRANSACTION, 1, SAFE],
      [ELR, 0, SAFE],
    ],
    [
      [TRANSACTION, 2],
      [ELR, 1],
    ],
  ],
  'one of two that cannot be': [
    [
      [TRANSACTION, 1, SAFE],
      [ELR, 2],
    ],
  ],
};

interface Producer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** What clients do not ask for where transaction.version is 0. */
const NEWEST: readonly (readonly [ApiName, (x: Conversation, topic: Topic, producer: Producer) => Promise<unknown>])[] = [
  ['endTxn', (x, _, producer) => x.call('endTxn', { ...producer, committed: false })],
  [
    'addPartitionsToTxn',
    (x, topic, producer) =>
      x.call('addPartitionsToTxn', {
        transactions: [{ ...producer, verifyOnly: false, topics: [{ name: topic.name, partitions: [0] }] }],
      }),
  ],
  [
    'produce',
    (x, topic, { transactionalId, producerId, producerEpoch }) => {
      const records = x.batch(['a'], { producerId: Number(producerId), producerEpoch, baseSequence: 0, transactional: true });
      const topicData = [{ ...topic, partitionData: [{ index: 0, records }] }];
      return x.call('produce', { transactionalId, acks: -1, timeoutMs: 10_000, topicData });
    },
  ],
  [
    'txnOffsetCommit',
    async (x, topic, producer) => {
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: 0, committedMetadata: '' }];
      return x.call('txnOffsetCommit', { ...producer, groupId: await x.group('g'), topics: [{ ...topic, partitions }] });
    },
  ],
];

/** One at a time, each putting back what it has changed. */
const CHANGED: readonly Case[] = [
  ...Object.entries(DRAFTS).map(([name, steps]) =>
    many(
      'updateFeatures',
      name,
      async (x) => {
        for (const step of steps) {
          const { errorCode } = await x.call('updateFeatures', update(step));
          if (errorCode === 0) await told(x, step);
          await x.call('apiVersions', CLIENT);
        }
      },
      { from: 1 },
    ),
  ),
  ...NEWEST.map(([api, ask]) =>
    many(
      'updateFeatures',
      `what goes by transaction.version 2, at 0: ${api}`,
      async (x) => {
        const topic = await x.topic('a');
        const transactionalId = x.name('tx');
        await x.settle('findCoordinator', { keyType: 1, coordinatorKeys: [transactionalId] }, (answer) =>
          answer.coordinators.map(({ errorCode }) => errorCode),
        );
        await changeLevels(x, [[TRANSACTION, 0, SAFE]]);
        try {
          const { producerId, producerEpoch } = await x.quiet('initProducerId', {
            transactionalId,
            transactionTimeoutMs: 60_000,
          });
          await ask(x, topic, { transactionalId, producerId, producerEpoch });
        } finally {
          await changeLevels(x, [[TRANSACTION, 2]]);
        }
      },
      { from: 2 },
    ),
  ),
  many('updateFeatures', 'eligible leaders, and least in-sync counts that brokers have of their own', async (x) => {
    const own = { resourceType: BROKER, resourceName: '1' };
    const all = { resourceType: BROKER, resourceName: '' };
    const set = (resource: typeof own, configOperation: number, value: string | null) =>
      x.call('incrementalAlterConfigs', {
        resources: [{ ...resource, configs: [{ name: MIN_ISR, configOperation, value }] }],
        validateOnly: false,
      });
    const describe = { resources: [own, all].map((one) => ({ ...one, configurationKeys: [MIN_ISR] })) };
    /** Configs come to Apache Kafka's brokers a moment after levels. */
    const show = async (): Promise<void> => {
      const deadline = Date.now() + PATIENCE_MS;
      const isOwn = async (): Promise<boolean> => {
        const { results } = await x.quiet('describeConfigs', describe);
        return results[0]?.configs[0]?.configSource === OF_ONE_BROKER;
      };
      while ((await isOwn()) && Date.now() < deadline);
      await x.call('describeConfigs', describe);
    };
    await set(own, SET, '1');
    await changeLevels(x, [[ELR, 0, SAFE]]);
    await set(own, SET, '1');
    await set(all, DELETE, null);
    await changeLevels(x, [[ELR, 1]]);
    await show();
    await changeLevels(x, [[ELR, 1]]);
    await show();
  }),
].map((each) => ({ ...each, alone: true }));

export const FEATURE_CASES: readonly Case[] = [...TRIED, ...CHANGED];
