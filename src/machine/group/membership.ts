/** SyncGroup, Heartbeat and LeaveGroup: what members do once they are in. */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { HeartbeatRequest } from '../../wire/generated/heartbeat.ts';
import type { LeaveGroupRequest, LeaveGroupRequestMemberIdentity } from '../../wire/generated/leave-group.ts';
import type { SyncGroupRequest } from '../../wire/generated/sync-group.ts';
import { type ClassicGroup, EMPTY_ASSIGNMENT, checkMember, setPhase, storedValueOf } from './classic-group.ts';
import type { GroupAfter } from './input.ts';
import { completeJoinWhenAllHaveJoined, dropAssignments, expel, prepareRebalance, rebalanceOrCompleteJoin } from './rebalance.ts';
import { groupRecord } from './record.ts';
import {
  type Turn,
  endSession,
  endSync,
  findGroup,
  refuse,
  renewSession,
  reply,
  replySync,
  syncKey,
  syncResponse,
} from './turn.ts';

function classicGroup(turn: Turn, groupId: string): ClassicGroup | undefined {
  const found = findGroup(turn, groupId);
  return found?.type === 'classic' ? found.group : undefined;
}

export function sync(turn: Turn, requestId: number, request: SyncGroupRequest): void {
  const group = classicGroup(turn, request.groupId);
  const error = group === undefined ? ErrorCode.UNKNOWN_MEMBER_ID : checkSync(group, request);
  const member = group?.members.get(request.memberId);
  if (group === undefined || member === undefined || error !== ErrorCode.NONE) {
    replySync(turn, requestId, syncResponse(error));
    return;
  }
  const phase = group.phase;
  if (phase.state === 'CompletingRebalance') {
    endSync(turn, member, syncResponse(ErrorCode.REBALANCE_IN_PROGRESS));
    member.awaitingSync = requestId;
    synced(turn, group, member.memberId);
    if (group.leader !== member.memberId || phase.storing) return;
    group.phase = { ...phase, storing: true };
    const assignments = new Map(request.assignments.map((own) => [own.memberId, Buffer.from(own.assignment)]));
    turn.records.push(
      groupRecord(
        group.groupId,
        storedValueOf(group, (own) => assignments.get(own.memberId) ?? EMPTY_ASSIGNMENT),
      ),
    );
    turn.after.push({ kind: 'assignment', groupId: group.groupId, generation: group.generation, assignments });
  } else {
    synced(turn, group, member.memberId);
    const { protocolType, protocol: protocolName } = group;
    replySync(turn, requestId, syncResponse(ErrorCode.NONE, { protocolType, protocolName, assignment: member.assignment }));
  }
}

function checkSync(group: ClassicGroup, request: SyncGroupRequest): ErrorCode {
  if (group.phase.state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID;
  const error = checkMember(group, request.memberId, request.groupInstanceId);
  if (error !== ErrorCode.NONE) return error;
  if (request.generationId !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  if (differ(request.protocolType, group.protocolType) || differ(request.protocolName, group.protocol)) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  }
  return group.phase.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

function differ(asked: string | null, own: string | null): boolean {
  return asked !== null && own !== null && asked !== own;
}

/** When the last member has asked, no one is overdue any more. */
function synced(turn: Turn, group: ClassicGroup, memberId: string): void {
  if (group.phase.state !== 'CompletingRebalance' && group.phase.state !== 'Stable') return;
  group.phase.pendingSync.delete(memberId);
  if (group.phase.pendingSync.size === 0) turn.passing.alarms.cancel(syncKey(group.groupId));
}

type AssignmentAfter = Extract<GroupAfter, { kind: 'assignment' }>;

/** Undefined when the group has gone on to another rebalance meanwhile. */
function groupAwaiting(turn: Turn, after: AssignmentAfter): ClassicGroup | undefined {
  const group = turn.passing.groups.get(after.groupId);
  return group?.phase.state === 'CompletingRebalance' && group.generation === after.generation ? group : undefined;
}

export function assignmentStored(turn: Turn, after: AssignmentAfter): void {
  const group = groupAwaiting(turn, after);
  if (group?.phase.state !== 'CompletingRebalance') return;
  const { protocolType, protocol: protocolName } = group;
  for (const member of group.members.values()) {
    member.assignment = after.assignments.get(member.memberId) ?? EMPTY_ASSIGNMENT;
    const response = syncResponse(ErrorCode.NONE, { protocolType, protocolName, assignment: member.assignment });
    // While it waited its session may have run out unnoticed.
    if (endSync(turn, member, response)) renewSession(turn, group.groupId, member.memberId, member.sessionTimeoutMs);
  }
  setPhase(group, { state: 'Stable', pendingSync: group.phase.pendingSync }, turn.now.timeMs);
}

export function assignmentNotStored(turn: Turn, after: AssignmentAfter, error: ErrorCode): void {
  const group = groupAwaiting(turn, after);
  if (group === undefined) return;
  dropAssignments(turn, group, error);
  prepareRebalance(turn, group);
}

export function heartbeat(turn: Turn, requestId: number, request: HeartbeatRequest): void {
  const group = classicGroup(turn, request.groupId);
  if (group === undefined) return refuse(turn, requestId, ErrorCode.UNKNOWN_MEMBER_ID);
  const error = checkMember(group, request.memberId, request.groupInstanceId);
  if (error !== ErrorCode.NONE) return refuse(turn, requestId, error);
  if (request.generationId !== group.generation) return refuse(turn, requestId, ErrorCode.ILLEGAL_GENERATION);
  const member = group.members.get(request.memberId);
  if (member !== undefined) renewSession(turn, group.groupId, member.memberId, member.sessionTimeoutMs);
  const errorCode = group.phase.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
  reply(turn, requestId, { kind: 'heartbeat', response: { errorCode } });
}

export function leave(turn: Turn, requestId: number, request: LeaveGroupRequest): void {
  const group = classicGroup(turn, request.groupId);
  if (group === undefined) return refuse(turn, requestId, ErrorCode.UNKNOWN_MEMBER_ID);
  const members = request.members.map((identity) => ({
    memberId: identity.memberId,
    groupInstanceId: identity.groupInstanceId,
    errorCode: leaveOne(turn, group, identity),
  }));
  const anyLeft = members.some((member) => member.errorCode === ErrorCode.NONE);
  if (anyLeft && group.phase.state === 'PreparingRebalance') completeJoinWhenAllHaveJoined(turn, group);
  else if (anyLeft && group.phase.state !== 'Empty') rebalanceOrCompleteJoin(turn, group);
  reply(turn, requestId, { kind: 'leave', response: { errorCode: ErrorCode.NONE, members } });
}

/** By instance id alone an administrator removes a static member, whatever its member id is. */
function leaveOne(turn: Turn, group: ClassicGroup, identity: LeaveGroupRequestMemberIdentity): ErrorCode {
  const { groupInstanceId } = identity;
  let { memberId } = identity;
  if (memberId === '') {
    const holder = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId);
    if (holder === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    memberId = holder;
  } else if (group.pendingMembers.delete(memberId)) {
    endSession(turn, group.groupId, memberId);
    return ErrorCode.NONE;
  }
  const error = checkMember(group, memberId, groupInstanceId);
  const member = group.members.get(memberId);
  if (error === ErrorCode.NONE && member !== undefined) expel(turn, group, member);
  return error;
}
