/**
 * TxnOffsetCommit, versions 0 to 6: how far a group has come, as part of a transaction. KIP-320 (leader epoch, 2), KIP-447 (which member, 3), KIP-890
 * (TRANSACTION_ABORTABLE, 4; from 5 on the group's partition of `__consumer_offsets` is added to the transaction here), topics by id from 6 on.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  TxnOffsetCommitRequest,
  TxnOffsetCommitRequestTxnOffsetCommitRequestTopic,
  TxnOffsetCommitResponseDraft,
} from '../wire/generated/txn-offset-commit.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import type { Context, Partition, VerificationSupport } from './context.ts';
import { claimOf } from './transaction-claim.ts';

const LOADING_FROM_VERSION = 2;
const ABORTABLE_FROM_VERSION = 4;
const ADDS_FROM_VERSION = 5;
const TOPIC_IDS_FROM_VERSION = 6;
/** Batches of offsets have no sequences. */
const NO_SEQUENCE = -1;

type Topic = TxnOffsetCommitRequestTxnOffsetCommitRequestTopic;

interface TopicNames {
  readonly name?: string;
  readonly topicId?: string;
}

interface TopicAnswer {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: { readonly partitionIndex: number; readonly errorCode: number }[];
}

export async function txnOffsetCommit(request: TxnOffsetCommitRequest, context: Context): Promise<TxnOffsetCommitResponseDraft> {
  const answers = new Map<string, TopicAnswer>();
  const answered = ({ name = '', topicId = ZERO_UUID }: TopicNames): TopicAnswer => {
    const key = usesTopicIds(context) ? topicId : name;
    const topic = answers.get(key) ?? { name, topicId, partitions: [] };
    answers.set(key, topic);
    return topic;
  };
  const answer = (topic: TopicNames, partitionIndex: number, errorCode: number): void => {
    answered(topic).partitions.push({ partitionIndex, errorCode: asVersion(errorCode, context) });
  };
  const topics: Topic[] = [];
  for (const asked of request.topics) {
    const topic = identified(asked, context);
    const known = context.image.topicsByName.get(topic.name);
    if (known === undefined) answered(topic);
    const isUnknownId = known === undefined && usesTopicIds(context);
    for (const { partitionIndex } of asked.partitions) {
      if (known?.partitions.has(partitionIndex)) continue;
      answer(topic, partitionIndex, isUnknownId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    const partitions = asked.partitions.filter(({ partitionIndex }) => known?.partitions.has(partitionIndex));
    if (partitions.length > 0) topics.push({ ...topic, partitions });
  }
  if (topics.length > 0) {
    const { groups, apiVersion } = context;
    const response = await groups.commitInTransaction({ ...request, topics }, apiVersion, (partition) =>
      verify(request, partition, context),
    );
    for (const topic of response.topics)
      for (const { partitionIndex, errorCode } of topic.partitions) answer(topic, partitionIndex, errorCode);
  }
  return { throttleTimeMs: 0, topics: [...answers.values()].map((topic) => named(topic, context)) };
}

async function verify(request: TxnOffsetCommitRequest, partition: Partition, context: Context) {
  const wanted = [{ partition, baseSequence: NO_SEQUENCE }];
  const [verified] = await context.transactionVerifier.verify(claimOf(request), supportOf(context.apiVersion), wanted);
  if (verified === undefined) throw new Error('one partition was to be verified, and none has been');
  return verified;
}

function supportOf(apiVersion: number): VerificationSupport {
  if (apiVersion >= ADDS_FROM_VERSION) return 'adds';
  return apiVersion >= ABORTABLE_FROM_VERSION ? 'abortable' : 'none';
}

function usesTopicIds({ apiVersion }: Context): boolean {
  return apiVersion >= TOPIC_IDS_FROM_VERSION;
}

/** With name and id; the name is empty, or the id zero, where there is no such topic. */
function identified(topic: Topic, context: Context): Topic {
  if (usesTopicIds(context)) return { ...topic, name: context.image.topicsById.get(topic.topicId)?.name ?? '' };
  return { ...topic, topicId: context.image.topicsByName.get(topic.name)?.id ?? ZERO_UUID };
}

function named({ name, topicId, partitions }: TopicAnswer, context: Context) {
  return usesTopicIds(context) ? { topicId, partitions } : { name, partitions };
}

function asVersion(errorCode: number, { apiVersion }: Context): number {
  const isLoading = errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
  return apiVersion < LOADING_FROM_VERSION && isLoading ? ErrorCode.COORDINATOR_NOT_AVAILABLE : errorCode;
}
