/** From one generation to the next: gathering joins, ending the join phase, and what is overdue. */
import { ErrorCode } from '../../wire/generated/errors.ts';
import {
  type ClassicGroup,
  type ClassicMember,
  EMPTY_ASSIGNMENT,
  allHaveJoined,
  computeSubscribedTopics,
  electJoinedLeader,
  isShownAlive,
  metadataOf,
  rebalanceTimeoutMs,
  removeMember,
  selectProtocol,
  setPhase,
  storedValueOf,
} from './classic-group.ts';
import { groupRecord } from './record.ts';
import {
  type Turn,
  currentJoinResponse,
  endJoin,
  endSession,
  endSync,
  joinKey,
  joinResponse,
  renewSession,
  syncKey,
  syncResponse,
} from './turn.ts';

/** After a change of members: a rebalance begins, or the one under way may be complete by it. */
export function rebalanceOrCompleteJoin(turn: Turn, group: ClassicGroup): void {
  if (group.phase.state === 'PreparingRebalance') completeJoinWhenAllHaveJoined(turn, group);
  else prepareRebalance(turn, group);
}

export function prepareRebalance(turn: Turn, group: ClassicGroup): void {
  if (group.phase.state === 'CompletingRebalance') dropAssignments(turn, group, ErrorCode.REBALANCE_IN_PROGRESS);
  turn.passing.alarms.cancel(syncKey(group.groupId));
  if (group.phase.state === 'Empty') {
    const delayMs = turn.config.groupInitialRebalanceDelayMs;
    const remainingMs = Math.max(rebalanceTimeoutMs(group) - delayMs, 0);
    setPhase(group, { state: 'PreparingRebalance', initial: { delayMs, remainingMs, memberAdded: false } }, turn.now.timeMs);
    setJoinAlarm(turn, group, delayMs);
    return;
  }
  setPhase(group, { state: 'PreparingRebalance', initial: null }, turn.now.timeMs);
  if (allHaveJoined(group)) completeJoin(turn, group);
  else setJoinAlarm(turn, group, rebalanceTimeoutMs(group));
}

/** A rebalance that began in Empty ends by its delay alone. */
export function completeJoinWhenAllHaveJoined(turn: Turn, group: ClassicGroup): void {
  if (group.phase.state === 'PreparingRebalance' && group.phase.initial === null && allHaveJoined(group))
    completeJoin(turn, group);
}

function setJoinAlarm(turn: Turn, group: ClassicGroup, delayMs: number): void {
  turn.passing.alarms.set(joinKey(group.groupId), turn.now.monotonicMs + delayMs, { kind: 'join', groupId: group.groupId });
}

export function onJoinAlarm(turn: Turn, groupId: string): void {
  const group = turn.passing.groups.get(groupId);
  if (group?.phase.state !== 'PreparingRebalance') return;
  const initial = group.phase.initial;
  if (initial?.memberAdded && initial.remainingMs !== 0) {
    const delayMs = Math.min(turn.config.groupInitialRebalanceDelayMs, initial.remainingMs);
    const remainingMs = Math.max(initial.remainingMs - initial.delayMs, 0);
    group.phase = { state: 'PreparingRebalance', initial: { delayMs, remainingMs, memberAdded: false } };
    setJoinAlarm(turn, group, delayMs);
  } else completeJoin(turn, group);
}

/** Ends the join phase with those who have joined. Static members may be late; without anyone the group waits on. */
function completeJoin(turn: Turn, group: ClassicGroup): void {
  turn.passing.alarms.cancel(joinKey(group.groupId));
  for (const member of group.members.values()) {
    if (member.awaitingJoin !== null || member.groupInstanceId !== null) continue;
    removeMember(group, member.memberId);
    endSession(turn, group.groupId, member.memberId);
  }
  if (!electJoinedLeader(group) && group.members.size > 0) {
    setJoinAlarm(turn, group, rebalanceTimeoutMs(group));
    return;
  }
  group.generation++;
  if (group.members.size === 0) becomeEmpty(turn, group);
  else beginSync(turn, group);
}

function becomeEmpty(turn: Turn, group: ClassicGroup): void {
  group.protocol = null;
  computeSubscribedTopics(group);
  setPhase(group, { state: 'Empty' }, turn.now.timeMs);
  turn.records.push(
    groupRecord(
      group.groupId,
      storedValueOf(group, () => EMPTY_ASSIGNMENT),
    ),
  );
}

function beginSync(turn: Turn, group: ClassicGroup): void {
  group.protocol = selectProtocol(group);
  computeSubscribedTopics(group);
  setPhase(group, { state: 'CompletingRebalance', pendingSync: new Set(group.members.keys()), storing: false }, turn.now.timeMs);
  for (const member of group.members.values()) {
    const members = group.leader === member.memberId ? membersForLeader(group) : [];
    endJoin(turn, member, { ...currentJoinResponse(group, member.memberId), members });
    renewSession(turn, group.groupId, member.memberId, member.sessionTimeoutMs);
    member.isNew = false;
  }
  const { groupId, generation } = group;
  const atMs = turn.now.monotonicMs + rebalanceTimeoutMs(group);
  turn.passing.alarms.set(syncKey(groupId), atMs, { kind: 'sync', groupId, generation });
}

export function membersForLeader(group: ClassicGroup): { memberId: string; groupInstanceId: string | null; metadata: Buffer }[] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, group.protocol),
  }));
}

/** The assignment will not come: everyone who waits for it is told why. */
export function dropAssignments(turn: Turn, group: ClassicGroup, error: ErrorCode): void {
  for (const member of group.members.values()) {
    member.assignment = EMPTY_ASSIGNMENT;
    if (endSync(turn, member, syncResponse(error))) renewSession(turn, group.groupId, member.memberId, member.sessionTimeoutMs);
  }
}

/** Takes a member out and answers its join. The caller sees to what follows for the group. */
export function expel(turn: Turn, group: ClassicGroup, member: ClassicMember): void {
  endJoin(turn, member, joinResponse('', ErrorCode.UNKNOWN_MEMBER_ID));
  endSync(turn, member, syncResponse(ErrorCode.UNKNOWN_MEMBER_ID));
  removeMember(group, member.memberId);
  endSession(turn, group.groupId, member.memberId);
}

export function onSessionAlarm(turn: Turn, groupId: string, memberId: string): void {
  const group = turn.passing.groups.get(groupId);
  if (group === undefined) return;
  if (group.pendingMembers.delete(memberId)) {
    completePreparedJoin(turn, group);
    return;
  }
  const member = group.members.get(memberId);
  if (member === undefined || isShownAlive(member)) return;
  expel(turn, group, member);
  if (group.phase.state === 'PreparingRebalance') completePreparedJoin(turn, group);
  else if (group.phase.state !== 'Empty') prepareRebalance(turn, group);
}

/** As Kafka has it: a member that vanishes may end even the gathering of a first rebalance, one that leaves does not. */
function completePreparedJoin(turn: Turn, group: ClassicGroup): void {
  if (group.phase.state === 'PreparingRebalance' && allHaveJoined(group)) completeJoin(turn, group);
}

/** Members that have not asked for their assignment in time are out. */
export function onSyncAlarm(turn: Turn, groupId: string, generation: number): void {
  const group = turn.passing.groups.get(groupId);
  if (group === undefined || group.generation !== generation) return;
  if (group.phase.state !== 'CompletingRebalance' && group.phase.state !== 'Stable') return;
  const missing = [...group.phase.pendingSync];
  if (missing.length === 0) return;
  for (const memberId of missing) {
    const member = group.members.get(memberId);
    if (member !== undefined) expel(turn, group, member);
  }
  prepareRebalance(turn, group);
}
