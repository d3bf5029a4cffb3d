/**
 * AlterPartitionReassignments, versions 0 and 1 (KIP-455, KIP-860): decided by the controller, answered when it is recorded.
 *
 * - On a single node a partition is where it can be: its own broker is accepted and changes nothing, others are not registered.
 * - Null in place of replicas cancels: NO_REASSIGNMENT_IN_PROGRESS where there is nothing to cancel.
 * - timeoutMs is not looked at: nothing waits for other nodes.
 */
import type { Handler } from './context.ts';

export const alterPartitionReassignments: Handler<'alterPartitionReassignments'> = async (request, context) => ({
  throttleTimeMs: 0,
  ...(await context.controller.submit('alterPartitionReassignments', request)),
});
