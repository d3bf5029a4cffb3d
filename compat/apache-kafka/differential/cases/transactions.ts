/** Transactions: producers, partitions, offsets, ends, markers, what readers see of them, and what administrators ask. */
import type { ApiTypes } from '../../../../src/wire/generated/apis.ts';
import { batchesOf } from '../../../../src/wire/record-batch.ts';
import { recordsOf } from '../../../../src/wire/record.ts';
import { type Case, many, one } from '../case.ts';
import type { Conversation, Topic } from '../conversation.ts';

type Produce = ApiTypes['produce']['requestDraft'];

interface Producer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

const TIMEOUT_MS = 60_000;
const ABORT = false;
const COMMIT = true;

/** The coordinator of the id is ready. */
async function coordinated(x: Conversation, what: string): Promise<string> {
  const transactionalId = x.name(what);
  await x.settle('findCoordinator', { keyType: 1, coordinatorKeys: [transactionalId] }, (answer) =>
    answer.coordinators.map(({ errorCode }) => errorCode),
  );
  await x.settle('describeTransactions', { transactionalIds: [transactionalId] }, (answer) =>
    answer.transactionStates.map(({ errorCode }) => errorCode),
  );
  return transactionalId;
}

async function producerOf(x: Conversation, what = 'tx', more = {}): Promise<Producer> {
  const transactionalId = await coordinated(x, what);
  const { producerId, producerEpoch } = await x.quiet('initProducerId', {
    transactionalId,
    transactionTimeoutMs: TIMEOUT_MS,
    ...more,
  });
  return { transactionalId, producerId, producerEpoch };
}

/** Adds partitions as clients of before 4.0 do. */
function adding(producer: Producer, topic: Topic, ...partitions: number[]): ApiTypes['addPartitionsToTxn']['requestDraft'] {
  const topics = [{ name: topic.name, partitions }];
  return {
    v3AndBelowTransactionalId: producer.transactionalId,
    v3AndBelowProducerId: producer.producerId,
    v3AndBelowProducerEpoch: producer.producerEpoch,
    v3AndBelowTopics: topics,
    transactions: [{ ...producer, verifyOnly: false, topics }],
  };
}

const add = (x: Conversation, producer: Producer, topic: Topic, ...partitions: number[]) =>
  x.call('addPartitionsToTxn', adding(producer, topic, ...partitions), { quiet: true, version: 3 });

interface Sent {
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly index?: number;
  readonly transactionalId?: string | null;
}

function sending(x: Conversation, producer: Producer, topic: Topic, values: readonly string[], more: Sent = {}): Produce {
  const { baseSequence = 0, transactional = true, index = 0, transactionalId = producer.transactionalId } = more;
  const { producerId, producerEpoch } = producer;
  const records = x.batch(values, { producerId: Number(producerId), producerEpoch, baseSequence, transactional });
  return { transactionalId, acks: -1, timeoutMs: 10_000, topicData: [{ ...topic, partitionData: [{ index, records }] }] };
}

const send = (x: Conversation, producer: Producer, topic: Topic, values: readonly string[], more: Sent = {}) =>
  x.quiet('produce', sending(x, producer, topic, values, more));

/** Waits until markers are everywhere. */
async function atRest(x: Conversation, transactionalId: string): Promise<void> {
  for (let asked = 0; asked < 500; asked++) {
    const { transactionStates } = await x.quiet('describeTransactions', { transactionalIds: [transactionalId] });
    if (transactionStates.every(({ transactionState }) => !transactionState.startsWith('Prepare'))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${transactionalId} does not come to rest`);
}

/** Ends without being part of the comparison, and gives the producer to go on with. */
async function end(x: Conversation, producer: Producer, committed: boolean): Promise<Producer> {
  const { producerId, producerEpoch } = await x.quiet('endTxn', { ...producer, committed });
  await atRest(x, producer.transactionalId);
  return { ...producer, producerId, producerEpoch };
}

/** What is in a partition, without what is drawn or timed: both as a plain reader sees it and as one of what is committed. */
async function read(x: Conversation, topic: Topic, partition = 0): Promise<void> {
  for (const isolationLevel of [0, 1]) {
    const answer = await x.quiet('fetch', {
      replicaId: -1,
      maxWaitMs: 50,
      minBytes: 1,
      maxBytes: 10_000_000,
      isolationLevel,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topic: topic.name,
          topicId: topic.topicId,
          partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 1_000_000, currentLeaderEpoch: -1 }],
        },
      ],
      forgottenTopicsData: [],
      rackId: '',
    });
    const found = answer.responses[0]?.partitions[0];
    const bytes = found?.records ?? null;
    x.note(`read at level ${isolationLevel}`, {
      errorCode: found?.errorCode,
      highWatermark: found?.highWatermark,
      lastStableOffset: found?.lastStableOffset,
      aborted: found?.abortedTransactions?.map(({ firstOffset }) => firstOffset) ?? null,
      batches: bytes === null ? null : batchesOf(Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes)).map(shape),
    });
  }
}

function shape(batch: ReturnType<typeof batchesOf>[number]) {
  const { baseOffset, lastOffset, isControl, isTransactional, producerEpoch, baseSequence, partitionLeaderEpoch, codec } = batch;
  const records = recordsOf(batch).map(({ key, value }) => [key, value]);
  return {
    baseOffset,
    lastOffset,
    isControl,
    isTransactional,
    producerEpoch,
    baseSequence,
    partitionLeaderEpoch,
    codec,
    records,
  };
}

async function offsets(x: Conversation, topic: Topic): Promise<void> {
  for (const isolationLevel of [0, 1]) {
    for (const timestamp of [-1, -2, -3, 0]) {
      const topics = [{ name: topic.name, partitions: [{ partitionIndex: 0, timestamp }] }];
      const answer = await x.quiet('listOffsets', { replicaId: -1, isolationLevel, topics });
      const found = answer.topics[0]?.partitions[0];
      // The time of the latest record may be that of a marker.
      x.note(`offset at ${timestamp}, level ${isolationLevel}`, [
        found?.errorCode,
        found?.offset,
        timestamp === 0 && found?.timestamp,
      ]);
    }
  }
}

const describe = (x: Conversation, ...transactionalIds: string[]) => x.call('describeTransactions', { transactionalIds });
const describeProducers = (x: Conversation, topic: Topic) =>
  x.call('describeProducers', { topics: [{ name: topic.name, partitionIndexes: [0] }] });

const init = (transactionalId: string, more = {}): ApiTypes['initProducerId']['requestDraft'] => {
  return { transactionalId, transactionTimeoutMs: TIMEOUT_MS, ...more };
};

const PRODUCERS: readonly Case[] = [
  many('initProducerId', 'with a transactional id, three times', async (x) => {
    const transactionalId = await coordinated(x, 'tx');
    for (let i = 0; i < 3; i++) await x.call('initProducerId', init(transactionalId));
    await describe(x, transactionalId);
  }),
  ...[0, -1, 900_000, 900_001].map((transactionTimeoutMs) =>
    many('initProducerId', `with a timeout of ${transactionTimeoutMs}`, async (x) =>
      x.call('initProducerId', init(await coordinated(x, 'tx'), { transactionTimeoutMs })),
    ),
  ),
  many(
    'initProducerId',
    'saying who it was',
    async (x) => {
      const { transactionalId, producerId } = await producerOf(x);
      for (const [id, producerEpoch] of [
        [producerId, 0],
        [producerId, 0],
        [producerId, 1],
        [producerId, 0],
        [producerId, 9],
        [producerId + 1_000_000n, 2],
        [producerId, 32_766],
      ] as const) {
        await x.call('initProducerId', init(transactionalId, { producerId: id, producerEpoch }));
      }
      await describe(x, transactionalId);
    },
    { from: 3 },
  ),
  many(
    'initProducerId',
    'an id that nobody knows, saying who it was',
    async (x) => {
      const transactionalId = await coordinated(x, 'tx');
      await x.call('initProducerId', init(transactionalId, { producerId: 77n, producerEpoch: 3 }));
      await x.call('initProducerId', init(transactionalId, { producerId: 77n, producerEpoch: 3 }));
    },
    { from: 3 },
  ),
  many('initProducerId', 'while a transaction is open', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    await send(x, producer, topic, ['a', 'b']);
    await x.call('initProducerId', init(producer.transactionalId));
    await atRest(x, producer.transactionalId);
    await describe(x, producer.transactionalId);
    await read(x, topic);
    await x.call('initProducerId', init(producer.transactionalId));
    await x.call('endTxn', { ...producer, committed: COMMIT }, { version: 4 });
    await x.call('endTxn', { ...producer, committed: COMMIT }, { version: 5 });
    await x.call('produce', sending(x, producer, topic, ['late'], { baseSequence: 2 }));
  }),
  many(
    'initProducerId',
    'the producer of an open transaction, saying who it is',
    async (x) => {
      const topic = await x.topic('a');
      const producer = await producerOf(x);
      const { transactionalId, producerId, producerEpoch } = producer;
      await add(x, producer, topic, 0);
      await x.call('initProducerId', init(transactionalId, { producerId, producerEpoch: 5 }));
      await atRest(x, transactionalId);
      await x.call('initProducerId', init(transactionalId, { producerId, producerEpoch }));
      await x.call('initProducerId', init(transactionalId, { producerId, producerEpoch: producerEpoch + 1 }));
    },
    { from: 3 },
  ),
  many(
    'findCoordinator',
    'of a transactional id',
    async (x) => {
      const key = await coordinated(x, 'tx');
      await x.call('findCoordinator', { key, keyType: 1, coordinatorKeys: [key, `${key}-too`] });
    },
    { from: 1 },
  ),
];

const PARTITIONS: readonly Case[] = [
  many('addPartitionsToTxn', 'twice, and more', async (x) => {
    const topic = await x.topic('a', 3);
    const producer = await producerOf(x);
    await x.call('addPartitionsToTxn', adding(producer, topic, 0));
    await x.call('addPartitionsToTxn', adding(producer, topic, 0));
    await x.call('addPartitionsToTxn', adding(producer, topic, 2, 1));
    await describe(x, producer.transactionalId);
  }),
  many('addPartitionsToTxn', 'by others', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    for (const other of [
      { producerEpoch: 1 },
      { producerEpoch: -1 },
      { producerId: producer.producerId + 1_000_000n },
      { transactionalId: await coordinated(x, 'nobody') },
      { transactionalId: '' },
    ]) {
      await x.call('addPartitionsToTxn', adding({ ...producer, ...other }, topic, 0));
    }
    await describe(x, producer.transactionalId);
  }),
  many('addPartitionsToTxn', 'some that are not there', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await x.call('addPartitionsToTxn', adding(producer, topic, 0, 7));
    await x.call('addPartitionsToTxn', adding(producer, { ...topic, name: x.name('none') }, 0));
    await describe(x, producer.transactionalId);
  }),
  many(
    'addPartitionsToTxn',
    'of several transactions, some to be verified',
    async (x) => {
      const topic = await x.topic('a', 2);
      const [first, second] = [await producerOf(x, 'one'), await producerOf(x, 'two')];
      const topics = [{ name: topic.name, partitions: [0, 1] }];
      const ask = (verifyOnly: boolean) =>
        x.call('addPartitionsToTxn', {
          transactions: [
            { ...first, verifyOnly: true, topics },
            { ...second, verifyOnly, topics },
          ],
        });
      await add(x, first, topic, 0);
      await ask(true);
      await ask(false);
      await ask(true);
      for (const other of [{ producerEpoch: 7 }, { producerId: first.producerId + 1_000_000n }, { transactionalId: '' }]) {
        await x.call('addPartitionsToTxn', { transactions: [{ ...first, ...other, verifyOnly: true, topics }] });
      }
    },
    { from: 4 },
  ),
  many('addOffsetsToTxn', 'of a group, by its producer and by others', async (x) => {
    const groupId = await x.group('g');
    const producer = await producerOf(x);
    await x.call('addOffsetsToTxn', { ...producer, groupId });
    for (const other of [
      { producerEpoch: 3 },
      { producerId: producer.producerId + 1_000_000n },
      { transactionalId: await coordinated(x, 'nobody') },
      { transactionalId: '' },
    ]) {
      await x.call('addOffsetsToTxn', { ...producer, ...other, groupId });
    }
    await end(x, producer, ABORT);
  }),
];

const ENDS: readonly Case[] = [COMMIT, ABORT].flatMap((committed) => {
  const what = committed ? 'a commit' : 'an abort';
  return [
    many('endTxn', `${what}, again, and the other way`, async (x) => {
      const topic = await x.topic('a', 2);
      const producer = await producerOf(x);
      await add(x, producer, topic, 0, 1);
      await send(x, producer, topic, ['a', 'b', 'c']);
      await x.call('endTxn', { ...producer, committed });
      await atRest(x, producer.transactionalId);
      await describe(x, producer.transactionalId);
      await x.call('endTxn', { ...producer, committed });
      await x.call('endTxn', { ...producer, committed: !committed });
      await read(x, topic, 0);
      await read(x, topic, 1);
      await offsets(x, topic);
      await describeProducers(x, topic);
    }),
    many('endTxn', `${what} of nothing`, async (x) => {
      const producer = await producerOf(x);
      await x.call('endTxn', { ...producer, committed });
      await atRest(x, producer.transactionalId);
      await describe(x, producer.transactionalId);
      await x.call('endTxn', { ...producer, committed });
    }),
    many('endTxn', `${what} by others`, async (x) => {
      const topic = await x.topic('a');
      const producer = await producerOf(x);
      await add(x, producer, topic, 0);
      for (const other of [
        { producerEpoch: 1 },
        { producerEpoch: -1 },
        { producerId: producer.producerId + 1_000_000n },
        { transactionalId: await coordinated(x, 'nobody') },
        { transactionalId: '' },
      ]) {
        await x.call('endTxn', { ...producer, ...other, committed });
      }
      await describe(x, producer.transactionalId);
    }),
    many('endTxn', `${what}, and the next transaction`, async (x) => {
      const topic = await x.topic('a');
      let producer = await producerOf(x);
      for (let round = 0; round < 3; round++) {
        await add(x, producer, topic, 0);
        await x.call('produce', sending(x, producer, topic, ['a', 'b'], { baseSequence: x.version >= 5 ? 0 : 2 * round }));
        const { producerId, producerEpoch } = await x.call('endTxn', { ...producer, committed });
        if (x.version >= 5) producer = { ...producer, producerId, producerEpoch };
        await atRest(x, producer.transactionalId);
      }
      await read(x, topic);
    }),
  ];
});

/**
 * One at a time: requests of unlike versions that Apache Kafka's verification of first batches sends together are all answered as the first of them, and of two for one
 * transactional id one is answered as if the network had failed.
 */
const WRITES: readonly Case[] = [
  many('produce', 'in a transaction, added before', async (x) => {
    const topic = await x.topic('a', 2);
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    await x.call('produce', sending(x, producer, topic, ['a', 'b']));
    await x.call('produce', sending(x, producer, topic, ['c'], { baseSequence: 2 }));
    await x.call('produce', sending(x, producer, topic, ['c'], { baseSequence: 2 }));
    await x.call('produce', sending(x, producer, topic, ['gap'], { baseSequence: 9 }));
    await x.call('produce', sending(x, producer, topic, ['plain'], { baseSequence: 3, transactional: false }));
    await describeProducers(x, topic);
    await read(x, topic);
    await offsets(x, topic);
    await x.call('produce', sending(x, producer, topic, ['elsewhere'], { index: 1 }));
    await read(x, topic, 1);
    await describe(x, producer.transactionalId);
  }),
  many('produce', 'in a transaction that nothing was added to', async (x) => {
    const topic = await x.topic('a', 2);
    const producer = await producerOf(x);
    await x.call('produce', sending(x, producer, topic, ['a']));
    await describe(x, producer.transactionalId);
    await read(x, topic);
    await describeProducers(x, topic);
  }),
  many('produce', 'in a transaction, not beginning with sequence 0', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    await x.call('produce', sending(x, producer, topic, ['a'], { baseSequence: 5 }));
    await x.call('produce', sending(x, producer, topic, ['b'], { baseSequence: 0 }));
    await describeProducers(x, topic);
  }),
  many('produce', 'in a transaction of others', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    for (const other of [
      { producerEpoch: 1 },
      { producerId: producer.producerId + 1_000_000n },
      { transactionalId: await coordinated(x, 'nobody') },
    ]) {
      await x.call('produce', sending(x, { ...producer, ...other }, topic, ['a']));
    }
    await x.call('produce', sending(x, producer, topic, ['a'], { transactionalId: null }));
    await x.call('produce', sending(x, producer, topic, ['a'], { transactionalId: '' }));
    await read(x, topic);
  }),
  many('produce', 'after the end of the transaction', async (x) => {
    const topic = await x.topic('a');
    const producer = await producerOf(x);
    await add(x, producer, topic, 0);
    await send(x, producer, topic, ['a']);
    const next = await end(x, producer, COMMIT);
    await x.call('produce', sending(x, producer, topic, ['late'], { baseSequence: 1 }));
    await x.call('produce', sending(x, producer, topic, ['plain and late'], { baseSequence: 1, transactional: false }));
    await x.call('produce', sending(x, next, topic, ['next']));
    await describe(x, producer.transactionalId);
    await describeProducers(x, topic);
    await read(x, topic);
  }),
  many('produce', 'two transactions in one partition', async (x) => {
    const topic = await x.topic('a');
    const [first, second] = [await producerOf(x, 'one'), await producerOf(x, 'two')];
    await add(x, first, topic, 0);
    await add(x, second, topic, 0);
    await x.call('produce', sending(x, first, topic, ['1a']));
    await x.call('produce', sending(x, second, topic, ['2a']));
    await x.append(topic, x.batch(['plain']));
    await x.call('produce', sending(x, first, topic, ['1b'], { baseSequence: 1 }));
    await end(x, second, ABORT);
    await read(x, topic);
    await offsets(x, topic);
    await end(x, first, COMMIT);
    await read(x, topic);
    await offsets(x, topic);
  }),
].map((each) => ({ ...each, alone: true }));

/** Sends batches of `[base sequence, epoch, records]` one after the other, and shows what the log knows of the producer then. */
const sequences = (name: string, ...batches: (readonly [number, number, number])[]): Case =>
  many('produce', `idempotently: ${name}`, async (x) => {
    const topic = await x.topic('a');
    const { producerId } = await x.quiet('initProducerId', { transactionalId: null, transactionTimeoutMs: 0 });
    for (const [baseSequence, producerEpoch, count] of batches) {
      const values = Array.from({ length: count }, (_unused, i) => `${i}`);
      const records = x.batch(values, { producerId: Number(producerId), producerEpoch, baseSequence });
      const topicData = [{ ...topic, partitionData: [{ index: 0, records }] }];
      await x.call('produce', { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData });
    }
    await describeProducers(x, topic);
    await read(x, topic);
  });

const LAST_SEQUENCE = 0x7fff_ffff;
const LAST_EPOCH = 0x7fff;

const SEQUENCES: readonly Case[] = [
  sequences('beginning anywhere', [41, 0, 2], [43, 0, 1], [45, 0, 1], [41, 0, 2]),
  sequences(
    'around the end of sequences',
    [LAST_SEQUENCE - 1, 0, 2],
    [0, 0, 2],
    [LAST_SEQUENCE - 1, 0, 2],
    [2, 0, 1],
    [LAST_SEQUENCE, 0, 1],
  ),
  sequences('around the end within a batch', [LAST_SEQUENCE - 1, 0, 5], [LAST_SEQUENCE - 1, 0, 5], [3, 0, 2], [0, 0, 1]),
  sequences('epochs up, not from 0, down', [0, 0, 1], [1, 1, 1], [0, 1, 2], [1, 0, 1], [2, 1, 1], [0, 5, 1], [3, 1, 1]),
  sequences('the last epoch', [0, LAST_EPOCH, 1], [1, LAST_EPOCH, 1], [0, 0, 1]),
  sequences('five batches are remembered', ...[0, 1, 2, 3, 4, 5, 0, 1, 5, 3].map((base) => [base, 0, 1] as const)),
  sequences('the same beginning with another end', [0, 0, 3], [0, 0, 2], [0, 0, 4], [1, 0, 2], [3, 0, 1]),
  sequences('no epoch or no sequence', [0, -1, 1], [-1, 0, 1], [0, 0, 1]),
];

type TxnOffsetCommit = ApiTypes['txnOffsetCommit']['requestDraft'];

const committing = (
  producer: Producer,
  groupId: string,
  topic: Topic,
  committedOffset: number,
  more: Partial<TxnOffsetCommit> & { readonly partitionIndex?: number; readonly committedMetadata?: string | null } = {},
): TxnOffsetCommit => {
  const { partitionIndex = 0, committedMetadata = 'm', ...rest } = more;
  const partitions = [{ partitionIndex, committedOffset, committedLeaderEpoch: 0, committedMetadata }];
  return { ...producer, groupId, topics: [{ ...topic, partitions }], ...rest };
};

async function committedOffsets(x: Conversation, groupId: string, topic: Topic): Promise<void> {
  for (const requireStable of [false, true]) {
    const topics = [{ ...topic, partitionIndexes: [0, 1] }];
    await x.call('offsetFetch', { groups: [{ groupId, topics }], requireStable });
  }
}

const GROUP_OFFSETS: readonly Case[] = [
  ...[COMMIT, ABORT].map((committed) =>
    many('txnOffsetCommit', `offsets of a transaction that is ${committed ? 'committed' : 'aborted'}`, async (x) => {
      const topic = await x.topic('a', 2);
      const groupId = await x.group('g');
      const producer = await producerOf(x);
      await x.quiet('offsetCommit', {
        groupId,
        topics: [{ ...topic, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'before' }] }],
      });
      await x.quiet('addOffsetsToTxn', { ...producer, groupId });
      await x.call('txnOffsetCommit', committing(producer, groupId, topic, 5));
      await x.call('txnOffsetCommit', committing(producer, groupId, topic, 6, { committedMetadata: null }));
      await committedOffsets(x, groupId, topic);
      await end(x, producer, committed);
      await committedOffsets(x, groupId, topic);
    }),
  ),
  many('txnOffsetCommit', 'offsets of a group that was not added', async (x) => {
    const topic = await x.topic('a', 2);
    const groupId = await x.group('g');
    const producer = await producerOf(x);
    await x.call('txnOffsetCommit', committing(producer, groupId, topic, 5));
    await committedOffsets(x, groupId, topic);
    await end(x, producer, ABORT);
    await committedOffsets(x, groupId, topic);
  }),
  many('txnOffsetCommit', 'by others, for others, of what is not there', async (x) => {
    const topic = await x.topic('a', 2);
    const groupId = await x.group('g');
    const producer = await producerOf(x);
    await x.quiet('addOffsetsToTxn', { ...producer, groupId });
    const commit = (more: Parameters<typeof committing>[4], to = topic, group = groupId) =>
      x.call('txnOffsetCommit', committing(producer, group, to, 5, more));
    await commit({ producerEpoch: 4 });
    await commit({ producerId: producer.producerId + 1_000_000n });
    await commit({ transactionalId: await coordinated(x, 'nobody') });
    await commit({ transactionalId: '' });
    await commit({ partitionIndex: 9 });
    await commit({}, { name: x.name('none'), topicId: 'bm8tc3VjaC10b3BpYy0xMg' });
    await commit({}, topic, '');
    await commit({ generationIdOrMemberEpoch: 3, memberId: 'm' });
    await commit({ memberId: 'm' });
    await commit({ groupInstanceId: 'i' });
    await commit({ committedMetadata: 'm'.repeat(5000) });
    await committedOffsets(x, groupId, topic);
    await end(x, producer, ABORT);
  }),
].map((each) => ({ ...each, alone: true }));

const marking = (
  producer: Producer,
  topic: Topic,
  transactionResult: boolean,
  more: { readonly coordinatorEpoch?: number; readonly partitions?: number[]; readonly transactionVersion?: number } = {},
): ApiTypes['writeTxnMarkers']['requestDraft'] => {
  const { coordinatorEpoch = 5, partitions = [0], transactionVersion = 0 } = more;
  const topics = [{ name: topic.name, partitionIndexes: partitions }];
  return { markers: [{ ...producer, transactionResult, coordinatorEpoch, transactionVersion, topics }] };
};

const MARKERS: readonly Case[] = [
  one('writeTxnMarkers', 'none', () => ({ markers: [] })),
  ...[COMMIT, ABORT].map((committed) =>
    many('writeTxnMarkers', `of ${committed ? 'a commit' : 'an abort'}, again, by an older coordinator`, async (x) => {
      const topic = await x.topic('a', 2);
      const producer = await producerOf(x);
      await add(x, producer, topic, 0);
      await send(x, producer, topic, ['a', 'b']);
      await x.call('writeTxnMarkers', marking(producer, topic, committed, { partitions: [0, 7] }));
      await read(x, topic);
      await describeProducers(x, topic);
      await x.call('writeTxnMarkers', marking(producer, topic, committed));
      await x.call('writeTxnMarkers', marking(producer, topic, committed, { coordinatorEpoch: 4 }));
      await x.call('writeTxnMarkers', marking({ ...producer, producerEpoch: -1 }, topic, committed));
      await x.call('writeTxnMarkers', marking({ ...producer, producerEpoch: 3 }, topic, committed));
      await x.call('writeTxnMarkers', marking(producer, { ...topic, name: x.name('none') }, committed));
      await read(x, topic);
    }),
  ),
  many(
    'writeTxnMarkers',
    'of transactions of version 2, whose epoch has to rise',
    async (x) => {
      const topic = await x.topic('a');
      const producer = await producerOf(x);
      await send(x, producer, topic, ['a']);
      await x.call('writeTxnMarkers', marking(producer, topic, ABORT, { transactionVersion: 2 }));
      const bumped = { ...producer, producerEpoch: producer.producerEpoch + 1 };
      await x.call('writeTxnMarkers', marking(bumped, topic, ABORT, { transactionVersion: 2 }));
      await x.call('writeTxnMarkers', marking(bumped, topic, ABORT, { transactionVersion: 2 }));
      await read(x, topic);
    },
    { from: 2 },
  ),
  many('writeTxnMarkers', 'in the offsets of groups', async (x) => {
    const topic = await x.topic('a', 2);
    const groupId = await x.group('g');
    const producer = await producerOf(x);
    await x.call('txnOffsetCommit', committing(producer, groupId, topic, 5));
    const all = { topicId: '', name: '__consumer_offsets' };
    const partitions = Array.from({ length: 50 }, (_unused, i) => i);
    await x.call('writeTxnMarkers', marking(producer, all, COMMIT, { partitions }));
    await committedOffsets(x, groupId, topic);
  }),
];

const ADMINISTRATION: readonly Case[] = [
  many('describeTransactions', 'open, idle, unknown, without a name', async (x) => {
    const topic = await x.topic('a', 3);
    const [open, idle] = [await producerOf(x, 'open'), await producerOf(x, 'idle', { transactionTimeoutMs: 12_345 })];
    await add(x, open, topic, 1);
    await describe(x, open.transactionalId, idle.transactionalId, await coordinated(x, 'nobody'), '');
    await describe(x);
  }),
  many('listTransactions', 'all, some states, some producers, long ones, by name', async (x) => {
    const topic = await x.topic('a');
    const [open, idle] = [await producerOf(x, 'open'), await producerOf(x, 'idle')];
    await add(x, open, topic, 0);
    const list = (more = {}) => x.call('listTransactions', { stateFilters: [], producerIdFilters: [], ...more });
    await list();
    for (const states of [['Ongoing'], ['Empty', 'Ongoing'], ['PrepareEpochFence', 'Dead'], ['nonsense', 'ongoing'], ['']]) {
      await list({ stateFilters: states });
    }
    await list({ producerIdFilters: [open.producerId] });
    await list({ producerIdFilters: [idle.producerId, 999_999_999n] });
    await list({ producerIdFilters: [999_999_999n] });
    for (const durationFilter of [0, 3_600_000, -5]) await list({ durationFilter });
    const prefix = x.name('');
    for (const pattern of [`${prefix}op.*`, `${prefix}op`, `.*-(idle|open)`, '', '[', '(?=a)', 'a{2000}', '(a)\\1', '(?i)OPEN']) {
      await list({ transactionalIdPattern: pattern });
    }
  }),
];

export const TRANSACTION_CASES: readonly Case[] = [
  ...PRODUCERS,
  ...PARTITIONS,
  ...ENDS,
  ...WRITES,
  ...SEQUENCES,
  ...GROUP_OFFSETS,
  ...MARKERS,
  ...ADMINISTRATION,
];
