/** All that a client can find out about logs, and what appends to them are answered. */
import { BATCH_OVERHEAD, batchSizeAt, lastOffsetAt, SHORTEST_BATCH } from '../../../src/log/batch-header.ts';
import { RecordBatch } from '../../../src/wire/record-batch.ts';
import { buildBatch } from '../../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../../src/wire/record.ts';
import type { PlainClient } from '../../../test/support/plain-client.ts';
import { CLIENT } from '../graduation/calls.ts';
import { START_MS } from './load.ts';

/** What the log was before its damage, as far as questions follow from it. */
export interface Questions {
  readonly topic: string;
  readonly partition: number;
  readonly offsets: readonly number[];
  readonly timestamps: readonly number[];
  readonly epochs: readonly number[];
  /** The last batch of a producer without transactions. */
  readonly lastBatch: Buffer | undefined;
}

export type View = Map<string, string>;

/** Of the batches of the undamaged log. */
export function questionsOf(topic: string, partition: number, batches: readonly RecordBatch[]): Questions {
  const times = batches.map((batch) => batch.maxTimestamp);
  const every = (n: number): number[] => times.filter((_unused, i) => i % n === 1);
  const last = batches.findLast((batch) => batch.producerId >= 0 && !batch.isTransactional && !batch.isControl);
  return {
    topic,
    partition,
    offsets: batches.map((batch) => batch.baseOffset),
    timestamps: [...every(4), Math.max(...times), Math.max(...times) + 1],
    epochs: [...new Set(batches.map((batch) => batch.partitionLeaderEpoch))],
    lastBatch: last === undefined ? undefined : Buffer.from(last.bytes),
  };
}

async function offsets(client: PlainClient, { topic, partition, timestamps }: Questions, view: View): Promise<void> {
  const asked: readonly (readonly [string, number, number])[] = [
    ['start', -2, 0],
    ['end', -1, 0],
    ['stable end', -1, 1],
    ['greatest time', -3, 0],
    ...timestamps.map((timestamp, i) => [`at time ${i}`, timestamp, 0] as const),
  ];
  const drafts = asked.map(([, timestamp, isolationLevel]) => {
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: BigInt(timestamp) }];
    return { replicaId: -1, isolationLevel, topics: [{ name: topic, partitions }] };
  });
  let i = 0;
  for await (const answer of client.calls('listOffsets', drafts, 7, CLIENT)) {
    const found = answer.topics[0]?.partitions[0];
    view.set(asked[i++]?.[0] ?? '', `${found?.errorCode} ${found?.offset} ${found?.timestamp} ${found?.leaderEpoch}`);
  }
}

function shownBatch(records: Buffer | null): string {
  const bytes = records ?? Buffer.alloc(0);
  if (bytes.length === 0) return 'nothing';
  const size = bytes.length < SHORTEST_BATCH ? -1 : batchSizeAt(bytes, 0);
  if (size < 0 || size > bytes.length) return 'no batch';
  const batch = new RecordBatch(bytes, 0);
  if (!batch.isValid) return `${batch.baseOffset} unsound`;
  return `${batch.baseOffset}-${batch.lastOffset} of epoch ${batch.partitionLeaderEpoch}, ${batch.isControl ? 'control' : recordsOf(batch).length}`;
}

const lastOffsetOf = (records: Buffer | null): number =>
  records === null || records.length < BATCH_OVERHEAD ? -1 : lastOffsetAt(records, 0);

/** The first batch at each offset, read uncommitted and read committed. */
async function batches(client: PlainClient, { topic, partition }: Questions, at: readonly number[], view: View): Promise<void> {
  for (const isolationLevel of [0, 1]) {
    const drafts = at.map((fetchOffset) => {
      const wanted = {
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(fetchOffset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: 1,
      };
      return { maxWaitMs: 0, minBytes: 0, maxBytes: 1, isolationLevel, topics: [{ topic, partitions: [wanted] }] };
    });
    let i = 0;
    for await (const answer of client.calls('fetch', drafts, 12, CLIENT)) {
      const data = answer.responses[0]?.partitions[0];
      const last = lastOffsetOf(data?.records ?? null);
      // Apache Kafka names also those that begin behind the batch, up to its next index entry.
      const concerned = (data?.abortedTransactions ?? []).filter(({ firstOffset }) => Number(firstOffset) <= last);
      const aborted = concerned.map(({ producerId, firstOffset }) => `${producerId}@${firstOffset}`);
      const name = `${isolationLevel === 0 ? 'batch' : 'committed'} at ${at[i++]}`;
      view.set(
        name,
        data?.errorCode === 0 ? `${shownBatch(data.records)} ${aborted.toSorted().join(' ')}`.trim() : `error ${data?.errorCode}`,
      );
    }
  }
}

async function producers(client: PlainClient, { topic, partition }: Questions, view: View, name: string): Promise<void> {
  const answer = await client.call('describeProducers', { topics: [{ name: topic, partitionIndexes: [partition] }] }, 0, CLIENT);
  const found = answer.topics[0]?.partitions[0];
  const states = (found?.activeProducers ?? []).map(
    (one) =>
      `${one.producerId}/${one.producerEpoch}/${one.lastSequence}/${one.coordinatorEpoch}/${one.currentTxnStartOffset}/${one.lastTimestamp}`,
  );
  view.set(name, `${found?.errorCode} ${states.toSorted().join(', ')}`);
}

async function epochs(client: PlainClient, { topic, partition, epochs: asked }: Questions, view: View): Promise<void> {
  const drafts = asked.map((leaderEpoch) => ({
    replicaId: -1,
    topics: [{ topic, partitions: [{ partition, currentLeaderEpoch: -1, leaderEpoch }] }],
  }));
  let i = 0;
  for await (const answer of client.calls('offsetForLeaderEpoch', drafts, 4, CLIENT)) {
    const found = answer.topics[0]?.partitions[0];
    view.set(`end of epoch ${asked[i++]}`, `${found?.errorCode} ${found?.leaderEpoch} ${found?.endOffset}`);
  }
}

/** Behind all that was written. */
const LATER_MS = START_MS + 3_600_000;

/** The last batch of a producer again, one that leaves a gap, the one that follows, one without a producer. */
async function appends(client: PlainClient, of: Questions, view: View): Promise<void> {
  const { topic, partition, lastBatch } = of;
  const one = {
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: [{ key: Buffer.from('key-1'), value: Buffer.from('new'), timestamp: LATER_MS }],
  };
  const asked: (readonly [string, Buffer])[] = [];
  if (lastBatch !== undefined) {
    const { producerId, producerEpoch, baseSequence, lastOffsetDelta } = new RecordBatch(lastBatch, 0);
    const next = baseSequence + lastOffsetDelta + 1;
    asked.push(
      ['the last batch again', Buffer.from(lastBatch)],
      ['a batch behind a gap', buildBatch({ ...one, producerId, producerEpoch, baseSequence: next + 5 })],
      ['the next batch', buildBatch({ ...one, producerId, producerEpoch, baseSequence: next })],
    );
  }
  asked.push(['a batch of nobody', buildBatch(one)]);
  for (const [name, records] of asked) {
    const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }];
    const answer = await client.call('produce', { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData }, 9, CLIENT);
    const done = answer.responses[0]?.partitionResponses[0];
    view.set(name, `${done?.errorCode} ${done?.baseOffset}`);
    if (done?.errorCode !== 0) continue;
    const read: View = new Map();
    await batches(client, of, [Number(done.baseOffset)], read);
    view.set(`${name}, read`, [...read.values()].join(', '));
  }
}

export async function look(client: PlainClient, questions: Questions): Promise<View> {
  const view: View = new Map();
  await offsets(client, questions, view);
  await producers(client, questions, view, 'producers');
  await epochs(client, questions, view);
  await batches(client, questions, questions.offsets, view);
  return view;
}

/** In its turn, when all logs have been looked at. */
export async function lookAgain(client: PlainClient, questions: Questions, view: View): Promise<void> {
  await appends(client, questions, view);
  const after: View = new Map();
  await offsets(client, questions, after);
  await producers(client, questions, after, 'producers');
  for (const [name, value] of after) view.set(`${name} after appends`, value);
}

/** Of the topic's undamaged log: when the broker leads that, it leads all that it can. */
export async function isServed(client: PlainClient, topic: string): Promise<boolean> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }];
  const answer = await client.call('listOffsets', { replicaId: -1, topics: [{ name: topic, partitions }] }, 7, CLIENT);
  return answer.topics[0]?.partitions[0]?.errorCode === 0;
}
