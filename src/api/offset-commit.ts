/**
 * OffsetCommit, versions 2 to 10: keeps how far a group has come. Topics and partitions have to exist. KIP-211 (retention by the broker alone, 5),
 * KIP-320 (leader epoch, 6), KIP-345 (static members, 7), KIP-848 (errors for member epochs, 9), topics by id from 10 on.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  OffsetCommitRequest,
  OffsetCommitRequestOffsetCommitRequestTopic,
  OffsetCommitResponseDraft,
  OffsetCommitResponseOffsetCommitResponsePartitionDraft,
} from '../wire/generated/offset-commit.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import type { Context } from './context.ts';
import { groupClientOf } from './group-client.ts';

const TOPIC_IDS_FROM_VERSION = 10;

interface TopicAnswer {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: OffsetCommitResponseOffsetCommitResponsePartitionDraft[];
}

export async function offsetCommit(request: OffsetCommitRequest, context: Context): Promise<OffsetCommitResponseDraft> {
  const answers = new Map<string, TopicAnswer>();
  const answered = ({ name, topicId }: { name: string; topicId: string }): TopicAnswer => {
    const key = usesTopicIds(context) ? topicId : name;
    const topic = answers.get(key) ?? { name, topicId, partitions: [] };
    answers.set(key, topic);
    return topic;
  };
  const answer = (topic: { name: string; topicId: string }, partitionIndex: number, errorCode: number): void => {
    answered(topic).partitions.push({ partitionIndex, errorCode });
  };
  const topics: OffsetCommitRequestOffsetCommitRequestTopic[] = [];
  for (const asked of request.topics) {
    const topic = identified(asked, context);
    const known = context.image.topicsByName.get(topic.name);
    if (known === undefined) answered(topic);
    for (const { partitionIndex } of asked.partitions) {
      if (known?.partitions.has(partitionIndex)) continue;
      const isUnknownId = known === undefined && usesTopicIds(context);
      answer(topic, partitionIndex, isUnknownId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    const partitions = asked.partitions.filter(({ partitionIndex }) => known?.partitions.has(partitionIndex));
    if (partitions.length > 0) topics.push({ ...topic, partitions });
  }
  if (topics.length > 0) {
    const response = await context.groups.commitOffsets({ ...request, topics }, groupClientOf(context));
    // Only where something was refused here are the topics of both parts joined.
    if (answers.size === 0)
      return {
        topics: response.topics.map((topic) =>
          named({ name: '', topicId: ZERO_UUID, ...topic, partitions: [...topic.partitions] }, context),
        ),
      };
    for (const { name = '', topicId = ZERO_UUID, partitions } of response.topics) {
      for (const { partitionIndex, errorCode } of partitions) answer({ name, topicId }, partitionIndex, errorCode);
    }
  }
  return { topics: [...answers.values()].map((topic) => named(topic, context)) };
}

function usesTopicIds(context: Context): boolean {
  return context.apiVersion >= TOPIC_IDS_FROM_VERSION;
}

/** With name and id; the name is empty, or the id zero, where there is no such topic. */
function identified(
  topic: OffsetCommitRequestOffsetCommitRequestTopic,
  context: Context,
): OffsetCommitRequestOffsetCommitRequestTopic {
  if (usesTopicIds(context)) return { ...topic, name: context.image.topicsById.get(topic.topicId)?.name ?? '' };
  return { ...topic, topicId: context.image.topicsByName.get(topic.name)?.id ?? ZERO_UUID };
}

function named({ name, topicId, partitions }: TopicAnswer, context: Context) {
  return usesTopicIds(context) ? { topicId, partitions } : { name, partitions };
}
