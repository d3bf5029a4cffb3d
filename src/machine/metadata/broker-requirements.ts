/**
 * What a broker refuses to be, although each of its configs is one that may be: at its start and while it runs.
 *
 * Source: KafkaConfig and what it is made of in Apache Kafka 4.4, in whose order and words they are checked.
 */
import { brokerConfigInForce, topicConfigInForce } from './broker-values.ts';
import { type ConfigLayers, setBrokerConfig } from './config-sources.ts';
import { connectionOverrides } from './connection-overrides.ts';
import { cordonProblem } from './cordoned-directories.ts';
import { groupRequirementProblem } from './group-requirements.ts';

/** How Apache Kafka begins most of these texts. */
export const REQUIREMENT = 'requirement failed: ';

const MEBIBYTE = 1024 * 1024;
const PRINCIPAL_BUILDER = 'principal.builder.class';
const DEFAULT_PRINCIPAL_BUILDER = 'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder';

/** Kafka's words; null when nothing is wrong. The types of all values have been checked. */
export function brokerRequirementProblem(layers: ConfigLayers): string | null {
  const required = (problem: string | null): string | null => (problem === null ? null : REQUIREMENT + problem);
  return (
    groupRequirementProblem(layers) ??
    required(logProblem(layers)) ??
    cleanerProblem(layers) ??
    required(replicaProblem(layers)) ??
    required(cordonProblem(layers)) ??
    required(requestMemoryProblem(layers)) ??
    overridesProblem(layers) ??
    required(idleProblem(layers) ?? principalProblem(layers))
  );
}

function logProblem(layers: ConfigLayers): string | null {
  if (topicConfigInForce(layers, 'segment.ms') < 1n) return 'log.roll.ms must be greater than or equal to 1';
  const jitterMs = BigInt(setBrokerConfig(layers, 'log.roll.jitter.ms')?.trim() ?? '0');
  if (jitterMs < 0n) return 'log.roll.jitter.ms must be greater than or equal to 0';
  return topicConfigInForce(layers, 'retention.ms') === 0n
    ? 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'
    : null;
}

function cleanerProblem(layers: ConfigLayers): string | null {
  const threads = Number(brokerConfigInForce(layers, 'log.cleaner.threads'));
  if (threads === 0) return '/ by zero';
  const bytes = Number(brokerConfigInForce(layers, 'log.cleaner.dedupe.buffer.size'));
  if (Math.trunc(bytes / threads) > MEBIBYTE) return null;
  return `${REQUIREMENT}log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.`;
}

function replicaProblem(layers: ConfigLayers): string | null {
  const [waitMs, socketTimeoutMs, lagMs] = [
    'replica.fetch.wait.max.ms',
    'replica.socket.timeout.ms',
    'replica.lag.time.max.ms',
  ].map((name) => Number(brokerConfigInForce(layers, name))) as [number, number, number];
  if (waitMs > socketTimeoutMs) {
    return 'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts';
  }
  return waitMs > lagMs
    ? 'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR'
    : null;
}

function requestMemoryProblem(layers: ConfigLayers): string | null {
  const bytes = Number(brokerConfigInForce(layers, 'queued.max.request.bytes'));
  return bytes <= 0 || bytes >= Number(brokerConfigInForce(layers, 'socket.request.max.bytes'))
    ? null
    : 'queued.max.request.bytes must be larger or equal to socket.request.max.bytes';
}

function overridesProblem(layers: ConfigLayers): string | null {
  const overrides = connectionOverrides(brokerConfigInForce(layers, 'max.connections.per.ip.overrides'));
  const isZero = Number(brokerConfigInForce(layers, 'max.connections.per.ip')) === 0;
  if (overrides.ok && isZero && overrides.byHost.size === 0) {
    return `${REQUIREMENT}max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.`;
  }
  return overrides.ok ? null : overrides.problem;
}

function idleProblem(layers: ConfigLayers): string | null {
  const [idle, delay] = ['connections.max.idle.ms', 'connection.failed.authentication.delay.ms'] as const;
  const [idleMs, delayMs] = [brokerConfigInForce(layers, idle), brokerConfigInForce(layers, delay)];
  if (Number(idleMs) < 0 || Number(delayMs) < Number(idleMs)) return null;
  return `${delay}=${delayMs} should always be less than ${idle}=${idleMs} to prevent failed authentication responses from timing out`;
}

function principalProblem(layers: ConfigLayers): string | null {
  return brokerConfigInForce(layers, PRINCIPAL_BUILDER) === DEFAULT_PRINCIPAL_BUILDER
    ? null
    : `${PRINCIPAL_BUILDER} must implement KafkaPrincipalSerde`;
}
