import { expect } from 'chai';
import { apiVersions } from '../../src/api/api-versions.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { SmallBroker } from '../support/small-broker.ts';

const CLUSTER = 'a-cluster-of-its-own';

describe('ApiVersions', () => {
  const ask = (clusterId: string | null, nodeId: number): ErrorCode =>
    new SmallBroker().ask(
      'apiVersions',
      apiVersions,
      5,
      { clientSoftwareName: 'test', clientSoftwareVersion: '1', clusterId, nodeId },
      {
        clusterId: CLUSTER,
        nodeId: 1,
        advertisedApis: () => [],
        supportedFeatures: new Map(),
        finalizedFeatures: () => [],
      },
    ).answer.errorCode as ErrorCode;

  const cases: [string, string | null, number, ErrorCode][] = [
    ['nobody in particular', null, -1, ErrorCode.NONE],
    ['this node', CLUSTER, 1, ErrorCode.NONE],
    ['another node', CLUSTER, 2, ErrorCode.REBOOTSTRAP_REQUIRED],
    ['another cluster', 'other', 1, ErrorCode.REBOOTSTRAP_REQUIRED],
    ['this cluster alone', CLUSTER, -1, ErrorCode.INVALID_REQUEST],
    ['a node alone', null, 1, ErrorCode.INVALID_REQUEST],
  ];
  for (const [whom, clusterId, nodeId, error] of cases) {
    it(`answers a client that looks for ${whom}`, () => expect(ask(clusterId, nodeId)).to.equal(error));
  }
});
