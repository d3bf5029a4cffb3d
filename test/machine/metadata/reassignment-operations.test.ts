/** Partitions on their way to other brokers: what is done at once, what waits, what is refused and in which words. */
import { expect } from 'chai';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Cluster } from './cluster.ts';

function alter(
  cluster: Cluster,
  replicas: readonly number[] | null,
  o: { readonly mayChangeFactor?: boolean; readonly index?: number } = {},
) {
  const { responses } = cluster.perform('alterPartitionReassignments', {
    timeoutMs: 0,
    allowReplicationFactorChange: o.mayChangeFactor ?? true,
    topics: [{ name: 'a', partitions: [{ partitionIndex: o.index ?? 0, replicas: replicas === null ? null : [...replicas] }] }],
  });
  const [answer] = responses[0]?.partitions ?? [];
  return [answer?.errorCode, answer?.errorMessage];
}

function clusterOf(replicas: readonly number[], brokers: readonly number[] = [1, 2]): Cluster {
  const cluster = new Cluster({ brokers });
  cluster.create('a', { assignments: { 0: [...replicas] } });
  return cluster;
}

const partition = (cluster: Cluster) => cluster.image.partition('a', 0);
const OK = [ErrorCode.NONE, null];

describe('reassignments', () => {
  it('to where a partition is change nothing', () => {
    const cluster = clusterOf([1], [1]);
    expect(alter(cluster, [1])).to.deep.equal(OK);
    expect(cluster.records).to.deep.equal([]);
  });

  it('of what does not exist name it', () => {
    const cluster = clusterOf([1], [1]);
    expect(alter(cluster, [1], { index: 5 })).to.deep.equal([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      'Unable to find partition a:5.',
    ]);
    expect(alter(new Cluster(), [1])).to.deep.equal([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'Unable to find a topic named a.']);
  });

  const WRONG: readonly (readonly [readonly number[], string])[] = [
    [[], 'The manual partition assignment includes an empty replica list.'],
    [[7], 'The manual partition assignment includes broker 7, but no such broker is registered.'],
    [[1, 1], 'The manual partition assignment includes the broker 1 more than once.'],
  ];
  for (const [replicas, message] of WRONG) {
    it(`to ${JSON.stringify(replicas)} are refused`, () => {
      expect(alter(clusterOf([1]), replicas)).to.deep.equal([ErrorCode.INVALID_REPLICA_ASSIGNMENT, message]);
    });
  }

  it('in another order, or to fewer, are through at once, and a replica less is a new epoch of the leader', () => {
    const cluster = clusterOf([1, 2]);
    expect(alter(cluster, [2, 1])).to.deep.equal(OK);
    expect(partition(cluster)).to.deep.include({ replicas: [2, 1], leader: 1, leaderEpoch: 0, partitionEpoch: 1 });
    expect(alter(cluster, [1])).to.deep.equal(OK);
    expect(partition(cluster)).to.deep.include({
      replicas: [1],
      isr: [1],
      leader: 1,
      leaderEpoch: 1,
      addingReplicas: [],
      removingReplicas: [],
    });
    expect(partition(cluster)?.directories).to.deep.equal(cluster.image.brokers.get(1)?.logDirs);
  });

  it('away from the leader give another one', () => {
    const cluster = clusterOf([1, 2]);
    expect(alter(cluster, [2])).to.deep.equal(OK);
    expect(partition(cluster)).to.deep.include({ replicas: [2], isr: [2], leader: 2, leaderEpoch: 1 });
  });

  it('to a broker that is not in sync wait, and may be cancelled', () => {
    const cluster = clusterOf([1]);
    expect(alter(cluster, [2])).to.deep.equal(OK);
    expect(partition(cluster)).to.deep.include({
      replicas: [2, 1],
      isr: [1],
      leader: 1,
      addingReplicas: [2],
      removingReplicas: [1],
    });
    expect(alter(cluster, null)).to.deep.equal(OK);
    expect(partition(cluster)).to.deep.include({ replicas: [1], isr: [1], leader: 1, addingReplicas: [], removingReplicas: [] });
    expect(alter(cluster, null)).to.deep.equal([ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, null]);
  });

  it('keep the replication factor where that is asked for, that of one under way too', () => {
    const cluster = clusterOf([1]);
    const refused = [ErrorCode.INVALID_REPLICATION_FACTOR, 'The replication factor is changed from 1 to 2'];
    expect(alter(cluster, [1, 2], { mayChangeFactor: false })).to.deep.equal(refused);
    expect(alter(cluster, [2], { mayChangeFactor: false })).to.deep.equal(OK);
    expect(alter(cluster, [1, 2], { mayChangeFactor: false })).to.deep.equal(refused);
    expect(alter(cluster, [1, 2])).to.deep.equal(OK);
  });

  it('of nothing are answered with an empty text', () => {
    const request = { timeoutMs: 0, allowReplicationFactorChange: false, topics: [] };
    const reply = { allowReplicationFactorChange: true, errorCode: 0, errorMessage: '', responses: [] };
    expect(new Cluster().perform('alterPartitionReassignments', request)).to.deep.equal(reply);
  });
});
