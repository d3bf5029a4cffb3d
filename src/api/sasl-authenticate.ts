/** SaslAuthenticate, versions 0 to 2 (KIP-152): ILLEGAL_SASL_STATE, because every listener is plain text and nobody is to authenticate there. */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Handler } from './context.ts';

export const saslAuthenticate: Handler<'saslAuthenticate'> = () => ({
  errorCode: ErrorCode.ILLEGAL_SASL_STATE,
  errorMessage: 'SaslAuthenticate request received after successful authentication',
  authBytes: Buffer.alloc(0),
});
