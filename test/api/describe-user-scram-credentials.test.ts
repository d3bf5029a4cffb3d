/** DescribeUserScramCredentials through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf } from '../support/handlers.ts';

describe('DescribeUserScramCredentials', () => {
  let broker: Broker;
  let ask: Ask;

  beforeEach(async () => {
    broker = await Broker.start({ port: 0 });
    ask = handlersOf(broker);
  });
  afterEach(() => broker.stop());

  const upsertion = (name: string, mechanism: number) => ({
    name,
    mechanism,
    iterations: 4096,
    salt: Buffer.from('s'),
    saltedPassword: Buffer.from('p'),
  });
  const described = async (users: readonly string[] | null) => {
    const { results } = await ask('describeUserScramCredentials', 0, { users: users?.map((name) => ({ name })) ?? null });
    return results.map(({ user, errorCode, errorMessage, credentialInfos }) => [user, errorCode, errorMessage, credentialInfos]);
  };

  it('tells mechanisms and iterations of all users, or of those that are named', async () => {
    for (const [name, mechanism] of [
      ['a', 1],
      ['a', 2],
      ['b', 2],
    ] as const) {
      await ask('alterUserScramCredentials', 0, { deletions: [], upsertions: [upsertion(name, mechanism)] });
    }
    const a = ['a', 0, '', [1, 2].map((mechanism) => ({ mechanism, iterations: 4096 }))];
    const b = ['b', 0, '', [{ mechanism: 2, iterations: 4096 }]];
    expect(await described(null)).to.deep.equal([a, b]);
    expect(await described([])).to.deep.equal([a, b]);
    expect(await described(['b'])).to.deep.equal([b]);
  });

  it('does not know who is not there, nor who is meant twice', async () => {
    const missing = 'Attempt to describe a user credential that does not exist: x';
    expect(await described(['x'])).to.deep.equal([['x', ErrorCode.RESOURCE_NOT_FOUND, missing, []]]);
    const twice = 'Cannot describe SCRAM credentials for the same user twice in a single request: x';
    expect(await described(['x', 'x'])).to.deep.equal([['x', ErrorCode.DUPLICATE_RESOURCE, twice, []]]);
    expect(await described(null)).to.deep.equal([]);
  });
});
