/** ElectLeaders through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

describe('ElectLeaders', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    broker = await Broker.start({ port: 0, topics: { a: 2 } });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  for (const version of versionsOf('electLeaders')) {
    it(`finds every partition led, at version ${version}`, async () => {
      const named = await ask('electLeaders', version, { topicPartitions: [{ topic: 'a', partitions: [1] }], timeoutMs: 0 });
      expect(named).to.deep.equal({
        throttleTimeMs: 0,
        errorCode: ErrorCode.NONE,
        replicaElectionResults: [
          {
            topic: 'a',
            partitionResult: [
              {
                partitionId: 1,
                errorCode: ErrorCode.ELECTION_NOT_NEEDED,
                errorMessage: 'Leader election not needed for topic partition.',
              },
            ],
          },
        ],
      });
      const all = await ask('electLeaders', version, { topicPartitions: null, timeoutMs: 0 });
      expect(all.replicaElectionResults).to.deep.include({ topic: 'a', partitionResult: [] });
    });
  }
});
