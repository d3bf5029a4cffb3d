import { expect } from 'chai';
import type { GroupRecord } from '../../../src/machine/group/record.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Groups, TOPIC_ID } from './groups.ts';

const CHECK_MS = 600_000;
const RETENTION_MS = 7 * 24 * 3600_000;

function described(groups: Groups, groupId = 'g', apiVersion = 6) {
  const answer = groups.answerOf(
    groups.ask({ kind: 'describe', groupIds: [groupId], client: { apiVersion, clientId: '', host: '' } }),
  );
  if (answer.kind !== 'describe' || answer.groups[0] === undefined) throw new Error(answer.kind);
  return answer.groups[0];
}

function listed(groups: Groups, statesFilter: string[] = [], typesFilter: string[] = []) {
  const answer = groups.answerOf(groups.ask({ kind: 'list', request: { statesFilter, typesFilter } }));
  if (answer.kind !== 'list') throw new Error(answer.kind);
  return answer.groups;
}

function deleted(groups: Groups, ...groupIds: string[]): number[] {
  const answer = groups.answerOf(groups.ask({ kind: 'deleteGroups', groupIds }));
  return answer.kind === 'deleteGroups' ? answer.results.map((result) => result.errorCode) : [];
}

/** A consumer group (KIP-848) as Apache Kafka would have left it, with or without a member. */
function foreign(groups: Groups, hasMember: boolean): void {
  const records: GroupRecord[] = [
    { kind: 'ConsumerGroupMetadata', key: { groupId: 'new' }, value: { epoch: 3, metadataHash: 0n } },
    {
      kind: 'ConsumerGroupTargetAssignmentMetadata',
      key: { groupId: 'new' },
      value: { assignmentEpoch: 3, assignmentTimestamp: 0n },
    },
  ].map((record) => record as GroupRecord);
  if (hasMember) {
    const value = { memberEpoch: 3, previousMemberEpoch: 2, state: 0, assignedPartitions: [], partitionsPendingRevocation: [] };
    records.push({ kind: 'ConsumerGroupCurrentMemberAssignment', key: { groupId: 'new', memberId: 'm' }, value });
  }
  for (const record of records) {
    groups.machine.apply(record, { offset: groups.log.length, producerId: -1 });
    groups.log.push(record);
  }
}

describe('DescribeGroups, ListGroups, DeleteGroups', () => {
  it('show a stable group with all it has, and others with less', () => {
    const groups = new Groups();
    const { members } = groups.stable(1);
    expect(described(groups)).to.deep.include({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' });
    expect(described(groups).members[0]).to.deep.include({ memberId: members[0], clientId: 'c', clientHost: '/127.0.0.1' });
    expect(String(described(groups).members[0]?.memberAssignment)).to.equal(`of ${members[0]}`);
    groups.join({ memberId: members[0] ?? '' });
    expect(described(groups)).to.deep.include({ groupState: 'CompletingRebalance', protocolData: '' });
    expect(described(groups).members[0]?.memberMetadata).to.deep.equal(Buffer.alloc(0));
  });

  it('say Dead of what is not there, as an error from version 6 on', () => {
    const groups = new Groups();
    expect(described(groups, 'none', 5)).to.deep.include({ groupState: 'Dead', errorCode: ErrorCode.NONE });
    expect(described(groups, 'none')).to.deep.include({
      groupState: 'Dead',
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: 'Group none not found.',
    });
  });

  it('list by state and type, whatever the case', () => {
    const groups = new Groups();
    groups.stable(1);
    groups.offset({ groupId: 'simple' });
    expect(listed(groups).map((group) => [group.groupId, group.protocolType, group.groupState, group.groupType])).to.deep.equal([
      ['g', 'consumer', 'Stable', 'classic'],
      ['simple', '', 'Empty', 'classic'],
    ]);
    expect(listed(groups, ['EMPTY']).map((group) => group.groupId)).to.deep.equal(['simple']);
    expect(listed(groups, ['none'])).to.deep.equal([]);
    expect(listed(groups, [], ['Classic'])).to.have.length(2);
    expect(listed(groups, [], ['consumer'])).to.deep.equal([]);
  });

  it('delete empty groups with their offsets, and nothing else', () => {
    const groups = new Groups();
    groups.stable(1);
    groups.offset({ groupId: 'simple', topic: 't' });
    groups.offset({ groupId: 'simple', topic: 'u' });
    expect(deleted(groups, 'g', 'simple', 'none')).to.deep.equal([
      ErrorCode.NON_EMPTY_GROUP,
      ErrorCode.NONE,
      ErrorCode.GROUP_ID_NOT_FOUND,
    ]);
    expect(groups.log.slice(-3).map((record) => [record.kind, record.value])).to.deep.equal([
      ['OffsetCommit', null],
      ['OffsetCommit', null],
      ['GroupMetadata', null],
    ]);
    expect(groups.state('simple')).to.equal('Dead');
    expect(groups.machine.lasting.offsets.ofGroup('simple')).to.equal(undefined);
  });

  it('forget a group with its pending ids and deadlines', () => {
    const groups = new Groups();
    const { memberId } = groups.joined(groups.join());
    expect(deleted(groups, 'g')).to.deep.equal([ErrorCode.NONE]);
    expect(groups.machine.passing.alarms.size).to.equal(1);
    expect(groups.joined(groups.join({ memberId })).errorCode).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
  });
});

describe('Groups of other protocols', () => {
  it('are listed, not described, and their offsets can be fetched', () => {
    const groups = new Groups();
    foreign(groups, true);
    expect(listed(groups)[0]).to.deep.include({ groupId: 'new', groupType: 'consumer', groupState: 'Stable' });
    expect(described(groups, 'new').errorMessage).to.equal('Group new is not a classic group.');
    expect(groups.offset({ groupId: 'new', memberId: 'm', generation: 3 })).to.equal(ErrorCode.NONE);
    expect(groups.offset({ groupId: 'new', memberId: 'm', generation: 2 })).to.equal(ErrorCode.STALE_MEMBER_EPOCH);
    expect(groups.offset({ groupId: 'new' })).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.fetched({ groupId: 'new' })).to.equal(1n);
    expect(groups.joined(groups.join({ groupId: 'new' })).errorCode).to.equal(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect(deleted(groups, 'new')).to.deep.equal([ErrorCode.NON_EMPTY_GROUP]);
    groups.pass(RETENTION_MS + CHECK_MS);
    expect(groups.fetched({ groupId: 'new' })).to.equal(1n);
  });

  it('make way when they are empty', () => {
    const groups = new Groups();
    foreign(groups, false);
    expect(groups.joined(groups.join({ groupId: 'new' })).errorCode).to.equal(ErrorCode.MEMBER_ID_REQUIRED);
    expect(groups.log.slice(-3).map((record) => [record.kind, record.value === null])).to.deep.equal([
      ['ConsumerGroupTargetAssignmentMetadata', true],
      ['ConsumerGroupMetadata', true],
      ['GroupMetadata', false],
    ]);
    expect(listed(groups)[0]).to.deep.include({ groupType: 'classic' });
    expect(groups.replayed().lasting).to.deep.equal(groups.machine.lasting);
  });
});

describe('Expiry (KIP-211)', () => {
  it('counts from the commit for groups that never had members', () => {
    const groups = new Groups();
    groups.offset();
    groups.pass(RETENTION_MS - 1);
    expect(groups.fetched()).to.equal(1n);
    groups.pass(CHECK_MS);
    expect(groups.fetched()).to.equal(-1n);
    expect(groups.state()).to.equal('Dead');
  });

  it('counts from when the group became Empty for those that had', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(1, { sessionTimeoutMs: 3 * RETENTION_MS });
    const [memberId = ''] = members;
    groups.offset({ memberId, generation });
    groups.pass(2 * RETENTION_MS);
    groups.leave({ memberId });
    groups.pass(RETENTION_MS - 1);
    expect(groups.fetched()).to.equal(1n);
    groups.pass(CHECK_MS + 1);
    expect([groups.fetched(), groups.state()]).to.deep.equal([-1n, 'Dead']);
  });

  it('spares what members have subscribed to, and takes the rest of a stable group', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(1, { topics: ['t'], sessionTimeoutMs: 10 * RETENTION_MS });
    for (const topic of ['t', 'u']) groups.offset({ memberId: members[0] ?? '', generation, topic });
    groups.pass(RETENTION_MS + CHECK_MS);
    expect([groups.fetched({ topic: 't' }), groups.fetched({ topic: 'u' })]).to.deep.equal([1n, -1n]);
    expect(groups.state()).to.equal('Stable');
  });

  it('takes an empty group without offsets at the next check', () => {
    const groups = new Groups();
    groups.stable(1);
    groups.pass(CHECK_MS + 20_000);
    expect(groups.state()).to.equal('Dead');
  });

  it('takes the offsets of a deleted topic, unless they are of another of its name', () => {
    const groups = new Groups();
    groups.offset({ topic: 't' });
    groups.offset({ topic: 'u' });
    groups.ask({
      kind: 'topicsDeleted',
      topics: [
        { name: 't', id: TOPIC_ID },
        { name: 'u', id: 'other' },
      ],
    });
    expect([groups.fetched({ topic: 't' }), groups.fetched({ topic: 'u' })]).to.deep.equal([-1n, 1n]);
  });
});
