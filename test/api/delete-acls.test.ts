/** DeleteAcls: refused for want of an authorizer, and not readable with a number that stands for nothing. */
import { expect } from 'chai';
import { deleteAcls } from '../../src/api/delete-acls.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { ProtocolViolation } from '../../src/wire/protocol-violation.ts';
import { versionsOf } from '../support/handlers.ts';
import { SmallBroker } from '../support/small-broker.ts';

const ONE = {
  resourceTypeFilter: 2,
  resourceNameFilter: null,
  patternTypeFilter: 3,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
};

describe('DeleteAcls', () => {
  for (const version of versionsOf('deleteAcls')) {
    it(`is refused for want of an authorizer, at version ${version}`, () => {
      const { answer } = new SmallBroker().ask('deleteAcls', deleteAcls, version, { filters: [ONE] });
      expect(answer).to.deep.equal({
        throttleTimeMs: 0,
        filterResults: [
          { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.', matchingAcls: [] },
        ],
      });
    });

    for (const field of ['resourceTypeFilter', 'patternTypeFilter', 'operation', 'permissionType']) {
      it(`cannot be read without ${field}, at version ${version}`, () => {
        const one = { ...ONE, [field]: 0 };
        expect(() => new SmallBroker().ask('deleteAcls', deleteAcls, version, { filters: [one] }).answer).to.throw(
          ProtocolViolation,
        );
      });
    }
  }
});
