/** What each owner of a data directory adds to it, round by round, and what it goes on with that the one before left unfinished. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PlainClient } from '../../../test/support/plain-client.ts';
import { GZIP, LZ4, NONE, SNAPPY, ZSTD } from '../../../src/wire/compression/codec.ts';
import { buildBatch, type RecordDraft } from '../../../src/wire/record-batch-builder.ts';
import { CLIENT, commit, coordinated, produce, settled } from './calls.ts';

/** Inside a batch. */
const DELETED_BEFORE = 33;
const CODECS = [NONE, GZIP, SNAPPY, LZ4, ZSTD] as const;
/** Small segments, by Kafka's own way around its minimum. */
const SEGMENT = { 'internal.segment.bytes': '3000' };
const HALF_AN_HOUR_MS = 1_800_000;

/** What is unfinished when the directory is handed over. */
export interface Left {
  readonly topic: string;
  readonly producer: { readonly producerId: number; readonly producerEpoch: number };
  /** Of the last batch, which may be sent again. */
  readonly lastBatch: Buffer;
  readonly nextSequence: number;
  readonly transaction: { readonly id: string; readonly producerId: bigint; readonly producerEpoch: number };
  readonly member: {
    readonly groupId: string;
    readonly memberId: string;
    readonly groupInstanceId: string;
    readonly generationId: number;
  };
}

/** Nothing that a client can ask for says whether a start of a log is in its checkpoint. */
export async function startIsKept(dataDirs: readonly string[], topic: string): Promise<void> {
  const line = `${topic} 1 ${DELETED_BEFORE}\n`;
  const isThere = (dataDir: string): boolean => {
    const path = join(dataDir, 'log-start-offset-checkpoint');
    return existsSync(path) && readFileSync(path, 'utf8').includes(line);
  };
  await settled(`a checkpoint with ${topic}-1`, () => Promise.resolve(dataDirs.some(isThere) ? 0 : 1));
}

/** Some segments of metadata that nothing is left of, with TRIMMING. */
async function growMetadata(client: PlainClient): Promise<void> {
  for (let i = 0; i < 6; i++) {
    const topics = [{ name: `brief-${i}`, numPartitions: 30, replicationFactor: 1, assignments: [], configs: [] }];
    await client.call('createTopics', { topics, timeoutMs: 30_000, validateOnly: false }, 7, CLIENT);
    await client.call(
      'deleteTopics',
      { topics: [{ name: `brief-${i}`, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], timeoutMs: 30_000 },
      6,
      CLIENT,
    );
  }
}

const TRIMMED_WITHIN_MS = 90_000;

/** Both look once a minute what may go of the metadata log. With TRIMMING its first segments do, and a snapshot stands for them. */
export async function trimMetadata(client: PlainClient, dataDir: string): Promise<void> {
  await growMetadata(client);
  const names = (): string[] => readdirSync(join(dataDir, '__cluster_metadata-0')).toSorted();
  const deadline = Date.now() + TRIMMED_WITHIN_MS;
  while (names().find((name) => name.endsWith('.log')) === `${'0'.repeat(20)}.log`) {
    if (Date.now() > deadline) throw new Error(`the metadata log of ${dataDir} still begins at 0: ${names().join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function createTopics(client: PlainClient, round: number): Promise<void> {
  const plain = { 'retention.ms': '-1', 'segment.bytes': '1048576', 'max.message.bytes': String(700_000 + round) };
  const wanted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    [`round-${round}`]: plain,
    [`gone-${round}`]: plain,
    [`compacted-${round}`]: {
      ...SEGMENT,
      'retention.ms': '-1',
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.01',
    },
    [`stamped-${round}`]: {
      ...SEGMENT,
      'retention.ms': '-1',
      'message.timestamp.type': 'LogAppendTime',
      'compression.type': 'lz4',
      'compression.lz4.level': String([5, 12, 1, 17][round % 4]),
    },
    [`transactions-${round}`]: { ...SEGMENT, 'retention.ms': '-1', 'index.interval.bytes': '100' },
  };
  const topics = Object.entries(wanted).map(([name, configs]) => ({
    name,
    numPartitions: 2,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }));
  const created = await client.call('createTopics', { topics, timeoutMs: 30_000, validateOnly: false }, 7, CLIENT);
  for (const { errorCode, errorMessage } of created.topics) if (errorCode !== 0) throw new Error(`createTopics: ${errorMessage}`);
  const gone = { name: `gone-${round}`, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' };
  await client.call('deleteTopics', { topics: [gone], timeoutMs: 30_000 }, 6, CLIENT);
  const more = { topics: [{ name: `round-${round}`, count: 3, assignments: null }], timeoutMs: 30_000, validateOnly: false };
  await settled(
    'createPartitions',
    async () => (await client.call('createPartitions', more, 3, CLIENT)).results[0]?.errorCode ?? -1,
  );
}

/** Of a topic, of this broker, of all brokers, of a group. */
async function alterConfigs(client: PlainClient, round: number): Promise<void> {
  const [topic, broker, group] = [2, 4, 32];
  const set = (resourceType: number, resourceName: string, name: string, value: string) => ({
    resourceType,
    resourceName,
    configs: [{ name, configOperation: 0, value }],
  });
  const resources = [
    set(topic, 'round-1', 'flush.ms', String(1_000_000 + round)),
    set(broker, '1', 'log.segment.delete.delay.ms', String(50_000 + round)),
    set(broker, '', 'message.max.bytes', String(1_500_000 + round)),
    set(group, `group-${round}`, 'consumer.session.timeout.ms', String(50_000 + round)),
  ];
  const { responses } = await client.call('incrementalAlterConfigs', { resources, validateOnly: false }, 1, CLIENT);
  for (const { errorCode, errorMessage } of responses)
    if (errorCode !== 0) throw new Error(`incrementalAlterConfigs: ${errorMessage}`);
}

const batch = (records: readonly RecordDraft[], more: object = {}): Buffer =>
  buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, ...more });

/** Every codec by an idempotent producer; what it left. */
async function produceIdempotently(
  client: PlainClient,
  round: number,
): Promise<Pick<Left, 'producer' | 'lastBatch' | 'nextSequence'>> {
  const request = { transactionalId: null, transactionTimeoutMs: 1000 };
  const { producerId, producerEpoch } = await client.call('initProducerId', request, 4, CLIENT);
  const producer = { producerId: Number(producerId), producerEpoch };
  let lastBatch: Buffer = Buffer.alloc(0);
  let nextSequence = 0;
  for (const topic of new Set(['round-1', `round-${round}`])) {
    for (const index of [0, 1, 2]) {
      nextSequence = 0;
      for (const [i, codec] of CODECS.entries()) {
        const records = recordsOfRound(round, topic, index, i);
        lastBatch = batch(records, { codec, ...producer, baseSequence: nextSequence });
        nextSequence += records.length;
        await produce(client, topic, index, Buffer.from(lastBatch));
      }
    }
  }
  return { producer, lastBatch, nextSequence };
}

/** Keys that are overwritten and deleted, over several segments. */
async function produceKeyed(client: PlainClient, round: number): Promise<void> {
  for (const topic of new Set(['compacted-1', `compacted-${round}`])) {
    for (let i = 0; i < 30; i++) {
      const records = Array.from({ length: 10 }, (_unused, at) => ({
        key: Buffer.from(`key-${(i * 7 + at) % 40}`),
        value: (i + at) % 9 === 0 ? null : Buffer.from(`${round} ${i} ${at} ${'x'.repeat(i * 3)}`),
        timestamp: 1_700_000_000_000 + round * 1000 + i,
      }));
      await produce(client, topic, i % 2, batch(records, { codec: CODECS[i % CODECS.length] }));
    }
  }
}

async function produceStamped(client: PlainClient, round: number): Promise<void> {
  for (const [i, codec] of [...CODECS, ...CODECS, ...CODECS].entries())
    await produce(client, `stamped-${round}`, i % 2, batch(recordsOfRound(round, 'stamped', i % 2, i), { codec }));
}

/** A transaction begun, with records in both partitions and an offset of a group. */
async function begin(client: PlainClient, topic: string, id: string, groupId: string, committedOffset: number) {
  await coordinated(client, id, 1);
  let begun = { producerId: 0n, producerEpoch: 0 };
  await settled(`initProducerId of ${id}`, async () => {
    const answer = await client.call('initProducerId', { transactionalId: id, transactionTimeoutMs: 900_000 }, 4, CLIENT);
    begun = { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
    return answer.errorCode;
  });
  const transaction = { transactionalId: id, ...begun };
  const added = {
    v3AndBelowTransactionalId: id,
    v3AndBelowProducerId: begun.producerId,
    v3AndBelowProducerEpoch: begun.producerEpoch,
  };
  await settled(`addPartitionsToTxn of ${id}`, async () => {
    const request = { ...added, v3AndBelowTopics: [{ name: topic, partitions: [0, 1] }] };
    const answer = await client.call('addPartitionsToTxn', request, 3, CLIENT);
    return answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1;
  });
  for (const index of [0, 1]) {
    for (let i = 0; i < 4; i++) {
      const records = recordsOfRound(i, topic, index, i);
      const producer = {
        producerId: Number(begun.producerId),
        producerEpoch: begun.producerEpoch,
        baseSequence: i * records.length,
      };
      await produce(client, topic, index, batch(records, { codec: GZIP, ...producer, transactional: true }), id);
    }
  }
  await settled(
    `addOffsetsToTxn of ${id}`,
    async () => (await client.call('addOffsetsToTxn', { ...transaction, groupId }, 3, CLIENT)).errorCode,
  );
  await coordinated(client, groupId, 0);
  const offsets = [
    {
      name: topic,
      partitions: [
        { partitionIndex: 0, committedOffset: BigInt(committedOffset), committedLeaderEpoch: -1, committedMetadata: id },
      ],
    },
  ];
  await settled(`txnOffsetCommit of ${id}`, async () => {
    const request = { ...transaction, groupId, generationId: -1, memberId: '', groupInstanceId: null, topics: offsets };
    return (await client.call('txnOffsetCommit', request, 3, CLIENT)).topics[0]?.partitions[0]?.errorCode ?? -1;
  });
  return { id, ...begun };
}

/** Ends it, and waits until its markers are everywhere. */
async function end(client: PlainClient, topic: string, transaction: Left['transaction'], committed: boolean): Promise<void> {
  const { id, producerId, producerEpoch } = transaction;
  await coordinated(client, id, 1);
  await settled(`endTxn of ${id}`, async () => {
    const request = { transactionalId: id, producerId, producerEpoch, committed };
    return (await client.call('endTxn', request, 3, CLIENT)).errorCode;
  });
  for (const index of [0, 1]) {
    await settled(`the end of ${id} in ${topic}-${index}`, async () => {
      const ends = [];
      for (const isolationLevel of [0, 1]) {
        const partitions = [{ partitionIndex: index, currentLeaderEpoch: -1, timestamp: -1n }];
        const answer = await client.call(
          'listOffsets',
          { replicaId: -1, isolationLevel, topics: [{ name: topic, partitions }] },
          7,
          CLIENT,
        );
        ends.push(answer.topics[0]?.partitions[0]?.offset);
      }
      return ends[0] === ends[1] ? 0 : 1;
    });
  }
  await settled(`the state of ${id}`, async () => {
    const { transactionStates } = await client.call('describeTransactions', { transactionalIds: [id] }, 0, CLIENT);
    return transactionStates[0]?.transactionState.startsWith('Complete') === true ? 0 : 1;
  });
}

/** A static member that stays for half an hour. */
async function stay(client: PlainClient, groupId: string): Promise<Left['member']> {
  const groupInstanceId = `${groupId}-member`;
  await coordinated(client, groupId, 0);
  let [memberId, generationId] = ['', -1];
  const protocol = { protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from('subscription') }] };
  const timeouts = { sessionTimeoutMs: HALF_AN_HOUR_MS, rebalanceTimeoutMs: 60_000 };
  await settled(`joinGroup of ${groupId}`, async () => {
    const answer = await client.call(
      'joinGroup',
      { groupId, memberId: '', groupInstanceId, reason: null, ...protocol, ...timeouts },
      9,
      CLIENT,
    );
    [memberId, generationId] = [answer.memberId, answer.generationId];
    return answer.errorCode;
  });
  const member = { groupId, memberId, groupInstanceId, generationId };
  const assignments = [{ memberId, assignment: Buffer.from('assignment') }];
  await settled(`syncGroup of ${groupId}`, async () => {
    const request = { ...member, protocolType: 'consumer', protocolName: 'range', assignments };
    return (await client.call('syncGroup', request, 5, CLIENT)).errorCode;
  });
  return member;
}

/** Topics with configs, records, offsets, members and transactions of groups; topics that go again, records that are deleted, partitions that come later. */
export async function add(client: PlainClient, round: number): Promise<Left> {
  const topic = `round-${round}`;
  await createTopics(client, round);
  const idempotent = await produceIdempotently(client, round);
  await produceKeyed(client, round);
  await produceStamped(client, round);
  const deletion = {
    topics: [{ name: topic, partitions: [{ partitionIndex: 1, offset: BigInt(DELETED_BEFORE) }] }],
    timeoutMs: 30_000,
  };
  await settled(
    'deleteRecords',
    async () => (await client.call('deleteRecords', deletion, 2, CLIENT)).topics[0]?.partitions[0]?.errorCode ?? -1,
  );
  for (const groupId of [`group-${round}`, 'group-of-all']) await commit(client, groupId, topic, 40 + round);
  await alterConfigs(client, round);
  const member = await stay(client, `members-${round}`);
  const transactions = `transactions-${round}`;
  for (const committed of [true, false, true])
    await end(client, transactions, await begin(client, transactions, `done-${round}`, `group-${round}`, 10), committed);
  const transaction = await begin(client, transactions, `open-${round}`, `group-${round}`, 20);
  return { topic, ...idempotent, transaction, member };
}

/** The producer sends its last batch again and one more, the transaction ends, the member is still one. */
export async function goOn(client: PlainClient, round: number, left: Left): Promise<void> {
  await produce(client, left.topic, 2, Buffer.from(left.lastBatch));
  const next = recordsOfRound(round, left.topic, 2, 9);
  await produce(client, left.topic, 2, batch(next, { ...left.producer, baseSequence: left.nextSequence }));
  await end(client, `transactions-${round - 1}`, left.transaction, round % 2 === 0);
  await coordinated(client, left.member.groupId, 0);
  await settled(
    `heartbeat of ${left.member.groupId}`,
    async () => (await client.call('heartbeat', left.member, 4, CLIENT)).errorCode,
  );
}

/** What there is to look for when `rounds` rounds were played. */
export function known(rounds: number) {
  const each = (name: string): string[] => Array.from({ length: rounds }, (_unused, i) => `${name}-${i + 1}`);
  return { groups: ['group-of-all', ...each('group'), ...each('members')], transactionalIds: [...each('done'), ...each('open')] };
}

function recordsOfRound(round: number, topic: string, index: number, batch: number) {
  return Array.from({ length: 20 }, (_unused, i) => ({
    key: Buffer.from(`${round}-${i}`),
    value: i % 7 === 0 ? null : Buffer.from(`${topic}/${index} ${'ä'.repeat((batch * 97 + i * 31) % 400)}`),
    timestamp: 1_700_000_000_000 + round * 1000 + i,
    headers: i % 5 === 0 ? [{ key: 'h', value: Buffer.from([round, batch]) }] : [],
  }));
}
