/**
 * OffsetCommit, versions 2 to 10: keeps how far a group has come. Topics and partitions have to exist. KIP-211 (retention by the broker alone, 5),
 * KIP-320 (leader epoch, 6), KIP-345 (static members, 7), KIP-848 (errors for member epochs, 9), topics by id from 10 on.
 */
import type { OffsetCommitRequest, OffsetCommitResponseDraft } from '../wire/generated/offset-commit.ts';
import type { Context } from './context.ts';
import { groupClientOf } from './group-client.ts';
import { OffsetTopics } from './offset-topics.ts';

const TOPIC_IDS_FROM_VERSION = 10;

export async function offsetCommit(request: OffsetCommitRequest, context: Context): Promise<OffsetCommitResponseDraft> {
  const asked = new OffsetTopics(request.topics, context.image, context.apiVersion >= TOPIC_IDS_FROM_VERSION);
  if (asked.existing.length > 0) {
    const response = await context.groups.commitOffsets({ ...request, topics: asked.existing }, groupClientOf(context));
    // Only where something was refused here are the topics of both parts joined.
    if (asked.allExist) return { topics: response.topics.map((topic) => asked.named(topic)) };
    for (const topic of response.topics) {
      for (const { partitionIndex, errorCode } of topic.partitions) asked.answer(topic, partitionIndex, errorCode);
    }
  }
  return { topics: asked.answers() };
}
