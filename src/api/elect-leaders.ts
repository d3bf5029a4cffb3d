/**
 * ElectLeaders, versions 0 to 2 (KIP-460): decided by the controller, answered when the leaders are recorded.
 *
 * - A partition that has the leader that is wanted is answered with ELECTION_NOT_NEEDED, or left out where null asks for all partitions.
 * - On a single node all others have lost their directory: PREFERRED_LEADER_NOT_AVAILABLE, or ELIGIBLE_LEADERS_NOT_AVAILABLE where any would do.
 * - timeoutMs is not looked at: nothing waits for other nodes.
 */
import type { Handler } from './context.ts';

export const electLeaders: Handler<'electLeaders'> = async (request, context) => ({
  throttleTimeMs: 0,
  ...(await context.controller.submit('electLeaders', request)),
});
