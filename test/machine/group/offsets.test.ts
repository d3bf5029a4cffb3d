import { expect } from 'chai';
import { applyTransactionEnd } from '../../../src/machine/group/lasting.ts';
import { offsetRecord, valueVersion } from '../../../src/machine/group/record.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { ZERO_UUID } from '../../../src/wire/uuid.ts';
import { Groups, TOPIC_ID } from './groups.ts';

/** As it stands in a record of an offset. */
const stored = {
  committedOffset: 7n,
  leaderEpoch: -1,
  metadata: '',
  commitTimestampMs: 1,
  expireTimestampMs: null,
  topicId: ZERO_UUID,
};

describe('OffsetCommit', () => {
  it('without members makes a group by it, with no record of its own', () => {
    const groups = new Groups();
    expect(groups.offset({ groupId: 'simple', offset: 42, metadata: 'note' })).to.equal(ErrorCode.NONE);
    expect(groups.log.map((record) => record.kind)).to.deep.equal(['OffsetCommit']);
    expect(groups.log[0]?.value).to.deep.include({
      offset: 42n,
      leaderEpoch: 3,
      metadata: 'note',
      topicId: TOPIC_ID,
      expireTimestamp: -1n,
    });
    expect(groups.log.map(valueVersion)).to.deep.equal([4]);
    expect(groups.fetched({ groupId: 'simple' })).to.equal(42n);
    groups.restart();
    expect(groups.fetched({ groupId: 'simple' })).to.equal(42n);
  });

  it('with a retention of its own is written in version 1, and expires by it', () => {
    const groups = new Groups();
    groups.offset({ version: 4, retentionMs: 1000 });
    expect(groups.log.map(valueVersion)).to.deep.equal([1]);
    expect(groups.log[0]?.value).to.deep.include({ leaderEpoch: -1, topicId: ZERO_UUID });
    groups.pass(600_000);
    expect(groups.fetched()).to.equal(-1n);
    groups.offset({ version: 4, retentionMs: 2n ** 63n - 1n });
    expect(groups.replayed().lasting).to.deep.equal(groups.machine.lasting);
  });

  it('of members demands their generation, and keeps them alive', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(1);
    const [memberId = ''] = members;
    expect(groups.offset({ memberId, generation: generation + 1 })).to.equal(ErrorCode.ILLEGAL_GENERATION);
    expect(groups.offset({ memberId: 'x', generation })).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.offset({ memberId, generation, instanceId: 'x' })).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.offset()).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    for (let time = 0; time < 30_000; time += 9000) {
      groups.pass(9000);
      expect(groups.offset({ memberId, generation })).to.equal(ErrorCode.NONE);
    }
    groups.join({ memberId });
    expect(groups.state()).to.equal('CompletingRebalance');
    expect(groups.offset({ memberId, generation: generation + 1 })).to.equal(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  it('of an unknown group with a generation is refused, by version', () => {
    const groups = new Groups();
    expect(groups.offset({ generation: 1, memberId: 'm', version: 8 })).to.equal(ErrorCode.ILLEGAL_GENERATION);
    expect(groups.offset({ generation: 1, memberId: 'm', version: 9 })).to.equal(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(groups.state()).to.equal('Dead');
  });

  it('bounds the metadata', () => {
    const groups = new Groups();
    expect(groups.offset({ metadata: 'm'.repeat(4097) })).to.equal(ErrorCode.OFFSET_METADATA_TOO_LARGE);
    expect(groups.offset({ metadata: 'm'.repeat(4096) })).to.equal(ErrorCode.NONE);
  });
});

describe('OffsetFetch', () => {
  it('does not show offsets of a topic that has been made anew', () => {
    const groups = new Groups();
    groups.offset();
    expect(groups.fetched({ topicId: 'bm8tc3VjaC10b3BpYy0xMg' })).to.equal(-1n);
    expect(groups.fetched({ topicId: ZERO_UUID })).to.equal(1n);
  });

  it('shows transactional offsets when the transaction is committed, and says that they are not stable before (KIP-447)', () => {
    const groups = new Groups();
    groups.machine.apply(offsetRecord('g', 't', 0, stored), { offset: 0, producerId: 5 });
    groups.machine.apply(offsetRecord('g', 't', 1, stored), { offset: 1, producerId: 6 });
    expect(groups.fetched()).to.equal(-1n);
    const topics = [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0] }];
    const group = { groupId: 'g', memberId: null, memberEpoch: -1, topics };
    const answer = groups.answerOf(groups.ask({ kind: 'fetch', group, requireStable: true }));
    expect(answer.kind === 'fetch' && answer.response.topics?.[0]?.partitions?.[0]?.errorCode).to.equal(
      ErrorCode.UNSTABLE_OFFSET_COMMIT,
    );
    groups.machine.applyTransactionEnd(5, true);
    groups.machine.applyTransactionEnd(6, false);
    expect(groups.fetched({ requireStable: true })).to.equal(7n);
    expect(groups.fetched({ partition: 1, requireStable: true })).to.equal(-1n);
  });

  it('lets the later of two commits win, in a transaction or not', () => {
    const groups = new Groups();
    groups.machine.apply(offsetRecord('g', 't', 0, stored), { offset: 10, producerId: 5 });
    groups.machine.apply(offsetRecord('g', 't', 0, { ...stored, committedOffset: 8n }), { offset: 11, producerId: -1 });
    applyTransactionEnd(groups.machine.lasting, 5, true);
    expect(groups.fetched()).to.equal(8n);
  });
});

describe('OffsetDelete (KIP-496)', () => {
  const remove = (groups: Groups, topic = 't', groupId = 'g'): number => {
    const request = { groupId, topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] };
    const answer = groups.answerOf(groups.ask({ kind: 'deleteOffsets', request }));
    if (answer.kind === 'refused') return answer.error;
    return answer.kind === 'deleteOffsets' ? (answer.response.topics[0]?.partitions[0]?.errorCode ?? Number.NaN) : Number.NaN;
  };

  it('forgets offsets of topics that no member has subscribed to', () => {
    const groups = new Groups();
    const { members, generation } = groups.stable(1, { topics: ['t'] });
    const as = { memberId: members[0] ?? '', generation };
    groups.offset({ ...as, topic: 't' });
    groups.offset({ ...as, topic: 'u' });
    expect(remove(groups, 't')).to.equal(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC);
    expect(remove(groups, 'u')).to.equal(ErrorCode.NONE);
    expect([groups.fetched({ topic: 't' }), groups.fetched({ topic: 'u' })]).to.deep.equal([1n, -1n]);
    expect(remove(groups, 't', 'none')).to.equal(ErrorCode.GROUP_ID_NOT_FOUND);
  });

  it('knows nothing of what members of another protocol type use', () => {
    const groups = new Groups();
    const request = groups.enter({ protocolType: 'connect' }).request;
    expect(request).to.be.a('number');
    expect(remove(groups)).to.equal(ErrorCode.NON_EMPTY_GROUP);
  });
});
