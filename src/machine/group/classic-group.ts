/**
 * A group of the classic protocol as it lives in memory: who is a member, who waits for what, and in which phase the group is. It begins as what the
 * log holds, and runs ahead of it while a rebalance is under way.
 *
 * The numbered invariants are in SPEC.md. Functions here change the group given to them and nothing else; time and replies are the business of
 * rebalance.ts and its siblings.
 */
import type { GroupMetadataValue, GroupMetadataValueMemberMetadata } from '../../wire/generated/records/group-metadata.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { StoredClassicGroup } from './lasting.ts';
import { CONSUMER_PROTOCOL_TYPE, subscribedTopicsOf } from './subscription.ts';
import { TRANSITIONS } from './transitions.ts';

/** Dead is not among them: a dead group is one that is not there. */
export type Phase =
  | { readonly state: 'Empty' }
  | {
      readonly state: 'PreparingRebalance';
      /** Set when the group was Empty before: joins are gathered until `delayMs` are over, again and again while members come and time remains. */
      readonly initial: { readonly delayMs: number; readonly remainingMs: number; readonly memberAdded: boolean } | null;
    }
  | {
      readonly state: 'CompletingRebalance';
      /** Members that have not sent SyncGroup in this generation. */
      readonly pendingSync: Set<string>;
      /** The leader's assignment is being stored. */
      readonly storing: boolean;
    }
  | { readonly state: 'Stable'; readonly pendingSync: Set<string> };

export interface JoinProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface ClassicMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly protocolType: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  /** In the member's order of preference. */
  protocols: readonly JoinProtocol[];
  assignment: Buffer;
  /** The request to answer when the join phase is over. */
  awaitingJoin: number | null;
  /** The request to answer when the assignment is stored. */
  awaitingSync: number | null;
  /** Has not yet been through a rebalance: it does not know its id, so that nothing but its join can show that it is there. */
  isNew: boolean;
}

export interface ClassicGroup {
  readonly groupId: string;
  phase: Phase;
  /** Time of day of the last change of state; null when a record of before that field says so. */
  stateTimeMs: number | null;
  generation: number;
  /** Null for a group that is known by its offsets only. */
  protocolType: string | null;
  protocol: string | null;
  leader: string | null;
  readonly members: Map<string, ClassicMember>;
  /** Member id by group instance id (KIP-345). */
  readonly staticMembers: Map<string, string>;
  /** Ids given out that have not joined with them yet (KIP-394). */
  readonly pendingMembers: Set<string>;
  /** Null: not known. */
  subscribedTopics: ReadonlySet<string> | null;
}

export const EMPTY_ASSIGNMENT = Buffer.alloc(0);

export function newClassicGroup(groupId: string, timeMs: number): ClassicGroup {
  return {
    groupId,
    phase: { state: 'Empty' },
    stateTimeMs: timeMs,
    generation: 0,
    protocolType: null,
    protocol: null,
    leader: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingMembers: new Set(),
    subscribedTopics: null,
  };
}

/** The group as a broker that has just loaded it knows it. */
export function classicGroupOf(groupId: string, stored: StoredClassicGroup): ClassicGroup {
  const group = newClassicGroup(groupId, 0);
  const value = stored.value;
  group.stateTimeMs = null;
  if (value === null) return group;
  group.phase = value.members.length === 0 ? { state: 'Empty' } : { state: 'Stable', pendingSync: new Set() };
  group.stateTimeMs = value.currentStateTimestamp === -1n ? null : Number(value.currentStateTimestamp);
  group.generation = value.generation;
  group.protocolType = value.protocolType === '' ? null : value.protocolType;
  group.protocol = value.protocol;
  group.leader = value.leader;
  for (const member of value.members) {
    group.members.set(member.memberId, memberOf(member, value));
    if (member.groupInstanceId !== null) group.staticMembers.set(member.groupInstanceId, member.memberId);
  }
  computeSubscribedTopics(group);
  return group;
}

function memberOf(member: GroupMetadataValueMemberMetadata, group: GroupMetadataValue): ClassicMember {
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    protocolType: group.protocolType,
    rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
    sessionTimeoutMs: member.sessionTimeout,
    protocols: [{ name: group.protocol ?? '', metadata: member.subscription }],
    assignment: member.assignment,
    awaitingJoin: null,
    awaitingSync: null,
    isNew: false,
  };
}

/** What the log is to hold of the group, with these assignments. */
export function storedValueOf(group: ClassicGroup, assignmentOf: (member: ClassicMember) => Buffer): GroupMetadataValue {
  return {
    protocolType: group.protocolType ?? '',
    generation: group.generation,
    protocol: group.protocol,
    leader: group.leader,
    currentStateTimestamp: BigInt(group.stateTimeMs ?? -1),
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataOf(member, group.protocol),
      assignment: assignmentOf(member),
    })),
  };
}

/** Empty when the member does not know the protocol. */
export function metadataOf(member: ClassicMember, protocol: string | null): Buffer {
  return member.protocols.find((own) => own.name === protocol)?.metadata ?? EMPTY_ASSIGNMENT;
}

export function setPhase(group: ClassicGroup, phase: Phase, timeMs: number): void {
  const { state } = group.phase;
  if (!TRANSITIONS[state].includes(phase.state))
    throw new Error(`group ${group.groupId} cannot go from ${state} to ${phase.state}`);
  group.phase = phase;
  group.stateTimeMs = timeMs;
}

/** The first member of a group without members decides its protocol type, and leads. */
export function addMember(group: ClassicGroup, member: ClassicMember): void {
  if (group.members.size === 0) group.protocolType = member.protocolType;
  group.leader ??= member.memberId;
  group.members.set(member.memberId, member);
  if (member.groupInstanceId !== null) group.staticMembers.set(member.groupInstanceId, member.memberId);
  group.pendingMembers.delete(member.memberId);
}

export function removeMember(group: ClassicGroup, memberId: string): void {
  const instanceId = group.members.get(memberId)?.groupInstanceId ?? null;
  if (instanceId !== null) group.staticMembers.delete(instanceId);
  group.members.delete(memberId);
  if (group.leader === memberId) group.leader = firstKey(group.members);
  group.pendingMembers.delete(memberId);
  if (group.phase.state === 'CompletingRebalance' || group.phase.state === 'Stable') group.phase.pendingSync.delete(memberId);
}

function firstKey(members: ReadonlyMap<string, unknown>): string | null {
  for (const key of members.keys()) return key;
  return null;
}

/** Gives a static member another id; all else of it stays, except that it waits for nothing (KIP-345). */
export function renameStaticMember(group: ClassicGroup, member: ClassicMember, memberId: string): ClassicMember {
  const renamed: ClassicMember = { ...member, memberId, awaitingJoin: null, awaitingSync: null, isNew: false };
  group.members.delete(member.memberId);
  group.members.set(memberId, renamed);
  if (member.groupInstanceId !== null) group.staticMembers.set(member.groupInstanceId, memberId);
  if (group.leader === member.memberId) group.leader = memberId;
  return renamed;
}

export function awaitingJoinCount(group: ClassicGroup): number {
  let count = 0;
  for (const member of group.members.values()) if (member.awaitingJoin !== null) count++;
  return count;
}

export function allHaveJoined(group: ClassicGroup): boolean {
  return group.pendingMembers.size === 0 && awaitingJoinCount(group) === group.members.size;
}

/** The leader stays when it has joined; otherwise the first that has takes over. False when no one has. */
export function electJoinedLeader(group: ClassicGroup): boolean {
  const leader = group.leader === null ? undefined : group.members.get(group.leader);
  if (leader !== undefined && leader.awaitingJoin !== null) return true;
  for (const member of group.members.values()) {
    if (member.awaitingJoin === null) continue;
    group.leader = member.memberId;
    return true;
  }
  return false;
}

/** How long members may take to join again: the longest that any asks for. */
export function rebalanceTimeoutMs(group: ClassicGroup): number {
  let longest = 0;
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs);
  return longest;
}

/** May someone with this protocol type and these protocols be in the group? */
export function supportsProtocols(group: ClassicGroup, protocolType: string, protocols: readonly JoinProtocol[]): boolean {
  if (group.phase.state === 'Empty') return protocolType !== '' && protocols.length > 0;
  if (group.protocolType !== protocolType) return false;
  return protocols.some((protocol) => isSupportedByAll(group, protocol.name));
}

function isSupportedByAll(group: ClassicGroup, name: string): boolean {
  for (const member of group.members.values()) {
    if (!member.protocols.some((own) => own.name === name)) return false;
  }
  return true;
}

/** The protocol that all know and most prefer. Every member votes for the first of its own that all know. */
export function selectProtocol(group: ClassicGroup): string | null {
  const votes = new Map<string, number>();
  for (const member of group.members.values()) {
    const choice = member.protocols.find((own) => isSupportedByAll(group, own.name));
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
  }
  let selected: string | null = null;
  let most = 0;
  for (const [name, count] of votes) {
    if (count > most) [selected, most] = [name, count];
  }
  return selected;
}

export function computeSubscribedTopics(group: ClassicGroup): void {
  const metadata = [...group.members.values()].map((member) => metadataOf(member, group.protocol));
  group.subscribedTopics = subscribedTopicsOf(group.protocolType, group.protocol, metadata);
}

export function isSubscribedToTopic(group: ClassicGroup, topic: string): boolean {
  return group.subscribedTopics === null ? group.protocolType === CONSUMER_PROTOCOL_TYPE : group.subscribedTopics.has(topic);
}

/** UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID when the instance has another member id by now, or NONE. */
export function checkMember(group: ClassicGroup, memberId: string, groupInstanceId: string | null): ErrorCode {
  if (groupInstanceId !== null) {
    const current = group.staticMembers.get(groupInstanceId);
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
  }
  return group.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
}

export function sameProtocols(a: readonly JoinProtocol[], b: readonly JoinProtocol[]): boolean {
  return a.length === b.length && a.every((own, index) => own.name === b[index]?.name && own.metadata.equals(b[index].metadata));
}

/** Neither with the old session ended by silence nor with a request that waits here is a member considered lost. */
export function isShownAlive(member: ClassicMember): boolean {
  return !member.isNew && (member.awaitingJoin !== null || member.awaitingSync !== null);
}
