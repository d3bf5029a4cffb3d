/** DescribeConfigs, AlterConfigs and IncrementalAlterConfigs through their handlers, on a whole broker: what is set is told, and is obeyed. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

const TOPIC = 2;
const BROKER = 4;
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3];

describe('Configs', () => {
  let broker: Broker;
  let ask: Ask;

  before(async () => {
    broker = await Broker.start({
      port: 0,
      topics: { orders: { partitions: 1, configs: { 'retention.ms': '5000' } }, plain: 1 },
      settings: { 'log.retention.hours': 3, 'ssl.key.password': 'secret' },
      log: { error() {}, warn() {}, info() {}, debug() {} },
    });
    ask = handlersOf(broker);
  });
  after(() => broker.stop());

  const describeOne = async (resourceType: number, resourceName: string, version = 4, keys: string[] | null = null) => {
    const resources = [{ resourceType, resourceName, configurationKeys: keys }];
    const { results } = await ask('describeConfigs', version, { resources, ...(version >= 1 ? { includeSynonyms: true } : {}) });
    const [result] = results;
    if (result === undefined) throw new Error('no result');
    return { ...result, byName: new Map(result.configs.map((config) => [config.name, config])) };
  };
  const alter = async (version: number, ...configs: [name: string, operation: number, value: string | null][]) => {
    const resource = {
      resourceType: TOPIC,
      resourceName: 'orders',
      configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
    };
    const { responses } = await ask('incrementalAlterConfigs', version, { resources: [resource], validateOnly: false });
    return [responses[0]?.errorCode, responses[0]?.errorMessage];
  };
  const logConfig = () => broker.services.partitions.find('orders', 0)?.log.config;

  for (const version of versionsOf('describeConfigs')) {
    it(`tells at version ${version} where a value comes from`, async () => {
      const { byName, errorCode } = await describeOne(TOPIC, 'orders', version, ['retention.ms', 'segment.ms']);
      expect(errorCode).to.equal(0);
      expect([...byName.keys()]).to.deep.equal(['retention.ms', 'segment.ms']);
      expect(byName.get('retention.ms')).to.deep.include({ value: '5000', configSource: 1, readOnly: false, isSensitive: false });
      expect(byName.get('segment.ms')).to.include({ value: '604800000', configSource: 5 });
      expect(byName.get('retention.ms')?.synonyms[0]).to.deep.equal({ name: 'retention.ms', value: '5000', source: 1 });
      if (version >= 3) expect(byName.get('retention.ms')?.configType).to.equal(5);
    });
  }

  it("tells a topic's defaults from the broker's settings, and never a password", async () => {
    const { byName } = await describeOne(TOPIC, 'plain');
    expect(byName.get('retention.ms')).to.include({ value: String(3 * 3_600_000) });
    const own = await describeOne(BROKER, '1');
    expect(own.byName.get('ssl.key.password')).to.include({ value: null, isSensitive: true });
    expect(own.byName.get('log.retention.hours')).to.include({ value: '3', configSource: 4, readOnly: true });
  });

  const setOnBrokers = (resourceName: string, name: string, value: string | null) => {
    const configs = [{ name, configOperation: value === null ? DELETE : SET, value }];
    const resources = [{ resourceType: BROKER, resourceName, configs }];
    return ask('incrementalAlterConfigs', 1, { resources, validateOnly: false });
  };

  it('tells no default of what can only be set while the broker runs', async () => {
    const name = 'leader.replication.throttled.rate';
    await setOnBrokers('', name, '8');
    expect((await describeOne(BROKER, '1')).byName.get(name)?.synonyms).to.deep.equal([{ name, value: '8', source: 3 }]);
    await setOnBrokers('1', name, '9');
    expect((await describeOne(BROKER, '1')).byName.get(name)?.synonyms).to.deep.equal([
      { name, value: '9', source: 2 },
      { name, value: '8', source: 3 },
    ]);
    await setOnBrokers('1', name, null);
    await setOnBrokers('', name, null);
    expect((await describeOne(BROKER, '1')).byName.has(name)).to.equal(false);
  });

  it('tells what is set for one listener, as read-only, and what it falls back to', async () => {
    const name = 'listener.name.internal.max.connections';
    await setOnBrokers('1', name, '5');
    expect((await describeOne(BROKER, '1')).byName.get(name)).to.deep.include({
      value: '5',
      configSource: 2,
      readOnly: true,
      isSensitive: false,
      configType: 3,
      synonyms: [
        { name, value: '5', source: 2 },
        { name: 'max.connections', value: '2147483647', source: 5 },
      ],
    });
    await setOnBrokers('1', name, null);
  });

  for (const [broker, source] of [
    ['1', 2],
    ['', 3],
  ] as const) {
    it(`tells that a name nobody knows is set, but not to what, on ${broker === '' ? 'all brokers' : 'one broker'}`, async () => {
      const name = 'no.such.config';
      await setOnBrokers(broker, name, 'secret');
      for (const described of new Set([broker, '1'])) {
        expect((await describeOne(BROKER, described)).byName.get(name)).to.deep.include({
          value: null,
          configSource: source,
          readOnly: true,
          isSensitive: true,
          configType: 0,
          synonyms: [{ name, value: null, source }],
        });
      }
      await setOnBrokers(broker, name, null);
    });
  }

  it('refuses what is not there', async () => {
    expect((await describeOne(TOPIC, 'none')).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await describeOne(BROKER, '7')).to.include({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Unexpected broker id, expected 1 or empty string, but received 7',
    });
  });

  for (const version of versionsOf('incrementalAlterConfigs')) {
    it(`alters single configs at version ${version}, and the log obeys at once`, async () => {
      expect(await alter(version, ['retention.ms', SET, '7000'], ['cleanup.policy', APPEND, 'compact'])).to.deep.equal([0, null]);
      expect(logConfig()).to.deep.include({ retentionMs: 7000, cleanupPolicy: ['delete', 'compact'] });
      expect(await alter(version, ['cleanup.policy', SUBTRACT, 'delete'])).to.deep.equal([0, null]);
      expect(logConfig()?.cleanupPolicy).to.deep.equal(['compact']);
      expect(await alter(version, ['retention.ms', DELETE, null], ['cleanup.policy', DELETE, null])).to.deep.equal([0, null]);
      expect(logConfig()).to.deep.include({ retentionMs: 3 * 3_600_000, cleanupPolicy: ['delete'] });
    });
  }

  it('changes a resource wholly or not at all', async () => {
    const refused = await alter(1, ['retention.ms', SET, '1'], ['segment.bytes', SET, 'many']);
    expect(refused).to.deep.equal([
      ErrorCode.INVALID_CONFIG,
      'Invalid value many for configuration segment.bytes: Not a number of type INT',
    ]);
    expect(logConfig()?.retentionMs).to.equal(3 * 3_600_000);
    expect((await alter(1, ['no.such', SET, '1']))[0]).to.equal(ErrorCode.INVALID_CONFIG);
  });

  for (const version of versionsOf('alterConfigs')) {
    it(`replaces all configs at version ${version}`, async () => {
      await alter(1, ['retention.ms', SET, '9000'], ['flush.messages', SET, '7']);
      const resources = [{ resourceType: TOPIC, resourceName: 'orders', configs: [{ name: 'retention.ms', value: '8000' }] }];
      const checked = await ask('alterConfigs', version, { resources, validateOnly: true });
      expect(checked.responses[0]?.errorCode).to.equal(0);
      expect(logConfig()).to.include({ retentionMs: 9000, flushMessages: 7 });
      const { responses } = await ask('alterConfigs', version, { resources, validateOnly: false });
      expect(responses[0]).to.include({ errorCode: 0, resourceName: 'orders' });
      expect(logConfig()).to.include({ retentionMs: 8000, flushMessages: Number.MAX_SAFE_INTEGER });
    });
  }

  it('are listed by what has them', async () => {
    const all = await ask('listConfigResources', 1, { resourceTypes: [] });
    expect(all.configResources).to.deep.include({ resourceName: 'orders', resourceType: TOPIC });
    expect(all.configResources).to.deep.include({ resourceName: '1', resourceType: BROKER });
    expect((await ask('listConfigResources', 0, {})).configResources).to.deep.equal([]);
    expect((await ask('listConfigResources', 1, { resourceTypes: [99] })).errorCode).to.equal(ErrorCode.UNSUPPORTED_VERSION);
  });
});
