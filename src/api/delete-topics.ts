/**
 * DeleteTopics, versions 1 to 6: by name, or by id (KIP-516, v6). Decided by the controller, answered when the deletion is durable; files go later.
 *
 * - With delete.topic.enable off every topic is TOPIC_DELETION_DISABLED (before v3: INVALID_REQUEST).
 * - Answers come in the order of decision; Kafka shuffles them. timeoutMs is not looked at.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponseDraft } from '../wire/generated/delete-topics.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import type { Handler } from './context.ts';

export const deleteTopics: Handler<'deleteTopics'> = async (request, context) => {
  if (!context.settings.boolean('delete.topic.enable')) return disabled(request, context.apiVersion);
  return { responses: await context.controller.submit('deleteTopics', request) };
};

function disabled(request: DeleteTopicsRequest, apiVersion: number): DeleteTopicsResponseDraft {
  const errorCode = apiVersion < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED;
  const named = [...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID })), ...request.topics];
  return { responses: named.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage: null })) };
}
