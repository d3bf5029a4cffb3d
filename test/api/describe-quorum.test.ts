/** DescribeQuorum through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';

const METADATA = '__cluster_metadata';

describe('DescribeQuorum', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    broker = await Broker.start({ port: 0, topics: { a: 2 } });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  for (const version of versionsOf('describeQuorum')) {
    it(`tells that this node leads alone, at version ${version}`, async () => {
      const answer = await ask('describeQuorum', version, {
        topics: [{ topicName: METADATA, partitions: [{ partitionIndex: 0 }] }],
      });
      const { controller } = broker.services;
      const partition = answer.topics[0]?.partitions[0];
      expect(partition).to.deep.include({ partitionIndex: 0, errorCode: 0, leaderId: 1, leaderEpoch: 1, observers: [] });
      expect(partition?.highWatermark).to.equal(BigInt(controller.log.logEndOffset));
      const [voter] = partition?.currentVoters ?? [];
      expect(partition?.currentVoters.length).to.equal(1);
      expect(voter).to.deep.include({ replicaId: 1, logEndOffset: BigInt(controller.log.logEndOffset) });
      const directory = broker.services.logDirectories[0]?.directoryId;
      expect(voter?.replicaDirectoryId).to.equal(version < 2 ? ZERO_UUID : directory);
      expect(Number(voter?.lastCaughtUpTimestamp) > 0).to.equal(version > 0);
      expect(answer.nodes.map((node) => node.listeners.map(({ name }) => name))).to.deep.equal(
        version < 2 ? [] : [['CONTROLLER']],
      );
    });

    const OTHERS = [
      [{ topicName: METADATA, partitions: [{ partitionIndex: 1 }] }],
      [{ topicName: 'a', partitions: [{ partitionIndex: 0 }] }],
      [{ topicName: METADATA, partitions: [{ partitionIndex: 0 }, { partitionIndex: 0 }] }],
      [
        { topicName: METADATA, partitions: [{ partitionIndex: 0 }] },
        { topicName: 'a', partitions: [] },
      ],
    ];
    for (const topics of OTHERS) {
      it(`knows nothing of ${JSON.stringify(topics)}, at version ${version}`, async () => {
        const answer = await ask('describeQuorum', version, { topics });
        const partitions = answer.topics.flatMap((topic) => topic.partitions);
        expect(partitions.length).to.equal(topics.flatMap((topic) => topic.partitions).length);
        for (const { errorCode, errorMessage } of partitions) {
          const message = version < 2 ? '' : 'This server does not host this topic-partition.';
          expect([errorCode, errorMessage]).to.deep.equal([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message]);
        }
        expect([answer.errorCode, answer.nodes]).to.deep.equal([ErrorCode.NONE, []]);
      });
    }
  }
});
