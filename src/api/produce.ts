/**
 * Produce, versions 3 to 13. Versions 0 to 2 are advertised, because some clients look for them, and not answered (KAFKA-18659): the connection
 * is closed as for any version without a schema.
 *
 * - One record batch of magic 2 per partition, zstd from version 7 (KIP-110). Everything inside it is the log's to judge; errors are per
 *   partition, with the records at fault and a message from version 8 (KIP-467).
 * - Offsets are assigned here and now; the answer leaves when the write has returned (acks=1) or the high watermark has passed (acks=all). The
 *   client's timeout runs only where other replicas have to follow: what this broker does alone it does not give up.
 * - acks=0 is not answered; if anything was wrong the connection is closed, so that the producer notices.
 * - A partition named twice counts once, as last given.
 * - Topic ids from version 13 (KIP-516); the leader to go to from version 10 (KIP-951).
 * - The first batch of a transaction in a partition waits for the transaction's coordinator (KIP-890): it says that the partition is part of it, or, from version
 *   12 on, adds it. Version 11 knows TRANSACTION_ABORTABLE. What the coordinator cannot say now is NOT_ENOUGH_REPLICAS, so that the client tries again.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  ProduceRequest,
  ProduceRequestPartitionProduceData,
  ProduceRequestTopicProduceData,
  ProduceResponseDraft,
  ProduceResponseLeaderIdAndEpochDraft,
  ProduceResponsePartitionProduceResponseDraft,
} from '../wire/generated/produce.ts';
import { ProtocolViolation } from '../wire/protocol-violation.ts';
import { checkProducedRecords } from '../wire/produced-records.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import { type Context, type Handler, NO_REPLY, type Partition, type ProducerIdentity, type Reply } from './context.ts';
import { LeaderHints } from './leader-hints.ts';
import { transactionalBatchOf, unverifiedAnswer, type VerifiedPartitions, verifyFirstBatches } from './transactional-produce.ts';

const ALL_REPLICAS = -1;
const ADMIN_CLIENT_ID = '__admin_client';

/** A partition's part of the answer, while it may still change. */
interface Answer {
  readonly index: number;
  errorCode: ErrorCode;
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  readonly recordErrors?: ProduceResponsePartitionProduceResponseDraft['recordErrors'] & {};
  readonly errorMessage: string | null;
  currentLeader?: ProduceResponseLeaderIdAndEpochDraft;
}

interface TopicAnswer {
  readonly name: string;
  readonly topicId: string;
  readonly partitionResponses: Answer[];
}

/** An append that its answer waits for. */
interface Appended {
  readonly partition: Partition;
  readonly endOffset: number;
  readonly answer: Answer;
}

export const produce: Handler<'produce'> = (request, context) => {
  const checked = checkAll(request, context);
  const { producer } = checked;
  if (producer === undefined || request.transactionalId === null) return produceAll(request, context, checked.refusal, undefined);
  const claim = { transactionalId: request.transactionalId, ...producer };
  const verified = verifyFirstBatches(claim, withoutRepeats(request.topicData, context.apiVersion), partitionOf, context);
  if (!(verified instanceof Promise)) return produceAll(request, context, undefined, verified);
  return verified.then((later) => produceAll(request, context, undefined, later));
};

function produceAll(
  request: ProduceRequest,
  context: Context,
  refusal: Refusal | undefined,
  verified: VerifiedPartitions | undefined,
): Reply<'produce'> | Promise<Reply<'produce'>> {
  const appended: Appended[] = [];
  const topics = withoutRepeats(request.topicData, context.apiVersion).map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitionResponses: topic.partitionData.map(
      (data) => refusal?.(data.index) ?? produceTo(topic, data, request, context, appended, verified),
    ),
  }));
  if (request.acks === 0) return withoutAnswer(topics);
  if (appended.length === 0) return responseOf(topics, context);
  return new Promise((resolve) => {
    answerWhenDone(appended, request, context, () => resolve(responseOf(topics, context)));
  });
}

function withoutAnswer(topics: readonly TopicAnswer[]): typeof NO_REPLY {
  for (const topic of topics) {
    for (const { index, errorCode } of topic.partitionResponses) {
      if (errorCode === ErrorCode.NONE) continue;
      throw new ProtocolViolation(
        `produce with acks=0 to ${topic.name || topic.topicId}-${index} failed with error ${errorCode}: closing is the only answer`,
      );
    }
  }
  return NO_REPLY;
}

function answerWhenDone(appended: readonly Appended[], request: ProduceRequest, context: Context, done: () => void): void {
  let left = appended.length;
  const all = request.acks === ALL_REPLICAS;
  const deadline =
    all && appended.some(({ partition }) => partition.isr.length > 1)
      ? context.partitions.deadlines.after(request.timeoutMs, () => {
          if (left === 0) return;
          left = 0;
          for (const { partition, endOffset, answer } of appended) {
            if (answer.errorCode === ErrorCode.NONE && partition.highWatermark < endOffset)
              answer.errorCode = ErrorCode.REQUEST_TIMED_OUT;
          }
          done();
        })
      : undefined;
  for (const { partition, endOffset, answer } of appended) {
    const whenDone = (failure: ErrorCode): void => {
      if (left === 0) return;
      if (failure !== ErrorCode.NONE) answer.errorCode = failure;
      else if (all && partition.isr.length < partition.effectiveMinIsr)
        answer.errorCode = ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
      if (--left > 0) return;
      deadline?.cancel();
      done();
    };
    if (all) partition.onCommitted(endOffset, whenDone);
    else partition.onWritten(endOffset, whenDone);
  }
}

function responseOf(topics: readonly TopicAnswer[], context: Context): ProduceResponseDraft {
  if (context.apiVersion < 10) return { responses: topics };
  const hints = new LeaderHints(context);
  for (const topic of topics) {
    for (const answer of topic.partitionResponses) {
      if (answer.errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER) continue;
      answer.currentLeader = hints.of(topic.topicId === ZERO_UUID ? topic.name : nameOf(topic, context), answer.index);
    }
  }
  return { responses: topics, nodeEndpoints: hints.endpoints };
}

function produceTo(
  topic: ProduceRequestTopicProduceData,
  data: ProduceRequestPartitionProduceData,
  request: ProduceRequest,
  context: Context,
  appended: Appended[],
  verified: VerifiedPartitions | undefined,
): Answer {
  const partition = partitionOf(topic, data.index, context);
  if (partition === undefined) return refused(data.index, errorOfAbsent(topic, data.index, context));
  const { records } = data;
  const rejection = checkProducedRecords(records, context.apiVersion);
  if (rejection !== undefined || records === null) return refused(data.index, rejection?.error ?? ErrorCode.INVALID_RECORD);
  const verification = verified?.get(partition);
  if (verification !== undefined && verification.error !== ErrorCode.NONE) {
    const { errorCode, message } = unverifiedAnswer(verification.error, context.apiVersion);
    return refused(data.index, errorCode, message);
  }
  if (request.acks !== ALL_REPLICAS && request.acks !== 0 && request.acks !== 1) {
    return refused(data.index, ErrorCode.INVALID_REQUIRED_ACKS);
  }
  if (partition.isInternal && context.clientId !== ADMIN_CLIENT_ID) return refused(data.index, ErrorCode.INVALID_TOPIC_EXCEPTION);
  const result = partition.append(records, {
    requiredAcks: request.acks,
    origin: 'client',
    verificationGuard: verification?.guard,
  });
  if (!result.ok) return refusedByLog(data.index, partition, result);
  const answer: Answer = {
    index: data.index,
    errorCode: ErrorCode.NONE,
    baseOffset: result.firstOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: result.logStartOffset,
    errorMessage: null,
  };
  if (request.acks !== 0) appended.push({ partition, endOffset: result.lastOffset + 1, answer });
  return answer;
}

function refused(index: number, errorCode: ErrorCode, errorMessage: string | null = null): Answer {
  return { index, errorCode, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, errorMessage };
}

/** The log start is told unless the error says that there is no such log or that the records are unfit for any; the message goes with record errors. */
function refusedByLog(
  index: number,
  partition: Partition,
  result: Exclude<ReturnType<Partition['append']>, { ok: true }>,
): Answer {
  const answer = refused(index, result.error, result.recordErrors.length > 0 ? result.message : null);
  return {
    ...answer,
    logStartOffset: WITHOUT_LOG_START.has(result.error) ? -1 : partition.log.logStartOffset,
    recordErrors: result.recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message })),
  };
}

const WITHOUT_LOG_START: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);

function nameOf(topic: { readonly name: string; readonly topicId: string }, context: Context): string {
  return context.apiVersion >= 13 ? (context.image.topicsById.get(topic.topicId)?.name ?? '') : topic.name;
}

function errorOfAbsent(topic: ProduceRequestTopicProduceData, index: number, context: Context): ErrorCode {
  const name = nameOf(topic, context);
  if (name === '' && context.apiVersion >= 13) return ErrorCode.UNKNOWN_TOPIC_ID;
  return context.image.partition(name, index) === undefined
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.NOT_LEADER_OR_FOLLOWER;
}

function exists(topic: ProduceRequestTopicProduceData, index: number, context: Context): boolean {
  return context.image.partition(nameOf(topic, context), index) !== undefined;
}

function partitionOf(topic: ProduceRequestTopicProduceData, index: number, context: Context): Partition | undefined {
  return context.apiVersion >= 13
    ? context.partitions.findById(topic.topicId, index)
    : context.partitions.find(topic.name, index);
}

type Refusal = (index: number) => Answer;

interface Checked {
  /** An error that concerns the request as a whole and is told for each partition. */
  readonly refusal?: Refusal;
  /** Whose transaction the batches are part of. */
  readonly producer?: ProducerIdentity;
}

const NOT_TRANSACTIONAL: Checked = {};
const SEVERAL_PRODUCERS = 'Transactional records contained more than one producer ID';

function checkAll(request: ProduceRequest, context: Context): Checked {
  let producer: ProducerIdentity | undefined;
  for (const topic of request.topicData) {
    for (const { index: partition, records } of topic.partitionData) {
      const rejection = checkProducedRecords(records, context.apiVersion);
      if (rejection?.ofWholeRequest && (rejection.error !== ErrorCode.UNKNOWN_SERVER_ERROR || exists(topic, partition, context)))
        return { refusal: (index) => refused(index, rejection.error, rejection.message) };
      const batch = transactionalBatchOf(records);
      if (batch === undefined) continue;
      if (request.transactionalId === null)
        return { refusal: (index) => refused(index, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED) };
      const { producerId, producerEpoch } = batch;
      // Whoever writes to what is not there is not heard.
      if (producerId < 0 || rejection !== undefined || !exists(topic, partition, context)) continue;
      producer ??= { producerId, producerEpoch };
      if (producer.producerId !== producerId || producer.producerEpoch !== producerEpoch)
        return { refusal: (index) => refused(index, ErrorCode.INVALID_PRODUCER_ID_MAPPING, SEVERAL_PRODUCERS) };
    }
  }
  return producer === undefined ? NOT_TRANSACTIONAL : { producer };
}

function withoutRepeats(
  topics: readonly ProduceRequestTopicProduceData[],
  version: number,
): readonly ProduceRequestTopicProduceData[] {
  const [only] = topics;
  if (topics.length === 1 && only !== undefined && only.partitionData.length === 1) return topics;
  const byTopic = new Map<
    string,
    { topic: ProduceRequestTopicProduceData; byIndex: Map<number, ProduceRequestPartitionProduceData> }
  >();
  let changed = false;
  for (const topic of topics) {
    if (topic.partitionData.length === 0) {
      changed = true;
      continue;
    }
    const key = version >= 13 ? topic.topicId : topic.name;
    const known = byTopic.get(key) ?? { topic, byIndex: new Map<number, ProduceRequestPartitionProduceData>() };
    if (known.topic === topic) byTopic.set(key, known);
    else changed = true;
    for (const data of topic.partitionData) {
      if (known.byIndex.has(data.index)) changed = true;
      known.byIndex.set(data.index, data);
    }
  }
  if (!changed) return topics;
  return [...byTopic.values()].map(({ topic, byIndex }) => ({ ...topic, partitionData: [...byIndex.values()] }));
}
