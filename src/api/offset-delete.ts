/**
 * OffsetDelete, version 0 (KIP-496): forgets offsets of a group. Topics and partitions have to exist, and the group must not be subscribed to the
 * topic. A topic that does not exist is answered where no partition of it is named, too.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  OffsetDeleteRequest,
  OffsetDeleteRequestOffsetDeleteRequestTopic,
  OffsetDeleteResponseDraft,
  OffsetDeleteResponseOffsetDeleteResponsePartitionDraft,
} from '../wire/generated/offset-delete.ts';
import type { Context } from './context.ts';

export async function offsetDelete(request: OffsetDeleteRequest, context: Context): Promise<OffsetDeleteResponseDraft> {
  const answers = new Map<string, OffsetDeleteResponseOffsetDeleteResponsePartitionDraft[]>();
  const answersOf = (topic: string): OffsetDeleteResponseOffsetDeleteResponsePartitionDraft[] => {
    const partitions = answers.get(topic) ?? [];
    answers.set(topic, partitions);
    return partitions;
  };
  const topics: OffsetDeleteRequestOffsetDeleteRequestTopic[] = [];
  for (const { name, partitions } of request.topics) {
    const known = context.image.topicsByName.get(name)?.partitions;
    const there = partitions.filter(({ partitionIndex }) => known?.has(partitionIndex));
    if (there.length > 0) topics.push({ name, partitions: there });
    const unknown = partitions.filter(({ partitionIndex }) => !known?.has(partitionIndex));
    if (known !== undefined && unknown.length === 0) continue;
    const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    answersOf(name).push(...unknown.map(({ partitionIndex }) => ({ partitionIndex, errorCode })));
  }
  const response = await context.groups.deleteOffsets({ ...request, topics });
  if (response.errorCode !== ErrorCode.NONE) return response;
  // Only where something was refused here are the topics of both parts joined.
  if (answers.size === 0) return response;
  for (const { name, partitions } of response.topics) answersOf(name).push(...partitions);
  return { errorCode: ErrorCode.NONE, topics: [...answers].map(([name, partitions]) => ({ name, partitions })) };
}
