/** SaslHandshake on a listener of plain text. */
import { expect } from 'chai';
import { saslHandshake } from '../../src/api/sasl-handshake.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { SmallBroker } from '../support/small-broker.ts';

describe('SaslHandshake', () => {
  for (const version of [0, 1]) {
    it(`has no place on plain text, at version ${version}`, () => {
      const { answer } = new SmallBroker().ask('saslHandshake', saslHandshake, version, { mechanism: 'PLAIN' });
      expect(answer).to.deep.equal({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] });
    });
  }
});
