/**
 * SyncGroup, versions 0 to 5: the leader brings the assignment, every member takes its part. KIP-345 (static members, 3), KIP-559 (protocol type
 * and name, demanded from 5 on). Answered when the assignment is stored.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { SyncGroupRequest, SyncGroupResponseDraft } from '../wire/generated/sync-group.ts';
import type { Context } from './context.ts';

const PROTOCOL_DEMANDED_FROM_VERSION = 5;

export function syncGroup(request: SyncGroupRequest, context: Context): Promise<SyncGroupResponseDraft> | SyncGroupResponseDraft {
  const isMissing = request.protocolType === null || request.protocolName === null;
  if (isMissing && context.apiVersion >= PROTOCOL_DEMANDED_FROM_VERSION) {
    return { errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL, assignment: Buffer.alloc(0) };
  }
  return context.groups.syncGroup(request);
}
