/** Metadata through its handler, on a whole broker: what is asked for, and what comes into being by being asked for. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

const NOT_ASKED = -2147483648;

/** Before version 4 nobody can say that nothing is to be created. */
const creating = (version: number, allowAutoTopicCreation: boolean) => (version >= 4 ? { allowAutoTopicCreation } : {});
const named = (version: number, ...names: string[]) => ({
  topics: names.map((name) => ({ name })),
  ...creating(version, false),
});

describe('Metadata', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    broker = await Broker.start({
      port: 0,
      topics: { orders: 3, returns: 1 },
      settings: { 'num.partitions': 2, 'broker.rack': 'r1' },
    });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  const idOf = (name: string) => broker.services.image.topicsByName.get(name)?.id ?? '';

  for (const version of versionsOf('metadata')) {
    it(`tells brokers, topics and partitions at version ${version}`, async () => {
      const answer = await ask('metadata', version, named(version, 'orders', 'orders', 'not a name'));
      expect(answer.brokers).to.deep.equal([{ nodeId: 1, host: '127.0.0.1', port: 9092, rack: version >= 1 ? 'r1' : null }]);
      if (version >= 1) expect(answer.controllerId).to.equal(1);
      if (version >= 2) expect(answer.clusterId).to.equal(broker.services.clusterId);
      expect(answer.topics.map(({ name, errorCode }) => [name, errorCode])).to.deep.equal([
        ['orders', 0],
        ['not a name', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ]);
      const [orders] = answer.topics;
      expect(orders?.topicId).to.equal(version >= 10 ? idOf('orders') : ZERO_UUID);
      expect(orders?.partitions.map((one) => [one.partitionIndex, one.leaderId, one.replicaNodes, one.isrNodes])).to.deep.equal(
        [0, 1, 2].map((index) => [index, 1, [1], [1]]),
      );
    });
  }

  it('tells all topics where none are listed, and none for an empty list, but for version 0', async () => {
    const names = async (version: number, topics: [] | null) =>
      (await ask('metadata', version, { topics, ...creating(version, false) })).topics.map(({ name }) => name);
    expect(await names(0, [])).to.have.members(['orders', 'returns']);
    for (const version of [1, 8, 13]) {
      expect(await names(version, null)).to.have.members(['orders', 'returns']);
      expect(await names(version, [])).to.deep.equal([]);
    }
  });

  it('takes ids from version 12 on, and does not look at names beside them', async () => {
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ';
    for (const version of [12, 13]) {
      const topics = [{ name: null, topicId: idOf('returns') }, { name: null, topicId: unknown }, { name: 'orders' }];
      const answer = await ask('metadata', version, { topics, allowAutoTopicCreation: true });
      expect(answer.topics.map(({ name, topicId, errorCode }) => [name, topicId, errorCode])).to.deep.equal([
        ['returns', idOf('returns'), 0],
        [null, unknown, ErrorCode.UNKNOWN_TOPIC_ID],
      ]);
    }
  });

  it('refuses ids before that', async () => {
    const answer = await ask('metadata', 11, { topics: [{ name: 'orders', topicId: idOf('orders') }] });
    expect(answer.topics[0]?.errorCode).to.equal(ErrorCode.INVALID_REQUEST);
  });

  it('tells what may be done where that is asked for', async () => {
    const request = { ...named(8, 'orders'), includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true };
    const [asked, notAsked] = [await ask('metadata', 8, request), await ask('metadata', 8, named(8, 'orders'))];
    // The bits of CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE; those of a topic likewise.
    const bits = (...operations: number[]) => operations.reduce((field, bit) => field + 2 ** bit, 0);
    expect([asked.clusterAuthorizedOperations, asked.topics[0]?.topicAuthorizedOperations]).to.deep.equal([
      bits(5, 7, 8, 9, 10, 11, 12),
      bits(3, 4, 5, 6, 7, 8, 10, 11),
    ]);
    expect([notAsked.clusterAuthorizedOperations, notAsked.topics[0]?.topicAuthorizedOperations]).to.deep.equal([
      NOT_ASKED,
      NOT_ASKED,
    ]);
  });

  describe('with auto.create.topics.enable', () => {
    for (const version of versionsOf('metadata')) {
      it(`creates what is missing at version ${version}${version >= 4 ? ' unless the request forbids it' : ''}`, async () => {
        const [wanted, forbidden] = [`wanted-${version}`, `forbidden-${version}`];
        const first = await ask('metadata', version, { topics: [{ name: wanted }], ...creating(version, true) });
        expect(first.topics[0]?.errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        if (version >= 4) await ask('metadata', version, named(version, forbidden));
        // A decision that comes after those of the two requests: they are durable when it is.
        const barrier = {
          topics: [{ name: `barrier-${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
        };
        await ask('createTopics', 7, { ...barrier, timeoutMs: 1000 });
        const again = await ask('metadata', version, named(version, wanted));
        expect(again.topics[0]?.partitions.length).to.equal(2);
        expect(broker.services.image.topicsByName.has(forbidden)).to.equal(false);
      });
    }

    it('never creates a name that cannot be', async () => {
      const { topics } = await ask('metadata', 13, { topics: [{ name: 'no such/name' }], allowAutoTopicCreation: true });
      expect(topics[0]?.errorCode).to.equal(ErrorCode.INVALID_TOPIC_EXCEPTION);
    });

    it('creates internal topics as their coordinators would', async () => {
      await ask('metadata', 13, { topics: [{ name: '__consumer_offsets' }], allowAutoTopicCreation: true });
      await ask('createTopics', 7, {
        topics: [{ name: 'after', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
        timeoutMs: 1000,
      });
      const { topics } = await ask('metadata', 13, named(13, '__consumer_offsets'));
      expect(topics[0]).to.include({ isInternal: true, errorCode: 0 });
      expect(topics[0]?.partitions.length).to.equal(50);
      expect(broker.services.image.configsOf(2, '__consumer_offsets').get('cleanup.policy')).to.equal('compact');
    });
  });

  it('creates nothing where auto.create.topics.enable is off', async () => {
    await using strict = await Broker.start({ port: 0, settings: { 'auto.create.topics.enable': false } });
    const asked = handlersOf(strict);
    for (const version of versionsOf('metadata')) {
      const { topics } = await asked('metadata', version, { topics: [{ name: 'wanted' }], ...creating(version, true) });
      expect(topics[0]?.errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    await asked('createTopics', 7, {
      topics: [{ name: 'after', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 1000,
    });
    expect(strict.services.image.topicsByName.has('wanted')).to.equal(false);
  });
});
