/** ListPartitionReassignments through its handler: what is on its way, as far as it is asked for. */
import { expect } from 'chai';
import { listPartitionReassignments } from '../../src/api/list-partition-reassignments.ts';
import { idOf, SmallBroker } from '../support/small-broker.ts';

describe('ListPartitionReassignments', () => {
  async function underWay(): Promise<SmallBroker> {
    const broker = new SmallBroker();
    await broker.createTopic('a');
    await broker.createTopic('b');
    const change = {
      topicId: idOf('a'),
      partitionId: 0,
      leader: -2,
      replicas: [2, 1],
      addingReplicas: [2],
      removingReplicas: [1],
    };
    await broker.applyRecords([{ kind: 'PartitionChangeRecord', value: change, version: 0 }]);
    return broker;
  }
  const ongoing = {
    name: 'a',
    partitions: [{ partitionIndex: 0, replicas: [2, 1], addingReplicas: [2], removingReplicas: [1] }],
  };

  it('lists all of them, and leaves out what stays where it is', async () => {
    const { answer } = (await underWay()).ask('listPartitionReassignments', listPartitionReassignments, 0, { topics: null });
    expect(answer).to.deep.equal({ throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [ongoing] });
  });

  it('lists those that are named, and leaves out what does not exist', async () => {
    const topics = [
      { name: 'b', partitionIndexes: [0] },
      { name: 'nope', partitionIndexes: [0] },
      { name: 'a', partitionIndexes: [9, 0] },
    ];
    const { answer } = (await underWay()).ask('listPartitionReassignments', listPartitionReassignments, 0, { topics });
    expect(answer.topics).to.deep.equal([ongoing]);
  });
});
