/**
 * Brokers that break a promise. Most are a layer between the clients and a broker that keeps it, and bear no connections that are cut: what a client sends again is not told from
 * what it sends first. Some are this broker with a fault inside. They show that the checker sees in what clients are told what it should see.
 */
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { readControlRecord } from '../../src/wire/control-record.ts';
import { writeInt64 } from '../../src/wire/int64.ts';
import {
  BASE_SEQUENCE_AT,
  batchesOf,
  completeBytes,
  CRC_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RecordBatch,
} from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import type { Chance } from '../apache-kafka/differential/stream/chance.ts';
import type { AnomalyName } from './checker.ts';
import type { Exchange, Layer } from './connection.ts';

type Handler<N extends ApiName> = (
  draft: ApiTypes[N]['requestDraft'],
  version: number,
  forward: Exchange,
) => Promise<ApiTypes[N]['response']>;

type Handlers = { readonly [N in ApiName]?: Handler<N> };

/** A layer that handles some APIs its own way. */
const handling =
  (handlers: Handlers): Layer =>
  (forward) =>
  (name, draft, version) => {
    const handler: Handler<typeof name> | undefined = handlers[name];
    return handler === undefined ? forward(name, draft, version) : handler(draft, version, forward);
  };

export interface BrokenBroker {
  readonly promise: string;
  /** At least one of them has to be found. */
  readonly shows: readonly AnomalyName[];
  /** In front of a sound broker. */
  layer?(chance: Chance): Layer;
  /** Of `broken-blumfeld.ts`. */
  readonly fault?: string;
}

interface Producer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A produce request of one batch, as the clients of the check send it, under another producer and sequence. */
function resent(draft: ApiTypes['produce']['requestDraft'], change: (batch: RecordBatch) => Producer & { baseSequence: number }) {
  const topicData = draft.topicData.map((topic) => ({
    ...topic,
    partitionData: topic.partitionData.map((partition) => {
      const records = Buffer.from(partition.records as Buffer);
      const batch = new RecordBatch(records);
      const { producerId, producerEpoch, baseSequence } = change(batch);
      writeInt64(records, Number(producerId), PRODUCER_ID_AT);
      records.writeInt16BE(producerEpoch, PRODUCER_EPOCH_AT);
      records.writeInt32BE(baseSequence, BASE_SEQUENCE_AT);
      records.writeUInt32BE(batch.computeCrc(), CRC_AT);
      return { ...partition, records };
    }),
  }));
  return { ...draft, topicData };
}

const logIn = ({ topicData }: ApiTypes['produce']['requestDraft']): string =>
  `${topicData[0]?.name}-${topicData[0]?.partitionData[0]?.index}`;

/** Numbers every batch anew, so that batches can be added and left out. */
class Sequences {
  private readonly next = new Map<string, number>();

  take(producer: Producer, log: string, count: number): number {
    const key = `${producer.producerId} ${producer.producerEpoch} ${log}`;
    const sequence = this.next.get(key) ?? 0;
    this.next.set(key, sequence + count);
    return sequence;
  }

  renumbered(draft: ApiTypes['produce']['requestDraft'], producer?: Producer) {
    return resent(draft, (batch) => {
      const by = producer ?? { producerId: BigInt(batch.producerId), producerEpoch: batch.producerEpoch };
      return { ...by, baseSequence: this.take(by, logIn(draft), batch.count) };
    });
  }
}

function appendsTwice(chance: Chance): Layer {
  const sequences = new Sequences();
  return handling({
    async produce(draft, version, forward) {
      const first = forward('produce', sequences.renumbered(draft), version);
      if (chance.often(0.02)) await Promise.all([first, forward('produce', sequences.renumbered(draft), version)]);
      return first;
    },
  });
}

/** Says where the batch would be if the next one were the first after it. */
function acknowledgesOnly(chance: Chance): Layer {
  const sequences = new Sequences();
  let lastAnswer: ApiTypes['produce']['response'] | undefined;
  return handling({
    async produce(draft, version, forward) {
      if (lastAnswer !== undefined && chance.often(0.02)) return lastAnswer;
      lastAnswer = await forward('produce', sequences.renumbered(draft), version);
      return lastAnswer;
    },
  });
}

/** Whoever had the transactional id before goes on as if it had it now. */
function fencesNobody(): Layer {
  const sequences = new Sequences();
  const current = new Map<string, Producer>();
  const of = (transactionalId: string | null): Producer | undefined => current.get(transactionalId ?? '');
  return handling({
    async initProducerId(draft, version, forward) {
      const answer = await forward('initProducerId', { ...draft, producerId: -1, producerEpoch: -1 }, version);
      if (answer.errorCode === 0) current.set(draft.transactionalId ?? '', answer);
      return answer;
    },
    async endTxn(draft, version, forward) {
      const answer = await forward('endTxn', { ...draft, ...of(draft.transactionalId) }, version);
      if (answer.errorCode === 0 && version >= 5) current.set(draft.transactionalId, answer);
      return answer;
    },
    produce: (draft, version, forward) =>
      forward('produce', sequences.renumbered(draft, of(draft.transactionalId ?? null)), version),
    addPartitionsToTxn(draft, version, forward) {
      const { producerId, producerEpoch } = of(draft.v3AndBelowTransactionalId ?? '') ?? { producerId: -1n, producerEpoch: -1 };
      return forward(
        'addPartitionsToTxn',
        { ...draft, v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch },
        version,
      );
    },
    addOffsetsToTxn: (draft, version, forward) => forward('addOffsetsToTxn', { ...draft, ...of(draft.transactionalId) }, version),
    txnOffsetCommit: (draft, version, forward) => forward('txnOffsetCommit', { ...draft, ...of(draft.transactionalId) }, version),
  });
}

type FetchedPartition = ApiTypes['fetch']['response']['responses'][number]['partitions'][number];

const answering = (change: (partition: FetchedPartition) => FetchedPartition): Layer =>
  handling({
    async fetch(draft, version, forward) {
      const answer = await forward('fetch', draft, version);
      return { ...answer, responses: answer.responses.map((one) => ({ ...one, partitions: one.partitions.map(change) })) };
    },
  });

const isAbortMarker = (batch: RecordBatch): boolean => {
  const [record] = batch.isControl ? recordsOf(batch) : [];
  return (
    record !== undefined &&
    record.key !== null &&
    record.value !== null &&
    readControlRecord(record.key, record.value)?.kind === 'Abort'
  );
};

function withoutAbortMarkers(partition: FetchedPartition): FetchedPartition {
  const records = partition.records ?? Buffer.alloc(0);
  const kept = batchesOf(records.subarray(0, completeBytes(records))).filter((batch) => !isAbortMarker(batch));
  return { ...partition, records: Buffer.concat(kept.map(({ bytes }) => bytes)) };
}

const ending = (change: (committed: boolean) => boolean): Layer =>
  handling({ endTxn: (draft, version, forward) => forward('endTxn', { ...draft, committed: change(draft.committed) }, version) });

/** Moves the group's offset at once, whatever becomes of the transaction. */
const offsetsAtOnce: Layer = handling({
  async txnOffsetCommit(draft, _version, forward) {
    const answer = await forward(
      'offsetCommit',
      { groupId: draft.groupId, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, topics: draft.topics },
      8,
    );
    return { throttleTimeMs: 0, topics: answer.topics };
  },
});

const forgetsOffsets = (chance: Chance): Layer =>
  handling({
    async txnOffsetCommit(draft, version, forward) {
      if (chance.often(0.5)) return forward('txnOffsetCommit', draft, version);
      const topics = draft.topics.map(({ name, partitions }) => ({
        name: name ?? '',
        topicId: '',
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0 })),
      }));
      return { throttleTimeMs: 0, topics };
    },
  });

const asking = (change: (draft: ApiTypes['fetch']['requestDraft']) => ApiTypes['fetch']['requestDraft']): Layer =>
  handling({ fetch: (draft, version, forward) => forward('fetch', change(draft), version) });

const later = (draft: ApiTypes['fetch']['requestDraft'], by: number): ApiTypes['fetch']['requestDraft'] => ({
  ...draft,
  topics: draft.topics.map((topic) => ({
    ...topic,
    partitions: topic.partitions.map((one) => ({ ...one, fetchOffset: BigInt(one.fetchOffset) + BigInt(by) })),
  })),
});

/** Beside the broker that keeps its promises. */
export const BROKEN_BROKERS: readonly BrokenBroker[] = [
  { promise: 'keeps every promise', shows: [], layer: () => (forward) => forward },
  { promise: 'drops the markers of aborts', shows: ['lost-write', 'skipped-poll'], layer: () => answering(withoutAbortMarkers) },
  { promise: 'appends some batches twice', shows: ['duplicate'], layer: appendsTwice },
  { promise: 'fences nobody', shows: ['processed-twice', 'aborted-read', 'write-cycle'], layer: fencesNobody },
  {
    promise: 'forgets which transactions were aborted',
    shows: ['aborted-read'],
    layer: () => answering((partition) => ({ ...partition, abortedTransactions: [] })),
  },
  {
    promise: 'shows what is not committed',
    shows: ['early-read'],
    layer: () => asking((draft) => ({ ...draft, isolationLevel: 0 })),
  },
  { promise: 'acknowledges without appending', shows: ['lost-write'], layer: acknowledgesOnly },
  { promise: 'commits what is to be aborted', shows: ['aborted-read'], layer: () => ending(() => true) },
  {
    promise: 'aborts what is to be committed',
    shows: ['lost-write'],
    layer: (chance) => ending((committed) => committed && !chance.often(0.1)),
  },
  { promise: 'moves offsets before the commit', shows: ['skipped-offsets'], layer: () => offsetsAtOnce },
  { promise: 'forgets offsets of transactions', shows: ['processed-twice', 'lost-offset'], layer: forgetsOffsets },
  {
    promise: 'answers from a later offset',
    shows: ['skipped-poll'],
    layer: (chance) => asking((draft) => (chance.often(0.05) ? later(draft, 3) : draft)),
  },
  {
    promise: 'takes some markers for written',
    shows: ['hanging-transaction', 'aborted-read', 'torn-transaction', 'lost-write'],
    fault: 'drops-markers',
  },
  { promise: 'appends again what is sent again', shows: ['duplicate'], fault: 'forgets-sequences' },
];
