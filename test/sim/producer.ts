/**
 * Producers: plain ones, which send a batch once and never again, and idempotent ones, which send a batch in the same words until it is acknowledged,
 * several in flight.
 */
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { ProduceRequestDraft } from '../../src/wire/generated/produce.ts';
import type { CompressionCodec } from '../../src/wire/compression/codec.ts';
import { sequenceAfter } from '../../src/wire/record-batch.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import type { Actor } from './actor.ts';
import type { TopicModel } from './cluster-model.ts';
import type { Link } from './link.ts';
import type { SentRecord } from './partition-model.ts';
import { demand, Violation } from './violation.ts';

const MAX_IN_FLIGHT = 5;
const TIMEOUT_MS = 30_000;
const MAX_PADDING = 700;
const PADDING = 'x'.repeat(MAX_PADDING);

/** Answers after which the same batch is sent again; nothing of it was appended, or it is found to be there. */
const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);

export interface Target {
  readonly topic: TopicModel;
  readonly index: number;
}

interface Batch {
  readonly records: readonly SentRecord[];
  readonly baseSequence: number;
  readonly codec: CompressionCodec;
  /** Starts of the broker when it was first sent. */
  readonly sentAtStart: number;
}

interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** `losses` of the partition when the identity was new. */
  readonly losses: number;
}

function draftRecords(actor: Actor, first: number, producer: string | undefined): SentRecord[] {
  const { random } = actor;
  const count = random.oneIn(3) ? random.between(2, 6) : 1;
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    const size = random.oneIn(10) ? random.below(MAX_PADDING) : random.below(60);
    return {
      value: `${actor.name}:${number} ${PADDING.slice(0, size)}`,
      key: random.oneIn(4) ? null : `k${random.below(10)}`,
      timestamp: actor.world.scheduler.wallMs() - random.below(1000),
      headers: random.oneIn(5) ? 2 : 0,
      ...(producer === undefined ? {} : { order: { producer, number } }),
    };
  });
}

function bytesOf(batch: Batch, identity?: ProducerIdentity): Buffer {
  return buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    codec: batch.codec,
    records: batch.records.map(({ value, key, timestamp, headers }) => ({
      value: Buffer.from(value, 'latin1'),
      key: key === null ? null : Buffer.from(key, 'latin1'),
      timestamp,
      headers: Array.from({ length: headers }, (_, index) => ({ key: `h${index}`, value: Buffer.from([index]) })),
    })),
    ...(identity === undefined ? {} : { ...identity, baseSequence: batch.baseSequence }),
  });
}

const codecFor = ({ random }: Actor): CompressionCodec => (random.oneIn(6) ? random.pick([1, 2, 3, 4] as const) : 0);

/** zstd may be sent from version 7 on. */
function versionFor({ random }: Actor, batches: readonly Batch[]): number {
  return random.between(batches.some(({ codec }) => codec === 4) ? 7 : 3, 13);
}

function produceRequest(targets: readonly (Target & { readonly records: Buffer })[], acks: number): ProduceRequestDraft {
  return {
    acks,
    timeoutMs: TIMEOUT_MS,
    topicData: targets.map(({ topic, index, records }) => ({
      name: topic.name,
      topicId: topic.id,
      partitionData: [{ index, records }],
    })),
  };
}

/** Version 13 names topics by id, all before by name; a request carries only what its version has. */
export function atVersion(request: ProduceRequestDraft, apiVersion: number): ProduceRequestDraft {
  return {
    ...request,
    topicData: request.topicData.map(({ name, topicId, partitionData }) =>
      apiVersion >= 13 ? { topicId: topicId as string, partitionData } : { name: name as string, partitionData },
    ),
  };
}

/** Sends each batch once, to one partition of each of its topics at a time. */
export async function producePlainly(actor: Actor, targets: readonly Target[], acks: 0 | 1 | -1, batches: number): Promise<void> {
  const { random } = actor;
  let number = 0;
  let waiting: Promise<void>[] = [];
  for (let i = 0; i < batches; i++) {
    const link = await actor.link();
    const chosen = random.oneIn(2) ? [random.pick(targets)] : oneOfEachTopic(targets);
    const parts = chosen.map((target) => {
      const batch = { records: draftRecords(actor, number, undefined), baseSequence: -1, codec: codecFor(actor), sentAtStart: 0 };
      number += batch.records.length;
      target.topic.partitions[target.index]?.willSend(batch.records);
      return { ...target, batch, records: bytesOf(batch) };
    });
    const apiVersion = versionFor(
      actor,
      parts.map(({ batch }) => batch),
    );
    const request = atVersion(produceRequest(parts, acks), apiVersion);
    if (acks === 0) link.send('produce', apiVersion, request);
    else waiting.push(actor.world.follow(settlePlainly(actor, link, apiVersion, request, parts)));
    if (waiting.length >= MAX_IN_FLIGHT || random.oneIn(3)) {
      await Promise.all(waiting);
      waiting = [];
    }
    await actor.rest();
  }
  await Promise.all(waiting);
}

function oneOfEachTopic(targets: readonly Target[]): Target[] {
  return [...new Map(targets.map((target) => [target.topic, target])).values()];
}

async function settlePlainly(
  actor: Actor,
  link: Link,
  apiVersion: number,
  request: ProduceRequestDraft,
  parts: readonly (Target & { readonly batch: Batch })[],
): Promise<void> {
  const answer = await actor.unlessDisconnected(link.request('produce', apiVersion, request));
  if (answer === undefined) return;
  for (const { topic, index, batch } of parts) {
    const model = topic.partitions[index];
    const found = answer.responses
      .find((one) => (apiVersion >= 13 ? one.topicId === topic.id : one.name === topic.name))
      ?.partitionResponses.find((one) => one.index === index);
    if (found === undefined) throw new Violation(`${actor.name}: no answer for ${topic.name}-${index}`);
    if (found.errorCode === ErrorCode.NONE) model?.acknowledge(batch.records, Number(found.baseOffset));
    else if (!RETRIABLE.has(found.errorCode))
      throw new Violation(`${actor.name}: ${topic.name}-${index} answers ${found.errorCode}: ${found.errorMessage}`);
    else if (found.errorCode !== ErrorCode.REQUEST_TIMED_OUT && found.errorCode !== ErrorCode.KAFKA_STORAGE_ERROR)
      model?.refuse(batch.records);
  }
}

/** Exactly once into one partition. */
export async function produceIdempotently(actor: Actor, target: Target, batches: number): Promise<void> {
  const { random } = actor;
  const model = target.topic.partitions[target.index];
  if (model === undefined) throw new Error(`no model of ${target.topic.name}-${target.index}`);
  let identity: ProducerIdentity | undefined;
  let sequence = 0;
  let number = 0;
  let left = batches;
  let unacknowledged: Batch[] = [];
  while (left > 0 || unacknowledged.length > 0) {
    if (identity === undefined) {
      identity = await newIdentity(actor, model.losses);
      sequence = 0;
      unacknowledged = [];
    }
    const wanted = Math.min(left, random.between(1, MAX_IN_FLIGHT) - unacknowledged.length);
    for (let i = 0; i < wanted; i++) {
      const records = draftRecords(actor, number, `${actor.name} as ${identity.producerId}`);
      model.willSend(records);
      unacknowledged.push({ records, baseSequence: sequence, codec: codecFor(actor), sentAtStart: actor.world.starts });
      sequence = sequenceAfter(sequence, records.length);
      number += records.length;
      left--;
    }
    const outcome = await sendAll(actor, target, identity, unacknowledged);
    unacknowledged = outcome.unacknowledged;
    if (outcome.isLost) identity = undefined;
    await actor.rest();
  }
}

async function newIdentity(actor: Actor, losses: number): Promise<ProducerIdentity> {
  for (;;) {
    const link = await actor.link();
    const request = { transactionalId: null, transactionTimeoutMs: 0 };
    const answer = await actor.unlessDisconnected(link.request('initProducerId', actor.random.between(0, 5), request));
    if (answer === undefined) continue;
    if (answer.errorCode !== ErrorCode.NONE) {
      await actor.rest();
      continue;
    }
    const producerId = Number(answer.producerId);
    demand(!actor.world.producerIds.has(producerId), () => `producer id ${producerId} is given a second time`);
    actor.world.producerIds.add(producerId);
    return { producerId, producerEpoch: answer.producerEpoch, losses };
  }
}

/** All in flight at once, in their order. What is not acknowledged stays, in its order. */
async function sendAll(
  actor: Actor,
  target: Target,
  identity: ProducerIdentity,
  batches: readonly Batch[],
): Promise<{ readonly unacknowledged: Batch[]; readonly isLost: boolean }> {
  const model = target.topic.partitions[target.index];
  const link = await actor.link();
  const apiVersion = versionFor(actor, batches);
  const answers = await Promise.all(
    batches.map((batch) => {
      const request = produceRequest([{ ...target, records: bytesOf(batch, identity) }], -1);
      return actor.unlessDisconnected(link.request('produce', apiVersion, atVersion(request, apiVersion)));
    }),
  );
  const unacknowledged: Batch[] = [];
  for (const [index, batch] of batches.entries()) {
    const found = answers[index]?.responses[0]?.partitionResponses[0];
    if (found?.errorCode === ErrorCode.NONE) {
      model?.acknowledge(batch.records, Number(found.baseOffset));
      continue;
    }
    if (found !== undefined && !RETRIABLE.has(found.errorCode)) {
      const isOutOfOrder = found.errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
      // Behind one that is not there; or a power cut has taken what came before; or it is known no more, as Kafka's producer snapshots hold
      // one batch of each producer, and another was sent behind it before the broker was restarted.
      const wasOvertaken = batches.slice(index + 1).some(({ sentAtStart }) => sentAtStart < actor.world.starts);
      const wasLost = model !== undefined && model.losses > identity.losses;
      if (isOutOfOrder && unacknowledged.length === 0 && (wasLost || wasOvertaken)) return { unacknowledged: [], isLost: true };
      if (!isOutOfOrder || unacknowledged.length === 0)
        throw new Violation(
          `${actor.name}: sequence ${batch.baseSequence} is answered ${found.errorCode}: ${found.errorMessage}`,
        );
    }
    unacknowledged.push(batch);
  }
  return { unacknowledged, isLost: false };
}
