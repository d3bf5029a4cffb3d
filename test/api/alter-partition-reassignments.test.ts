/** AlterPartitionReassignments through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

describe('AlterPartitionReassignments', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    broker = await Broker.start({ port: 0, topics: { a: 2 } });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  for (const version of versionsOf('alterPartitionReassignments')) {
    it(`takes the own broker and no other, at version ${version}`, async () => {
      const partitions = [
        { partitionIndex: 0, replicas: [1] },
        { partitionIndex: 1, replicas: [2] },
        { partitionIndex: 1, replicas: null },
      ];
      const answer = await ask('alterPartitionReassignments', version, { timeoutMs: 0, topics: [{ name: 'a', partitions }] });
      expect(answer).to.deep.equal({
        throttleTimeMs: 0,
        allowReplicationFactorChange: true,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        responses: [
          {
            name: 'a',
            partitions: [
              { partitionIndex: 0, errorCode: ErrorCode.NONE, errorMessage: null },
              {
                partitionIndex: 1,
                errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                errorMessage: 'The manual partition assignment includes broker 2, but no such broker is registered.',
              },
              { partitionIndex: 1, errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: null },
            ],
          },
        ],
      });
    });
  }
});
