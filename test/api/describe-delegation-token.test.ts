/** DescribeDelegationToken: nobody may ask. */
import { expect } from 'chai';
import { describeDelegationToken } from '../../src/api/describe-delegation-token.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { versionsOf } from '../support/handlers.ts';
import { SmallBroker } from '../support/small-broker.ts';

describe('DescribeDelegationToken', () => {
  for (const version of versionsOf('describeDelegationToken')) {
    it(`is not allowed without authentication, at version ${version}`, () => {
      const { answer } = new SmallBroker().ask('describeDelegationToken', describeDelegationToken, version, { owners: null });
      const errorCode = ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
      expect(answer).to.deep.equal({ errorCode, tokens: [], throttleTimeMs: 0 });
    });
  }
});
