/**
 * DescribeCluster, versions 0 to 2: brokers, cluster id, and whom to send administrative requests to.
 *
 * - Asked for controllers (v1 and up, KIP-919) a broker says MISMATCHED_ENDPOINT_TYPE, and UNSUPPORTED_ENDPOINT_TYPE for anything else it does not know.
 * - Fenced brokers are told of from v2 where they are asked for (KIP-1073).
 * - Authorized operations are all there are: there are no ACLs yet.
 */
import type {
  DescribeClusterResponseDescribeClusterBrokerDraft,
  DescribeClusterResponseDraft,
} from '../wire/generated/describe-cluster.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { CLUSTER_OPERATIONS, NOT_ASKED } from './authorized-operations.ts';
import type { Context, Handler } from './context.ts';
import { controllerFor } from './partition-view.ts';

const ENDPOINT_BROKER = 1;
const ENDPOINT_CONTROLLER = 2;

export const describeCluster: Handler<'describeCluster'> = (request, context) => {
  const { endpointType } = request;
  if (endpointType === ENDPOINT_CONTROLLER) {
    const message = 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER';
    return refusal(ErrorCode.MISMATCHED_ENDPOINT_TYPE, message);
  }
  if (endpointType !== ENDPOINT_BROKER) {
    return refusal(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, `Unsupported endpoint type ${endpointType}`);
  }
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    endpointType,
    clusterId: context.clusterId,
    controllerId: controllerFor(context),
    brokers: brokers(request.includeFencedBrokers, context),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
  };
};

function refusal(errorCode: number, errorMessage: string): DescribeClusterResponseDraft {
  return { throttleTimeMs: 0, errorCode, errorMessage, clusterId: '', brokers: [] };
}

function brokers(includeFenced: boolean, context: Context): DescribeClusterResponseDescribeClusterBrokerDraft[] {
  const answers: DescribeClusterResponseDescribeClusterBrokerDraft[] = [];
  for (const { id, fenced } of context.image.brokers.values()) {
    const endpoint = fenced && !includeFenced ? undefined : context.endpointOf(id, context.connection);
    if (endpoint === undefined) continue;
    answers.push({ brokerId: id, host: endpoint.host, port: endpoint.port, rack: endpoint.rack, isFenced: fenced });
  }
  return answers;
}
