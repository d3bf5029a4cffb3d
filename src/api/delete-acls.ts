/**
 * DeleteAcls, versions 1 to 3 (KIP-140): there is no authorizer, so SECURITY_DISABLED for each filter.
 *
 * A filter with a field of number 0, UNKNOWN, cannot be read: the connection ends, as in Apache Kafka.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import { NO_AUTHORIZER, refuseUnknown } from './acl-elements.ts';
import type { Handler } from './context.ts';

export const deleteAcls: Handler<'deleteAcls'> = ({ filters }) => {
  for (const one of filters) {
    refuseUnknown('DeleteAcls', [one.patternTypeFilter, one.resourceTypeFilter, one.permissionType, one.operation]);
  }
  const result = { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: NO_AUTHORIZER, matchingAcls: [] };
  return { throttleTimeMs: 0, filterResults: filters.map(() => result) };
};
