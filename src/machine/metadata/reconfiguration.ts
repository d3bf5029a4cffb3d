/**
 * What a broker refuses to become while it runs, although each of its configs is one that may be changed (KIP-226): what it would not be at a start
 * either, and steps that are too large or that nobody here can take.
 *
 * Source: DynamicBrokerConfig, DynamicThreadPool, DynamicLogConfig, SocketServer and LogCleaner.validateReconfiguration of Apache Kafka 4.4.
 */
import { brokerRequirementProblem } from './broker-requirements.ts';
import { brokerConfigInForce, topicConfigInForce } from './broker-values.ts';
import { type ConfigLayers, setBrokerConfig } from './config-sources.ts';
import { listOfText } from './list-value.ts';
import { listenersProblem, unchangeableListeners } from './listener-requirements.ts';

/** In the order in which the pools are asked; threads that are no pool's here have no effect, and the same rules. */
const THREAD_POOLS = [
  'num.io.threads',
  'num.replica.fetchers',
  'num.recovery.threads.per.data.dir',
  'background.threads',
  'num.network.threads',
  'remote.log.reader.threads',
  'remote.log.manager.copier.thread.pool.size',
  'remote.log.manager.expiration.thread.pool.size',
  'remote.log.manager.follower.thread.pool.size',
] as const;

/** Kafka's words for why the configs cannot go from `before` to `after`; null when they can. The types of all values have been checked. */
export function reconfigurationError(before: ConfigLayers, after: ConfigLayers): string | null {
  const whole = listenersProblem(after) ?? brokerRequirementProblem(after);
  if (whole !== null) return whole;
  const step =
    reportersProblem(after) ??
    connectionsProblem(after) ??
    threadsProblem(before, after) ??
    localRetentionProblem(before, after) ??
    unchangeableListeners(before, after);
  return step === null ? null : dynamic(step);
}

/** The exception stands where the value would, and the message where the name would: so says Apache Kafka. */
const dynamic = (problem: string): string =>
  `Invalid value org.apache.kafka.common.config.ConfigException: ${problem} for configuration Invalid dynamic configuration`;

/** Reporters are classes of Java; Apache Kafka's own is the only one that can be meant. */
function reportersProblem(after: ConfigLayers): string | null {
  const name = 'metric.reporters';
  const own = 'org.apache.kafka.common.metrics.JmxReporter';
  if (setBrokerConfig(after, name) === undefined) return null;
  return listOfText(brokerConfigInForce(after, name)).every((reporter) => reporter === own)
    ? null
    : `Validation of dynamic config update of Set(${name}) failed with class class kafka.server.DynamicMetricsReporters`;
}

/** Zero is a limit that a broker may start with, and not one that it may be given. */
function connectionsProblem(after: ConfigLayers): string | null {
  const given = ['max.connections', 'max.connection.creation.rate'].find(
    (name) => (after.perBroker.has(name) || after.clusterDefault.has(name)) && Number(brokerConfigInForce(after, name)) <= 0,
  );
  return given === undefined ? null : `Invalid ${given} ${brokerConfigInForce(after, given)}`;
}

function threadsProblem(before: ConfigLayers, after: ConfigLayers): string | null {
  for (const name of THREAD_POOLS) {
    const [was, is] = [Number(brokerConfigInForce(before, name)), Number(brokerConfigInForce(after, name))];
    const failed = `Dynamic thread count update validation failed for ${name}=${is}, value should`;
    if (is < Math.trunc(was / 2)) return `${failed} be at least half the current value ${was}`;
    if (is > was * 2) return `${failed} not be greater than double the current value ${was}`;
  }
  return cleanerThreadsProblem(before, after);
}

function cleanerThreadsProblem(before: ConfigLayers, after: ConfigLayers): string | null {
  const name = 'log.cleaner.threads';
  if (brokerConfigInForce(after, 'log.cleaner.enable') !== 'true') return null;
  const [was, is] = [Number(brokerConfigInForce(before, name)), Number(brokerConfigInForce(after, name))];
  if (is < Math.trunc(was / 2)) return `Log cleaner threads cannot be reduced to less than half the current value ${was}`;
  return is > was * 2 ? `Log cleaner threads cannot be increased to more than double the current value ${was}` : null;
}

/** How the config of all records, the one of those on this disk and the one of those on their way elsewhere are called, for times and for sizes. */
const RETENTIONS = [
  ['log.retention.ms', 'log.local.retention.ms', 'log.remote.copy.lag.ms', 'retention.ms'],
  ['log.retention.bytes', 'log.local.retention.bytes', 'log.remote.copy.lag.bytes', 'retention.bytes'],
] as const;

/** Looked at only where a config of logs is changed, as in Apache Kafka: a start is refused nothing of this. */
function localRetentionProblem(before: ConfigLayers, after: ConfigLayers): string | null {
  const isChanged = (name: string): boolean => setBrokerConfig(before, name) !== setBrokerConfig(after, name);
  if (!RETENTIONS.flat().some(isChanged)) return null;
  for (const [all, local, , topic] of RETENTIONS) {
    const [most, kept] = [topicConfigInForce(after, topic), BigInt(brokerConfigInForce(after, local))];
    if (most < 0n || kept === -2n) continue;
    const refused = `Invalid value ${kept} for configuration ${local}: Value must not be`;
    if (kept === -1n) return `${refused} -1 as ${all} value is set as ${most}.`;
    if (kept > most) return `${refused} more than ${all} property value: ${most}`;
  }
  for (const [, local, lag, topic] of RETENTIONS) {
    const [own, value] = [BigInt(brokerConfigInForce(after, local)), BigInt(brokerConfigInForce(after, lag))];
    const kept = own === -2n ? topicConfigInForce(after, topic) : own;
    if (value <= 0n || kept < 0n || value <= kept) continue;
    return `Invalid value ${value} for configuration ${lag}: Value must not exceed ${local} (effective value: ${kept})`;
  }
  return null;
}
