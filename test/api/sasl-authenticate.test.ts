/** SaslAuthenticate on a listener of plain text. */
import { expect } from 'chai';
import { saslAuthenticate } from '../../src/api/sasl-authenticate.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { SmallBroker } from '../support/small-broker.ts';

describe('SaslAuthenticate', () => {
  for (const version of [0, 1, 2]) {
    it(`has no place on plain text, at version ${version}`, () => {
      const { answer } = new SmallBroker().ask('saslAuthenticate', saslAuthenticate, version, { authBytes: Buffer.from('a') });
      expect(answer).to.deep.equal({
        errorCode: ErrorCode.ILLEGAL_SASL_STATE,
        errorMessage: 'SaslAuthenticate request received after successful authentication',
        authBytes: Buffer.alloc(0),
        sessionLifetimeMs: 0n,
      });
    });
  }
});
