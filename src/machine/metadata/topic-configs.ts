/** What topic configs may be and what they come to: a topic's own values before the brokers' (KIP-226), those before the built-in ones. */
import { ConfigSource } from '../../wire/config-resource.ts';
import { type ConfigFact, TOPIC_CONFIGS } from '../../wire/generated/configs.ts';
import { TOPIC_DEFINITION, undefinedName, valueError } from './config-definition.ts';
import { parseConfig } from './config-value.ts';
import {
  BROKER_CONFIG_FACTS,
  type ConfigLayers,
  type ConfigSynonym,
  type EffectiveConfig,
  brokerConfigSynonyms,
  setBrokerConfig,
} from './config-sources.ts';

interface BrokerFallback {
  readonly name: string;
  /** What a value of it is multiplied by. */
  readonly factor: number;
}

/** In the order of their names, as the contract has them. */
export const TOPIC_CONFIG_FACTS: ReadonlyMap<string, ConfigFact> = new Map(TOPIC_CONFIGS.map((fact) => [fact.name, fact]));

const FALLBACKS: ReadonlyMap<string, readonly BrokerFallback[]> = new Map(
  TOPIC_CONFIGS.map((fact) => [fact.name, fallbacksOf(fact)]),
);

/**
 * All topic configs of a topic, sorted by name, as DescribeConfigs shows them; internal ones only where they are set. `own` is what was set for
 * the topic.
 */
export function effectiveTopicConfigs(own: ReadonlyMap<string, string>, layers: ConfigLayers): readonly EffectiveConfig[] {
  const configs: EffectiveConfig[] = [];
  for (const fact of TOPIC_CONFIGS) {
    if (fact.internal === true && !own.has(fact.name)) continue;
    configs.push(effectiveTopicConfig(fact, own, layers));
  }
  return configs;
}

function effectiveTopicConfig(fact: ConfigFact, own: ReadonlyMap<string, string>, layers: ConfigLayers): EffectiveConfig {
  const name = fact.name;
  const value = topicConfigValue(fact, own, layers);
  const main = FALLBACKS.get(name)?.[0];
  const inherited: readonly ConfigSynonym[] = main === undefined ? [] : brokerConfigSynonyms(layers, main.name, false);
  const synonyms = own.has(name) ? [{ name, value, source: ConfigSource.DYNAMIC_TOPIC_CONFIG }, ...inherited] : inherited;
  return { fact, name, value, source: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG, synonyms };
}

/** The value in force, as text in the form that DescribeConfigs shows. */
export function topicConfigValue(fact: ConfigFact, own: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  const set = own.get(fact.name);
  if (set !== undefined) return shown(fact, set);
  for (const fallback of FALLBACKS.get(fact.name) ?? []) {
    const value = setBrokerConfig(layers, fallback.name) ?? BROKER_CONFIG_FACTS.get(fallback.name)?.default;
    if (value !== undefined && value !== null) return inTopicUnit(fact, value, fallback.factor);
  }
  return fact.default ?? null;
}

/** The configs that CreateTopics answers with (v5 and up): the first layer that has a value gives value and source (KIP-525). */
export function createdTopicConfigs(own: ReadonlyMap<string, string>, layers: ConfigLayers): readonly EffectiveConfig[] {
  const configs: EffectiveConfig[] = [];
  for (const fact of TOPIC_CONFIGS) {
    if (fact.internal === true && !own.has(fact.name)) continue;
    const { value, source } = createdValue(fact, own, layers);
    configs.push({ fact, name: fact.name, value, source, synonyms: [] });
  }
  return configs;
}

function createdValue(
  fact: ConfigFact,
  own: ReadonlyMap<string, string>,
  layers: ConfigLayers,
): { readonly value: string | null; readonly source: number } {
  const set = own.get(fact.name);
  if (set !== undefined) return { value: set, source: ConfigSource.DYNAMIC_TOPIC_CONFIG };
  const fallbacks = FALLBACKS.get(fact.name) ?? [];
  const ranked = [
    { values: layers.perBroker, source: ConfigSource.DYNAMIC_BROKER_CONFIG },
    { values: layers.clusterDefault, source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG },
    { values: layers.properties, source: ConfigSource.STATIC_BROKER_CONFIG },
  ];
  for (const { values, source } of ranked) {
    for (const { name, factor } of fallbacks) {
      const value = values.get(name);
      if (value !== undefined) return { value: factor === 1 ? value : inTopicUnit(fact, value, factor), source };
    }
  }
  return { value: fact.default ?? null, source: ConfigSource.DEFAULT_CONFIG };
}

/**
 * The text of what is wrong with a topic's whole set of configs; null when nothing is. Checks names, each value, and what they say together with the
 * brokers' values (Kafka's LogConfig.validate). Tiered storage is not there, so no topic may ask for it.
 */
export function topicConfigsError(configs: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  const unknown = undefinedName(configs, TOPIC_DEFINITION);
  if (unknown !== undefined) return `Unknown topic config name: ${unknown}`;
  const wrong = valueError(configs, TOPIC_DEFINITION);
  if (wrong !== null) return wrong;
  const valueOf = (name: string): string => {
    const fact = TOPIC_CONFIG_FACTS.get(name);
    return (fact === undefined ? null : topicConfigValue(fact, configs, layers)) ?? '';
  };
  const minLag = valueOf('min.compaction.lag.ms');
  const maxLag = valueOf('max.compaction.lag.ms');
  if (BigInt(minLag) > BigInt(maxLag)) {
    return `conflict topic config setting min.compaction.lag.ms (${minLag}) > max.compaction.lag.ms (${maxLag})`;
  }
  if (valueOf('remote.storage.enable') === 'true') {
    return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.';
  }
  return null;
}

function shown(fact: ConfigFact, text: string): string | null {
  const parsed = parseConfig(fact, text);
  return parsed.ok ? parsed.shown : text;
}

/** A time in a coarser unit becomes milliseconds; below zero means "never" and is -1. */
function inTopicUnit(fact: ConfigFact, text: string, factor: number): string | null {
  const value = shown(fact, text);
  if (value === null) return null;
  if (factor !== 1) return value.startsWith('-') ? '-1' : String(BigInt(value) * BigInt(factor));
  return fact.name === 'retention.ms' && value.startsWith('-') ? '-1' : value;
}

function fallbacksOf(fact: ConfigFact): readonly BrokerFallback[] {
  if (fact.broker === undefined || typeof fact.broker === 'string') return [];
  return fact.broker.map(({ name, factor }) => ({ name, factor: factor ?? 1 }));
}
