/** CreateAcls: refused for want of an authorizer, and not readable with a number that stands for nothing. */
import { expect } from 'chai';
import { createAcls } from '../../src/api/create-acls.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { ProtocolViolation } from '../../src/wire/protocol-violation.ts';
import { versionsOf } from '../support/handlers.ts';
import { SmallBroker } from '../support/small-broker.ts';

const ONE = {
  resourceType: 2,
  resourceName: 'a',
  resourcePatternType: 3,
  principal: 'User:a',
  host: '*',
  operation: 3,
  permissionType: 3,
};

describe('CreateAcls', () => {
  for (const version of versionsOf('createAcls')) {
    it(`is refused for want of an authorizer, at version ${version}`, () => {
      const { answer } = new SmallBroker().ask('createAcls', createAcls, version, { creations: [ONE] });
      expect(answer).to.deep.equal({
        throttleTimeMs: 0,
        results: [{ errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.' }],
      });
    });

    for (const field of ['resourceType', 'resourcePatternType', 'operation', 'permissionType']) {
      it(`cannot be read without ${field}, at version ${version}`, () => {
        const one = { ...ONE, [field]: 0 };
        expect(() => new SmallBroker().ask('createAcls', createAcls, version, { creations: [one] }).answer).to.throw(
          ProtocolViolation,
        );
      });
    }
  }
});
