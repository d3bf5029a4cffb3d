import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { TRANSITIONS } from '../../../src/machine/group/transitions.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Groups } from './groups.ts';

describe('SyncGroup', () => {
  function completing(): { groups: Groups; leader: string; follower: string } {
    const groups = new Groups();
    const [first, second] = [groups.enter(), groups.enter()];
    groups.pass(6000);
    expect(groups.state()).to.equal('CompletingRebalance');
    return { groups, leader: first.memberId, follower: second.memberId };
  }

  it('hands out the assignment once it is stored', () => {
    const { groups, leader, follower } = completing();
    groups.commitsAtOnce = false;
    const waiting = groups.sync({ memberId: follower, generation: 1 });
    const leading = groups.sync({ memberId: leader, generation: 1, assignments: { [leader]: 'L', [follower]: 'F' } });
    expect(groups.answers.has(waiting) || groups.answers.has(leading)).to.equal(false);
    expect(groups.state()).to.equal('CompletingRebalance');
    groups.commit();
    expect(groups.state()).to.equal('Stable');
    expect(groups.synced(waiting)).to.deep.include({
      errorCode: 0,
      assignment: Buffer.from('F'),
      protocolName: 'range',
      protocolType: 'consumer',
    });
    expect(groups.synced(leading).assignment.toString()).to.equal('L');
  });

  it('gives nothing to whom the leader has forgotten', () => {
    const { groups, leader, follower } = completing();
    const waiting = groups.sync({ memberId: follower, generation: 1 });
    groups.sync({ memberId: leader, generation: 1, assignments: { stranger: 'x' } });
    expect(groups.synced(waiting)).to.deep.include({ errorCode: 0, assignment: Buffer.alloc(0) });
  });

  it('rebalances when the assignment cannot be stored', () => {
    const { groups, leader, follower } = completing();
    const waiting = groups.sync({ memberId: follower, generation: 1 });
    groups.refusing = ErrorCode.NOT_COORDINATOR;
    const leading = groups.sync({ memberId: leader, generation: 1, assignments: {} });
    expect([waiting, leading].map((request) => groups.synced(request).errorCode)).to.deep.equal([16, 16]);
    expect(groups.state()).to.equal('PreparingRebalance');
  });

  it('refuses strangers, other generations and other protocols', () => {
    const { groups, leader } = completing();
    const error = (o: Parameters<Groups['sync']>[0]): number => groups.synced(groups.sync(o)).errorCode;
    expect(error({ memberId: 'x', generation: 1 })).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(error({ memberId: leader, generation: 2 })).to.equal(ErrorCode.ILLEGAL_GENERATION);
    expect(error({ memberId: leader, generation: 1, name: 'other' })).to.equal(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect(error({ memberId: leader, generation: 1, type: 'connect' })).to.equal(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect(error({ memberId: leader, generation: 1, groupId: 'none' })).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('tells who waits that a member has left meanwhile', () => {
    const { groups, leader, follower } = completing();
    const waiting = groups.sync({ memberId: follower, generation: 1 });
    groups.leave({ memberId: leader });
    expect(groups.synced(waiting).errorCode).to.equal(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(groups.synced(groups.sync({ memberId: follower, generation: 1 })).errorCode).to.equal(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  it('takes out who does not sync within the rebalance timeout', () => {
    const { groups, leader, follower } = completing();
    groups.sync({ memberId: leader, generation: 1, assignments: {} });
    for (let time = 0; time < 27_000; time += 9000) {
      groups.pass(9000);
      groups.heartbeat(follower, 1);
      groups.heartbeat(leader, 1);
    }
    expect(groups.state()).to.equal('Stable');
    groups.pass(3000);
    expect([...groups.group().members.keys()]).to.deep.equal([leader]);
    expect(groups.state()).to.equal('PreparingRebalance');
  });
});

describe('Heartbeat and sessions', () => {
  it('keep a member in, and its silence puts it out', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(2);
    const [alive = '', silent = ''] = members;
    for (let time = 0; time < 9000; time += 3000) {
      groups.pass(3000);
      expect(groups.heartbeat(alive, generation)).to.equal(ErrorCode.NONE);
    }
    groups.pass(1000);
    expect(groups.group().members.has(silent)).to.equal(false);
    expect(groups.heartbeat(alive, generation)).to.equal(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(groups.heartbeat(silent, generation)).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.heartbeat(alive, generation + 1)).to.equal(ErrorCode.ILLEGAL_GENERATION);
    expect(groups.heartbeat(alive, generation, null, 'none')).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('end for all: the group becomes Empty, and so it is in the log', () => {
    const groups = new Groups();
    const { generation } = groups.stable(2);
    groups.pass(10_000);
    expect(groups.state()).to.equal('Empty');
    expect(groups.log.at(-1)?.value).to.deep.include({
      generation: generation + 1,
      members: [],
      leader: null,
      protocolType: 'consumer',
    });
  });

  it('begin anew when the groups are loaded', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(2);
    groups.pass(9000);
    groups.restart();
    groups.pass(9000);
    expect(groups.heartbeat(members[0] ?? '', generation)).to.equal(ErrorCode.NONE);
    groups.pass(1000);
    expect([...groups.group().members.keys()]).to.deep.equal([members[0]]);
  });

  it('of a member in its first join last five minutes', () => {
    const groups = new Groups();
    const { members } = groups.stable(1, { sessionTimeoutMs: 400_000, rebalanceTimeoutMs: 400_000 });
    const { request } = groups.enter({ rebalanceTimeoutMs: 400_000 });
    groups.pass(300_000);
    expect(groups.joined(request)).to.include({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: '' });
    expect([...groups.group().members.keys()]).to.deep.equal(members);
  });

  it('shrink a group that is greater than allowed by now', () => {
    const groups = new Groups();
    const { members } = groups.stable(3);
    Object.assign(groups.config, { groupMaxSize: 2 });
    groups.restart();
    expect(groups.state()).to.equal('PreparingRebalance');
    const joins = members.map((memberId) => groups.join({ memberId }));
    expect(groups.joined(joins[2] ?? -1).errorCode).to.equal(ErrorCode.GROUP_MAX_SIZE_REACHED);
  });
});

describe('LeaveGroup', () => {
  it('answers for every member, and rebalances for the others', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(2);
    const [stays = '', goes = ''] = members;
    expect(groups.leave({ memberId: goes }, { memberId: 'x' }, { memberId: goes })).to.deep.equal([0, 25, 25]);
    expect(groups.heartbeat(stays, generation)).to.equal(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(groups.leave({ memberId: stays, instanceId: 'other' })).to.deep.equal([ErrorCode.UNKNOWN_MEMBER_ID]);
  });

  it('takes back an id that was only given out', () => {
    const groups = new Groups();
    const { memberId } = groups.joined(groups.join());
    expect(groups.leave({ memberId })).to.deep.equal([0]);
    expect(groups.joined(groups.join({ memberId })).errorCode).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('does not end the first join phase, but ends later ones', () => {
    const groups = new Groups();
    const [first, second] = [groups.enter(), groups.enter()];
    groups.leave({ memberId: second.memberId });
    expect(groups.state()).to.equal('PreparingRebalance');
    expect(groups.joined(second.request).errorCode).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    groups.pass(6000);
    expect(groups.joined(first.request).members).to.have.length(1);
  });
});

describe('The states of a group', () => {
  it('follow each other as the specification shows', () => {
    const text = readFileSync('src/machine/group/SPEC.md', 'utf8');
    const section = text.slice(text.indexOf('## States'), text.indexOf('## Invariants'));
    const shown = new Set<string>();
    for (const [, from = '', to = ''] of section.matchAll(/^\| ([A-Za-z, ]+?) *\| ([A-Za-z]+) *\|/gm)) {
      if (from !== 'from') for (const one of from.split(', ')) shown.add(`${one} ${to}`);
    }
    const known = Object.entries(TRANSITIONS).flatMap(([from, tos]) => tos.map((to) => `${from} ${to}`));
    expect([...shown].toSorted()).to.deep.equal(known.toSorted());
  });
});
