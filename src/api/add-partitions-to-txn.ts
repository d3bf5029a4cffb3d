/**
 * AddPartitionsToTxn, versions 0 to 5: partitions become part of a transaction before they are written to, or, with `verifyOnly`, are looked for in it. One
 * transaction of a client up to 3, several of another broker from 4 on (KIP-890).
 *
 * A transactional id that a request names several times has the partitions that are named for it last, and answers that are one for all of them go by those that are named
 * first.
 *
 * One partition that does not exist keeps the others from being added: OPERATION_NOT_ATTEMPTED. KIP-588 (PRODUCER_FENCED, from 2 on; INVALID_PRODUCER_EPOCH
 * before). Other than in Apache Kafka, a request without transactions is answered, with nothing.
 */
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnRequestAddPartitionsToTxnTopic,
  AddPartitionsToTxnRequestAddPartitionsToTxnTransaction,
  AddPartitionsToTxnResponseAddPartitionsToTxnTopicResultDraft,
  AddPartitionsToTxnResponseDraft,
} from '../wire/generated/add-partitions-to-txn.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, TopicPartitions } from './context.ts';
import { fencingError } from './producer-fencing.ts';
import { claimOf } from './transaction-claim.ts';

const BATCHED_FROM_VERSION = 4;
const FENCED_FROM_VERSION = 2;

type Transaction = AddPartitionsToTxnRequestAddPartitionsToTxnTransaction;
type Topic = AddPartitionsToTxnRequestAddPartitionsToTxnTopic;
type TopicResults = readonly AddPartitionsToTxnResponseAddPartitionsToTxnTopicResultDraft[];

export async function addPartitionsToTxn(
  request: AddPartitionsToTxnRequest,
  context: Context,
): Promise<AddPartitionsToTxnResponseDraft> {
  if (context.apiVersion < BATCHED_FROM_VERSION) {
    const resultsByTopicV3AndBelow = await resultsOf(
      {
        transactionalId: request.v3AndBelowTransactionalId,
        producerId: request.v3AndBelowProducerId,
        producerEpoch: request.v3AndBelowProducerEpoch,
        verifyOnly: false,
        topics: request.v3AndBelowTopics,
      },
      context,
    );
    return { throttleTimeMs: 0, resultsByTopicV3AndBelow };
  }
  const { transactions } = request;
  const first = new Map(transactions.toReversed().map(({ transactionalId, topics }) => [transactionalId, topics]));
  const last = new Map(transactions.map(({ transactionalId, topics }) => [transactionalId, topics]));
  const resultsByTransaction = await Promise.all(
    transactions.map(async (transaction) => {
      const { transactionalId } = transaction;
      const topics = last.get(transactionalId) ?? [];
      return { transactionalId, topicResults: await resultsOf({ ...transaction, topics }, context, first.get(transactionalId)) };
    }),
  );
  // As in Apache Kafka, where the log of a low transaction.version fails the request as a whole.
  if (resultsByTransaction.some(({ topicResults }) => isUnsupported(topicResults))) {
    return { throttleTimeMs: 0, errorCode: ErrorCode.UNSUPPORTED_VERSION, resultsByTransaction: [] };
  }
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction };
}

/** `answered`: the topics that an answer goes by which is one for all of them. */
async function resultsOf(
  transaction: Transaction,
  context: Context,
  answered: readonly Topic[] = transaction.topics,
): Promise<TopicResults> {
  const { topics } = transaction;
  const exists = (topic: string, index: number): boolean => context.image.partition(topic, index) !== undefined;
  if (topics.some(({ name, partitions }) => partitions.some((index) => !exists(name, index)))) {
    return results(topics, (topic, index) =>
      exists(topic, index) ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
  }
  return transaction.verifyOnly ? verify(transaction, context) : add(transaction, context, answered);
}

function isUnsupported(results: TopicResults): boolean {
  return results.some(({ resultsByPartition }) =>
    resultsByPartition.some(({ partitionErrorCode }) => partitionErrorCode === ErrorCode.UNSUPPORTED_VERSION),
  );
}

async function add(
  transaction: Transaction,
  { apiVersion, transactions }: Context,
  answered: readonly Topic[],
): Promise<TopicResults> {
  const clientVersion = apiVersion >= BATCHED_FROM_VERSION ? 2 : 0;
  const error = await transactions.addPartitions(claimOf(transaction), partitionsOf(transaction.topics), clientVersion);
  const errorCode = fencingError(error, apiVersion, FENCED_FROM_VERSION);
  return answered.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(resultOf(() => errorCode)),
  }));
}

async function verify(transaction: Transaction, { transactions }: Context): Promise<TopicResults> {
  const { topics } = transaction;
  const answer = await transactions.verifyPartitions(claimOf(transaction), partitionsOf(topics));
  if (answer.reply === undefined) return results(topics, () => answer.error);
  const { missing } = answer.reply;
  return results(topics, (topic, index) =>
    missing.get(topic)?.has(index) === true ? ErrorCode.TRANSACTION_ABORTABLE : ErrorCode.NONE,
  );
}

/** Where partitions fare differently, topics and partitions that are named twice are answered once, and topics without partitions not at all. */
function results(topics: readonly Topic[], errorOf: (topic: string, index: number) => ErrorCode): TopicResults {
  return [...partitionsOf(topics)].map(([name, partitions]) => ({
    name,
    resultsByPartition: [...partitions].map(resultOf((index) => errorOf(name, index))),
  }));
}

function resultOf(errorOf: (index: number) => ErrorCode) {
  return (partitionIndex: number) => ({ partitionIndex, partitionErrorCode: errorOf(partitionIndex) });
}

/** Without topics of which none is named. */
function partitionsOf(topics: readonly Topic[]): TopicPartitions {
  const byTopic = new Map<string, Set<number>>();
  for (const { name, partitions } of topics)
    if (partitions.length > 0) byTopic.set(name, new Set([...(byTopic.get(name) ?? []), ...partitions]));
  return byTopic;
}
