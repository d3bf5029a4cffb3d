/** Which broker configs may be changed at run time, and what the values in force are (KIP-226). */
import { ConfigSource } from '../../wire/config-resource.ts';
import { BROKER_CONFIGS, type ConfigFact } from '../../wire/generated/configs.ts';
import { parseConfig } from './config-value.ts';
import {
  BROKER_CONFIG_FACTS,
  type ConfigLayers,
  type EffectiveConfig,
  brokerConfigSynonyms,
  setBrokerConfig,
} from './config-sources.ts';

/** These are told per listener, or not at all while the broker runs. */
const PER_LISTENER_CONFIGS: ReadonlySet<string> = new Set([
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.key.password',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.truststore.certificates',
]);

const LISTENER_PREFIX = /^listener\.name\.[^.]*\.(.*)$/;

/**
 * The text of what is wrong with a broker's (or all brokers', then `perBroker` is false) whole set of run-time configs; null when nothing is.
 * Unknown names are let through, as in Kafka: they may be for a plug-in.
 */
export function brokerConfigsError(configs: ReadonlyMap<string, string>, perBroker: boolean): string | null {
  const names = [...configs.keys()];
  const fixed = names.filter((name) => BROKER_CONFIG_FACTS.get(name)?.update === 'read-only');
  if (fixed.length > 0) return `Cannot update these configs dynamically: [${fixed.join(', ')}]`;
  const security = names.filter((name) => PER_LISTENER_CONFIGS.has(name));
  if (security.length > 0) {
    const rule = 'These security configs can be dynamically updated only per-listener using the listener prefix';
    return `${rule}: [${security.join(', ')}]`;
  }
  for (const [name, text] of configs) {
    const fact = BROKER_CONFIG_FACTS.get(LISTENER_PREFIX.exec(name)?.[1] ?? name);
    const parsed = fact === undefined ? undefined : parseConfig(fact, text);
    if (parsed?.ok === false) return parsed.message;
  }
  const own = perBroker ? [] : names.filter(isPerBrokerConfig);
  if (own.length === 0) return null;
  return `Cannot update these configs at default cluster level, broker id must be specified: [${own.join(', ')}]`;
}

function isPerBrokerConfig(name: string): boolean {
  return BROKER_CONFIG_FACTS.get(name)?.update === 'per-broker' || LISTENER_PREFIX.test(name);
}

/** What one broker's configs come to, sorted by name; internal and never set ones left out as Kafka does. */
export function effectiveBrokerConfigs(layers: ConfigLayers): readonly EffectiveConfig[] {
  const configs: EffectiveConfig[] = [];
  for (const fact of BROKER_CONFIGS) {
    const set = setBrokerConfig(layers, fact.name);
    if (set === undefined && (fact.internal === true || fact.dynamicOnly === true)) continue;
    configs.push(effectiveConfig(fact, set, layers));
  }
  return configs;
}

function effectiveConfig(fact: ConfigFact, set: string | undefined, layers: ConfigLayers): EffectiveConfig {
  const sensitive = fact.type === 'PASSWORD';
  const synonyms = brokerConfigSynonyms(layers, fact.name, sensitive);
  const source = synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG;
  return { fact, name: fact.name, value: sensitive ? null : shownBrokerValue(fact, set), source, synonyms };
}

/** What was set for all brokers at run time, and nothing else. */
export function clusterDefaultConfigs(layers: ConfigLayers): readonly EffectiveConfig[] {
  return [...layers.clusterDefault].map(([name, text]) => {
    const fact = BROKER_CONFIG_FACTS.get(name) ?? { name, type: 'STRING', importance: 'LOW', sensitive: true };
    const sensitive = fact.type === 'PASSWORD' || fact.sensitive === true;
    const synonyms = brokerConfigSynonyms(layers, name, sensitive).filter(
      (synonym) => synonym.source === ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
    );
    return { fact, name, value: sensitive ? null : text, source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, synonyms };
  });
}

function shownBrokerValue(fact: ConfigFact, set: string | undefined): string | null {
  if (set === undefined) return fact.default ?? null;
  const parsed = parseConfig(fact, set);
  return parsed.ok ? parsed.shown : set;
}
