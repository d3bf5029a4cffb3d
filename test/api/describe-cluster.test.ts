/** DescribeCluster through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

const CONTROLLERS = 2;

describe('DescribeCluster', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    broker = await Broker.start({ port: 0, settings: { 'broker.rack': 'r1' } });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  for (const version of versionsOf('describeCluster')) {
    it(`tells the brokers at version ${version} by the address that the client came by`, async () => {
      const answer = await ask('describeCluster', version, { includeClusterAuthorizedOperations: false });
      expect(answer).to.include({ errorCode: 0, clusterId: broker.services.clusterId, controllerId: 1 });
      expect(answer.brokers).to.deep.equal([{ brokerId: 1, host: '127.0.0.1', port: 9092, rack: 'r1', isFenced: false }]);
      expect(answer.clusterAuthorizedOperations).to.equal(-2147483648);
      const asked = await ask('describeCluster', version, { includeClusterAuthorizedOperations: true });
      expect(asked.clusterAuthorizedOperations).to.be.greaterThan(0);
    });
  }

  for (const version of [1, 2]) {
    it(`is no controller to ask for controllers at version ${version}`, async () => {
      const request = { includeClusterAuthorizedOperations: false };
      const controllers = await ask('describeCluster', version, { ...request, endpointType: CONTROLLERS });
      expect(controllers.errorCode).to.equal(ErrorCode.MISMATCHED_ENDPOINT_TYPE);
      const others = await ask('describeCluster', version, { ...request, endpointType: 7 });
      expect(others.errorCode).to.equal(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE);
    });
  }
});
