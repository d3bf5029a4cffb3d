/** ExpireDelegationToken, versions 1 and 2 (KIP-48): DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, because nobody can authenticate on listeners of plain text. */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Handler } from './context.ts';

export const expireDelegationToken: Handler<'expireDelegationToken'> = () => ({
  errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
  expiryTimestampMs: -1,
  throttleTimeMs: 0,
});
