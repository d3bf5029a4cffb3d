/** Where a broker's replicas are, and what becomes of them when a directory fails. What Apache Kafka 4.4 wrote into its metadata log is the judge. */
import { expect } from 'chai';
import { DIRECTORY_LOST, DIRECTORY_UNASSIGNED } from '../../../src/wire/directory-id.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Cluster } from './cluster.ts';

const ONE = 'IHL7FndFTSuLivULYz8CYA';
const TWO = '3khcwLQS9gA2FkVEXFDAew';
const NEW = 'DQFxO4NwbZA0-tIMGZQ3Vg';

/** Broker 1 with two directories, and partitions a-0 in the first and a-1 in the second. */
function twoDirectories(o: { readonly elr?: boolean } = {}): Cluster {
  const cluster = new Cluster({ ...o, brokers: [] });
  cluster.register(1, -1, [ONE, TWO]);
  cluster.perform('unfenceBroker', { brokerId: 1 });
  cluster.create('a', { partitions: 2 });
  expect(partition(cluster, 0).directories).to.deep.equal([DIRECTORY_UNASSIGNED]);
  assign(cluster, [0, ONE], [1, TWO]);
  return cluster;
}

function partition(cluster: Cluster, index: number) {
  const found = cluster.image.partition('a', index);
  if (found === undefined) throw new Error(`no a-${index}`);
  return found;
}

const topicId = (cluster: Cluster): string => cluster.image.topicsByName.get('a')?.id ?? '';

function assign(cluster: Cluster, ...pairs: readonly (readonly [index: number, directoryId: string])[]): readonly ErrorCode[] {
  const assignments = pairs.map(([partitionIndex, directoryId]) => ({ topicId: topicId(cluster), partitionIndex, directoryId }));
  return cluster.perform('assignReplicasToDirs', { brokerId: 1, assignments });
}

describe('directories of replicas', () => {
  it('are recorded by a change that leaves the leader and its epoch alone', () => {
    const cluster = twoDirectories();
    expect(partition(cluster, 0)).to.deep.include({ directories: [ONE], leader: 1, leaderEpoch: 0, partitionEpoch: 1, isr: [1] });
    expect(assign(cluster, [0, TWO])).to.deep.equal([ErrorCode.NONE]);
    expect(cluster.records.map((record) => record.value)).to.deep.equal([
      { topicId: topicId(cluster), partitionId: 0, leader: -2, directories: [TWO] },
    ]);
    expect(assign(cluster, [0, TWO])).to.deep.equal([ErrorCode.NONE]);
    expect(cluster.records).to.deep.equal([]);
  });

  it('are refused for what is not there or not on the broker', () => {
    const cluster = twoDirectories();
    expect(assign(cluster, [7, ONE])).to.deep.equal([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
    const assignments = [{ topicId: NEW, partitionIndex: 0, directoryId: ONE }];
    expect(cluster.perform('assignReplicasToDirs', { brokerId: 1, assignments })).to.deep.equal([ErrorCode.UNKNOWN_TOPIC_ID]);
    cluster.register(2, -1, [NEW]);
    cluster.perform('unfenceBroker', { brokerId: 2 });
    cluster.create('b', { assignments: { 0: [2] } });
    const others = [{ topicId: cluster.image.topicsByName.get('b')?.id ?? '', partitionIndex: 0, directoryId: ONE }];
    const refused = cluster.perform('assignReplicasToDirs', { brokerId: 1, assignments: others });
    expect(refused).to.deep.equal([ErrorCode.NOT_LEADER_OR_FOLLOWER]);
  });

  it('that fail lose their leaders, and no others do', () => {
    const cluster = twoDirectories();
    cluster.perform('directoriesOffline', { brokerId: 1, directoryIds: [TWO, NEW] });
    expect(partition(cluster, 0)).to.deep.include({ leader: 1, leaderEpoch: 0 });
    expect(partition(cluster, 1)).to.deep.include({ leader: -1, leaderEpoch: 1, isr: [], elr: [1], lastKnownElr: [1] });
    expect(cluster.image.brokers.get(1)?.logDirs).to.deep.equal([ONE]);
    cluster.perform('directoriesOffline', { brokerId: 1, directoryIds: [TWO] });
    expect(cluster.records).to.deep.equal([]);
  });

  it('that fail keep their last in-sync replica, as before KIP-966', () => {
    const cluster = twoDirectories({ elr: false });
    cluster.perform('directoriesOffline', { brokerId: 1, directoryIds: [TWO] });
    expect(partition(cluster, 1)).to.deep.include({ leader: -1, leaderEpoch: 1, isr: [1], elr: [] });
  });

  it('that are still gone at the next start stay without leaders, and have them again when they are back', () => {
    const cluster = twoDirectories();
    cluster.perform('directoriesOffline', { brokerId: 1, directoryIds: [TWO] });
    cluster.register(1, -1, [ONE]);
    cluster.perform('unfenceBroker', { brokerId: 1 });
    expect(partition(cluster, 0)).to.deep.include({ leader: 1, recovering: true });
    expect(partition(cluster, 1)).to.deep.include({ leader: -1, leaderEpoch: 1, isr: [], elr: [], lastKnownElr: [1] });
    cluster.register(1, -1, [ONE, TWO]);
    cluster.perform('unfenceBroker', { brokerId: 1 });
    expect(partition(cluster, 1)).to.deep.include({ leader: 1, leaderEpoch: 2, isr: [1], recovering: true });
  });

  it('that were replaced are led again once the broker has said where it put the replicas', () => {
    const cluster = twoDirectories();
    cluster.register(1, -1, [ONE, NEW]);
    assign(cluster, [1, NEW]);
    expect(cluster.records.map((record) => record.value)).to.deep.equal([
      { topicId: topicId(cluster), partitionId: 1, leader: -2, directories: [NEW] },
    ]);
    cluster.perform('unfenceBroker', { brokerId: 1 });
    expect(partition(cluster, 1)).to.deep.include({ leader: 1, directories: [NEW] });
  });

  it('that are cordoned get no new partitions, and the only one that is not gets them all', () => {
    const cluster = twoDirectories();
    const cordon = (...directoryIds: string[]) => cluster.perform('cordonDirectories', { brokerId: 1, directoryIds });
    cordon();
    expect(cluster.records).to.deep.equal([]);
    cordon(TWO);
    expect(cluster.records).to.deep.equal([
      {
        kind: 'BrokerRegistrationChangeRecord',
        value: { brokerId: 1, brokerEpoch: cluster.image.brokers.get(1)?.epoch, cordonedLogDirs: [TWO] },
        version: 3,
      },
    ]);
    expect(cluster.create('b')).to.deep.equal([0, null]);
    expect(cluster.image.partition('b', 0)?.directories).to.deep.equal([ONE]);
    cordon(TWO);
    expect(cluster.records).to.deep.equal([]);
    cordon(ONE, TWO);
    const all = 'All brokers are currently fenced, or have all their log directories cordoned.';
    expect(cluster.create('c')).to.deep.equal([
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition 1 time(s): ${all}`,
    ]);
    expect(cluster.create('c', { assignments: { 0: [1, 1] } })).to.deep.equal([
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes broker 1, but all its log directories are cordoned.',
    ]);
    cluster.register(1, -1, [ONE, TWO]);
    cluster.perform('unfenceBroker', { brokerId: 1 });
    expect(cluster.create('c')).to.deep.equal([0, null]);
  });

  it('that are cordoned are not told of below the metadata.version that knows of it', () => {
    const cluster = twoDirectories();
    cluster.apply([{ kind: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 29 } }]);
    cluster.perform('cordonDirectories', { brokerId: 1, directoryIds: [TWO] });
    expect(cluster.records).to.deep.equal([]);
  });

  it('that are offline when a replica is said to be there take its leader', () => {
    const cluster = twoDirectories();
    assign(cluster, [0, DIRECTORY_LOST]);
    expect(partition(cluster, 0)).to.deep.include({ leader: -1, directories: [DIRECTORY_LOST], isr: [] });
  });
});
