/**
 * OffsetFetch, versions 1 to 10: how far groups have come. Null topics ask for all of a group (2). KIP-320 (leader epoch, 5), KIP-447 (stable
 * offsets only, 7), KIP-709 (several groups, 8), KIP-848 (who asks, 9), topics by id from 10 on.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  OffsetFetchRequest,
  OffsetFetchRequestOffsetFetchRequestGroup,
  OffsetFetchRequestOffsetFetchRequestTopics,
  OffsetFetchResponseDraft,
  OffsetFetchResponseOffsetFetchResponseGroupDraft,
  OffsetFetchResponseOffsetFetchResponseTopicsDraft,
} from '../wire/generated/offset-fetch.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import type { Context } from './context.ts';

const GROUP_ERROR_FROM_VERSION = 2;
const SEVERAL_GROUPS_FROM_VERSION = 8;
const TOPIC_IDS_FROM_VERSION = 10;

type Group = OffsetFetchRequestOffsetFetchRequestGroup;
type GroupAnswer = OffsetFetchResponseOffsetFetchResponseGroupDraft;
type TopicAnswer = OffsetFetchResponseOffsetFetchResponseTopicsDraft;

export async function offsetFetch(request: OffsetFetchRequest, context: Context): Promise<OffsetFetchResponseDraft> {
  const { requireStable } = request;
  if (context.apiVersion >= SEVERAL_GROUPS_FROM_VERSION) {
    return { groups: await Promise.all(request.groups.map((group) => fetchGroup(group, requireStable, context))) };
  }
  const topics = request.topics?.map(({ name, partitionIndexes }) => ({ name, topicId: ZERO_UUID, partitionIndexes })) ?? null;
  const group: Group = { groupId: request.groupId, memberId: null, memberEpoch: -1, topics };
  return singleGroup(group, await fetchGroup(group, requireStable, context), context);
}

async function fetchGroup(group: Group, requireStable: boolean, context: Context): Promise<GroupAnswer> {
  if (group.topics === null) return allTopics(await context.groups.fetchOffsets(group, requireStable), context);
  if (!usesTopicIds(context)) return context.groups.fetchOffsets(group, requireStable);
  const known: OffsetFetchRequestOffsetFetchRequestTopics[] = [];
  const unknown: TopicAnswer[] = [];
  for (const topic of group.topics) {
    const name = context.image.topicsById.get(topic.topicId)?.name;
    if (name === undefined) unknown.push(unknownTopic(topic));
    else known.push({ ...topic, name });
  }
  const answer = await context.groups.fetchOffsets({ ...group, topics: known }, requireStable);
  if (answer.errorCode !== ErrorCode.NONE) return answer;
  return { ...answer, topics: [...(answer.topics ?? []).map(withoutName), ...unknown] };
}

function usesTopicIds(context: Context): boolean {
  return context.apiVersion >= TOPIC_IDS_FROM_VERSION;
}

function unknownTopic({ topicId, partitionIndexes }: OffsetFetchRequestOffsetFetchRequestTopics): TopicAnswer {
  const errorCode = ErrorCode.UNKNOWN_TOPIC_ID;
  return {
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, committedOffset: -1, metadata: '', errorCode })),
  };
}

function withoutName({ topicId = ZERO_UUID, partitions = [] }: TopicAnswer): TopicAnswer {
  return { topicId, partitions };
}

/** All topics of a group, by ids where ids are spoken; those that are no more have none and are left out. */
function allTopics(answer: GroupAnswer, context: Context): GroupAnswer {
  if (!usesTopicIds(context)) return answer;
  const topics: TopicAnswer[] = [];
  for (const { name = '', partitions = [] } of answer.topics ?? []) {
    const topicId = context.image.topicsByName.get(name)?.id;
    if (topicId !== undefined) topics.push({ topicId, partitions });
  }
  return { ...answer, topics };
}

/** Before version 8 there is one group; before version 2 its error stands at every partition. */
function singleGroup(asked: Group, answer: GroupAnswer, context: Context): OffsetFetchResponseDraft {
  const errorCode = answer.errorCode ?? ErrorCode.NONE;
  if (errorCode !== ErrorCode.NONE && context.apiVersion < GROUP_ERROR_FROM_VERSION) {
    const topics = (asked.topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, committedOffset: -1, metadata: '', errorCode })),
    }));
    return { topics };
  }
  const topics = (answer.topics ?? []).map(({ name = '', partitions = [] }) => ({ name, partitions }));
  return context.apiVersion < GROUP_ERROR_FROM_VERSION ? { topics } : { topics, errorCode };
}
