import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ACTED_ON, OBSOLETE } from '../../src/broker/acted-on.ts';
import { DEVELOPMENT_DEFAULTS } from '../../src/broker/development-defaults.ts';
import { Settings } from '../../src/broker/settings.ts';
import { SettingsError } from '../../src/broker/settings-error.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import { BROKER_CONFIGS, TOPIC_CONFIGS } from '../../src/wire/generated/configs.ts';

const settingsOf = (values: Record<string, string>, likeProduction = false): Settings =>
  new Settings([{ origin: 'server.properties', values: new Map(Object.entries(values)) }], { likeProduction });

describe('settings', () => {
  it('without any have the defaults of Apache Kafka, all of them readable by their types', () => {
    const settings = settingsOf({}, true);
    for (const { name, type, default: value } of BROKER_CONFIGS) {
      if (value === undefined || value === null) continue;
      if (type === 'INT' || type === 'SHORT' || type === 'DOUBLE') expect(settings.int(name), name).to.equal(Number(value));
      else if (type === 'LONG') expect(settings.long(name), name).to.equal(Math.min(Number(value), Number.MAX_SAFE_INTEGER));
      else if (type === 'BOOLEAN') expect(settings.boolean(name), name).to.equal(value === 'true');
      else if (type === 'LIST') expect(settings.list(name).join(','), name).to.equal(value);
      else expect(settings.optional(name), name).to.equal(value);
    }
    expect(settings.explicit().size).to.equal(0);
  });

  it('of a node on its own need not be written', () => {
    const settings = settingsOf({});
    expect(settings.int('node.id')).to.equal(1);
    expect(settings.list('process.roles')).to.deep.equal(['broker', 'controller']);
    expect(settingsOf({ 'broker.id': '7' }).int('node.id')).to.equal(7);
    expect(settingsOf({ 'node.id': '7' }).explicit().get('broker.id'), 'shown as if it were set, too').to.equal('7');
  });

  it('for development differ from Apache Kafka where nothing else is said, and not like production', () => {
    const development = settingsOf({ 'offsets.topic.replication.factor': '2' });
    expect(development.int('group.initial.rebalance.delay.ms')).to.equal(0);
    expect(development.int('offsets.topic.replication.factor')).to.equal(2);
    expect([...development.developmentDefaults.keys()]).to.not.include('offsets.topic.replication.factor');
    expect(development.warnings).to.deep.equal([]);
    const production = settingsOf({}, true);
    expect(production.int('group.initial.rebalance.delay.ms')).to.equal(3000);
    expect(production.int('offsets.topic.replication.factor')).to.equal(3);
    expect(production.developmentDefaults.size).to.equal(0);
  });

  it('of later places win', () => {
    const places = ['environment', 'file', '--override'].map((origin, i) => ({
      origin,
      values: new Map([['num.partitions', String(i + 1)]]),
    }));
    expect(new Settings(places).int('num.partitions')).to.equal(3);
  });

  const wrong: Record<string, readonly [Record<string, string>, string]> = {
    'a misspelt name': [
      { 'log.retention.mss': '1' },
      'Unknown setting log.retention.mss=1 (server.properties); did you mean log.retention.ms?',
    ],
    'a name from nowhere': [
      { 'what.is.this': 'x' },
      'Unknown setting what.is.this=x (server.properties); see the broker configs of Apache Kafka',
    ],
    'no number': [
      { 'num.partitions': 'three' },
      'Invalid value three for configuration num.partitions: Not a number of type INT',
    ],
    'too small a number': [
      { 'num.partitions': '0' },
      'Invalid value 0 for configuration num.partitions: Value must be at least 1',
    ],
    'too large a number': [
      { 'num.partitions': '2147483648' },
      'Invalid value 2147483648 for configuration num.partitions: Not a number of type INT',
    ],
    'no boolean': [
      { 'auto.create.topics.enable': 'yes' },
      'Invalid value yes for configuration auto.create.topics.enable: Expected value to be either true or false',
    ],
    'none of the choices': [
      { 'log.message.timestamp.type': 'Now' },
      'Invalid value Now for configuration log.message.timestamp.type: String must be one of: CreateTime, LogAppendTime',
    ],
    'a class that is not there': [
      { 'create.topic.policy.class.name': 'com.example.Policy' },
      'Invalid value com.example.Policy for configuration create.topic.policy.class.name: Class com.example.Policy could not be found.',
    ],
    'a list without members': [
      { 'log.dirs': '' },
      "Configuration 'log.dirs' must not be empty. Valid values include: any non-empty value",
    ],
    'a member that is empty': [{ 'log.dirs': '/a,,/b' }, "Configuration 'log.dirs' values must not be empty."],
    'none of the choices in any case': [
      { 'group.consumer.migration.policy': 'upward' },
      'Invalid value upward for configuration group.consumer.migration.policy: String must be one of (case insensitive): DISABLED, DOWNGRADE, UPGRADE, BIDIRECTIONAL',
    ],
    'what can only be set at run time': [
      { 'leader.replication.throttled.rate': '1' },
      'leader.replication.throttled.rate (server.properties) cannot be set at start; set it with an admin client while the broker runs',
    ],
    'a listener of its own with a wrong value': [
      { 'listener.name.external.max.connections': 'many' },
      'Invalid value many for configuration listener.name.external.max.connections: Not a number of type INT',
    ],
  };
  for (const [what, [values, message]] of Object.entries(wrong)) {
    it(`refuse ${what}`, () => {
      expect(() => settingsOf(values)).to.throw(SettingsError, message);
    });
  }

  it('that name something twice name it once', () => {
    expect(settingsOf({ 'log.dirs': '/a, /b,/a' }).list('log.dirs')).to.deep.equal(['/a', '/b']);
  });

  it('that have no effect are said, once each and without secrets', () => {
    const { warnings } = settingsOf({
      'num.io.threads': '8',
      'ssl.key.password': 'secret',
      'zookeeper.connect': 'zk:2181',
      'listener.name.external.max.connections': '5',
      'num.partitions': '3',
    });
    expect(warnings).to.deep.equal([
      'num.io.threads=8 (server.properties) is not acted on yet',
      'ssl.key.password=[hidden] (server.properties) is not acted on yet',
      'zookeeper.connect=zk:2181 (server.properties) has no effect: there is no ZooKeeper since Apache Kafka 4',
      'listener.name.external.max.connections=5 (server.properties) is not acted on yet',
    ]);
  });

  it('beyond 2^53 are held at the largest safe number', () => {
    expect(settingsOf({ 'log.flush.interval.messages': '9223372036854775807' }).long('log.flush.interval.messages')).to.equal(
      Number.MAX_SAFE_INTEGER,
    );
  });

  it('that code asks for by a wrong name or type are errors of the code', () => {
    const settings = settingsOf({});
    expect(() => settings.int('no.such.thing')).to.throw('no.such.thing is no broker config');
    expect(() => settings.boolean('num.partitions')).to.throw('is no boolean');
    expect(() => settings.string('broker.rack')).to.throw('has no value');
    expect(settings.optional('broker.rack')).to.equal(null);
  });

  it('that code asks for by name are not said to have no effect', () => {
    const names = new Set(BROKER_CONFIGS.map(({ name }) => name));
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.ts') && !path.includes('generated'),
    );
    const asked = new Set<string>();
    for (const path of files) {
      const text = readFileSync(join('src', path), 'utf8');
      for (const [, name] of text.matchAll(/ettings\s*\.(?:int|long|boolean|string|optional|list)\('([\w.]+)'\)/g))
        asked.add(name ?? '');
    }
    expect(asked.size).to.be.above(20);
    expect([...asked].filter((name) => names.has(name) && !ACTED_ON.has(name))).to.deep.equal([]);
  });

  it('that are said to be acted on are asked for by name, by their own or by that of a topic’s config, and so is what logs run by', () => {
    const tables = /(?:acted-on|config-definition|development-defaults|topic-log-config|log-config)\.ts$/;
    const read = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.includes('generated'))
      .map((path) => [path, readFileSync(join('src', path), 'utf8')] as const);
    const code = read.flatMap(([path, text]) => (tables.test(path) ? [] : [text])).join('\n');
    const ofLogs = read.find(([path]) => path.endsWith('topic-log-config.ts'))?.[1] ?? '';
    const isAsked = (name: string): boolean => [code, ofLogs].some((text) => text.includes(`'${name}'`));
    const topicNames = (name: string): string[] =>
      TOPIC_CONFIGS.filter(({ broker }) => typeof broker === 'object' && broker.some((one) => one.name === name)).map(
        (fact) => fact.name,
      );
    expect([...ACTED_ON].filter((name) => ![name, ...topicNames(name)].some(isAsked))).to.deep.equal([]);
    const fields = Object.keys(DEFAULT_LOG_CONFIG).filter((field) => !new RegExp(`\\b${field}\\b`).test(code));
    expect(fields, 'parts of LogConfig that nobody looks at').to.deep.equal([]);
  });

  it('in the tables are broker configs, or none where they are obsolete', () => {
    const names = new Set(BROKER_CONFIGS.map(({ name }) => name));
    expect([...ACTED_ON, ...DEVELOPMENT_DEFAULTS.keys()].filter((name) => !names.has(name))).to.deep.equal([]);
    expect([...OBSOLETE.keys()].filter((name) => names.has(name))).to.deep.equal([]);
  });
});
