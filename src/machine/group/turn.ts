/** One step of the group machine while it is being made: the groups it looks at, and how it answers their members. */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { JoinGroupResponseDraft } from '../../wire/generated/join-group.ts';
import type { SyncGroupResponseDraft } from '../../wire/generated/sync-group.ts';
import type { Alarms } from '../alarms.ts';
import type { Deciding } from '../machine.ts';
import { type ClassicGroup, type ClassicMember, EMPTY_ASSIGNMENT, classicGroupOf } from './classic-group.ts';
import type { GroupAfter, GroupAlarm, GroupConfig, GroupReply } from './input.ts';
import type { LastingState, StoredForeignGroup } from './lasting.ts';
import type { GroupRecord } from './record.ts';

/** What no log can rebuild: groups with members or on their way to them, and every deadline. */
export interface PassingState {
  readonly groups: Map<string, ClassicGroup>;
  readonly alarms: Alarms<GroupAlarm>;
}

export interface Turn extends Deciding<GroupRecord, GroupReply, GroupAfter> {
  readonly config: GroupConfig;
  readonly lasting: LastingState;
  readonly passing: PassingState;
}

export type FoundGroup =
  | { readonly type: 'classic'; readonly group: ClassicGroup }
  | { readonly type: 'foreign'; readonly group: StoredForeignGroup };

/** To look at: changes to a group that is not alive in memory are lost. */
export function findGroup(turn: Turn, groupId: string): FoundGroup | undefined {
  const live = turn.passing.groups.get(groupId);
  if (live !== undefined) return { type: 'classic', group: live };
  const stored = turn.lasting.groups.get(groupId);
  if (stored === undefined) return undefined;
  if (stored.type === 'classic') return { type: 'classic', group: classicGroupOf(groupId, stored) };
  return { type: 'foreign', group: stored };
}

/** To work with: the group is alive in memory from now on. */
export function liveGroup(turn: Turn, groupId: string): ClassicGroup | undefined {
  const found = findGroup(turn, groupId);
  if (found?.type !== 'classic') return undefined;
  turn.passing.groups.set(groupId, found.group);
  return found.group;
}

export function reply(turn: Turn, requestId: number, answer: GroupReply): void {
  turn.replies.push({ requestId, reply: answer });
}

export function refuse(turn: Turn, requestId: number, error: ErrorCode): void {
  reply(turn, requestId, { kind: 'refused', error });
}

export function joinResponse(
  memberId: string,
  errorCode: ErrorCode,
  more: Partial<JoinGroupResponseDraft> = {},
): JoinGroupResponseDraft {
  return { errorCode, generationId: -1, protocolType: null, protocolName: null, leader: '', memberId, members: [], ...more };
}

export function replyJoin(turn: Turn, requestId: number, response: JoinGroupResponseDraft): void {
  reply(turn, requestId, { kind: 'join', response });
}

/** Where the group stands, for a member of this generation. */
export function currentJoinResponse(group: ClassicGroup, memberId: string): JoinGroupResponseDraft {
  return joinResponse(memberId, ErrorCode.NONE, {
    generationId: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocol,
    leader: group.leader ?? '',
  });
}

/** Answers a join that waits; false when none does. */
export function endJoin(turn: Turn, member: ClassicMember, response: JoinGroupResponseDraft): boolean {
  if (member.awaitingJoin === null) return false;
  replyJoin(turn, member.awaitingJoin, response);
  member.awaitingJoin = null;
  return true;
}

export function syncResponse(errorCode: ErrorCode, more: Partial<SyncGroupResponseDraft> = {}): SyncGroupResponseDraft {
  return { errorCode, protocolType: null, protocolName: null, assignment: EMPTY_ASSIGNMENT, ...more };
}

export function replySync(turn: Turn, requestId: number, response: SyncGroupResponseDraft): void {
  reply(turn, requestId, { kind: 'sync', response });
}

/** Answers a sync that waits; false when none does. */
export function endSync(turn: Turn, member: ClassicMember, response: SyncGroupResponseDraft): boolean {
  if (member.awaitingSync === null) return false;
  replySync(turn, member.awaitingSync, response);
  member.awaitingSync = null;
  return true;
}

export function sessionKey(groupId: string, memberId: string): string {
  return `session ${groupId} ${memberId}`;
}

export function joinKey(groupId: string): string {
  return `join ${groupId}`;
}

export function syncKey(groupId: string): string {
  return `sync ${groupId}`;
}

/** The member has been heard of: its session lasts `timeoutMs` from now. */
export function renewSession(turn: Turn, groupId: string, memberId: string, timeoutMs: number): void {
  turn.passing.alarms.set(sessionKey(groupId, memberId), turn.now.monotonicMs + timeoutMs, {
    kind: 'session',
    groupId,
    memberId,
  });
}

export function endSession(turn: Turn, groupId: string, memberId: string): void {
  turn.passing.alarms.cancel(sessionKey(groupId, memberId));
}
