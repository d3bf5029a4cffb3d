/**
 * CreateAcls, versions 1 to 3 (KIP-140): there is no authorizer, so SECURITY_DISABLED for each that is to be made.
 *
 * One with a field of number 0, UNKNOWN, cannot be read: the connection ends, as in Apache Kafka.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import { NO_AUTHORIZER, refuseUnknown } from './acl-elements.ts';
import type { Handler } from './context.ts';

export const createAcls: Handler<'createAcls'> = ({ creations }) => {
  for (const one of creations) {
    refuseUnknown('CreateAcls', [one.resourcePatternType, one.resourceType, one.permissionType, one.operation]);
  }
  const result = { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: NO_AUTHORIZER };
  return { throttleTimeMs: 0, results: creations.map(() => result) };
};
