import { expect } from 'chai';
import { deleteRecords } from '../../src/api/delete-records.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { SmallBroker } from '../support/small-broker.ts';

describe('DeleteRecords', () => {
  let broker: SmallBroker;

  beforeEach(async () => {
    broker = new SmallBroker();
    await broker.createTopic('orders');
    await broker.createTopic('compacted', 1, { cleanupPolicy: ['compact'] });
    await broker.createTopic('__consumer_offsets');
    await broker.append('orders', ['a', 'b', 'c']);
  });

  function ask(name: string, offset: number, partitionIndex = 0, version = 2): [number, bigint] {
    const { answer } = broker.ask('deleteRecords', deleteRecords, version, {
      topics: [{ name, partitions: [{ partitionIndex, offset }] }],
      timeoutMs: 1000,
    });
    const part = answer.topics[0]?.partitions[0];
    if (part === undefined) throw new Error('no partition in the answer');
    return [part.errorCode, part.lowWatermark];
  }

  it('moves the log start and tells it, at every version', () => {
    expect(ask('orders', 1, 0, 0)).to.deep.equal([ErrorCode.NONE, 1n]);
    expect(ask('orders', 2, 0, 1)).to.deep.equal([ErrorCode.NONE, 2n]);
    expect(ask('orders', 1)).to.deep.equal([ErrorCode.NONE, 2n]);
    expect(broker.partition('orders').log.logStartOffset).to.equal(2);
  });

  it('takes -1 for the high watermark', () => {
    expect(ask('orders', -1)).to.deep.equal([ErrorCode.NONE, 3n]);
  });

  it('does not answer topics without partitions', () => {
    const { answer } = broker.ask('deleteRecords', deleteRecords, 2, {
      topics: [{ name: 'orders', partitions: [] }],
      timeoutMs: 1000,
    });
    expect(answer.topics).to.deep.equal([]);
  });

  const refusals: [string, string, number, number, ErrorCode][] = [
    ['above the high watermark', 'orders', 4, 0, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['below 0', 'orders', -2, 0, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['an unknown partition', 'orders', 0, 1, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ['a topic that is only compacted', 'compacted', 0, 0, ErrorCode.POLICY_VIOLATION],
    ['an internal topic', '__consumer_offsets', 0, 0, ErrorCode.INVALID_TOPIC_EXCEPTION],
  ];
  for (const [what, topic, offset, index, error] of refusals) {
    it(`refuses ${what}`, () => expect(ask(topic, offset, index)).to.deep.equal([error, -1n]));
  }
});
