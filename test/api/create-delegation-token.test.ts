/** CreateDelegationToken: nobody may ask, and the answer says for whom it was asked. */
import { expect } from 'chai';
import { createDelegationToken } from '../../src/api/create-delegation-token.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { versionsOf } from '../support/handlers.ts';
import { SmallBroker } from '../support/small-broker.ts';

const REQUEST = { renewers: [], maxLifetimeMs: -1 };
const AS = { principal: { type: 'User', name: 'ANONYMOUS' } };
const ANONYMOUS = ['User', 'ANONYMOUS'];

describe('CreateDelegationToken', () => {
  for (const version of versionsOf('createDelegationToken')) {
    it(`is not allowed without authentication, at version ${version}`, () => {
      const { answer } = new SmallBroker().ask('createDelegationToken', createDelegationToken, version, REQUEST, AS);
      expect(answer.errorCode).to.equal(ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED);
      expect([answer.principalType, answer.principalName]).to.deep.equal(ANONYMOUS);
      const requester = [answer.tokenRequesterPrincipalType, answer.tokenRequesterPrincipalName];
      expect(requester).to.deep.equal(version < 3 ? ['', ''] : ANONYMOUS);
    });
  }

  const OWNERS: readonly (readonly [string | null, string | null, string, string, number])[] = [
    ['Group', 'b', 'Group', 'b', ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED],
    ['Group', '', 'User', 'ANONYMOUS', ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED],
    [null, 'b', 'User', 'ANONYMOUS', ErrorCode.UNKNOWN_SERVER_ERROR],
  ];
  for (const [ownerPrincipalType, ownerPrincipalName, type, name, error] of OWNERS) {
    it(`for ${ownerPrincipalType}:${ownerPrincipalName} answers for ${type}:${name}`, () => {
      const request = { ...REQUEST, ownerPrincipalType, ownerPrincipalName };
      const { answer } = new SmallBroker().ask('createDelegationToken', createDelegationToken, 3, request, AS);
      expect([answer.principalType, answer.principalName, answer.errorCode]).to.deep.equal([type, name, error]);
    });
  }
});
