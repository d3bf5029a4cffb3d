/**
 * CreateTopics, versions 2 to 7: decided by the controller, answered when the topics are durable and their partitions lead.
 *
 * - Partition count and replication factor -1 take the brokers' defaults (KIP-464, v4 and up); the answer tells what came of it, with all configs in
 *   force (KIP-525, v5 and up) and the topic's id (KIP-516, v7).
 * - Errors and their texts are Kafka's. timeoutMs is not looked at: nothing waits for other nodes.
 */
import type { Handler } from './context.ts';

export const createTopics: Handler<'createTopics'> = async (request, context) => ({
  topics: await context.controller.submit('createTopics', request),
});
