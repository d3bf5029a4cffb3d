/** UnregisterBroker through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf } from '../support/handlers.ts';

describe('UnregisterBroker', () => {
  let broker: Broker;
  let ask: Ask;

  beforeEach(async () => {
    broker = await Broker.start({ port: 0 });
    ask = handlersOf(broker);
  });
  afterEach(() => broker.stop());

  it('does not know a broker that is not there, and does not forget itself', async () => {
    expect(await ask('unregisterBroker', 0, { brokerId: 5 })).to.deep.equal({
      throttleTimeMs: 0,
      errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED,
      errorMessage: 'Broker ID 5 is not currently registered',
    });
    expect((await ask('unregisterBroker', 0, { brokerId: 1 })).errorCode).to.equal(ErrorCode.INVALID_REQUEST);
    expect([...broker.services.image.brokers.keys()]).to.deep.equal([1]);
  });
});
