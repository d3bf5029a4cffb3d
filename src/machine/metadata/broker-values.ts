/** What is in force for a broker's configs, those that stand in for one another included. */
import { BROKER_CONFIG_FACTS, type ConfigLayers, setBrokerConfig } from './config-sources.ts';
import { parseConfig } from './config-value.ts';
import { TOPIC_CONFIG_FACTS, topicConfigValue } from './topic-configs.ts';

/** What is in force for a broker config, as DescribeConfigs shows it; the empty text where it has no value at all. */
export function brokerConfigInForce(layers: ConfigLayers, name: string): string {
  const fact = BROKER_CONFIG_FACTS.get(name);
  const set = setBrokerConfig(layers, name);
  if (fact === undefined || set === undefined) return set ?? fact?.default ?? '';
  const parsed = parseConfig(fact, set);
  return parsed.ok ? (parsed.shown ?? '') : set;
}

/** What is in force for topics that set nothing themselves: a time in milliseconds, whatever unit the broker's config has. */
export function topicConfigInForce(layers: ConfigLayers, name: string): bigint {
  const fact = TOPIC_CONFIG_FACTS.get(name);
  if (fact === undefined) throw new Error(`${name} is no topic config`);
  return BigInt(topicConfigValue(fact, new Map(), layers) ?? '0');
}
