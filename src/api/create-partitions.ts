/**
 * CreatePartitions, versions 0 to 3 (KIP-195): raises the number of a topic's partitions, placed by the controller or as the request says. Decided by the
 * controller, answered when the partitions are durable and lead. timeoutMs is not looked at.
 */
import type { Handler } from './context.ts';

export const createPartitions: Handler<'createPartitions'> = async (request, context) => ({
  throttleTimeMs: 0,
  results: await context.controller.submit('createPartitions', request),
});
