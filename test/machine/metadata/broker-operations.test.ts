/** What becomes of leaders and in-sync sets as brokers come and go. */
import { expect } from 'chai';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Cluster } from './cluster.ts';

const partition = (cluster: Cluster) => cluster.image.partition('a', 0);

describe('a broker on its own', () => {
  it('loses leadership when fenced and has it back when unfenced, an epoch later each time', () => {
    const cluster = new Cluster();
    cluster.create('a');
    cluster.perform('fenceBroker', { brokerId: 1 });
    expect(partition(cluster)).to.deep.include({ leader: -1, leaderEpoch: 1, isr: [], elr: [1], lastKnownElr: [1] });
    const epoch = cluster.image.brokers.get(1)?.epoch ?? -1;
    expect(cluster.register(1, epoch)).to.be.above(epoch);
    expect(cluster.image.brokers.get(1)?.fenced).to.equal(true);
    cluster.perform('unfenceBroker', { brokerId: 1 });
    expect(partition(cluster)).to.deep.include({
      leader: 1,
      leaderEpoch: 2,
      isr: [1],
      elr: [],
      lastKnownElr: [],
      recovering: false,
    });
  });

  it('is elected as the last known leader, recovering, after an unclean stop', () => {
    const cluster = new Cluster();
    cluster.create('a');
    cluster.register(1, -1);
    expect(partition(cluster)).to.deep.include({ leader: -1, isr: [], elr: [], lastKnownElr: [1] });
    cluster.perform('unfenceBroker', { brokerId: 1 });
    expect(partition(cluster)).to.deep.include({ leader: 1, isr: [1], recovering: true, lastKnownElr: [] });
  });

  it('stays in sync without eligible leaders, as before KIP-966', () => {
    const cluster = new Cluster({ elr: false });
    cluster.create('a');
    cluster.perform('fenceBroker', { brokerId: 1 });
    expect(partition(cluster)).to.deep.include({ leader: -1, isr: [1], elr: [], lastKnownElr: [] });
    cluster.perform('unfenceBroker', { brokerId: 1 });
    expect(partition(cluster)).to.deep.include({ leader: 1, isr: [1] });
  });

  it('is registered at the next offset of the log', () => {
    const cluster = new Cluster();
    const next = cluster.nextOffset;
    expect(cluster.register(1, -1)).to.equal(next);
  });

  it('amends its registration as the same process: epoch, fence and partitions stay', () => {
    const cluster = new Cluster();
    cluster.create('a');
    const before = cluster.image.brokers.get(1);
    if (before === undefined) throw new Error('no broker');
    cluster.perform('registerBroker', { ...before, brokerId: 1, logDirs: [cluster.uuid()], previousBrokerEpoch: -1 });
    const { logDirs, ...after } = cluster.image.brokers.get(1) ?? { logDirs: [] };
    expect({ ...after, logDirs: before.logDirs }).to.deep.equal(before);
    expect(logDirs).to.not.deep.equal(before.logDirs);
    expect(partition(cluster)).to.deep.include({ leader: 1, leaderEpoch: 0, isr: [1] });
  });

  it('gets producer ids in blocks that never overlap', () => {
    const cluster = new Cluster();
    const block = () => cluster.perform('allocateProducerIds', { brokerId: 1, brokerEpoch: 0 });
    expect(block()).to.deep.equal({ firstProducerId: 0, size: 1000 });
    expect(block()).to.deep.equal({ firstProducerId: 1000, size: 1000 });
    expect(cluster.image.nextProducerId).to.equal(2000);
  });
});

describe('several brokers', () => {
  it('hand leadership to one that is in sync', () => {
    const cluster = new Cluster({ brokers: [1, 2, 3] });
    cluster.create('a', { assignments: { 0: [1, 2, 3] } });
    cluster.perform('fenceBroker', { brokerId: 1 });
    expect(partition(cluster)).to.deep.include({ leader: 2, leaderEpoch: 1, partitionEpoch: 1, isr: [2, 3], elr: [] });
    cluster.perform('fenceBroker', { brokerId: 2 });
    cluster.perform('fenceBroker', { brokerId: 3 });
    expect(partition(cluster)).to.deep.include({ leader: -1, isr: [], elr: [3], lastKnownElr: [3] });
    cluster.perform('unfenceBroker', { brokerId: 2 });
    expect(partition(cluster)?.leader).to.equal(-1);
    cluster.perform('unfenceBroker', { brokerId: 3 });
    expect(partition(cluster)).to.deep.include({ leader: 3, isr: [3], elr: [] });
  });

  it('are forgotten once unregistered, after others lead in their place', () => {
    const cluster = new Cluster({ brokers: [1, 2] });
    cluster.create('a', { assignments: { 0: [2, 1] } });
    expect(cluster.perform('unregisterBroker', { brokerId: 2 })).to.deep.equal({ error: 0, message: null });
    expect([...cluster.image.brokers.keys()]).to.deep.equal([1]);
    expect(partition(cluster)).to.deep.include({ leader: 1, isr: [1], leaderEpoch: 1 });
    expect(cluster.perform('unregisterBroker', { brokerId: 1 }).error).to.equal(ErrorCode.INVALID_REQUEST);
    expect(cluster.perform('unregisterBroker', { brokerId: 2 })).to.deep.equal({
      error: ErrorCode.BROKER_ID_NOT_REGISTERED,
      message: 'Broker ID 2 is not currently registered',
    });
    expect(cluster.records).to.deep.equal([]);
  });

  it('forget eligible leaders when the least in-sync count changes, a partition epoch later', () => {
    const cluster = new Cluster();
    cluster.create('a');
    cluster.perform('fenceBroker', { brokerId: 1 });
    const epoch = partition(cluster)?.partitionEpoch ?? -1;
    cluster.alter(2, 'a', [['min.insync.replicas', 0, '2']]);
    expect(partition(cluster)).to.deep.include({ elr: [], lastKnownElr: [], partitionEpoch: epoch + 1 });
  });

  it('take turns at leading new partitions', () => {
    const cluster = new Cluster({ brokers: [1, 2, 3] });
    cluster.create('a', { partitions: 3, replicationFactor: 2 });
    const replicas = [...(cluster.image.topicsByName.get('a')?.partitions.values() ?? [])].map((p) => p.replicas);
    expect(replicas).to.deep.equal([
      [1, 2],
      [2, 3],
      [3, 1],
    ]);
  });
});
