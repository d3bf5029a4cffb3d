import { expect } from 'chai';
import { settingOfVariable, settingsOfEnvironment, topicOfText, topicsOfEnvironment } from '../../src/broker/environment.ts';
import { SettingsError } from '../../src/broker/settings-error.ts';

describe('environment', () => {
  const names: Record<string, string | undefined> = {
    KAFKA_LOG_RETENTION_MS: 'log.retention.ms',
    KAFKA_CFG_LOG_RETENTION_MS: 'log.retention.ms',
    KAFKA_NODE_ID: 'node.id',
    KAFKA_A__B: 'a_b',
    KAFKA_A___B: 'a-b',
    KAFKA_LISTENER_NAME_EXTERNAL_MAX_CONNECTIONS: 'listener.name.external.max.connections',
    KAFKA_HEAP_OPTS: undefined,
    KAFKA_JVM_PERFORMANCE_OPTS: undefined,
    KAFKA_JMX_PORT: undefined,
    KAFKA_LOG4J_ROOT_LOGLEVEL: undefined,
    KAFKA_LOG4J_OPTS: undefined,
    KAFKA_OPTS: undefined,
    KAFKA_HOME: undefined,
    KAFKA_VERSION: undefined,
    KAFKA_CREATE_TOPICS: undefined,
    KAFKA_KRAFT_CLUSTER_ID: undefined,
    // What Kubernetes and linked containers set where a service is called kafka.
    KAFKA_SERVICE_HOST: undefined,
    KAFKA_SERVICE_PORT_CLIENT: undefined,
    KAFKA_PORT: undefined,
    KAFKA_PORT_9092_TCP: undefined,
    KAFKA_PORT_9092_TCP_ADDR: undefined,
    KAFKA_: undefined,
    CLUSTER_ID: undefined,
    PATH: undefined,
    MY_KAFKA_NODE_ID: undefined,
  };
  for (const [variable, name] of Object.entries(names)) {
    it(`takes ${variable} for ${name ?? 'no setting'}`, () => {
      expect(settingOfVariable(variable)).to.equal(name);
    });
  }

  it('gives only what is set there', () => {
    const settings = settingsOfEnvironment({
      KAFKA_NODE_ID: '3',
      KAFKA_CFG_NUM_PARTITIONS: '4',
      KAFKA_OPTS: '-Dx',
      HOME: 'there',
      KAFKA_X: undefined,
    });
    expect(Object.fromEntries(settings)).to.deep.equal({ 'node.id': '3', 'num.partitions': '4' });
  });

  it('names topics as the images do', () => {
    const topics = topicsOfEnvironment({ KAFKA_CREATE_TOPICS: 'a:1:1, b:3:1:compact ,c,d:2::retention.ms=1000;segment.ms=5' });
    expect(topics).to.deep.equal([
      { name: 'a', partitions: 1, replicationFactor: 1, configs: {} },
      { name: 'b', partitions: 3, replicationFactor: 1, configs: { 'cleanup.policy': 'compact' } },
      { name: 'c', partitions: -1, replicationFactor: -1, configs: {} },
      { name: 'd', partitions: 2, replicationFactor: -1, configs: { 'retention.ms': '1000', 'segment.ms': '5' } },
    ]);
    expect(topicsOfEnvironment({})).to.deep.equal([]);
    expect(
      topicsOfEnvironment({ KAFKA_CREATE_TOPICS: 'a:1:1;b:1:1', KAFKA_CREATE_TOPICS_SEPARATOR: ';' }).map(({ name }) => name),
    ).to.deep.equal(['a', 'b']);
  });

  it('refuses topics that make no sense', () => {
    for (const text of ['', ':3', 'a:0', 'a:x', 'a:1:1:x=1;='])
      expect(() => topicOfText(text, '--topic'), text).to.throw(SettingsError, '--topic');
  });
});
