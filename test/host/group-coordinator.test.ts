/** The coordinator over partitions on a disk in memory, asked through the handlers and the codecs of every version. */
import { expect } from 'chai';
import { describeGroups } from '../../src/api/describe-groups.ts';
import { findCoordinator } from '../../src/api/find-coordinator.ts';
import { heartbeat } from '../../src/api/heartbeat.ts';
import { joinGroup } from '../../src/api/join-group.ts';
import { leaveGroup } from '../../src/api/leave-group.ts';
import { listGroups } from '../../src/api/list-groups.ts';
import { offsetCommit } from '../../src/api/offset-commit.ts';
import { offsetDelete } from '../../src/api/offset-delete.ts';
import { offsetFetch } from '../../src/api/offset-fetch.ts';
import { syncGroup } from '../../src/api/sync-group.ts';
import type { Handler } from '../../src/api/context.ts';
import { deleteGroups } from '../../src/api/delete-groups.ts';
import { GroupCoordinator } from '../../src/host/group-coordinator.ts';
import { OFFSETS_TOPIC } from '../../src/wire/topic-name.ts';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { coordinatorPartition } from '../../src/wire/java-hash.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { SmallBroker, idOf } from '../support/small-broker.ts';

const SETTINGS: { readonly [name: string]: number } = {
  'group.max.size': 100,
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 6000,
  'group.max.session.timeout.ms': 1_800_000,
  'offset.metadata.max.bytes': 4096,
  'offsets.retention.minutes': 10_080,
  'offsets.retention.check.interval.ms': 600_000,
  'offsets.commit.timeout.ms': 5000,
  'offsets.topic.compression.codec': 0,
  'offsets.topic.num.partitions': 4,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.segment.bytes': 104_857_600,
};

class Coordinated {
  readonly broker = new SmallBroker();
  readonly #random = new SeededRandom(1);
  groups: GroupCoordinator;
  created = 0;
  creatable = true;

  constructor() {
    this.groups = this.#coordinator();
  }

  #coordinator(): GroupCoordinator {
    const settingOf = (name: string): number => {
      const value = SETTINGS[name];
      if (value === undefined) throw new Error(`no setting ${name}`);
      return value;
    };
    const { clock, image, partitions } = this.broker;
    const groups = new GroupCoordinator({
      clock,
      random: this.#random,
      image,
      settings: { int: settingOf, long: settingOf },
      createInternalTopic: async ({ name, partitions: count }) => {
        this.created++;
        if (this.creatable) await this.broker.createTopic(name, count);
      },
    });
    partitions.onLeadership(OFFSETS_TOPIC, groups.topic);
    return groups;
  }

  /** The broker process goes, and another comes up over the same logs. */
  restart(): void {
    this.groups.stop();
    this.groups = this.#coordinator();
  }

  send<N extends ApiName>(name: N, handler: Handler<N>, version: number, request: ApiTypes[N]['requestDraft']) {
    return this.broker.ask(name, handler, version, request, { groups: this.groups });
  }

  async ask<N extends ApiName>(name: N, handler: Handler<N>, version: number, request: ApiTypes[N]['requestDraft']) {
    const asked = this.send(name, handler, version, request);
    for (let turn = 0; turn < 20 && !asked.settled; turn++) await this.broker.turn();
    return asked.answer;
  }

  /** A stable group of one member. */
  async stable(groupId: string): Promise<{ memberId: string; generationId: number }> {
    const join = (memberId: string): ApiTypes['joinGroup']['requestDraft'] => ({
      groupId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    });
    const { memberId } = await this.ask('joinGroup', joinGroup, 9, join(''));
    const joining = this.send('joinGroup', joinGroup, 9, join(memberId));
    await this.broker.advance(1);
    const { generationId } = joining.answer;
    const assignments = [{ memberId, assignment: Buffer.from('all') }];
    await this.ask('syncGroup', syncGroup, 5, {
      groupId,
      generationId,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments,
    });
    return { memberId, generationId };
  }

  commit(groupId: string, version: number, committedOffset: number, topic = 't', partitionIndex = 0) {
    const partitions = [{ partitionIndex, committedOffset, committedMetadata: null }];
    const named = version >= 10 ? { topicId: idOf(topic), partitions } : { name: topic, partitions };
    return this.ask('offsetCommit', offsetCommit, version, { groupId, topics: [named] });
  }
}

async function ready(): Promise<Coordinated> {
  const one = new Coordinated();
  await one.broker.createTopic('t', 2);
  await one.ask('findCoordinator', findCoordinator, 6, { keyType: 0, coordinatorKeys: ['g'] });
  return one;
}

describe('The group coordinator', () => {
  it('makes __consumer_offsets on first need, once, and then names the leader', async () => {
    const one = new Coordinated();
    const both = [1, 2].map(() => one.send('findCoordinator', findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g', 'h'] }));
    await one.broker.turn();
    await one.broker.turn();
    expect(one.created).to.equal(1);
    for (const { answer } of both) {
      expect(
        answer.coordinators.map(({ key, nodeId, host, port, errorCode }) => [key, nodeId, host, port, errorCode]),
      ).to.deep.equal([
        ['g', 1, 'node-1', 9092, 0],
        ['h', 1, 'node-1', 9092, 0],
      ]);
    }
    const old = await one.ask('findCoordinator', findCoordinator, 3, { key: 'g', keyType: 0 });
    expect(old).to.include({ errorCode: 0, errorMessage: 'NONE', nodeId: 1 });
    expect(one.created).to.equal(1);
  });

  it('is not available while there is no such topic, and for coordinators that are not here', async () => {
    const one = new Coordinated();
    one.creatable = false;
    const errors = async (keyType: number, version: number, key = 'g'): Promise<number | undefined> => {
      const request = version < 4 ? { key, keyType } : { keyType, coordinatorKeys: [key] };
      const answer = await one.ask('findCoordinator', findCoordinator, version, request);
      return version < 4 ? answer.errorCode : answer.coordinators[0]?.errorCode;
    };
    expect(await errors(0, 6)).to.equal(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(await errors(2, 5)).to.equal(ErrorCode.INVALID_REQUEST);
    expect(await errors(2, 6)).to.equal(ErrorCode.INVALID_REQUEST);
    expect(await errors(2, 6, 'g:AAAAAAAAAAAAAAAAAAAAAA:0')).to.equal(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(await errors(7, 3)).to.equal(ErrorCode.INVALID_REQUEST);
    const beat = await one.ask('heartbeat', heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' });
    expect(beat.errorCode).to.equal(ErrorCode.NOT_COORDINATOR);
  });

  it('puts a group where Kafka puts it', async () => {
    const one = await ready();
    await one.commit('some group', 9, 5);
    const index = coordinatorPartition('some group', 4);
    expect([0, 1, 2, 3].filter((each) => one.broker.partition(OFFSETS_TOPIC, each).log.logEndOffset > 0)).to.deep.equal([index]);
  });

  it('takes commits in every version, and gives them back in every version', async () => {
    const one = await ready();
    for (let version = 2; version <= 10; version++) {
      const { topics } = await one.commit('g', version, version);
      expect(topics[0]?.partitions, `version ${version}`).to.deep.include({ partitionIndex: 0, errorCode: 0 });
    }
    for (let version = 1; version <= 10; version++) {
      const named = version >= 10 ? { topicId: idOf('t'), partitionIndexes: [0, 1] } : { name: 't', partitionIndexes: [0, 1] };
      const request = version >= 8 ? { groups: [{ groupId: 'g', topics: [named] }] } : { groupId: 'g', topics: [named] };
      const answer = await one.ask('offsetFetch', offsetFetch, version, request);
      const topic = version >= 8 ? answer.groups[0]?.topics[0] : answer.topics[0];
      expect(
        topic?.partitions.map((partition) => partition.committedOffset),
        `version ${version}`,
      ).to.deep.equal([10n, -1n]);
    }
    const all = await one.ask('offsetFetch', offsetFetch, 10, {
      groups: [
        { groupId: 'g', topics: null },
        { groupId: 'none', topics: null },
      ],
    });
    expect(all.groups.map(({ groupId, topics }) => [groupId, topics.map(({ topicId }) => topicId)])).to.deep.equal([
      ['g', [idOf('t')]],
      ['none', []],
    ]);
  });

  it('refuses commits for what does not exist, and only those', async () => {
    const one = await ready();
    const partitions = [0, 5].map((partitionIndex) => ({ partitionIndex, committedOffset: 1, committedMetadata: '' }));
    const errors = ({ topics }: ApiTypes['offsetCommit']['response']) =>
      topics.map((topic) => topic.partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]));
    const named = await one.ask('offsetCommit', offsetCommit, 9, {
      groupId: 'g',
      topics: [
        { name: 't', partitions },
        { name: 'u', partitions },
      ],
    });
    expect(errors(named)).to.deep.equal([
      [
        [5, 3],
        [0, 0],
      ],
      [
        [0, 3],
        [5, 3],
      ],
    ]);
    const byId = await one.ask('offsetCommit', offsetCommit, 10, { groupId: 'g', topics: [{ topicId: idOf('u'), partitions }] });
    expect(errors(byId)).to.deep.equal([
      [
        [0, 100],
        [5, 100],
      ],
    ]);
    const fetched = await one.ask('offsetFetch', offsetFetch, 10, {
      groups: [{ groupId: 'g', topics: [{ topicId: idOf('u'), partitionIndexes: [0] }] }],
    });
    expect(fetched.groups[0]?.topics[0]?.partitions[0]?.errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_ID);
  });

  it('brings a group to Stable, answers for it, and knows it after a restart', async () => {
    const one = await ready();
    const { memberId, generationId } = await one.stable('g');
    await one.commit('simple', 9, 3);
    one.restart();
    const early = one.send('heartbeat', heartbeat, 4, { groupId: 'g', generationId, memberId });
    const describing = one.send('describeGroups', describeGroups, 6, { groups: ['g'] });
    const listing = one.send('listGroups', listGroups, 5, {});
    await one.broker.turn();
    expect(early.answer.errorCode).to.equal(ErrorCode.NONE);
    expect(describing.answer.groups[0]?.errorCode).to.equal(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    expect(listing.answer.errorCode).to.equal(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    for (let turn = 0; turn < 10; turn++) await one.broker.turn();
    const { groups } = await one.ask('describeGroups', describeGroups, 6, {
      groups: ['g', 'none'],
      includeAuthorizedOperations: true,
    });
    const described = groups.find(({ groupId }) => groupId === 'g');
    expect(described).to.include({ groupState: 'Stable', protocolData: 'range', authorizedOperations: 3400 });
    expect(described?.members[0]?.memberAssignment.toString()).to.equal('all');
    const listed = await one.ask('listGroups', listGroups, 5, {});
    expect(listed.groups.map(({ groupId, groupState }) => `${groupId} ${groupState}`).toSorted()).to.deep.equal([
      'g Stable',
      'simple Empty',
    ]);
    await one.broker.advance(10_001);
    const gone = await one.ask('heartbeat', heartbeat, 4, { groupId: 'g', generationId, memberId });
    expect(gone.errorCode).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('holds answers back until the records are written', async () => {
    const one = await ready();
    const asked = one.send('offsetCommit', offsetCommit, 9, {
      groupId: 'g',
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }],
    });
    const reading = one.send('offsetFetch', offsetFetch, 9, { groups: [{ groupId: 'g', topics: null }] });
    await Promise.resolve();
    expect([asked.settled, reading.settled]).to.deep.equal([false, false]);
    await one.broker.turn();
    expect(asked.answer.topics[0]?.partitions[0]?.errorCode).to.equal(0);
    expect(reading.answer.groups[0]?.topics[0]?.partitions[0]?.committedOffset).to.equal(1n);
  });

  it('answers what waits when it is another broker that coordinates', async () => {
    const one = await ready();
    await one.stable('g');
    const request = {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      memberId: '',
      protocolType: 'consumer',
    };
    const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }];
    const joining = one.send('joinGroup', joinGroup, 3, { ...request, protocols });
    await one.broker.turn();
    expect(joining.settled).to.equal(false);
    const partition = one.broker.partition(OFFSETS_TOPIC, coordinatorPartition('g', 4));
    one.groups.topic.onResigned(partition);
    await one.broker.turn();
    expect(joining.answer).to.include({ errorCode: ErrorCode.NOT_COORDINATOR, generationId: -1 });
    const commit = await one.commit('g', 9, 1);
    expect(commit.topics[0]?.partitions[0]?.errorCode).to.equal(ErrorCode.NOT_COORDINATOR);
  });

  it('tells of a disk that failed, and of replicas that are too few', async () => {
    const one = await ready();
    const partition = one.broker.partition(OFFSETS_TOPIC, coordinatorPartition('g', 4));
    partition.log.updateConfig({ ...partition.log.config, maxMessageBytes: 10 });
    const large = await one.commit('g', 9, 1);
    expect(large.topics[0]?.partitions[0]?.errorCode).to.equal(ErrorCode.UNKNOWN_SERVER_ERROR);
    partition.fail(ErrorCode.KAFKA_STORAGE_ERROR);
    const lost = await one.commit('g', 9, 1);
    expect(lost.topics[0]?.partitions[0]?.errorCode).to.equal(ErrorCode.NOT_COORDINATOR);
  });

  it('refuses what it can refuse without looking', async () => {
    const one = await ready();
    const join = { groupId: 'g', memberId: 'm', protocolType: 'consumer', protocols: [], rebalanceTimeoutMs: 1 };
    const tooShort = await one.ask('joinGroup', joinGroup, 5, { ...join, sessionTimeoutMs: 5999 });
    expect(tooShort).to.include({ errorCode: ErrorCode.INVALID_SESSION_TIMEOUT, memberId: 'm', protocolName: '' });
    const tooLong = await one.ask('joinGroup', joinGroup, 9, { ...join, sessionTimeoutMs: 1_800_001 });
    expect(tooLong).to.include({ errorCode: ErrorCode.INVALID_SESSION_TIMEOUT, protocolName: null });
    const unnamed = await one.ask('joinGroup', joinGroup, 9, { ...join, groupId: '', sessionTimeoutMs: 1 });
    expect(unnamed.errorCode).to.equal(ErrorCode.INVALID_GROUP_ID);
    const sync = await one.ask('syncGroup', syncGroup, 5, { groupId: 'g', generationId: 1, memberId: 'm', assignments: [] });
    expect(sync.errorCode).to.equal(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    const beat = await one.ask('heartbeat', heartbeat, 0, { groupId: '', generationId: 1, memberId: 'm' });
    expect(beat.errorCode).to.equal(ErrorCode.INVALID_GROUP_ID);
  });

  it('lets members leave one by one and together', async () => {
    const one = await ready();
    const { memberId } = await one.stable('g');
    const unknown = await one.ask('leaveGroup', leaveGroup, 2, { groupId: 'g', memberId: 'x' });
    expect(unknown.errorCode).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    const nowhere = await one.ask('leaveGroup', leaveGroup, 5, { groupId: 'none', members: [{ memberId: 'x' }] });
    expect(nowhere).to.deep.include({ errorCode: 0 });
    expect(nowhere.members[0]?.errorCode).to.equal(ErrorCode.UNKNOWN_MEMBER_ID);
    const left = await one.ask('leaveGroup', leaveGroup, 1, { groupId: 'g', memberId });
    expect(left.errorCode).to.equal(ErrorCode.NONE);
  });

  it('deletes offsets and groups', async () => {
    const one = await ready();
    await one.commit('g', 9, 1);
    await one.commit('g', 9, 1, 't', 1);
    const request = { groupId: 'g', topics: [{ name: 't', partitions: [{ partitionIndex: 0 }, { partitionIndex: 7 }] }] };
    const answer = await one.ask('offsetDelete', offsetDelete, 0, request);
    expect(answer.topics[0]?.partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode])).to.deep.equal([
      [7, 3],
      [0, 0],
    ]);
    const missing = await one.ask('offsetDelete', offsetDelete, 0, { ...request, groupId: 'none' });
    expect(missing).to.deep.include({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, topics: [] });
    const { results } = await one.ask('deleteGroups', deleteGroups, 2, { groupsNames: ['g', 'g', 'none'] });
    expect(results.map(({ groupId, errorCode }) => [groupId, errorCode])).to.have.deep.members([
      ['g', 0],
      ['none', 69],
    ]);
  });

  it('forgets offsets of deleted topics', async () => {
    const one = await ready();
    await one.commit('g', 9, 1);
    one.groups.onTopicsDeleted([{ name: 't', id: idOf('t') }]);
    await one.broker.turn();
    const { groups } = await one.ask('offsetFetch', offsetFetch, 9, { groups: [{ groupId: 'g', topics: null }] });
    expect(groups[0]?.topics).to.deep.equal([]);
  });
});
