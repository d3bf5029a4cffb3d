/**
 * The coordinator of the groups of one partition of `__consumer_offsets`, as a pure machine: input and time in, records and replies out.
 *
 * `step`, `wake`, `stored` and `notStored` decide, and change passing state only; `apply` and `applyTransactionEnd` are the only way in which
 * lasting state changes, live and in a replay. Between `step` and the `apply` of its records nothing else may come. SPEC.md holds the numbered
 * invariants and the transition table.
 */
import type { ErrorCode } from '../../wire/generated/errors.ts';
import { Alarms } from '../alarms.ts';
import type { Instant, Machine, RecordPlace, Step } from '../machine.ts';
import { deleteGroups, describe, expire, list, topicsDeleted } from './administration.ts';
import { classicGroupOf } from './classic-group.ts';
import type { GroupAfter, GroupAlarm, GroupConfig, GroupInput, GroupReply } from './input.ts';
import { join, newGroupNotStored, staticMemberNotStored, staticMemberStored } from './join.ts';
import { type LastingState, applyRecord, applyTransactionEnd, emptyLastingState } from './lasting.ts';
import { assignmentNotStored, assignmentStored, heartbeat, leave, sync } from './membership.ts';
import { commit, deleteOffsets, fetch } from './offsets.ts';
import { onJoinAlarm, onSessionAlarm, onSyncAlarm, prepareRebalance } from './rebalance.ts';
import type { GroupRecord } from './record.ts';
import { commitInTransaction } from './transactional-offsets.ts';
import { type PassingState, type Turn, joinKey, renewSession, sessionKey, syncKey } from './turn.ts';

export type GroupStep = Step<GroupRecord, GroupReply, GroupAfter>;

const NO_EFFECTS: readonly never[] = [];

export class GroupMachine implements Machine<GroupInput, GroupRecord, GroupReply, GroupAfter> {
  readonly config: GroupConfig;
  readonly lasting: LastingState = emptyLastingState();
  readonly passing: PassingState = { groups: new Map(), alarms: new Alarms<GroupAlarm>() };

  constructor(config: GroupConfig) {
    this.config = config;
  }

  apply(record: GroupRecord, place: RecordPlace): void {
    applyRecord(this.lasting, record, place);
    if (record.kind === 'GroupMetadata' && record.value === null) this.#forget(record.key.group);
  }

  applyTransactionEnd(producerId: number, committed: boolean): void {
    applyTransactionEnd(this.lasting, producerId, committed);
  }

  /** After the last `apply` of a replay: members have a whole session timeout to show that they are still there. */
  loaded(now: Instant): GroupStep {
    return this.#turn(now, true, (turn) => {
      turn.passing.alarms.set('expiry', now.monotonicMs + this.config.offsetsRetentionCheckIntervalMs, { kind: 'expiry' });
      for (const [groupId, stored] of turn.lasting.groups) {
        if (stored.type !== 'classic' || stored.value === null || stored.value.members.length === 0) continue;
        const group = classicGroupOf(groupId, stored);
        turn.passing.groups.set(groupId, group);
        for (const member of group.members.values()) renewSession(turn, groupId, member.memberId, member.sessionTimeoutMs);
        if (group.members.size > this.config.groupMaxSize) prepareRebalance(turn, group);
      }
    });
  }

  step(requestId: number, input: GroupInput, now: Instant): GroupStep {
    return this.#turn(now, input.kind !== 'topicsDeleted', (turn) => decide(turn, requestId, input));
  }

  /** Deals with all that is due. */
  wake(now: Instant): GroupStep {
    let isExpiry = false;
    return this.#turn(
      now,
      () => !isExpiry,
      (turn) => {
        for (
          let alarm = turn.passing.alarms.takeDue(now.monotonicMs);
          alarm !== undefined;
          alarm = turn.passing.alarms.takeDue(now.monotonicMs)
        ) {
          if (alarm.kind === 'expiry') isExpiry = true;
          onAlarm(turn, alarm);
        }
      },
    );
  }

  stored(after: GroupAfter, now: Instant): GroupStep {
    return this.#turn(now, true, (turn) => {
      if (after.kind === 'assignment') assignmentStored(turn, after);
      else if (after.kind === 'staticMember') staticMemberStored(turn, after);
    });
  }

  /** The partition has taken none of the records, and what was decided with them must not stand. */
  notStored(after: GroupAfter, error: ErrorCode, now: Instant): GroupStep {
    return this.#turn(now, true, (turn) => {
      switch (after.kind) {
        case 'assignment':
          return assignmentNotStored(turn, after, error);
        case 'staticMember':
          return staticMemberNotStored(turn, after, error);
        case 'newGroup':
          return newGroupNotStored(turn, after.groupId, error);
      }
    });
  }

  #turn(now: Instant, atomic: boolean | (() => boolean), run: (turn: Turn) => void): GroupStep {
    const turn: Turn = {
      config: this.config,
      lasting: this.lasting,
      passing: this.passing,
      now,
      records: [],
      replies: [],
      after: [],
    };
    run(turn);
    const { records, replies, after } = turn;
    return {
      records,
      replies,
      after,
      effects: NO_EFFECTS,
      atomic: typeof atomic === 'boolean' ? atomic : atomic(),
      wakeAtMs: this.passing.alarms.nextMs,
    };
  }

  /** Passing state does not outlive the group. */
  #forget(groupId: string): void {
    const { groups, alarms } = this.passing;
    const group = groups.get(groupId);
    if (group === undefined) return;
    groups.delete(groupId);
    for (const memberId of [...group.members.keys(), ...group.pendingMembers]) alarms.cancel(sessionKey(groupId, memberId));
    alarms.cancel(joinKey(groupId));
    alarms.cancel(syncKey(groupId));
  }
}

function decide(turn: Turn, requestId: number, input: GroupInput): void {
  switch (input.kind) {
    case 'join':
      return join(turn, requestId, input);
    case 'sync':
      return sync(turn, requestId, input.request);
    case 'heartbeat':
      return heartbeat(turn, requestId, input.request);
    case 'leave':
      return leave(turn, requestId, input.request);
    case 'commit':
      return commit(turn, requestId, input);
    case 'commitInTransaction':
      return commitInTransaction(turn, requestId, input.request, input.apiVersion);
    case 'fetch':
      return fetch(turn, requestId, input.group, input.requireStable);
    case 'deleteOffsets':
      return deleteOffsets(turn, requestId, input.request);
    case 'describe':
      return describe(turn, requestId, input.groupIds, input.client.apiVersion);
    case 'list':
      return list(turn, requestId, input.request);
    case 'deleteGroups':
      return deleteGroups(turn, requestId, input.groupIds);
    case 'topicsDeleted':
      return topicsDeleted(turn, requestId, input.topics);
  }
}

function onAlarm(turn: Turn, alarm: GroupAlarm): void {
  switch (alarm.kind) {
    case 'session':
      return onSessionAlarm(turn, alarm.groupId, alarm.memberId);
    case 'join':
      return onJoinAlarm(turn, alarm.groupId);
    case 'sync':
      return onSyncAlarm(turn, alarm.groupId, alarm.generation);
    case 'expiry':
      return expire(turn);
  }
}
