/**
 * SaslHandshake, versions 0 and 1 (KIP-43, KIP-152): ILLEGAL_SASL_STATE, because every listener is plain text and nobody is to authenticate there.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Handler } from './context.ts';

export const saslHandshake: Handler<'saslHandshake'> = () => ({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] });
