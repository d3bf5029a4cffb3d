/** What SPEC.md promises of a machine between two steps, as a function: tests and simulations call it after every step. */
import { type ClassicGroup, isShownAlive } from '../../../src/machine/group/classic-group.ts';
import type { GroupMachine } from '../../../src/machine/group/group-machine.ts';
import { joinKey, sessionKey, syncKey } from '../../../src/machine/group/turn.ts';

/** One sentence per broken invariant, beginning with its number. All records have to be applied. */
export function violations(machine: GroupMachine): string[] {
  const broken: string[] = [];
  const requests = new Set<number>();
  for (const group of machine.passing.groups.values()) {
    const say = (number: number, what: string): number =>
      broken.push(`G${number} group ${group.groupId} (${group.phase.state}): ${what}`);
    checkMembers(group, say);
    checkPhase(group, say);
    checkAlarms(machine, group, say);
    checkStored(machine, group, say);
    for (const member of group.members.values()) {
      for (const request of [member.awaitingJoin, member.awaitingSync]) {
        if (request === null) continue;
        if (requests.has(request)) say(6, `request ${request} is waited for twice`);
        requests.add(request);
      }
    }
  }
  return broken;
}

type Say = (number: number, what: string) => void;

function checkMembers(group: ClassicGroup, say: Say): void {
  const { members, staticMembers, pendingMembers, leader } = group;
  if (leader === null ? members.size > 0 : !members.has(leader)) say(1, `leader ${leader} of ${members.size} members`);
  for (const [memberId, member] of members) {
    if (member.memberId !== memberId) say(2, `member ${member.memberId} is kept as ${memberId}`);
    if (pendingMembers.has(memberId)) say(2, `member ${memberId} is pending as well`);
    if (member.protocolType !== group.protocolType) say(3, `member ${memberId} is of type ${member.protocolType}`);
    const { groupInstanceId } = member;
    if (groupInstanceId !== null && staticMembers.get(groupInstanceId) !== memberId)
      say(2, `instance ${groupInstanceId} is not ${memberId}`);
  }
  for (const [instanceId, memberId] of staticMembers) {
    if (members.get(memberId)?.groupInstanceId !== instanceId) say(2, `instance ${instanceId} points at ${memberId}`);
  }
}

function checkPhase(group: ClassicGroup, say: Say): void {
  const { phase, members } = group;
  const hasMembers = members.size > 0;
  if (phase.state === 'Empty' && hasMembers) say(4, `${members.size} members`);
  if ((phase.state === 'Stable' || phase.state === 'CompletingRebalance') && !hasMembers) say(4, 'no members');
  if (phase.state === 'CompletingRebalance' || phase.state === 'Stable') {
    for (const memberId of phase.pendingSync) if (!members.has(memberId)) say(5, `${memberId} is to sync and no member`);
    for (const { memberId, protocols } of members.values()) {
      if (!protocols.some(({ name }) => name === group.protocol)) say(3, `${memberId} does not know protocol ${group.protocol}`);
    }
  }
  for (const member of members.values()) {
    if (member.awaitingSync !== null && phase.state !== 'CompletingRebalance')
      say(5, `${member.memberId} waits for an assignment`);
    if (member.awaitingSync !== null && member.awaitingJoin !== null) say(5, `${member.memberId} waits for two things`);
    if (member.awaitingJoin !== null && phase.state === 'CompletingRebalance') say(5, `${member.memberId} waits to join`);
    // Its own replacement waits for its record alone (KIP-345).
    if (member.awaitingJoin !== null && phase.state === 'Stable' && member.groupInstanceId === null)
      say(5, `${member.memberId} waits to join`);
  }
}

function checkAlarms(machine: GroupMachine, group: ClassicGroup, say: Say): void {
  const { alarms } = machine.passing;
  const { groupId, phase } = group;
  const isSet = (key: string): boolean => alarms.at(key) !== undefined;
  if (isSet(joinKey(groupId)) !== (phase.state === 'PreparingRebalance')) say(7, 'join deadline');
  const awaitsSync = (phase.state === 'CompletingRebalance' || phase.state === 'Stable') && phase.pendingSync.size > 0;
  if (awaitsSync && !isSet(syncKey(groupId)) && !isReloaded(group)) say(7, 'no sync deadline');
  if (!awaitsSync && isSet(syncKey(groupId)) && phase.state !== 'Stable' && phase.state !== 'CompletingRebalance')
    say(7, 'sync deadline');
  for (const member of group.members.values()) {
    if (!isSet(sessionKey(groupId, member.memberId)) && !isShownAlive(member)) say(8, `no session of ${member.memberId}`);
  }
  for (const memberId of group.pendingMembers)
    if (!isSet(sessionKey(groupId, memberId))) say(8, `no session of pending ${memberId}`);
}

/** No one has to sync after a load: that the group is stable was all that was stored. */
function isReloaded(group: ClassicGroup): boolean {
  return group.phase.state === 'Stable' && group.phase.pendingSync.size === 0;
}

function checkStored(machine: GroupMachine, group: ClassicGroup, say: Say): void {
  const stored = machine.lasting.groups.get(group.groupId);
  if (stored?.type !== 'classic') return say(9, 'not in the log');
  if (group.phase.state !== 'Stable' && group.phase.state !== 'Empty') return;
  const value = stored.value;
  if (value === null) {
    if (group.phase.state === 'Stable') say(10, 'stable without a record');
    return;
  }
  // The partition refused the record of a group that became empty: its last members seem to be there until it is loaded again.
  if (group.phase.state === 'Empty' && value.generation < group.generation) return;
  if (value.generation !== group.generation) say(10, `generation ${group.generation}, in the log ${value.generation}`);
  const ids = value.members.map((member) => member.memberId).sort();
  const live = [...group.members.keys()].sort();
  if (ids.join() !== live.join()) say(10, `members ${live.join()}, in the log ${ids.join()}`);
  for (const member of value.members) {
    const own = group.members.get(member.memberId);
    if (own !== undefined && !own.assignment.equals(member.assignment))
      say(10, `another assignment of ${member.memberId} in the log`);
  }
}
