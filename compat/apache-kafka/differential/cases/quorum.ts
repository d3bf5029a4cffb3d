/** Who leads the partitions and the metadata log, and who is asked for that this node is not: elections, reassignments, the quorum, ACLs, tokens, SASL. */
import { type Case, many, one } from '../case.ts';

const METADATA = '__cluster_metadata';

const LEADERS: readonly Case[] = [
  many('electLeaders', 'of what has them, and of what does not exist', async (x) => {
    const { name } = await x.topic('a', 2);
    const topicPartitions = [
      { topic: name, partitions: [1, 9, 0, 1] },
      { topic: x.name('none'), partitions: [0] },
      { topic: '', partitions: [] },
    ];
    for (const electionType of x.version === 0 ? [0] : [0, 1, 7, -1]) {
      const type = x.version === 0 ? {} : { electionType };
      await x.call('electLeaders', { ...type, topicPartitions, timeoutMs: 1000 });
      await x.call('electLeaders', { ...type, topicPartitions: null, timeoutMs: 1000 });
      await x.call('electLeaders', { ...type, topicPartitions: [], timeoutMs: 1000 });
    }
  }),
  many('alterPartitionReassignments', 'to everywhere', async (x) => {
    const { name } = await x.topic('a', 2);
    const replicas = [[1], [2], [1, 2], [1, 1], [], [-1], null];
    const topics = [
      { name, partitions: replicas.map((some) => ({ partitionIndex: 1, replicas: some })) },
      { name, partitions: [{ partitionIndex: 9, replicas: [1] }] },
      { name: x.name('none'), partitions: [{ partitionIndex: 0, replicas: [1] }] },
      { name: '', partitions: [] },
    ];
    for (const allowReplicationFactorChange of x.version === 0 ? [true] : [true, false]) {
      const factor = x.version === 0 ? {} : { allowReplicationFactorChange };
      await x.call('alterPartitionReassignments', { ...factor, timeoutMs: 1000, topics });
      await x.call('alterPartitionReassignments', { ...factor, timeoutMs: 1000, topics: [] });
    }
  }),
  many('listPartitionReassignments', 'of which there are none', async (x) => {
    const { name } = await x.topic('a');
    const named = [
      { name, partitionIndexes: [0, 9] },
      { name: x.name('none'), partitionIndexes: [0] },
    ];
    for (const topics of [null, [], named]) await x.call('listPartitionReassignments', { timeoutMs: 1000, topics });
  }),
];

const partitions = (...indexes: readonly number[]) => indexes.map((partitionIndex) => ({ partitionIndex }));

const QUORUM: readonly Case[] = [
  many('describeQuorum', 'of the metadata log, and of what has none', async (x) => {
    await x.call('describeQuorum', { topics: [{ topicName: METADATA, partitions: partitions(0) }] });
    await x.call('describeQuorum', { topics: [] });
    await x.call('describeQuorum', { topics: [{ topicName: METADATA, partitions: partitions(1) }] });
    await x.call('describeQuorum', { topics: [{ topicName: METADATA, partitions: partitions(0, 0) }] });
    await x.call('describeQuorum', { topics: [{ topicName: METADATA, partitions: [] }] });
    await x.call('describeQuorum', { topics: [{ topicName: x.name('none'), partitions: partitions(0) }] });
    const two = [METADATA, x.name('none')].map((topicName) => ({ topicName, partitions: partitions(0) }));
    await x.call('describeQuorum', { topics: two });
  }),
];

const FILTER = {
  resourceTypeFilter: 2,
  resourceNameFilter: null,
  patternTypeFilter: 3,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
};
const CREATION = {
  resourceType: 2,
  resourceName: 'a',
  resourcePatternType: 3,
  principal: 'User:a',
  host: '*',
  operation: 3,
  permissionType: 3,
};

const OWNERS: readonly (readonly [type: string | null, name: string | null])[] = [
  ['User', 'b'],
  ['', 'b'],
  [null, 'b'],
  ['User', null],
  ['User', ''],
];

const UNSECURED: readonly Case[] = [
  one('describeAcls', 'without an authorizer', () => FILTER),
  ...['resourceTypeFilter', 'patternTypeFilter', 'operation', 'permissionType'].flatMap((field) => [
    one('describeAcls', `with an unknown ${field}`, () => ({ ...FILTER, [field]: 0 })),
    one('describeAcls', `with a ${field} of no list`, () => ({ ...FILTER, [field]: 99 })),
    one('deleteAcls', `with an unknown ${field}`, () => ({ filters: [FILTER, { ...FILTER, [field]: 0 }] })),
  ]),
  one('deleteAcls', 'without an authorizer', () => ({ filters: [FILTER, FILTER] })),
  one('deleteAcls', 'of none', () => ({ filters: [] })),
  one('createAcls', 'without an authorizer', () => ({ creations: [CREATION, { ...CREATION, resourceName: '', principal: '' }] })),
  one('createAcls', 'of none', () => ({ creations: [] })),
  ...['resourceType', 'resourcePatternType', 'operation', 'permissionType'].map((field) =>
    one('createAcls', `with an unknown ${field}`, () => ({ creations: [CREATION, { ...CREATION, [field]: 0 }] })),
  ),
  one('createDelegationToken', 'for oneself', () => ({ renewers: [], maxLifetimeMs: -1 })),
  ...OWNERS.map(([ownerPrincipalType, ownerPrincipalName]) =>
    one(
      'createDelegationToken',
      `for ${ownerPrincipalType}:${ownerPrincipalName}`,
      () => ({ ownerPrincipalType, ownerPrincipalName, renewers: [], maxLifetimeMs: -5 }),
      { from: 3 },
    ),
  ),
  one('renewDelegationToken', 'that is none', () => ({ hmac: Buffer.from('a'), renewPeriodMs: -1 })),
  one('expireDelegationToken', 'that is none', () => ({ hmac: Buffer.from('a'), expiryTimePeriodMs: -1 })),
  one('describeDelegationToken', 'of all owners', () => ({ owners: null })),
  one('describeDelegationToken', 'of no owner', () => ({ owners: [] })),
  one('saslHandshake', 'on plain text', () => ({ mechanism: 'PLAIN' })),
  one('saslAuthenticate', 'on plain text', () => ({ authBytes: Buffer.from('a') })),
];

export const QUORUM_CASES: readonly Case[] = [...LEADERS, ...QUORUM, ...UNSECURED];
