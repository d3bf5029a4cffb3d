/** AlterClientQuotas through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

describe('AlterClientQuotas', () => {
  let broker: Broker;
  let ask: Ask;

  beforeEach(async () => {
    broker = await Broker.start({ port: 0 });
    ask = handlersOf(broker);
  });
  afterEach(() => broker.stop());

  for (const version of versionsOf('alterClientQuotas')) {
    it(`answers for each entity once it is recorded, at version ${version}`, async () => {
      const entries = ['producer_byte_rate', 'no_such_rate'].map((key, i) => ({
        entity: [{ entityType: 'user', entityName: `user-${i}` }],
        ops: [{ key, value: 5, remove: false }],
      }));
      const answer = await ask('alterClientQuotas', version, { entries, validateOnly: false });
      expect(answer.entries).to.deep.equal([
        { errorCode: ErrorCode.NONE, errorMessage: null, entity: entries[0]?.entity },
        {
          errorCode: ErrorCode.INVALID_REQUEST,
          errorMessage: 'Invalid configuration key no_such_rate',
          entity: entries[1]?.entity,
        },
      ]);
      expect([...broker.services.image.clientQuotas.values()].map(({ values }) => [...values])).to.deep.equal([
        [['producer_byte_rate', 5]],
      ]);
    });
  }
});
