/**
 * CreateDelegationToken, versions 1 to 3 (KIP-48): DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, because nobody can authenticate on listeners of plain text.
 *
 * The owner is the one that is named (KIP-373, version 3), else who asks. A name without a type is a failure of Apache Kafka's: UNKNOWN_SERVER_ERROR.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Handler } from './context.ts';

const FIRST_WITH_REQUESTER = 3;

export const createDelegationToken: Handler<'createDelegationToken'> = (request, { apiVersion, principal }) => {
  const { type, name } = principal;
  const { ownerPrincipalType, ownerPrincipalName } = request;
  const isNamed = ownerPrincipalName !== null && ownerPrincipalName !== '';
  const owner = isNamed && ownerPrincipalType !== null ? { type: ownerPrincipalType, name: ownerPrincipalName } : principal;
  return {
    errorCode:
      isNamed && ownerPrincipalType === null ? ErrorCode.UNKNOWN_SERVER_ERROR : ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
    principalType: owner.type,
    principalName: owner.name,
    tokenRequesterPrincipalType: apiVersion < FIRST_WITH_REQUESTER ? '' : type,
    tokenRequesterPrincipalName: apiVersion < FIRST_WITH_REQUESTER ? '' : name,
    issueTimestampMs: -1,
    expiryTimestampMs: -1,
    maxTimestampMs: -1,
    tokenId: '',
    hmac: Buffer.alloc(0),
    throttleTimeMs: 0,
  };
};
