/** RenewDelegationToken: nobody may ask. */
import { expect } from 'chai';
import { renewDelegationToken } from '../../src/api/renew-delegation-token.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { versionsOf } from '../support/handlers.ts';
import { SmallBroker } from '../support/small-broker.ts';

describe('RenewDelegationToken', () => {
  for (const version of versionsOf('renewDelegationToken')) {
    it(`is not allowed without authentication, at version ${version}`, () => {
      const { answer } = new SmallBroker().ask('renewDelegationToken', renewDelegationToken, version, {
        hmac: Buffer.from([1]),
        renewPeriodMs: -1,
      });
      const errorCode = ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
      expect(answer).to.deep.equal({ errorCode, expiryTimestampMs: -1n, throttleTimeMs: 0 });
    });
  }
});
