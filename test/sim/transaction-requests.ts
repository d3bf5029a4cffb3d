/** What a producer asks in a transaction, at any version that goes with its protocol, and what the answers mean for it. */
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import type { Actor } from './actor.ts';
import type { TopicModel } from './cluster-model.ts';
import type { SentRecord } from './partition-model.ts';
import { atVersion, type Target } from './producer.ts';
import type { Attempt, Identity, TransactionalId } from './transaction-model.ts';
import type { Ending } from './transaction-log.ts';
import { Violation } from './violation.ts';

/**
 * Of the two protocols of transactions: partitions are added to a transaction before they are written to and the epoch stays, or they are added by writing
 * to them and every end raises the epoch (KIP-890).
 */
export type Protocol = 'explicit' | 'implicit';

/** It is done; it is not, and may be asked again; it is not and will not be; it may or may not be. */
export type Outcome = 'done' | 'again' | 'refused' | 'unknown';

const AGAIN: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.MESSAGE_TOO_LARGE,
]);
const UNKNOWN: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);
const REFUSED: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.TRANSACTION_ABORTABLE,
]);
const TIMEOUT_MS = 30_000;

export function outcomeOf(errorCode: number | undefined, what: string): Outcome {
  if (errorCode === undefined) return 'unknown';
  if (errorCode === ErrorCode.NONE) return 'done';
  if (AGAIN.has(errorCode)) return 'again';
  if (UNKNOWN.has(errorCode)) return 'unknown';
  if (REFUSED.has(errorCode)) return 'refused';
  throw new Violation(`${what} is answered ${errorCode}`);
}

/** The one that counts, where several partitions fare differently. */
export function worst(outcomes: readonly Outcome[]): Outcome {
  return (['refused', 'unknown', 'again'] as const).find((one) => outcomes.includes(one)) ?? 'done';
}

export async function askForProducer(
  actor: Actor,
  id: TransactionalId,
  transactionTimeoutMs: number,
  expected: Identity | undefined,
): Promise<{ readonly outcome: Outcome; readonly identity: Identity }> {
  const apiVersion = actor.random.between(expected === undefined ? 0 : 3, 6);
  const link = await actor.link();
  const request = { transactionalId: id.name, transactionTimeoutMs, ...expected };
  const answer = await actor.unlessDisconnected(link.request('initProducerId', apiVersion, request));
  const outcome = outcomeOf(answer?.errorCode, `${actor.name}: InitProducerId`);
  return {
    outcome,
    identity: { producerId: Number(answer?.producerId ?? -1), producerEpoch: answer?.producerEpoch ?? -1 },
  };
}

export async function askToAdd(actor: Actor, { id, identity }: Attempt, targets: readonly Target[]): Promise<Outcome> {
  const link = await actor.link();
  const v3AndBelowTopics = byTopic(targets, (target) => target).map(([{ name }, those]) => ({
    name,
    partitions: those.map(({ index }) => index),
  }));
  const request = {
    v3AndBelowTransactionalId: id.name,
    v3AndBelowProducerId: identity.producerId,
    v3AndBelowProducerEpoch: identity.producerEpoch,
    v3AndBelowTopics,
  };
  const answer = await actor.unlessDisconnected(link.request('addPartitionsToTxn', actor.random.between(0, 3), request));
  const errorCode = answer?.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode;
  return outcomeOf(errorCode, `${actor.name}: AddPartitionsToTxn`);
}

export async function askToAddOffsets(actor: Actor, { id, identity }: Attempt): Promise<Outcome> {
  const link = await actor.link();
  const request = { transactionalId: id.name, ...identity, groupId: id.group };
  const answer = await actor.unlessDisconnected(link.request('addOffsetsToTxn', actor.random.between(0, 4), request));
  return outcomeOf(answer?.errorCode, `${actor.name}: AddOffsetsToTxn`);
}

function byTopic<T>(all: readonly T[], targetOf: (one: T) => Target): readonly (readonly [TopicModel, readonly T[]])[] {
  const topics = [...new Set(all.map((one) => targetOf(one).topic))];
  return topics.map((topic) => [topic, all.filter((one) => targetOf(one).topic === topic)]);
}

export interface Batch {
  readonly target: Target;
  readonly records: readonly SentRecord[];
  readonly baseSequence: number;
}

/** What became of each, and where it stands when it is done. */
export async function askToWrite(
  actor: Actor,
  protocol: Protocol,
  { id, identity }: Attempt,
  batches: readonly Batch[],
): Promise<readonly { readonly batch: Batch; readonly outcome: Outcome; readonly baseOffset: number }[]> {
  const link = await actor.link();
  const apiVersion = protocol === 'implicit' ? actor.random.between(12, 13) : actor.random.between(3, 11);
  const request = {
    transactionalId: id.name,
    acks: -1,
    timeoutMs: TIMEOUT_MS,
    topicData: byTopic(batches, ({ target }) => target).map(([topic, those]) => ({
      name: topic.name,
      topicId: topic.id,
      partitionData: those.map((batch) => ({ index: batch.target.index, records: bytesOf(batch, identity) })),
    })),
  };
  const answer = await actor.unlessDisconnected(link.request('produce', apiVersion, atVersion(request, apiVersion)));
  return batches.map((batch) => {
    const { topic, index } = batch.target;
    const found = answer?.responses
      .find((one) => (apiVersion >= 13 ? one.topicId === topic.id : one.name === topic.name))
      ?.partitionResponses.find((one) => one.index === index);
    if (answer !== undefined && found === undefined) throw new Violation(`${actor.name}: no answer for ${topic.name}-${index}`);
    const outcome = outcomeOf(
      found?.errorCode,
      `${actor.name}: Produce of sequence ${batch.baseSequence} to ${topic.name}-${index}`,
    );
    return { batch, outcome, baseOffset: Number(found?.baseOffset ?? -1) };
  });
}

function bytesOf({ records, baseSequence }: Batch, identity: Identity): Buffer {
  return buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    transactional: true,
    ...identity,
    baseSequence,
    records: records.map(({ value, timestamp }) => ({ key: null, value: Buffer.from(value, 'latin1'), timestamp })),
  });
}

export async function askToCommitOffsets(
  actor: Actor,
  protocol: Protocol,
  { id, identity }: Attempt,
  offsets: readonly { readonly target: Target; readonly offset: number; readonly metadata: string }[],
): Promise<Outcome> {
  const link = await actor.link();
  const apiVersion = protocol === 'implicit' ? actor.random.between(5, 6) : actor.random.between(0, 4);
  const topics = byTopic(offsets, ({ target }) => target).map(([topic, those]) => ({
    ...(apiVersion >= 6 ? { topicId: topic.id } : { name: topic.name }),
    partitions: those.map(({ target, offset, metadata }) => ({
      partitionIndex: target.index,
      committedOffset: offset,
      committedMetadata: metadata,
    })),
  }));
  const request = { transactionalId: id.name, ...identity, groupId: id.group, topics };
  const answer = await actor.unlessDisconnected(link.request('txnOffsetCommit', apiVersion, request));
  if (answer === undefined) return 'unknown';
  const errors = answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
  if (errors.length !== offsets.length) throw new Violation(`${actor.name}: TxnOffsetCommit answers ${errors.length} partitions`);
  return worst(errors.map((errorCode) => outcomeOf(errorCode, `${actor.name}: TxnOffsetCommit`)));
}

export async function askToEnd(
  actor: Actor,
  protocol: Protocol,
  { id, identity }: Attempt,
  ending: Ending,
): Promise<{ readonly outcome: Outcome; readonly identity: Identity }> {
  const link = await actor.link();
  const apiVersion = protocol === 'implicit' ? 5 : actor.random.between(0, 4);
  const request = { transactionalId: id.name, ...identity, committed: ending === 'Commit' };
  const answer = await actor.unlessDisconnected(link.request('endTxn', apiVersion, request));
  const outcome = outcomeOf(answer?.errorCode, `${actor.name}: EndTxn`);
  const { producerId = -1n, producerEpoch = -1 } = answer ?? {};
  return { outcome, identity: protocol === 'implicit' ? { producerId: Number(producerId), producerEpoch } : identity };
}
