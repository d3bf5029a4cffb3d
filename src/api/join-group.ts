/**
 * JoinGroup, versions 0 to 9: becomes or stays a member of a group, and learns its generation and, as leader, all members' metadata.
 * KIP-62 (rebalance timeout, 1), KIP-394 (member id required first, 4), KIP-345 (static members, 5), KIP-559 (protocol type, 7), KIP-800
 * (reason, 8), KIP-814 (a leader that comes back may skip the assignment, 9). Answered when the join phase is over.
 */
import type { JoinGroupRequest, JoinGroupResponseDraft } from '../wire/generated/join-group.ts';
import type { Context } from './context.ts';
import { groupClientOf } from './group-client.ts';

const REBALANCE_TIMEOUT_FROM_VERSION = 1;
const NULL_PROTOCOL_FROM_VERSION = 7;

export async function joinGroup(request: JoinGroupRequest, context: Context): Promise<JoinGroupResponseDraft> {
  const { apiVersion } = context;
  const rebalanceTimeoutMs = apiVersion < REBALANCE_TIMEOUT_FROM_VERSION ? request.sessionTimeoutMs : request.rebalanceTimeoutMs;
  const response = await context.groups.joinGroup({ ...request, rebalanceTimeoutMs }, groupClientOf(context));
  if (apiVersion >= NULL_PROTOCOL_FROM_VERSION) return { ...response, protocolName: response.protocolName || null };
  return { ...response, protocolName: response.protocolName ?? '' };
}
