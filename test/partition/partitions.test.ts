import { expect } from 'chai';
import type { Partition } from '../../src/partition/partition.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { StorageFailure } from '../../src/world/files.ts';
import { batchOf, idOf, partitionRecord, SmallBroker } from '../support/small-broker.ts';

describe('partitions', () => {
  let broker: SmallBroker;

  beforeEach(() => {
    broker = new SmallBroker();
  });

  it('are there, with their logs, when the change that made them has been applied', async () => {
    await broker.createTopic('orders', 2);
    expect(broker.partition('orders', 1).isLeader).to.equal(true);
    expect(broker.partitions.findById(idOf('orders'), 1)).to.equal(broker.partition('orders', 1));
    await broker.applyRecords([partitionRecord('orders', 2, [1])]);
    expect(broker.partition('orders', 2).log.logEndOffset).to.equal(0);
    expect([...broker.partitions.all()]).to.have.length(3);
    expect([...broker.partitions.in(broker.directory)]).to.have.length(3);
  });

  it('are not here when they are assigned elsewhere', async () => {
    await broker.applyRecords([
      { kind: 'TopicRecord', value: { name: 'away', topicId: idOf('away') } },
      partitionRecord('away', 0, [2], 2),
    ]);
    expect(broker.partitions.find('away', 0)).to.equal(undefined);
  });

  it('follow the configs of their topic', async () => {
    await broker.createTopic('orders');
    broker.configs.set('orders', { ...broker.partition('orders').log.config, maxMessageBytes: 10 });
    await broker.applyRecords([
      { kind: 'ConfigRecord', value: { resourceType: 2, resourceName: 'orders', name: 'max.message.bytes', value: '10' } },
    ]);
    const result = broker.partition('orders').append(batchOf(['a']), { requiredAcks: 1, origin: 'client' });
    expect(result.ok || result.error).to.equal(ErrorCode.MESSAGE_TOO_LARGE);
  });

  it('tell a coordinator what is led here, from the start and on, and what is no more', async () => {
    await broker.createTopic('__consumer_offsets', 2);
    const told: string[] = [];
    const note = (what: string) => (partition: Partition) => void told.push(`${what} ${partition.index}`);
    broker.partitions.onLeadership('__consumer_offsets', { onLeader: note('leads'), onResigned: note('resigned') });
    expect(told).to.deep.equal(['leads 0', 'leads 1']);
    await broker.applyRecords([partitionRecord('__consumer_offsets', 2, [1])]);
    await broker.applyRecords([
      { kind: 'PartitionChangeRecord', value: { topicId: idOf('__consumer_offsets'), partitionId: 0, leader: -1 } },
    ]);
    await broker.applyRecords([{ kind: 'RemoveTopicRecord', value: { topicId: idOf('__consumer_offsets') } }]);
    expect(told.slice(2)).to.deep.equal(['leads 2', 'resigned 0', 'resigned 1', 'resigned 2']);
  });

  it('of a directory that failed answer so, whatever waits', async () => {
    await broker.createTopic('pair', 1, {}, [1, 2]);
    const partition = broker.partition('pair');
    const failures: ErrorCode[] = [];
    partition.onCommitted(5, (failure) => failures.push(failure));
    broker.partitions.directoryFailed(broker.directory);
    partition.onWritten(1, (failure) => failures.push(failure));
    expect(failures).to.deep.equal([ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.KAFKA_STORAGE_ERROR]);
    expect(partition.isLeader).to.equal(false);
  });

  it('follow what comes after a deletion that the disk refused', async () => {
    await broker.createTopic('orders');
    const failure = new StorageFailure('rename', '/data/orders-0', 'EIO');
    Object.assign(broker.directory, { delete: () => Promise.reject(failure) });
    await broker.applyRecords([{ kind: 'RemoveTopicRecord', value: { topicId: idOf('orders') } }]);
    await broker.createTopic('returns');
    expect(broker.partition('returns').isLeader).to.equal(true);
  });

  it('begin an epoch in the log when they begin to lead', async () => {
    await broker.createTopic('orders');
    await broker.append('orders', ['a']);
    await broker.applyRecords([{ kind: 'PartitionChangeRecord', value: { topicId: idOf('orders'), partitionId: 0, leader: 1 } }]);
    expect(broker.partition('orders').epochStartOffset).to.equal(1);
    expect(broker.partition('orders').log.leaderEpochs.latest).to.deep.equal({ epoch: 1, startOffset: 1 });
  });
});
