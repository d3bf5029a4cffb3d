/** AlterUserScramCredentials through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { type Ask, handlersOf } from '../support/handlers.ts';

describe('AlterUserScramCredentials', () => {
  let broker: Broker;
  let ask: Ask;

  beforeEach(async () => {
    broker = await Broker.start({ port: 0 });
    ask = handlersOf(broker);
  });
  afterEach(() => broker.stop());

  it('answers for each user once it is recorded', async () => {
    const upsertion = { name: 'ali', mechanism: 1, iterations: 4096, salt: Buffer.from('s'), saltedPassword: Buffer.from('p') };
    const { results } = await ask('alterUserScramCredentials', 0, { deletions: [], upsertions: [upsertion] });
    expect(results).to.deep.equal([{ user: 'ali', errorCode: 0, errorMessage: null }]);
    expect(broker.services.image.scramCredential('ali', 1)).to.include({ iterations: 4096 });
  });
});
