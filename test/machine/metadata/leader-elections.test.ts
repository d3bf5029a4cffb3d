/** Leaders as administrators ask for them: who has one needs none, who has none gets one where a replica is there that may lead. */
import { expect } from 'chai';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Cluster } from './cluster.ts';

const [PREFERRED, UNCLEAN] = [0, 1];

interface Wanted {
  readonly topic: string;
  readonly partitions: readonly number[];
}

function elect(cluster: Cluster, electionType: number, wanted: readonly Wanted[] | null) {
  const topicPartitions = wanted?.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })) ?? null;
  const { errorCode, replicaElectionResults } = cluster.perform('electLeaders', { electionType, topicPartitions, timeoutMs: 0 });
  const results = replicaElectionResults.map(({ topic, partitionResult }) => [
    topic,
    partitionResult.map((one) => [one.partitionId, one.errorCode, one.errorMessage]),
  ]);
  return { errorCode, results };
}

/** Partition a-0 on brokers 1 and 2; of b-0, led by 2 alone, the broker is gone. */
function withoutBroker2(o: { readonly unclean: boolean } = { unclean: false }): Cluster {
  const cluster = new Cluster({ brokers: [1, 2], elr: false });
  cluster.create('a', { assignments: { 0: [2, 1] } });
  cluster.create('b', { assignments: { 0: [2] }, configs: { 'unclean.leader.election.enable': String(o.unclean) } });
  cluster.perform('fenceBroker', { brokerId: 2 });
  return cluster;
}

const NOT_NEEDED = [ErrorCode.ELECTION_NOT_NEEDED, 'Leader election not needed for topic partition.'];

describe('elections of leaders', () => {
  for (const type of [PREFERRED, UNCLEAN]) {
    it(`are not needed where a leader is, type ${type}`, () => {
      const cluster = new Cluster();
      cluster.create('a', { partitions: 2 });
      const { errorCode, results } = elect(cluster, type, [{ topic: 'a', partitions: [1, 0] }]);
      const answers = [1, 0].map((index) => [index, ...NOT_NEEDED]);
      expect([errorCode, results]).to.deep.equal([ErrorCode.NONE, [['a', answers]]]);
      expect(cluster.records).to.deep.equal([]);
    });
  }

  it('name what is not there', () => {
    const cluster = new Cluster();
    cluster.create('a');
    const wanted = [
      { topic: 'a', partitions: [5] },
      { topic: 'nope', partitions: [0] },
    ];
    expect(elect(cluster, PREFERRED, wanted).results).to.deep.equal([
      ['a', [[5, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'No such partition as a-5']]],
      ['nope', [[0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'No such topic as nope']]],
    ]);
  });

  it('of all partitions tell every topic, and only partitions that a leader was wanted for', () => {
    const cluster = withoutBroker2();
    const gone = [0, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 'The preferred leader was not available.'];
    expect(elect(cluster, PREFERRED, null).results).to.deep.equal([
      ['a', [gone]],
      ['b', [gone]],
    ]);
    const none = [0, ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, 'Eligible topic partition leaders are not available.'];
    expect(elect(cluster, UNCLEAN, null).results).to.deep.equal([
      ['a', []],
      ['b', [none]],
    ]);
  });

  it('give an unclean leader where one is asked for, whatever the topic allows', () => {
    const cluster = new Cluster({ brokers: [1, 2], elr: false });
    cluster.create('a', { assignments: { 0: [2, 1] } });
    cluster.perform('fenceBroker', { brokerId: 1 });
    cluster.perform('fenceBroker', { brokerId: 2 });
    cluster.perform('unfenceBroker', { brokerId: 1 });
    expect(cluster.image.partition('a', 0)).to.deep.include({ leader: -1, isr: [2] });
    expect(elect(cluster, PREFERRED, [{ topic: 'a', partitions: [0] }]).results[0]?.[1]).to.deep.equal([
      [0, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 'The preferred leader was not available.'],
    ]);
    expect(elect(cluster, UNCLEAN, [{ topic: 'a', partitions: [0] }]).results).to.deep.equal([['a', [[0, 0, null]]]]);
    expect(cluster.image.partition('a', 0)).to.deep.include({ leader: 1, isr: [1], recovering: true });
  });

  it('of a kind that does not exist are refused for each partition, but not where none is named', () => {
    const cluster = new Cluster();
    const refused = [0, ErrorCode.INVALID_REQUEST, 'Unknown election type 7'];
    expect(elect(cluster, 7, [{ topic: 'a', partitions: [0] }])).to.deep.equal({
      errorCode: ErrorCode.INVALID_REQUEST,
      results: [['a', [refused]]],
    });
    expect(elect(cluster, 7, null)).to.deep.equal({ errorCode: ErrorCode.INVALID_REQUEST, results: [] });
    expect(elect(cluster, 7, [])).to.deep.equal({ errorCode: ErrorCode.NONE, results: [] });
  });
});
