/**
 * LeaveGroup, versions 0 to 5: takes members out of a group; before version 3 exactly one, from then on several, static ones by their instance id
 * alone (KIP-345). KIP-800 (reason, 5).
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { LeaveGroupRequest, LeaveGroupResponseDraft } from '../wire/generated/leave-group.ts';
import type { Context } from './context.ts';

const BATCHED_FROM_VERSION = 3;

export async function leaveGroup(request: LeaveGroupRequest, context: Context): Promise<LeaveGroupResponseDraft> {
  if (context.apiVersion >= BATCHED_FROM_VERSION) return context.groups.leaveGroup(request);
  const members = [{ memberId: request.memberId, groupInstanceId: null, reason: null }];
  const response = await context.groups.leaveGroup({ ...request, members });
  const memberError = response.members?.[0]?.errorCode ?? ErrorCode.NONE;
  return { errorCode: response.errorCode === ErrorCode.NONE ? memberError : response.errorCode };
}
