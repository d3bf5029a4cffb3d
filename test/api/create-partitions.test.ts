/** CreatePartitions through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

describe('CreatePartitions', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    const names = ['few', ...versionsOf('createPartitions').map((version) => `at-${version}`)];
    broker = await Broker.start({ port: 0, topics: Object.fromEntries(names.map((name) => [name, 2])) });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  const more = (name: string, count: number, assignments: { brokerIds: number[] }[] | null = null) => ({
    topics: [{ name, count, assignments }],
    timeoutMs: 1000,
    validateOnly: false,
  });
  const count = (name: string) => broker.services.image.topicsByName.get(name)?.partitions.size;

  for (const version of versionsOf('createPartitions')) {
    it(`answers at version ${version} when the new partitions lead`, async () => {
      const name = `at-${version}`;
      const { results } = await ask('createPartitions', version, more(name, 4));
      expect(results).to.deep.equal([{ name, errorCode: 0, errorMessage: null }]);
      for (const index of [2, 3]) expect(broker.services.partitions.find(name, index)?.isLeader).to.equal(true);
    });
  }

  it('changes nothing where it is only to be checked', async () => {
    const { results } = await ask('createPartitions', 3, { ...more('few', 5), validateOnly: true });
    expect(results[0]?.errorCode).to.equal(0);
    expect(count('few')).to.equal(2);
  });

  const refusals: Record<string, readonly [ReturnType<typeof more>, number, string | null]> = {
    'fewer than there are': [
      more('few', 1),
      ErrorCode.INVALID_PARTITIONS,
      'The topic few currently has 2 partition(s); 1 would not be an increase.',
    ],
    'as many as there are': [more('few', 2), ErrorCode.INVALID_PARTITIONS, 'Topic already has 2 partition(s).'],
    'a topic that is not there': [more('none', 2), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null],
    'places for another number': [
      more('few', 4, [{ brokerIds: [1] }]),
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
    ],
  };
  for (const [what, [request, errorCode, errorMessage]] of Object.entries(refusals)) {
    it(`refuses ${what}`, async () => {
      const { results } = await ask('createPartitions', 3, request);
      expect(results.map((one) => [one.errorCode, one.errorMessage])).to.deep.equal([[errorCode, errorMessage]]);
      expect(count('few')).to.equal(2);
    });
  }
});
