/**
 * The configs of a kind of resource in the order in which Apache Kafka defines them (LogConfig, GroupConfig, ClientMetricsConfigs). It is the order in which values are
 * looked at (ConfigDef.parse), so that of several wrong ones the same is named.
 */
import { CLIENT_METRICS_CONFIGS, type ConfigFact, GROUP_CONFIGS, TOPIC_CONFIGS } from '../../wire/generated/configs.ts';
import { javaHashMapOrder } from '../../wire/java-hash.ts';
import { parseConfig } from './config-value.ts';

export type ConfigDefinition = ReadonlyMap<string, ConfigFact>;

function defined(facts: readonly ConfigFact[], order: readonly string[]): ConfigDefinition {
  const byName = new Map(facts.map((fact) => [fact.name, fact]));
  return new Map(
    order.map((name) => {
      const fact = byName.get(name);
      if (fact === undefined) throw new Error(`${name} has a place among configs and is none of protocol/configs.json`);
      return [name, fact];
    }),
  );
}

export const TOPIC_DEFINITION = defined(TOPIC_CONFIGS, [
  'segment.bytes',
  'segment.ms',
  'segment.jitter.ms',
  'segment.index.bytes',
  'flush.messages',
  'flush.ms',
  'retention.bytes',
  'retention.ms',
  'max.message.bytes',
  'max.decompressed.message.bytes',
  'index.interval.bytes',
  'delete.retention.ms',
  'min.compaction.lag.ms',
  'max.compaction.lag.ms',
  'file.delete.delay.ms',
  'min.cleanable.dirty.ratio',
  'cleanup.policy',
  'unclean.leader.election.enable',
  'min.insync.replicas',
  'compression.type',
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.zstd.level',
  'preallocate',
  'message.timestamp.type',
  'message.timestamp.before.max.ms',
  'message.timestamp.after.max.ms',
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
  'remote.storage.enable',
  'local.retention.ms',
  'local.retention.bytes',
  'remote.log.copy.disable',
  'remote.copy.lag.ms',
  'remote.copy.lag.bytes',
  'remote.log.delete.on.disable',
  'errors.deadletterqueue.group.enable',
  'internal.segment.bytes',
]);

export const GROUP_DEFINITION = defined(GROUP_CONFIGS, [
  'consumer.session.timeout.ms',
  'consumer.heartbeat.interval.ms',
  'consumer.assignment.interval.ms',
  'consumer.assignor.offload.enable',
  'share.session.timeout.ms',
  'share.heartbeat.interval.ms',
  'share.record.lock.duration.ms',
  'share.delivery.count.limit',
  'share.partition.max.record.locks',
  'share.auto.offset.reset',
  'share.isolation.level',
  'share.renew.acknowledge.enable',
  'share.assignment.interval.ms',
  'share.assignor.offload.enable',
  'streams.session.timeout.ms',
  'streams.heartbeat.interval.ms',
  'streams.num.standby.replicas',
  'streams.initial.rebalance.delay.ms',
  'streams.assignment.interval.ms',
  'streams.assignor.offload.enable',
  'streams.task.offset.interval.ms',
  'streams.num.warmup.replicas',
  'streams.rack.aware.assignment.tags',
  'streams.acceptable.recovery.lag',
  'streams.assignor.name',
  'errors.deadletterqueue.topic.name',
  'errors.deadletterqueue.copy.record.enable',
]);

export const CLIENT_METRICS_DEFINITION = defined(CLIENT_METRICS_CONFIGS, ['metrics', 'interval.ms', 'match']);

/** The first name that is not defined, in the order in which a hash map of all of them is gone through. */
export function undefinedName(configs: ReadonlyMap<string, string>, definition: ConfigDefinition): string | undefined {
  return javaHashMapOrder([...configs.keys()], (name) => name).find((name) => !definition.has(name));
}

/** What is wrong with the first wrong value; null when all are good. */
export function valueError(configs: ReadonlyMap<string, string>, definition: ConfigDefinition): string | null {
  for (const [name, fact] of definition) {
    const text = configs.get(name);
    const parsed = text === undefined ? undefined : parseConfig(fact, text);
    if (parsed?.ok === false) return parsed.message;
  }
  return null;
}
