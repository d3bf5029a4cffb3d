/** Configs that brokers refuse although each of them is one that may be, in Kafka's words. */
import { expect } from 'chai';
import { ConfigResourceType } from '../../../src/wire/config-resource.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { brokerRequirementProblem } from '../../../src/machine/metadata/broker-requirements.ts';
import { Cluster } from './cluster.ts';

const { INVALID_REQUEST } = ErrorCode;

const dynamic = (problem: string): string =>
  `Invalid value org.apache.kafka.common.config.ConfigException: ${problem} for configuration Invalid dynamic configuration`;

const REFUSED: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{ 'log.roll.ms': '0' }, 'requirement failed: log.roll.ms must be greater than or equal to 1'],
  [{ 'log.roll.jitter.ms': '-1' }, 'requirement failed: log.roll.jitter.ms must be greater than or equal to 0'],
  [{ 'log.retention.ms': '0' }, 'requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1'],
  [
    { 'max.connections.per.ip': '0' },
    'requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
  ],
  [
    { 'max.connections.per.ip.overrides': '10.0.0.1' },
    "Error parsing configuration property 'max.connections.per.ip.overrides': begin 0, end -1, length 8",
  ],
  [{ 'max.connections.per.ip.overrides': '10.0.0.1:many' }, 'For input string: "many"'],
  [
    { 'max.connections.per.ip.overrides': '[::1]:5,a b:2,10.0.0.1:1' },
    'max.connections.per.ip.overrides contains invalid addresses : [::1],a b',
  ],
  [{ 'max.connections': '0' }, dynamic('Invalid max.connections 0')],
  [{ 'max.connection.creation.rate': '0' }, dynamic('Invalid max.connection.creation.rate 0')],
  [
    { 'log.retention.ms': '10', 'log.local.retention.ms': '11' },
    dynamic(
      'Invalid value 11 for configuration log.local.retention.ms: Value must not be more than log.retention.ms property value: 10',
    ),
  ],
  [
    { 'log.retention.bytes': '10', 'log.local.retention.bytes': '-1' },
    dynamic(
      'Invalid value -1 for configuration log.local.retention.bytes: Value must not be -1 as log.retention.bytes value is set as 10.',
    ),
  ],
  [
    { 'log.retention.bytes': '10', 'log.remote.copy.lag.bytes': '11' },
    dynamic(
      'Invalid value 11 for configuration log.remote.copy.lag.bytes: Value must not exceed log.local.retention.bytes (effective value: 10)',
    ),
  ],
  [
    { 'metric.reporters': 'org.apache.kafka.common.metrics.JmxReporter,com.example.Reporter' },
    dynamic(
      'Validation of dynamic config update of Set(metric.reporters) failed with class class kafka.server.DynamicMetricsReporters',
    ),
  ],
  [{ 'metric.reporters': 'a,a' }, "Configuration 'metric.reporters' values must not be duplicated."],
  [{ 'log.cleanup.policy': 'delete,' }, "Configuration 'log.cleanup.policy' values must not be empty."],
  [
    { 'group.consumer.assignment.interval.ms': '15001' },
    'group.consumer.assignment.interval.ms must be less than or equal to group.consumer.max.assignment.interval.ms',
  ],
];

const TAKEN: readonly Readonly<Record<string, string>>[] = [
  { 'log.retention.ms': '-1', 'log.local.retention.ms': '-1' },
  { 'log.retention.ms': '-5', 'log.local.retention.ms': '99' },
  { 'max.connections.per.ip': '0', 'max.connections.per.ip.overrides': 'some.host:5, ::1:-1,' },
  { 'metric.reporters': '' },
];

describe('what brokers require of their configs', () => {
  for (const broker of ['1', '']) {
    const whose = broker === '' ? 'all brokers' : 'a broker';
    const set = (configs: Readonly<Record<string, string>>) =>
      new Cluster().alter(
        ConfigResourceType.BROKER,
        broker,
        Object.entries(configs).map(([name, value]) => [name, 0, value]),
      );
    for (const [configs, message] of REFUSED) {
      it(`refuses ${whose} ${JSON.stringify(configs)}`, () => {
        expect(set(configs)).to.deep.equal([INVALID_REQUEST, message]);
      });
    }
    for (const configs of TAKEN) {
      it(`lets ${whose} have ${JSON.stringify(configs)}`, () => {
        expect(set(configs)).to.deep.equal([0, null]);
      });
    }
  }

  it('looks at retention on this disk only where a config of logs changes', () => {
    const cluster = new Cluster({ properties: { 'log.retention.ms': '10', 'log.local.retention.ms': '11' } });
    const set = (name: string, value: string) => cluster.alter(ConfigResourceType.BROKER, '1', [[name, 0, value]]);
    expect(set('message.max.bytes', '5')).to.deep.equal([0, null]);
    expect(set('log.retention.ms', '9')[0]).to.equal(INVALID_REQUEST);
    expect(set('log.retention.ms', '11')).to.deep.equal([0, null]);
  });

  it('changes no listener of a broker that runs, and reads what it is asked for', () => {
    const properties = {
      listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      'controller.listener.names': 'CONTROLLER',
      'process.roles': 'broker,controller',
    };
    const set = (name: string, value: string) =>
      new Cluster({ properties }).alter(ConfigResourceType.BROKER, '1', [[name, 0, value]])[1];
    const listeners = (value: string) => set('listeners', value);
    expect(listeners('CONTROLLER://:9093,PLAINTEXT://:9092')).to.equal(null);
    expect(listeners('PLAINTEXT://:9094,CONTROLLER://:9093')).to.include('listeners cannot be changed from PLAINTEXT://:9092');
    expect(listeners('nowhere')).to.equal('Unable to parse a listener name from nowhere');
    expect(listeners('PLAINTEXT://:9092')).to.include('must contain at least one value appearing in');
    expect(listeners('OTHER://:1')).to.equal(
      "Error creating broker listeners from '[OTHER://:1]': No security protocol defined for listener OTHER",
    );
    const map = (value: string) => set('listener.security.protocol.map', value);
    expect(map('PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,MORE:SSL')).to.equal(null);
    expect(map('PLAINTEXT:SSL,CONTROLLER:PLAINTEXT')).to.equal(
      dynamic('Security protocol cannot be updated for existing listener ListenerName(PLAINTEXT)'),
    );
    expect(map('PLAINTEXT:TLS')).to.equal('Invalid security protocol `TLS` defined in listener.security.protocol.map');
  });

  const problemOf = (properties: Readonly<Record<string, string>>): string | null =>
    brokerRequirementProblem({
      perBroker: new Map(),
      clusterDefault: new Map(),
      properties: new Map(Object.entries(properties)),
    });

  it('is the same at a start, limits of zero and retention on this disk left out', () => {
    for (const [configs, message] of REFUSED) {
      if (message.startsWith('Invalid value org') || message.startsWith('Configuration')) continue;
      expect(problemOf(configs), JSON.stringify(configs)).to.equal(message);
    }
    expect(problemOf({ 'max.connections': '0', 'log.retention.ms': '10', 'log.local.retention.ms': '11' })).to.equal(null);
    expect(problemOf({ 'log.retention.hours': '0' })).to.include('log.retention.ms must be unlimited');
    expect(problemOf({ 'queued.max.request.bytes': '100' })).to.include('must be larger or equal to socket.request.max.bytes');
    expect(problemOf({ 'connections.max.idle.ms': '50' })).to.include(
      'connection.failed.authentication.delay.ms=100 should always',
    );
    expect(problemOf({ 'replica.lag.time.max.ms': '499' })).to.include('replica.fetch.wait.max.ms should always be less');
    expect(problemOf({ 'offsets.topic.compression.codec': '5' })).to.equal('Unknown compression type id: 5');
    expect(problemOf({ 'group.share.assignors': 'simple,org.apache.kafka.Other' })).to.include('but found 2');
    expect(problemOf({ 'group.streams.assignors': 'sticky,mine' })).to.include('Invalid value mine for configuration');
    expect(problemOf({ 'group.coordinator.rebalance.protocols': 'consumer' })).to.include("Disabling the 'classic' protocol");
    expect(problemOf({ 'principal.builder.class': 'java.lang.String' })).to.include('must implement KafkaPrincipalSerde');
  });
});
