import { expect } from 'chai';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Groups } from './groups.ts';

describe('JoinGroup', () => {
  it('gives an id first, and takes the member in when it comes with it (KIP-394)', () => {
    const groups = new Groups();
    const first = groups.joined(groups.join({ clientId: 'app' }));
    expect(first.errorCode).to.equal(ErrorCode.MEMBER_ID_REQUIRED);
    expect(first.memberId).to.equal('app-00000000-0000-4000-8000-000000000000');
    expect(groups.group().members.size).to.equal(0);
    const second = groups.join({ memberId: first.memberId });
    expect(groups.answers.has(second)).to.equal(false);
    groups.pass(3000);
    const joined = groups.joined(second);
    expect(joined).to.include({ errorCode: ErrorCode.NONE, generationId: 1, protocolName: 'range', protocolType: 'consumer' });
    expect(joined.leader).to.equal(joined.memberId);
    expect(joined.members.map((member) => member.memberId)).to.deep.equal([first.memberId]);
  });

  it('takes members of before version 4 in at once', () => {
    const groups = new Groups();
    groups.join({ version: 3 });
    expect(groups.group().members.size).to.equal(1);
  });

  it('forgets an id that no one comes with', () => {
    const groups = new Groups();
    const { memberId } = groups.joined(groups.join({ sessionTimeoutMs: 10_000 }));
    groups.pass(10_000);
    expect(groups.joined(groups.join({ memberId })).errorCode).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('writes the record of a group when it comes up, and forgets the group when that is refused', () => {
    const groups = new Groups();
    groups.join();
    expect(groups.log).to.have.length(1);
    expect(groups.log[0]?.value).to.deep.include({ generation: 0, protocolType: '', protocol: null, leader: null, members: [] });
    groups.refusing = ErrorCode.NOT_ENOUGH_REPLICAS;
    const request = groups.join({ groupId: 'h', version: 3 });
    expect(groups.joined(request).errorCode).to.equal(ErrorCode.NOT_ENOUGH_REPLICAS);
    expect(groups.state('h')).to.equal('Dead');
  });

  it('extends the first join phase while members come, up to the rebalance timeout', () => {
    const groups = new Groups();
    groups.enter({ rebalanceTimeoutMs: 7000 });
    groups.pass(2000);
    groups.enter({ rebalanceTimeoutMs: 7000 });
    groups.pass(1500);
    expect(groups.state()).to.equal('PreparingRebalance');
    groups.enter({ rebalanceTimeoutMs: 7000 });
    groups.pass(3000);
    expect(groups.state()).to.equal('PreparingRebalance');
    groups.pass(1000);
    expect(groups.state()).to.equal('CompletingRebalance');
    expect(groups.group().members.size).to.equal(3);
  });

  it('does not wait at all without a delay', () => {
    const groups = new Groups({ groupInitialRebalanceDelayMs: 0 });
    const { request } = groups.enter();
    groups.pass(0);
    expect(groups.joined(request).errorCode).to.equal(ErrorCode.NONE);
  });

  it('refuses what does not fit the group', () => {
    const groups = new Groups();
    groups.stable(1);
    expect(groups.joined(groups.join({ protocolType: 'connect' })).errorCode).to.equal(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect(groups.joined(groups.join({ protocols: ['other'] })).errorCode).to.equal(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect(groups.joined(groups.join({ groupId: 'new', protocols: [] })).errorCode).to.equal(
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    );
    expect(groups.joined(groups.join({ groupId: 'new2', protocolType: '' })).errorCode).to.equal(
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    );
    const unknown = groups.joined(groups.join({ memberId: 'x' }));
    expect(unknown).to.include({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: 'x' });
    expect(groups.joined(groups.join({ groupId: 'none', memberId: 'x' })).errorCode).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.state('none')).to.equal('Dead');
  });

  it('chooses the protocol that all know and most prefer', () => {
    const groups = new Groups();
    groups.enter({ protocols: ['a', 'b', 'c'] });
    groups.enter({ protocols: ['c', 'b'] });
    groups.enter({ protocols: ['b', 'c', 'd'] });
    groups.pass(9000);
    expect(groups.group().protocol).to.equal('b');
  });

  it('keeps a group at its greatest size', () => {
    const groups = new Groups({ groupMaxSize: 2 });
    const { members } = groups.stable(2);
    expect(groups.joined(groups.join()).errorCode).to.equal(ErrorCode.GROUP_MAX_SIZE_REACHED);
    expect(groups.joined(groups.join({ memberId: members[1] ?? '' })).errorCode).to.equal(ErrorCode.NONE);
  });

  it('answers a follower that joins again as it was, and rebalances for a leader', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(2);
    const [leader = '', follower = ''] = members;
    const again = groups.joined(groups.join({ memberId: follower }));
    expect(again).to.deep.include({ generationId: generation, leader, members: [] });
    expect(groups.state()).to.equal('Stable');
    groups.join({ memberId: leader });
    expect(groups.state()).to.equal('PreparingRebalance');
    expect(groups.heartbeat(follower, generation)).to.equal(ErrorCode.REBALANCE_IN_PROGRESS);
    const both = groups.joined(groups.join({ memberId: follower }));
    expect(both.generationId).to.equal(generation + 1);
  });

  it('gives up a join that the same member repeats', () => {
    const groups = new Groups();
    const { members } = groups.stable(2);
    const first = groups.join({ memberId: members[0] ?? '' });
    const second = groups.join({ memberId: members[0] ?? '' });
    expect(groups.joined(first).errorCode).to.equal(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(groups.answers.has(second)).to.equal(false);
  });

  it('goes on without those who do not join in time, and with another leader', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(3, { sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 20_000 });
    const [, second = '', third = ''] = members;
    const waiting = [second, third].map((memberId) =>
      groups.join({ memberId, topics: ['t', 'u'], sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 20_000 }),
    );
    groups.pass(20_000);
    const joined = waiting.map((request) => groups.joined(request));
    expect(joined.map((one) => one.generationId)).to.deep.equal([generation + 1, generation + 1]);
    expect(joined[0]?.leader).to.equal(second);
    expect(groups.group().members.has(members[0] ?? '')).to.equal(false);
  });
});

describe('Static members (KIP-345)', () => {
  function withStatic(version = 9, protocols = ['range']): { groups: Groups; memberId: string; generation: number } {
    const groups = new Groups();
    const request = groups.join({ instanceId: 'one', version, protocols });
    groups.pass(3000);
    const { memberId, generationId = -1 } = groups.joined(request);
    groups.sync({ memberId, generation: generationId, assignments: { [memberId]: 'a' }, instanceId: 'one' });
    return { groups, memberId, generation: generationId };
  }

  it('come back under another id without a rebalance, and fence the old one', () => {
    const { groups, memberId, generation } = withStatic();
    const back = groups.joined(groups.join({ instanceId: 'one' }));
    expect(back).to.include({ errorCode: ErrorCode.NONE, generationId: generation, skipAssignment: true });
    expect(back.memberId).to.match(/^one-/).and.not.equal(memberId);
    expect(back.leader).to.equal(back.memberId);
    expect(back.members.map((member) => member.memberId)).to.deep.equal([back.memberId]);
    expect(groups.state()).to.equal('Stable');
    expect(groups.heartbeat(memberId, generation, 'one')).to.equal(ErrorCode.FENCED_INSTANCE_ID);
    expect(groups.joined(groups.join({ memberId, instanceId: 'one' })).errorCode).to.equal(ErrorCode.FENCED_INSTANCE_ID);
    expect(groups.synced(groups.sync({ memberId: back.memberId, generation, instanceId: 'one' })).assignment.toString()).to.equal(
      'a',
    );
    groups.restart();
    expect(groups.group().staticMembers.get('one')).to.equal(back.memberId);
  });

  it('before version 9 are told of the old leader, so that they do not assign', () => {
    const { groups, memberId } = withStatic(8);
    const back = groups.joined(groups.join({ instanceId: 'one', version: 8 }));
    expect(back).to.deep.include({ errorCode: ErrorCode.NONE, leader: memberId, members: [] });
    expect(back.skipAssignment ?? false).to.equal(false);
  });

  it('are who they were when their new id cannot be stored', () => {
    const { groups, memberId, generation } = withStatic();
    groups.refusing = ErrorCode.NOT_ENOUGH_REPLICAS;
    const request = groups.join({ instanceId: 'one', topics: ['other'] });
    expect(groups.joined(request)).to.include({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, memberId: '' });
    groups.refusing = undefined;
    expect(groups.heartbeat(memberId, generation, 'one')).to.equal(ErrorCode.NONE);
  });

  it('cause a rebalance when the protocol changes by it', () => {
    const { groups } = withStatic(9, ['range', 'other']);
    groups.join({ instanceId: 'one', protocols: ['other'] });
    expect(groups.state()).to.equal('CompletingRebalance');
    expect(groups.group().protocol).to.equal('other');
  });

  it('may miss a rebalance without being taken out', () => {
    const { groups, memberId } = withStatic();
    const other = groups.enter({ sessionTimeoutMs: 60_000 });
    groups.pass(9000);
    groups.heartbeat(memberId, 1, 'one');
    groups.pass(9000);
    groups.heartbeat(memberId, 1, 'one');
    groups.pass(9000);
    groups.heartbeat(memberId, 1, 'one');
    groups.pass(3000);
    expect(groups.joined(other.request)).to.include({ errorCode: ErrorCode.NONE, generationId: 2 });
    expect(groups.group().members.has(memberId)).to.equal(true);
  });

  it('are removed by their instance id alone', () => {
    const { groups } = withStatic();
    expect(groups.leave({ instanceId: 'one' }, { instanceId: 'two' })).to.deep.equal([
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_MEMBER_ID,
    ]);
    expect(groups.state()).to.equal('Empty');
  });
});
