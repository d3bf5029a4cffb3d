/** CreateTopics through its handler, on a whole broker. What may be created and what not is the controller's to test. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

describe('CreateTopics', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    broker = await Broker.start({ port: 0, settings: { 'num.partitions': 3 } });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  const topic = (name: string, numPartitions = 2, replicationFactor = 1) => ({
    name,
    numPartitions,
    replicationFactor,
    assignments: [],
    configs: [{ name: 'retention.ms', value: '1000' }],
  });

  for (const version of versionsOf('createTopics')) {
    it(`answers at version ${version} when the partitions lead, with what the version tells`, async () => {
      const name = `at-${version}`;
      const { topics } = await ask('createTopics', version, { topics: [topic(name)], timeoutMs: 1000 });
      const image = broker.services.image.topicsByName.get(name);
      expect(topics[0]).to.include({ name, errorCode: 0, topicId: version >= 7 ? image?.id : ZERO_UUID });
      for (const index of [0, 1]) expect(broker.services.partitions.find(name, index)?.isLeader).to.equal(true);
      if (version < 5) return;
      expect(topics[0]).to.include({ numPartitions: 2, replicationFactor: 1 });
      const told = topics[0]?.configs?.find((config) => config.name === 'retention.ms');
      expect(told).to.include({ value: '1000', configSource: 1 });
    });
  }

  it("takes the broker's counts for -1", async () => {
    const { topics } = await ask('createTopics', 5, { topics: [topic('counted', -1, -1)], timeoutMs: 1000 });
    expect(topics[0]).to.include({ errorCode: 0, numPartitions: 3, replicationFactor: 1 });
  });

  it('creates nothing where it is only to be checked', async () => {
    const { topics } = await ask('createTopics', 7, { topics: [topic('checked')], timeoutMs: 1000, validateOnly: true });
    expect(topics[0]).to.include({ errorCode: 0, numPartitions: 2 });
    expect(broker.services.image.topicsByName.has('checked')).to.equal(false);
  });

  it('refuses each topic for itself, with the reason', async () => {
    const topics = [topic('fine'), topic('not fine'), topic('at-2'), topic('wide', 1, 2)];
    const answer = await ask('createTopics', 7, { topics, timeoutMs: 1000 });
    expect(answer.topics.map(({ name, errorCode }) => [name, errorCode])).to.deep.equal([
      ['fine', 0],
      ['not fine', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ['at-2', ErrorCode.TOPIC_ALREADY_EXISTS],
      ['wide', ErrorCode.INVALID_REPLICATION_FACTOR],
    ]);
    expect(answer.topics[2]?.errorMessage).to.equal("Topic 'at-2' already exists.");
  });
});
