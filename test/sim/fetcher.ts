/**
 * Readers: every record of their partitions, from the beginning, by plain fetches and in sessions, at all versions and sizes. Those of committed records
 * leave out what is aborted, as Kafka's consumer does, and hold the rest against the model of transactions.
 */
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { FetchRequestDraft, FetchResponsePartitionData } from '../../src/wire/generated/fetch.ts';
import { batchesOf, type RecordBatch } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import type { Actor } from './actor.ts';
import type { Link } from './link.ts';
import type { PartitionModel } from './partition-model.ts';
import type { Target } from './producer.ts';
import { endingOf } from './transaction-log.ts';
import type { TransactionModel } from './transaction-model.ts';
import { demand, Violation } from './violation.ts';

const EARLIEST = -2;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
/** First version whose clients can read zstd. */
const ZSTD_FROM = 10;
/** First version that names topics by id. */
const TOPIC_IDS_FROM = 13;

const NOT_NOW: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);

interface Reading extends Target {
  readonly model: PartitionModel;
  position: number;
  highWatermark: number;
  lastStableOffset: number;
  /** Values of what is committed, in order; undefined when all records are read. */
  readonly committed: string[] | undefined;
  /** `losses` of the partition when the above was learned. */
  losses: number;
}

interface Session {
  readonly link: Link;
  readonly apiVersion: number;
  id: number;
  epoch: number;
  /** What the broker was told of each partition. */
  readonly told: Map<Reading, number>;
}

export async function fetchAlong(actor: Actor, targets: readonly Target[], isOver: () => boolean): Promise<void> {
  await follow(actor, readingsOf(targets, false), isOver);
}

/** Values by partition, as a reader of committed records gets them. */
export async function fetchCommitted(
  actor: Actor,
  targets: readonly Target[],
  transactions: TransactionModel,
  isOver: () => boolean,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const readings = readingsOf(targets, true);
  await follow(actor, readings, isOver, transactions);
  return new Map(readings.map(({ model, committed = [] }) => [model.name, committed]));
}

function readingsOf(targets: readonly Target[], onlyCommitted: boolean): Reading[] {
  return targets.map(({ topic, index }): Reading => {
    const model = topic.partitions[index];
    if (model === undefined) throw new Error(`no model of ${topic.name}-${index}`);
    const committed = onlyCommitted ? [] : undefined;
    return { topic, index, model, committed, position: 0, highWatermark: 0, lastStableOffset: 0, losses: model.losses };
  });
}

async function follow(
  actor: Actor,
  readings: readonly Reading[],
  isOver: () => boolean,
  transactions?: TransactionModel,
): Promise<void> {
  let session: Session | undefined;
  while (!isOver()) {
    const link = await actor.link();
    if (session === undefined || session.link !== link || actor.random.oneIn(20)) {
      session = { link, apiVersion: actor.random.between(4, 18), id: 0, epoch: actor.random.oneIn(3) ? -1 : 0, told: new Map() };
    }
    if (!(await fetchOnce(actor, session, readings, transactions))) session = undefined;
    await actor.rest();
  }
}

/** False when the session is of no use any more. */
async function fetchOnce(
  actor: Actor,
  session: Session,
  readings: readonly Reading[],
  transactions: TransactionModel | undefined,
): Promise<boolean> {
  const { random } = actor;
  const { apiVersion, link, told } = session;
  const isSession = apiVersion >= 7 && session.epoch >= 0;
  const changed = isSession && session.epoch > 0 ? readings.filter((one) => told.get(one) !== one.position) : readings;
  const partitionMaxBytes = random.pick([1, 100, 1000, 20_000, 1_000_000]);
  const topics = changed.map(({ topic, index, position }) => ({
    ...(apiVersion >= TOPIC_IDS_FROM ? { topicId: topic.id } : { topic: topic.name }),
    partitions: [{ partition: index, fetchOffset: position, partitionMaxBytes }],
  }));
  const request: FetchRequestDraft = {
    maxWaitMs: random.pick([0, 10, 100, 500]),
    minBytes: random.pick([0, 1, 1, 500]),
    maxBytes: random.pick([1, 1000, 50_000, 1_000_000]),
    topics,
    isolationLevel: transactions === undefined ? READ_UNCOMMITTED : READ_COMMITTED,
    ...(apiVersion >= 7 ? { sessionId: session.id, sessionEpoch: isSession ? session.epoch : -1 } : {}),
  };
  const asked = new Map(readings.map((one) => [one, one.model.losses]));
  const answer = await actor.unlessDisconnected(link.request('fetch', apiVersion, request));
  if (answer === undefined) return false;
  if (answer.errorCode !== ErrorCode.NONE) {
    const isGone = [ErrorCode.FETCH_SESSION_ID_NOT_FOUND, ErrorCode.INVALID_FETCH_SESSION_EPOCH].some(
      (code) => code === answer.errorCode,
    );
    demand(isGone, () => `${actor.name}: fetch is answered ${answer.errorCode}`);
    return false;
  }
  if (isSession) {
    for (const one of changed) told.set(one, one.position);
    session.id = answer.sessionId;
    session.epoch++;
    if (session.id === 0) return false;
  }
  for (const topic of answer.responses) {
    for (const data of topic.partitions) {
      const reading = readings.find(
        (one) =>
          one.index === data.partitionIndex &&
          (apiVersion >= TOPIC_IDS_FROM ? one.topic.id === topic.topicId : one.topic.name === topic.topic),
      );
      if (reading === undefined)
        throw new Violation(`${actor.name}: fetch is answered with ${topic.topic}, which it did not ask for`);
      if (data.errorCode === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE && apiVersion < ZSTD_FROM) return false;
      if (asked.get(reading) === reading.model.losses) await read(actor, reading, data, transactions);
    }
  }
  return true;
}

async function read(
  actor: Actor,
  reading: Reading,
  data: FetchResponsePartitionData,
  transactions: TransactionModel | undefined,
): Promise<void> {
  const { model } = reading;
  const where = `${actor.name}: ${model.name}`;
  if (NOT_NOW.has(data.errorCode)) return;
  if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return startAgain(actor, reading);
  demand(data.errorCode === ErrorCode.NONE, () => `${where}: fetch is answered ${data.errorCode}`);
  const highWatermark = Number(data.highWatermark);
  demand(
    highWatermark >= reading.highWatermark || model.losses > reading.losses,
    () => `${where}: the high watermark falls from ${reading.highWatermark} to ${highWatermark}`,
  );
  reading.highWatermark = highWatermark;
  reading.losses = model.losses;
  const isAborted = transactions === undefined ? () => false : abortedBy(reading, data, where);
  const bound = transactions === undefined ? highWatermark : reading.lastStableOffset;
  const { position } = reading;
  for (const batch of batchesOf(data.records ?? Buffer.alloc(0))) {
    demand(batch.isValid, () => `${where}: the batch at ${batch.baseOffset} has a wrong checksum`);
    const isLeftOut = isAborted(batch);
    for (const record of recordsOf(batch)) {
      if (record.offset < position) continue;
      demand(record.offset === reading.position, () => `${where}: offset ${record.offset} comes at ${reading.position}`);
      demand(record.offset < bound, () => `${where}: offset ${record.offset} is not below ${bound}, up to where it may be shown`);
      reading.position++;
      if (batch.isControl) continue;
      model.see(record);
      if (transactions === undefined || isLeftOut) continue;
      const value = record.value?.toString('latin1') ?? '';
      if (batch.isTransactional) transactions.seeCommitted(value, `${where} at ${record.offset}`);
      reading.committed?.push(value);
    }
  }
}

/** Says of each batch of the answer, in turn, whether it is to be left out, as the list of aborted transactions has it. */
function abortedBy(reading: Reading, data: FetchResponsePartitionData, where: string): (batch: RecordBatch) => boolean {
  const lastStableOffset = Number(data.lastStableOffset);
  demand(
    lastStableOffset >= reading.lastStableOffset,
    () => `${where}: the last stable offset falls from ${reading.lastStableOffset} to ${lastStableOffset}`,
  );
  reading.lastStableOffset = lastStableOffset;
  const left = (data.abortedTransactions ?? []).toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const aborted = new Set<number>();
  return (batch) => {
    while (left[0] !== undefined && left[0].firstOffset <= batch.lastOffset) aborted.add(Number(left.shift()?.producerId));
    if (!batch.isTransactional || !aborted.has(batch.producerId)) return false;
    if (batch.isControl && endingOf(batch) === 'Abort') aborted.delete(batch.producerId);
    return true;
  };
}

/** The position is before the beginning, since something was deleted, or behind the end, since something was lost. */
async function startAgain(actor: Actor, reading: Reading): Promise<void> {
  const { topic, index, model } = reading;
  const { losses } = model;
  const link = await actor.link();
  const request = { replicaId: -1, topics: [{ name: topic.name, partitions: [{ partitionIndex: index, timestamp: EARLIEST }] }] };
  const answer = await actor.unlessDisconnected(link.request('listOffsets', actor.random.between(1, 11), request));
  const found = answer?.topics[0]?.partitions[0];
  if (found === undefined || found.errorCode !== ErrorCode.NONE) return;
  const earliest = Number(found.offset);
  demand(
    earliest > reading.position || model.losses > reading.losses,
    () => `${actor.name}: ${model.name} has nothing at ${reading.position}, and begins at ${earliest}`,
  );
  reading.position = earliest;
  reading.highWatermark = 0;
  reading.losses = losses;
}
