/**
 * DescribeAcls, versions 1 to 3 (KIP-140): there is no authorizer, so SECURITY_DISABLED for all that is asked.
 *
 * A filter with a field of number 0, UNKNOWN, cannot be read: the connection ends, as in Apache Kafka.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import { refuseUnknown } from './acl-elements.ts';
import type { Handler } from './context.ts';

export const describeAcls: Handler<'describeAcls'> = (filter) => {
  refuseUnknown('DescribeAcls', [filter.patternTypeFilter, filter.resourceTypeFilter, filter.permissionType, filter.operation]);
  const errorMessage = 'No Authorizer is configured on the broker';
  return { throttleTimeMs: 0, errorCode: ErrorCode.SECURITY_DISABLED, errorMessage, resources: [] };
};
