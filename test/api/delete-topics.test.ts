/** DeleteTopics through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

describe('DeleteTopics', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    const names = ['by-id', 'stays', ...versionsOf('deleteTopics').map((version) => `at-${version}`)];
    broker = await Broker.start({ port: 0, topics: Object.fromEntries(names.map((name) => [name, 2])) });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  const byName = (version: number, ...names: string[]) =>
    version >= 6 ? { topics: names.map((name) => ({ name })), timeoutMs: 1000 } : { topicNames: names, timeoutMs: 1000 };

  for (const version of versionsOf('deleteTopics')) {
    it(`takes topics away at version ${version}, one by one`, async () => {
      const name = `at-${version}`;
      const id = broker.services.image.topicsByName.get(name)?.id;
      const { responses } = await ask('deleteTopics', version, byName(version, name, 'missing'));
      const answers = new Map(responses.map((one) => [one.name, one]));
      expect(answers.get(name)).to.include({ errorCode: 0, topicId: version >= 6 ? id : ZERO_UUID });
      expect(answers.get('missing')?.errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      if (version >= 5) expect(answers.get('missing')?.errorMessage).to.equal('This server does not host this topic-partition.');
      expect(broker.services.image.topicsByName.has(name)).to.equal(false);
      expect(broker.services.partitions.find(name, 0)).to.equal(undefined);
    });
  }

  it('takes ids from version 6 on', async () => {
    const topicId = broker.services.image.topicsByName.get('by-id')?.id ?? '';
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ';
    const topics = [
      { name: null, topicId },
      { name: null, topicId: unknown },
    ];
    const { responses } = await ask('deleteTopics', 6, { topics, timeoutMs: 1000 });
    expect(new Map(responses.map((one) => [one.topicId, [one.name, one.errorCode]]))).to.deep.equal(
      new Map([
        [topicId, ['by-id', 0]],
        [unknown, [null, ErrorCode.UNKNOWN_TOPIC_ID]],
      ]),
    );
  });

  it('refuses all where delete.topic.enable is off', async () => {
    await using strict = await Broker.start({ port: 0, topics: { kept: 1 }, settings: { 'delete.topic.enable': false } });
    for (const version of versionsOf('deleteTopics')) {
      const { responses } = await handlersOf(strict)('deleteTopics', version, byName(version, 'kept'));
      const expected = version < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED;
      expect(responses.map((one) => [one.name, one.errorCode])).to.deep.equal([['kept', expected]]);
    }
    expect(strict.services.image.topicsByName.has('kept')).to.equal(true);
  });
});
