/** Heartbeat, versions 0 to 4: a member is alive, and learns whether the group rebalances. KIP-345 (static members, 3). */
import type { HeartbeatRequest, HeartbeatResponseDraft } from '../wire/generated/heartbeat.ts';
import type { Context } from './context.ts';

export function heartbeat(request: HeartbeatRequest, context: Context): Promise<HeartbeatResponseDraft> {
  return context.groups.heartbeat(request);
}
