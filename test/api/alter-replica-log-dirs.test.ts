import { expect } from 'chai';
import { alterReplicaLogDirs } from '../../src/api/alter-replica-log-dirs.ts';
import type { Context } from '../../src/api/context.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { SmallBroker } from '../support/small-broker.ts';

describe('AlterReplicaLogDirs', () => {
  let broker: SmallBroker;
  let asked: string[];

  beforeEach(async () => {
    broker = new SmallBroker();
    asked = [];
    await broker.createTopic('orders', 2);
  });

  /** Error codes by `topic-partition`, where all that is asked for comes to `error`. */
  async function ask(
    dirs: readonly { path: string; topics: { name: string; partitions: number[] }[] }[],
    error: ErrorCode = ErrorCode.NONE,
    version = 2,
  ): Promise<Record<string, number>> {
    const alterLogDir = (topic: string, index: number, path: string): Promise<ErrorCode> => {
      asked.push(`${topic}-${index} to ${path}`);
      return Promise.resolve(error);
    };
    const partitions = { alterLogDir } as unknown as Context['partitions'];
    const request = broker.ask('alterReplicaLogDirs', alterReplicaLogDirs, version, { dirs: [...dirs] }, { partitions });
    await broker.turn();
    const { results } = request.answer;
    return Object.fromEntries(
      results.flatMap(({ topicName, partitions: answers }) =>
        answers.map(({ partitionIndex, errorCode }) => [`${topicName}-${partitionIndex}`, errorCode]),
      ),
    );
  }

  it('asks for each partition once, and for one that is named twice where it was sent last', async () => {
    for (const version of [1, 2]) {
      asked = [];
      const dirs = [
        { path: '/a', topics: [{ name: 'orders', partitions: [0, 1, 1] }] },
        { path: '/b', topics: [{ name: 'orders', partitions: [1] }] },
      ];
      expect(await ask(dirs, ErrorCode.NONE, version)).to.deep.equal({ 'orders-0': 0, 'orders-1': 0 });
      expect(asked).to.deep.equal(['orders-0 to /a', 'orders-1 to /b']);
    }
    expect(await ask([])).to.deep.equal({});
    expect(await ask([{ path: '/a', topics: [] }])).to.deep.equal({});
  });

  it('tells what is elsewhere in the cluster apart from what is nowhere', async () => {
    const dirs = [
      {
        path: '/a',
        topics: [
          { name: 'orders', partitions: [1, 2] },
          { name: 'nope', partitions: [0] },
        ],
      },
    ];
    expect(await ask(dirs, ErrorCode.NOT_LEADER_OR_FOLLOWER)).to.deep.equal({
      'orders-1': ErrorCode.REPLICA_NOT_AVAILABLE,
      'orders-2': ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      'nope-0': ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    });
  });

  it('passes other errors on', async () => {
    for (const error of [ErrorCode.LOG_DIR_NOT_FOUND, ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.INVALID_TOPIC_EXCEPTION]) {
      expect(await ask([{ path: '/a', topics: [{ name: 'orders', partitions: [0] }] }], error)).to.deep.equal({
        'orders-0': error,
      });
    }
  });
});
