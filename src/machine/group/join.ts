/** JoinGroup: who may be a member, under which id, and whether the group has to rebalance for it (KIP-62, KIP-345, KIP-394). */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { JoinGroupRequest } from '../../wire/generated/join-group.ts';
import {
  type ClassicGroup,
  type ClassicMember,
  EMPTY_ASSIGNMENT,
  type JoinProtocol,
  addMember,
  awaitingJoinCount,
  checkMember,
  newClassicGroup,
  removeMember,
  renameStaticMember,
  sameProtocols,
  selectProtocol,
  storedValueOf,
  supportsProtocols,
} from './classic-group.ts';
import type { GroupAfter, GroupInput } from './input.ts';
import { foreignTombstones } from './lasting.ts';
import { completeJoinWhenAllHaveJoined, membersForLeader, prepareRebalance, rebalanceOrCompleteJoin } from './rebalance.ts';
import { groupRecord } from './record.ts';
import {
  type Turn,
  currentJoinResponse,
  endJoin,
  endSession,
  endSync,
  findGroup,
  joinKey,
  joinResponse,
  liveGroup,
  refuse,
  renewSession,
  replyJoin,
  syncResponse,
} from './turn.ts';

/** From this version on a member without an id is given one first, and joins with it. */
const MEMBER_ID_REQUIRED_FROM_VERSION = 4;
const SKIP_ASSIGNMENT_FROM_VERSION = 9;

/** A new member knows no id to send heartbeats with; its join is given up after this time, so that repeated joins do not pile up. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000;

type JoinInput = Extract<GroupInput, { kind: 'join' }>;

export function join(turn: Turn, requestId: number, input: JoinInput): void {
  const { groupId, memberId } = input.request;
  const found = findGroup(turn, groupId);
  if (found?.type === 'foreign' && (found.group.type === 'share' || found.group.memberEpochs.size > 0)) {
    replyJoin(turn, requestId, joinResponse('', ErrorCode.INCONSISTENT_GROUP_PROTOCOL));
    return;
  }
  if (found?.type === 'classic') {
    joinGroup(turn, requestId, input, liveGroup(turn, groupId) ?? found.group);
    return;
  }
  if (memberId !== '') {
    replyJoin(turn, requestId, joinResponse(memberId, ErrorCode.UNKNOWN_MEMBER_ID));
    return;
  }
  if (found !== undefined) turn.records.push(...foreignTombstones(found.group));
  const group = newClassicGroup(groupId, turn.now.timeMs);
  turn.passing.groups.set(groupId, group);
  turn.records.push(
    groupRecord(
      groupId,
      storedValueOf(group, () => EMPTY_ASSIGNMENT),
    ),
  );
  turn.after.push({ kind: 'newGroup', groupId });
  joinGroup(turn, requestId, input, group);
}

function joinGroup(turn: Turn, requestId: number, input: JoinInput, group: ClassicGroup): void {
  const { memberId } = input.request;
  if (!isThereRoomFor(turn, group, memberId)) {
    const member = group.members.get(memberId);
    if (member !== undefined) endSync(turn, member, syncResponse(ErrorCode.UNKNOWN_MEMBER_ID));
    removeMember(group, memberId);
    endSession(turn, group.groupId, memberId);
    replyJoin(turn, requestId, joinResponse('', ErrorCode.GROUP_MAX_SIZE_REACHED));
  } else if (!supportsProtocols(group, input.request.protocolType, input.request.protocols)) {
    replyJoin(turn, requestId, joinResponse(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL));
  } else if (memberId === '') joinAsNewMember(turn, requestId, input, group);
  else joinAsKnownMember(turn, requestId, input, group);
}

/** During a join phase those who wait are counted, so that a group grown too large shrinks by it; otherwise the members are. */
function isThereRoomFor(turn: Turn, group: ClassicGroup, memberId: string): boolean {
  const member = group.members.get(memberId);
  switch (group.phase.state) {
    case 'Empty':
      return true;
    case 'PreparingRebalance':
      return (member !== undefined && member.awaitingJoin !== null) || awaitingJoinCount(group) < turn.config.groupMaxSize;
    case 'CompletingRebalance':
    case 'Stable':
      return member !== undefined || group.members.size < turn.config.groupMaxSize;
  }
}

function joinAsNewMember(turn: Turn, requestId: number, input: JoinInput, group: ClassicGroup): void {
  const { request, client } = input;
  const memberId = `${request.groupInstanceId ?? client.clientId}-${input.freshId}`;
  if (request.groupInstanceId !== null) {
    const holder = group.members.get(group.staticMembers.get(request.groupInstanceId) ?? '');
    if (holder === undefined) addAndRebalance(turn, requestId, input, group, memberId);
    else replaceStaticMember(turn, requestId, input, group, holder, memberId);
  } else if (client.apiVersion >= MEMBER_ID_REQUIRED_FROM_VERSION) {
    group.pendingMembers.add(memberId);
    renewSession(turn, group.groupId, memberId, request.sessionTimeoutMs);
    replyJoin(turn, requestId, joinResponse(memberId, ErrorCode.MEMBER_ID_REQUIRED));
  } else addAndRebalance(turn, requestId, input, group, memberId);
}

function joinAsKnownMember(turn: Turn, requestId: number, input: JoinInput, group: ClassicGroup): void {
  const { request } = input;
  const { memberId } = request;
  if (group.pendingMembers.has(memberId)) {
    // An id given out is for a dynamic member; with an instance id something is wrong with the client.
    if (request.groupInstanceId !== null) refuse(turn, requestId, ErrorCode.UNKNOWN_SERVER_ERROR);
    else addAndRebalance(turn, requestId, input, group, memberId);
    return;
  }
  const error = checkMember(group, memberId, request.groupInstanceId);
  const member = group.members.get(memberId);
  if (error !== ErrorCode.NONE || member === undefined) {
    replyJoin(turn, requestId, joinResponse(memberId, error));
    return;
  }
  if (joinsAnew(group, member, request)) {
    updateMember(turn, member, request, requestId);
    rebalanceOrCompleteJoin(turn, group);
    return;
  }
  const members = group.phase.state === 'CompletingRebalance' && group.leader === memberId ? membersForLeader(group) : [];
  replyJoin(turn, requestId, { ...currentJoinResponse(group, memberId), members });
}

/**
 * A join of a member is about the next generation when a rebalance gathers joins, when it comes with other protocols, or when the leader asks
 * for one in a stable group; otherwise it only did not get the answer to the last.
 */
function joinsAnew(group: ClassicGroup, member: ClassicMember, request: JoinGroupRequest): boolean {
  switch (group.phase.state) {
    case 'PreparingRebalance':
      return true;
    case 'CompletingRebalance':
      return !sameProtocols(member.protocols, request.protocols);
    case 'Stable':
      return group.leader === member.memberId || !sameProtocols(member.protocols, request.protocols);
    case 'Empty':
      throw new Error(`group ${group.groupId} is Empty and has member ${member.memberId}`);
  }
}

/** A join that waited already is given up for the new one: its connection is most likely gone. */
function updateMember(turn: Turn, member: ClassicMember, request: JoinGroupRequest, requestId: number): void {
  endJoin(turn, member, joinResponse(member.memberId, ErrorCode.REBALANCE_IN_PROGRESS));
  member.protocols = ownProtocols(request);
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
  member.sessionTimeoutMs = request.sessionTimeoutMs;
  member.awaitingJoin = requestId;
}

/** Copies, so that a member does not pin the frame that its request came in. */
function ownProtocols(request: JoinGroupRequest): readonly JoinProtocol[] {
  return request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }));
}

function addAndRebalance(turn: Turn, requestId: number, input: JoinInput, group: ClassicGroup, memberId: string): void {
  const { request, client } = input;
  const phase = group.phase;
  if (phase.state === 'PreparingRebalance' && phase.initial !== null) {
    group.phase = { state: 'PreparingRebalance', initial: { ...phase.initial, memberAdded: true } };
  }
  addMember(group, {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: client.clientId,
    clientHost: `/${client.host}`,
    protocolType: request.protocolType,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocols: ownProtocols(request),
    assignment: EMPTY_ASSIGNMENT,
    awaitingJoin: requestId,
    awaitingSync: null,
    isNew: true,
  });
  renewSession(turn, group.groupId, memberId, NEW_MEMBER_JOIN_TIMEOUT_MS);
  rebalanceOrCompleteJoin(turn, group);
}

/** Someone with the same instance id and no member id: the same member after a restart. Whoever still has the old id is fenced. */
function replaceStaticMember(
  turn: Turn,
  requestId: number,
  input: JoinInput,
  group: ClassicGroup,
  holder: ClassicMember,
  memberId: string,
): void {
  const { request } = input;
  const leaderBefore = group.leader;
  endJoin(turn, holder, joinResponse(holder.memberId, ErrorCode.FENCED_INSTANCE_ID));
  endSync(turn, holder, syncResponse(ErrorCode.FENCED_INSTANCE_ID));
  const member = renameStaticMember(group, holder, memberId);
  endSession(turn, group.groupId, holder.memberId);
  replacePendingSync(group, holder.memberId, memberId);
  renewSession(turn, group.groupId, memberId, member.sessionTimeoutMs);
  const { protocols, rebalanceTimeoutMs, sessionTimeoutMs } = member;
  updateMember(turn, member, request, requestId);
  switch (group.phase.state) {
    case 'Stable':
      break;
    case 'CompletingRebalance':
      // The leader may have been told of the old id by now, and would assign nothing to the new one.
      return prepareRebalance(turn, group);
    case 'PreparingRebalance':
      return completeJoinWhenAllHaveJoined(turn, group);
    case 'Empty':
      throw new Error(`group ${group.groupId} is Empty and has static member ${memberId}`);
  }
  if (selectProtocol(group) !== group.protocol) return prepareRebalance(turn, group);
  turn.records.push(
    groupRecord(
      group.groupId,
      storedValueOf(group, (own) => own.assignment),
    ),
  );
  turn.after.push({
    kind: 'staticMember',
    groupId: group.groupId,
    requestId,
    groupInstanceId: request.groupInstanceId ?? '',
    oldMemberId: holder.memberId,
    memberId,
    before: { protocols, rebalanceTimeoutMs, sessionTimeoutMs },
    leaderBefore,
    skipsAssignment: input.client.apiVersion >= SKIP_ASSIGNMENT_FROM_VERSION,
  });
}

function replacePendingSync(group: ClassicGroup, oldMemberId: string, memberId: string): void {
  const phase = group.phase;
  if (phase.state !== 'Stable' && phase.state !== 'CompletingRebalance') return;
  if (phase.pendingSync.delete(oldMemberId)) phase.pendingSync.add(memberId);
}

type StaticMemberAfter = Extract<GroupAfter, { kind: 'staticMember' }>;

/** The new id is in the log: the member goes on where it left. A leader that can leaves the assignment as it is (KIP-814). */
export function staticMemberStored(turn: Turn, after: StaticMemberAfter): void {
  const group = turn.passing.groups.get(after.groupId);
  const member = group?.members.get(after.memberId);
  // A rebalance that has begun meanwhile will answer the join.
  if (group?.phase.state !== 'Stable' || member?.awaitingJoin !== after.requestId) return;
  renewSession(turn, group.groupId, after.memberId, member.sessionTimeoutMs);
  const current = currentJoinResponse(group, after.memberId);
  if (!after.skipsAssignment) {
    endJoin(turn, member, { ...current, leader: after.leaderBefore ?? '' });
    return;
  }
  const isLeader = group.leader === after.memberId;
  endJoin(turn, member, { ...current, members: isLeader ? membersForLeader(group) : [], skipAssignment: isLeader });
}

/** The partition refused the new id: the member is again who it was. */
export function staticMemberNotStored(turn: Turn, after: StaticMemberAfter, error: ErrorCode): void {
  const group = turn.passing.groups.get(after.groupId);
  const member = group?.members.get(after.memberId);
  if (group === undefined || member === undefined) return;
  const response = { ...currentJoinResponse(group, ''), errorCode: error, leader: after.leaderBefore ?? '' };
  endJoin(turn, member, response);
  Object.assign(member, after.before);
  renameStaticMember(group, member, after.oldMemberId);
  replacePendingSync(group, after.memberId, after.oldMemberId);
  endSession(turn, after.groupId, after.memberId);
  renewSession(turn, after.groupId, after.oldMemberId, after.before.sessionTimeoutMs);
}

/** The partition refused a new group's first record: the group has never been. */
export function newGroupNotStored(turn: Turn, groupId: string, error: ErrorCode): void {
  const group = turn.passing.groups.get(groupId);
  if (group === undefined) return;
  for (const member of group.members.values()) {
    endJoin(turn, member, joinResponse(member.memberId, error));
    endSession(turn, groupId, member.memberId);
  }
  for (const memberId of group.pendingMembers) endSession(turn, groupId, memberId);
  turn.passing.alarms.cancel(joinKey(groupId));
  turn.passing.groups.delete(groupId);
}
