/**
 * What a broker refuses to become while it runs, although each of its configs is one that may be changed (KIP-226): configs that do not go together,
 * and numbers of threads that are not near to what they were.
 *
 * Source: KafkaConfig.validateValues, DynamicBrokerConfig, DynamicThreadPool and LogCleaner.validateReconfiguration of Apache Kafka 4.4.
 */
import { cordonProblem } from './cordoned-directories.ts';
import { BROKER_CONFIG_FACTS, type ConfigLayers, setBrokerConfig } from './config-sources.ts';
import { parseConfig } from './config-value.ts';

const MEBIBYTE = 1024 * 1024;

/** In the order in which the pools are asked; threads that are no pool's here have no effect, and the same rules. */
const THREAD_POOLS = [
  'num.io.threads',
  'num.replica.fetchers',
  'num.recovery.threads.per.data.dir',
  'background.threads',
  'num.network.threads',
  'remote.log.reader.threads',
] as const;

/** What is in force for a broker config, as DescribeConfigs shows it; the empty text where it has no value at all. */
export function brokerConfigInForce(layers: ConfigLayers, name: string): string {
  const fact = BROKER_CONFIG_FACTS.get(name);
  const set = setBrokerConfig(layers, name);
  if (fact === undefined || set === undefined) return set ?? fact?.default ?? '';
  const parsed = parseConfig(fact, set);
  return parsed.ok ? (parsed.shown ?? '') : set;
}

/** Kafka's words for why the configs cannot go from `before` to `after`; null when they can. The types of all values have been checked. */
export function reconfigurationError(before: ConfigLayers, after: ConfigLayers): string | null {
  const problem = wholeProblem(after) ?? threadsProblem(before, after);
  return problem === null || problem.startsWith(REQUIREMENT) || problem === NO_THREADS ? problem : dynamic(problem);
}

const REQUIREMENT = 'requirement failed: ';
const NO_THREADS = '/ by zero';

/** The exception stands where the value would, and the message where the name would: so says Apache Kafka. */
const dynamic = (problem: string): string =>
  `Invalid value org.apache.kafka.common.config.ConfigException: ${problem} for configuration Invalid dynamic configuration`;

function wholeProblem(after: ConfigLayers): string | null {
  const cordon = cordonProblem(after);
  if (cordon !== null) return REQUIREMENT + cordon;
  const threads = Number(brokerConfigInForce(after, 'log.cleaner.threads'));
  if (threads === 0) return NO_THREADS;
  const bytes = Number(brokerConfigInForce(after, 'log.cleaner.dedupe.buffer.size'));
  if (Math.trunc(bytes / threads) > MEBIBYTE) return null;
  return `${REQUIREMENT}log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.`;
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
