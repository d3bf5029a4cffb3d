/**
 * Where Blumfeld's defaults differ from Apache Kafka's unless it is started like production: one broker is enough, and nobody waits. They hold only
 * for settings that nothing else sets, and count as set (DescribeConfigs shows them as static broker configs).
 */
export const DEVELOPMENT_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['group.initial.rebalance.delay.ms', '0'],
  ['offsets.topic.replication.factor', '1'],
  ['share.coordinator.state.topic.min.isr', '1'],
  ['share.coordinator.state.topic.replication.factor', '1'],
  ['transaction.state.log.min.isr', '1'],
  ['transaction.state.log.replication.factor', '1'],
]);

/** For the line that says the broker is ready. */
export const DEVELOPMENT_DEFAULTS_SAID = 'no rebalance delay, one replica';
