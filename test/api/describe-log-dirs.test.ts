import { expect } from 'chai';
import type { Context } from '../../src/api/context.ts';
import { describeLogDirs } from '../../src/api/describe-log-dirs.ts';
import type { DescribeLogDirsRequestDraft } from '../../src/wire/generated/describe-log-dirs.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { batchOf, SmallBroker } from '../support/small-broker.ts';

describe('DescribeLogDirs', () => {
  let broker: SmallBroker;

  beforeEach(async () => {
    broker = new SmallBroker();
    await broker.createTopic('orders', 2);
    await broker.createTopic('sales');
    await broker.append('orders', ['a'], 1);
  });

  const ask = (topics: DescribeLogDirsRequestDraft['topics'], over: Partial<Context> = {}) =>
    broker.ask('describeLogDirs', describeLogDirs, 5, { topics }, over).answer.results;

  it('tells all partitions with their sizes, and the space of the disk', () => {
    const [directory] = ask(null);
    expect(directory).to.include({
      errorCode: ErrorCode.NONE,
      logDir: '/data',
      totalBytes: 1000n,
      usableBytes: 400n,
      isCordoned: false,
    });
    const sizes = directory?.topics.map(({ name, partitions }) => [
      name,
      partitions.map((one) => [one.partitionIndex, one.partitionSize]),
    ]);
    expect(sizes).to.deep.equal([
      [
        'orders',
        [
          [0, 0n],
          [1, BigInt(batchOf(['a']).length)],
        ],
      ],
      ['sales', [[0, 0n]]],
    ]);
  });

  it('tells the partitions asked for', () => {
    const [directory] = ask([{ topic: 'orders', partitions: [1, 7] }]);
    expect(directory?.topics.map(({ name, partitions }) => [name, partitions.length])).to.deep.equal([['orders', 1]]);
    expect(ask([])[0]?.topics).to.deep.equal([]);
  });

  it('tells that a directory is offline', () => {
    const offline = { path: '/broken', failure: new Error('EIO') } as unknown as Context['logDirectories'][number];
    expect(ask(null, { logDirectories: [offline] })).to.deep.equal([
      {
        errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
        logDir: '/broken',
        topics: [],
        totalBytes: -1n,
        usableBytes: -1n,
        isCordoned: false,
      },
    ]);
  });
});
