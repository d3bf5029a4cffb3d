/** Requests that are well formed and mean harm: what is not there, what may not be, and far too much of it. */
import { expect } from 'chai';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { PlainClient } from '../support/plain-client.ts';
import { requestFrame } from '../support/requests.ts';
import { batchOf, Victim } from './victim.ts';

const MIB = 1024 * 1024;
const UNKNOWN_ID = 'abcdefghijklmnopqrstuA';
const MILLION = 1_000_000;
const MANY = 100_000;
const ILLEGAL = ['', '.', '..', 'a b', 'a/b', '../../etc/passwd', 'ä', '\u0000', 'x'.repeat(250), 'x'.repeat(32_000)];

const many = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));

describe('hostile requests', function () {
  this.timeout(60_000);
  let victim: Victim;
  let client: PlainClient;

  before(async () => {
    victim = await Victim.start({ settings: { 'offsets.topic.num.partitions': '1' }, topics: ['there:2'] });
    expect((await victim.produce('there', batchOf(['a', 'b', 'c']))).errorCode).to.equal(0);
    for (let round = 0; round < 100; round++) {
      const { coordinators } = await victim.ask('findCoordinator', 4, { keyType: 0, coordinatorKeys: ['g'] });
      if (coordinators[0]?.errorCode === 0) break;
    }
  });

  after(async () => {
    const { code, stderr } = await victim.stop();
    expect([code, stderr]).to.deep.equal([0, '']);
  });

  beforeEach(() => {
    client = victim.client();
  });

  afterEach(async () => {
    // The connection has stayed.
    await client.call('metadata', { topics: [] }, 12, 'hostile');
    client.close();
    await victim.isUnharmed();
  });

  const ask = <N extends ApiName>(name: N, version: number, draft: ApiTypes[N]['requestDraft']) =>
    client.call(name, draft, version, 'hostile');

  const fetchOf = async (partition: number, fetchOffset: bigint, topic = 'there') => {
    const partitions = [{ partition, fetchOffset, partitionMaxBytes: MIB }];
    const { responses } = await ask('fetch', 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] });
    return responses[0]?.partitions[0]?.errorCode;
  };

  it('for topics, ids and partitions that are not there', async () => {
    for (const partition of [2, 1000, 0x7fff_ffff, -1, -0x8000_0000]) {
      expect(await fetchOf(partition, 0n), `fetch of partition ${partition}`).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      const produced = await ask('produce', 9, {
        acks: 1,
        timeoutMs: 1,
        topicData: [{ name: 'there', partitionData: [{ index: partition, records: batchOf(['x']) }] }],
      });
      expect(produced.responses[0]?.partitionResponses[0]?.errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    expect(await fetchOf(0, 0n, 'nowhere')).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const byId = await ask('fetch', 16, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topicId: UNKNOWN_ID, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: MIB }] }],
    });
    expect(byId.responses[0]?.partitions[0]?.errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_ID);
    const deleted = await ask('deleteTopics', 6, { topics: [{ name: null, topicId: UNKNOWN_ID }], timeoutMs: 1 });
    expect(deleted.responses[0]?.errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_ID);
  });

  it('for offsets that are out of range', async () => {
    for (const offset of [4n, -1n, -1000n, 1n << 53n, 0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n]) {
      expect(await fetchOf(0, offset), `fetch at ${offset}`).to.equal(ErrorCode.OFFSET_OUT_OF_RANGE);
    }
    for (const offset of [4n, -2n, 1n << 60n]) {
      const partitions = [{ partitionIndex: 0, offset }];
      const { topics } = await ask('deleteRecords', 2, { topics: [{ name: 'there', partitions }], timeoutMs: 1000 });
      expect(topics[0]?.partitions[0]?.errorCode, `delete to ${offset}`).to.equal(ErrorCode.OFFSET_OUT_OF_RANGE);
    }
    for (const timestamp of [-100n, 0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n]) {
      const partitions = [{ partitionIndex: 0, timestamp }];
      const { topics } = await ask('listOffsets', 7, { replicaId: -1, topics: [{ name: 'there', partitions }] });
      expect(topics[0]?.partitions[0]?.offset, `offset at ${timestamp}`).to.be.oneOf([-1n, 0n]);
    }
  });

  it('for names that are illegal', async () => {
    const topics = ILLEGAL.map((name) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }));
    const created = await ask('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false });
    const told = created.topics.map(({ name, errorCode }) => [name, errorCode]);
    expect(told.length).to.equal(ILLEGAL.length);
    const own = { name: '__cluster_metadata', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    const metadata = await ask('createTopics', 7, { topics: [own], timeoutMs: 1000, validateOnly: false });
    expect(metadata.topics[0]?.errorCode).to.equal(ErrorCode.INVALID_REQUEST);
    for (const [name, error] of told) expect(error, String(name)).to.equal(ErrorCode.INVALID_TOPIC_EXCEPTION);
    const { topics: shown } = await ask('metadata', 12, {
      topics: ILLEGAL.map((name) => ({ name })),
      allowAutoTopicCreation: true,
    });
    expect(shown.every(({ errorCode }) => errorCode !== 0)).to.equal(true);
    for (const name of ILLEGAL) {
      const answer = await victim.produce(name, batchOf(['x']), client);
      expect(answer.errorCode, name).to.not.equal(0);
    }
  });

  it('that name everything twice', async () => {
    const topic = { name: 'twice', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    const created = await ask('createTopics', 7, { topics: [topic, topic], timeoutMs: 1000, validateOnly: false });
    expect(created.topics.map(({ errorCode }) => errorCode)).to.deep.equal([ErrorCode.INVALID_REQUEST]);
    const partitions = many(1000, () => ({ partition: 0, fetchOffset: 0n, partitionMaxBytes: MIB }));
    const fetched = await ask('fetch', 12, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: many(10, () => ({ topic: 'there', partitions })),
    });
    expect(fetched.errorCode).to.equal(0);
    const twice = many(2, () => ({ partitionIndex: 0, timestamp: -1n }));
    const listed = await ask('listOffsets', 7, { replicaId: -1, topics: [{ name: 'there', partitions: twice }] });
    expect(listed.topics[0]?.partitions[0]?.errorCode).to.equal(ErrorCode.INVALID_REQUEST);
    const groups = many(1000, () => 'g');
    expect((await ask('describeGroups', 5, { groups })).groups.length).to.be.within(1, 1000);
  });

  const LOADS: { readonly [what: string]: () => Promise<unknown> } = {
    'a million topics, metadata': async () => {
      const request = requestFrame('metadata', 4, 7, {
        topics: many(MILLION, (i) => ({ name: `m${i}` })),
        allowAutoTopicCreation: false,
      });
      // Seconds of work on a quiet machine: twice the usual patience.
      const answer = await client.exchange(request.subarray(4)).catch(() => client.next());
      expect(answer.readInt32BE(0)).to.equal(7);
      expect(answer.length).to.be.above(MILLION * 10);
    },
    'metadata of one topic': () => ask('metadata', 12, { topics: many(MANY, () => ({ name: 'there' })) }),
    createTopics: () =>
      ask('createTopics', 7, {
        topics: many(MANY, (i) => ({ name: `c${i}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })),
        timeoutMs: 1000,
        validateOnly: false,
      }),
    deleteTopics: () => ask('deleteTopics', 6, { topics: many(MANY, (i) => ({ name: `d${i}` })), timeoutMs: 1000 }),
    createPartitions: () =>
      ask('createPartitions', 3, {
        topics: many(MANY, (i) => ({ name: `p${i}`, count: 3, assignments: null })),
        timeoutMs: 1000,
        validateOnly: false,
      }),
    fetch: () =>
      ask('fetch', 12, {
        maxWaitMs: 0,
        minBytes: 0,
        topics: many(MANY, (i) => ({ topic: `f${i}`, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 }] })),
      }),
    listOffsets: () =>
      ask('listOffsets', 7, {
        replicaId: -1,
        topics: many(MANY, (i) => ({ name: `l${i}`, partitions: [{ partitionIndex: 0, timestamp: -1n }] })),
      }),
    offsetCommit: () =>
      ask('offsetCommit', 8, {
        groupId: 'g',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: many(MANY, (i) => ({
          name: `o${i}`,
          partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }],
        })),
      }),
    offsetFetch: () =>
      ask('offsetFetch', 8, {
        groups: [{ groupId: 'g', topics: many(MANY, (i) => ({ name: `q${i}`, partitionIndexes: [0] })) }],
        requireStable: false,
      }),
    describeGroups: () => ask('describeGroups', 5, { groups: many(MANY, (i) => `g${i}`) }),
    findCoordinator: () => ask('findCoordinator', 4, { keyType: 0, coordinatorKeys: many(MANY, (i) => `k${i}`) }),
    deleteRecords: () =>
      ask('deleteRecords', 2, {
        topics: many(MANY, (i) => ({ name: `e${i}`, partitions: [{ partitionIndex: 0, offset: 1n }] })),
        timeoutMs: 1000,
      }),
    deleteGroups: () => ask('deleteGroups', 2, { groupsNames: many(MANY, (i) => `x${i}`) }),
    offsetDelete: () =>
      ask('offsetDelete', 0, {
        groupId: 'g',
        topics: many(MANY, (i) => ({ name: `n${i}`, partitions: [{ partitionIndex: 0 }] })),
      }),
    offsetForLeaderEpoch: () =>
      ask('offsetForLeaderEpoch', 4, {
        topics: many(MANY, (i) => ({ topic: `h${i}`, partitions: [{ partition: 0, leaderEpoch: 0 }] })),
      }),
    describeProducers: () =>
      ask('describeProducers', 0, { topics: many(MANY, (i) => ({ name: `s${i}`, partitionIndexes: [0] })) }),
    describeTopicPartitions: () => ask('describeTopicPartitions', 0, { topics: many(MANY, (i) => ({ name: `t${i}` })) }),
    describeTransactions: () => ask('describeTransactions', 0, { transactionalIds: many(MANY, (i) => `u${i}`) }),
    addPartitionsToTxn: () =>
      ask('addPartitionsToTxn', 3, {
        v3AndBelowTransactionalId: 'v',
        v3AndBelowProducerId: 1n,
        v3AndBelowProducerEpoch: 0,
        v3AndBelowTopics: many(MANY, (i) => ({ name: `v${i}`, partitions: [0] })),
      }),
    txnOffsetCommit: () =>
      ask('txnOffsetCommit', 3, {
        transactionalId: 'v',
        groupId: 'g',
        producerId: 1n,
        producerEpoch: 0,
        topics: many(MANY, (i) => ({
          name: `w${i}`,
          partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }],
        })),
      }),
    alterReplicaLogDirs: () =>
      ask('alterReplicaLogDirs', 2, {
        dirs: many(MANY, (i) => ({ path: `/nowhere/${i}`, topics: [{ name: 'there', partitions: [0] }] })),
      }),
    incrementalAlterConfigs: () =>
      ask('incrementalAlterConfigs', 1, {
        resources: many(MANY, (i) => ({
          resourceType: 2,
          resourceName: `y${i}`,
          configs: [{ name: 'retention.ms', configOperation: 0, value: '1' }],
        })),
        validateOnly: true,
      }),
    'the protocols of a member': () =>
      ask('joinGroup', 5, {
        groupId: 'j',
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 1000,
        memberId: '',
        groupInstanceId: null,
        protocolType: 'consumer',
        protocols: many(MANY, (i) => ({ name: `z${i}`, metadata: Buffer.alloc(0) })),
      }),
    leaveGroup: () =>
      ask('leaveGroup', 5, {
        groupId: 'g',
        members: many(MANY, (i) => ({ memberId: `m${i}`, groupInstanceId: null, reason: null })),
      }),
    describeConfigs: () =>
      ask('describeConfigs', 4, {
        resources: many(MANY, (i) => ({ resourceType: 2, resourceName: `r${i}`, configurationKeys: null })),
      }),
  };

  for (const [what, run] of Object.entries(LOADS)) {
    it(`with very many entries: ${what}`, async () => {
      await run();
    });
  }

  it('with enormous metadata in commits', async () => {
    const commit = async (size: number): Promise<number | undefined> => {
      const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: 'm'.repeat(size) }];
      const { topics } = await ask('offsetCommit', 8, {
        groupId: 'g',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: [{ name: 'there', partitions }],
      });
      return topics[0]?.partitions[0]?.errorCode;
    };
    expect(await commit(4096)).to.equal(0);
    for (const size of [4097, 20_000, 32_767])
      expect(await commit(size), `${size} bytes`).to.equal(ErrorCode.OFFSET_METADATA_TOO_LARGE);
  });

  it('for ten thousand partitions at once are within what Apache Kafka allows, for one more are not', async () => {
    const create = async (name: string, numPartitions: number) => {
      const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }];
      const answer = await ask('createTopics', 7, { topics, timeoutMs: 60_000, validateOnly: true });
      return answer.topics[0]?.errorCode;
    };
    expect(await create('allowed', 9_000)).to.equal(0);
    expect(await create('too-many', 10_001)).to.equal(ErrorCode.POLICY_VIOLATION);
    for (const count of [0x7fff_ffff, -5]) expect(await create('nonsense', count)).to.not.equal(0);
  });
});
