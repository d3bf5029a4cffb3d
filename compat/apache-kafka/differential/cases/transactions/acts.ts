/** What conversations about transactions are made of: producers, what they ask for, and what readers and administrators see of it. */
import type { ApiTypes } from '../../../../../src/wire/generated/apis.ts';
import { batchesOf } from '../../../../../src/wire/record-batch.ts';
import { recordsOf } from '../../../../../src/wire/record.ts';
import type { Conversation, Topic } from '../../conversation.ts';

type Produce = ApiTypes['produce']['requestDraft'];

export interface Producer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export const TIMEOUT_MS = 60_000;
export const ABORT = false;
export const COMMIT = true;

/** The coordinator of the id is ready. */
export async function coordinated(x: Conversation, what: string): Promise<string> {
  const transactionalId = x.name(what);
  await x.settle('findCoordinator', { keyType: 1, coordinatorKeys: [transactionalId] }, (answer) =>
    answer.coordinators.map(({ errorCode }) => errorCode),
  );
  await x.settle('describeTransactions', { transactionalIds: [transactionalId] }, (answer) =>
    answer.transactionStates.map(({ errorCode }) => errorCode),
  );
  return transactionalId;
}

export async function producerOf(x: Conversation, what = 'tx', more = {}): Promise<Producer> {
  const transactionalId = await coordinated(x, what);
  const { producerId, producerEpoch } = await x.quiet('initProducerId', {
    transactionalId,
    transactionTimeoutMs: TIMEOUT_MS,
    ...more,
  });
  return { transactionalId, producerId, producerEpoch };
}

/** Adds partitions as clients of before 4.0 do. */
export function adding(
  producer: Producer,
  topic: Topic,
  ...partitions: number[]
): ApiTypes['addPartitionsToTxn']['requestDraft'] {
  const topics = [{ name: topic.name, partitions }];
  return {
    v3AndBelowTransactionalId: producer.transactionalId,
    v3AndBelowProducerId: producer.producerId,
    v3AndBelowProducerEpoch: producer.producerEpoch,
    v3AndBelowTopics: topics,
    transactions: [{ ...producer, verifyOnly: false, topics }],
  };
}

export const add = (x: Conversation, producer: Producer, topic: Topic, ...partitions: number[]) =>
  x.call('addPartitionsToTxn', adding(producer, topic, ...partitions), { quiet: true, version: 3 });

interface Sent {
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly index?: number;
  readonly transactionalId?: string | null;
}

export function sending(x: Conversation, producer: Producer, topic: Topic, values: readonly string[], more: Sent = {}): Produce {
  const { baseSequence = 0, transactional = true, index = 0, transactionalId = producer.transactionalId } = more;
  const { producerId, producerEpoch } = producer;
  const records = x.batch(values, { producerId: Number(producerId), producerEpoch, baseSequence, transactional });
  return { transactionalId, acks: -1, timeoutMs: 10_000, topicData: [{ ...topic, partitionData: [{ index, records }] }] };
}

export const send = (x: Conversation, producer: Producer, topic: Topic, values: readonly string[], more: Sent = {}) =>
  x.quiet('produce', sending(x, producer, topic, values, more));

/** Waits until markers are everywhere. */
export async function atRest(x: Conversation, transactionalId: string): Promise<void> {
  for (let asked = 0; asked < 500; asked++) {
    const { transactionStates } = await x.quiet('describeTransactions', { transactionalIds: [transactionalId] });
    if (transactionStates.every(({ transactionState }) => !transactionState.startsWith('Prepare'))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${transactionalId} does not come to rest`);
}

/** Ends without being part of the comparison, and gives the producer to go on with. */
export async function end(x: Conversation, producer: Producer, committed: boolean): Promise<Producer> {
  const { producerId, producerEpoch } = await x.quiet('endTxn', { ...producer, committed });
  await atRest(x, producer.transactionalId);
  return { ...producer, producerId, producerEpoch };
}

/** What is in a partition, without what is drawn or timed: both as a plain reader sees it and as one of what is committed. */
export async function read(x: Conversation, topic: Topic, partition = 0): Promise<void> {
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

export async function offsets(x: Conversation, topic: Topic): Promise<void> {
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

export const describe = (x: Conversation, ...transactionalIds: string[]) => x.call('describeTransactions', { transactionalIds });
export const describeProducers = (x: Conversation, topic: Topic) =>
  x.call('describeProducers', { topics: [{ name: topic.name, partitionIndexes: [0] }] });

type TxnOffsetCommit = ApiTypes['txnOffsetCommit']['requestDraft'];

export const committing = (
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

export async function committedOffsets(x: Conversation, groupId: string, topic: Topic): Promise<void> {
  for (const requireStable of [false, true]) {
    const topics = [{ ...topic, partitionIndexes: [0, 1] }];
    await x.call('offsetFetch', { groups: [{ groupId, topics }], requireStable });
  }
}
