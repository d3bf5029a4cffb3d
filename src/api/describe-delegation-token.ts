/** DescribeDelegationToken, versions 1 to 3 (KIP-48): DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, because nobody can authenticate on listeners of plain text. */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Handler } from './context.ts';

export const describeDelegationToken: Handler<'describeDelegationToken'> = () => ({
  errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
  tokens: [],
  throttleTimeMs: 0,
});
