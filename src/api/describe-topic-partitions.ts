/**
 * DescribeTopicPartitions, version 0 (KIP-966): topics with their eligible leaders, in the order of their names and in pages.
 *
 * - No topics asks for all. The page ends after responsePartitionLimit partitions, but not above max.request.partition.size.limit; the cursor in the
 *   answer says where the next one begins.
 * - A cursor whose topic is not in a given list, or whose partition is negative, is INVALID_REQUEST for every topic of the request.
 * - Authorized operations are all there are: there are no ACLs yet.
 */
import type { TopicImage } from '../machine/metadata/topic-image.ts';
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponseDescribeTopicPartitionsResponsePartitionDraft,
  DescribeTopicPartitionsResponseDescribeTopicPartitionsResponseTopicDraft,
  DescribeTopicPartitionsResponseDraft,
} from '../wire/generated/describe-topic-partitions.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { INTERNAL_TOPICS, topicNameError } from '../wire/topic-name.ts';
import { TOPIC_OPERATIONS } from './authorized-operations.ts';
import type { Context, Handler } from './context.ts';
import { BrokerView, NO_BROKER } from './partition-view.ts';

type TopicAnswer = DescribeTopicPartitionsResponseDescribeTopicPartitionsResponseTopicDraft;
type PartitionAnswer = DescribeTopicPartitionsResponseDescribeTopicPartitionsResponsePartitionDraft;

export const describeTopicPartitions: Handler<'describeTopicPartitions'> = (request, context) => {
  const { cursor } = request;
  const all = request.topics.length === 0;
  const wanted = all ? context.image.topicsByName.keys() : new Set(request.topics.map((topic) => topic.name));
  const names = [...wanted].filter((name) => cursor === null || name >= cursor.topicName).sort();
  const isLost = cursor !== null && !all && !names.includes(cursor.topicName);
  if (isLost || (cursor !== null && cursor.partitionIndex < 0)) return refusal(request);
  return page(names, request, context, all);
};

function refusal(request: DescribeTopicPartitionsRequest): DescribeTopicPartitionsResponseDraft {
  const errorCode = ErrorCode.INVALID_REQUEST;
  return { topics: request.topics.map(({ name }) => ({ name, errorCode, isInternal: false, partitions: [] })) };
}

function page(
  names: readonly string[],
  request: DescribeTopicPartitionsRequest,
  context: Context,
  all: boolean,
): DescribeTopicPartitionsResponseDraft {
  const view = new BrokerView(context);
  const topics: TopicAnswer[] = [];
  const most = context.settings.int('max.request.partition.size.limit');
  let remaining = Math.max(Math.min(most, request.responsePartitionLimit), 1);
  for (const name of names) {
    if (remaining === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } };
    const topic = context.image.topicsByName.get(name);
    if (topic === undefined) {
      if (!all) topics.push(unknownTopic(name));
      continue;
    }
    const start = request.cursor?.topicName === name ? request.cursor.partitionIndex : 0;
    const partitions = partitionsFrom(topic, start, remaining, view);
    topics.push(knownTopic(topic, partitions));
    const next = start + partitions.length;
    if (next < topic.partitions.size) return { topics, nextCursor: { topicName: name, partitionIndex: next } };
    remaining -= partitions.length;
  }
  return { topics, nextCursor: null };
}

function partitionsFrom(topic: TopicImage, start: number, limit: number, view: BrokerView): PartitionAnswer[] {
  const answers: PartitionAnswer[] = [];
  const end = Math.min(topic.partitions.size, start + limit);
  for (let index = start; index < end; index++) {
    const partition = topic.partitions.get(index);
    if (partition === undefined) continue;
    answers.push({
      errorCode: ErrorCode.NONE,
      partitionIndex: index,
      leaderId: view.isAlive(partition.leader) ? partition.leader : NO_BROKER,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      offlineReplicas: view.offlineReplicas(partition),
      eligibleLeaderReplicas: partition.elr,
      lastKnownElr: partition.lastKnownElr,
    });
  }
  return answers;
}

function knownTopic(topic: TopicImage, partitions: readonly PartitionAnswer[]): TopicAnswer {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: INTERNAL_TOPICS.has(topic.name),
    partitions,
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  };
}

function unknownTopic(name: string): TopicAnswer {
  const errorCode = topicNameError(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION;
  return { errorCode, name, isInternal: INTERNAL_TOPICS.has(name), partitions: [], topicAuthorizedOperations: TOPIC_OPERATIONS };
}
