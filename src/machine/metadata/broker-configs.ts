/** Which broker configs may be changed at run time, and what the values in force are (KIP-226). */
import { ConfigSource } from '../../wire/config-resource.ts';
import { BROKER_CONFIGS, type ConfigFact } from '../../wire/generated/configs.ts';
import { parseConfig } from './config-value.ts';
import {
  BROKER_CONFIG_FACTS,
  type ConfigLayers,
  type EffectiveConfig,
  brokerConfigSynonyms,
  listenerConfigBase,
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

/** Looked at before anything is checked, and not again. */
const UNCHECKED: ReadonlySet<string> = new Set(['config.providers']);

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
    const fact = BROKER_CONFIG_FACTS.get(listenerConfigBase(name) ?? name);
    const parsed = fact === undefined || UNCHECKED.has(name) ? undefined : parseConfig(fact, text, 'refused');
    if (parsed?.ok === false) return parsed.message;
  }
  const own = perBroker ? [] : names.filter(isPerBrokerConfig);
  if (own.length === 0) return null;
  return `Cannot update these configs at default cluster level, broker id must be specified: [${own.join(', ')}]`;
}

function isPerBrokerConfig(name: string): boolean {
  return BROKER_CONFIG_FACTS.get(name)?.update === 'per-broker' || listenerConfigBase(name) !== undefined;
}

/** What one broker's configs come to, sorted by name, with what is set for a listener alone; internal and never set ones left out as Kafka does. */
export function effectiveBrokerConfigs(layers: ConfigLayers): readonly EffectiveConfig[] {
  const configs: EffectiveConfig[] = [];
  for (const fact of BROKER_CONFIGS) {
    const set = setBrokerConfig(layers, fact.name);
    if (set === undefined && (fact.internal === true || fact.dynamicOnly === true)) continue;
    configs.push(effectiveConfig(fact, set, layers));
  }
  const more = new Set([...layers.perBroker.keys(), ...layers.clusterDefault.keys(), ...layers.properties.keys()]);
  for (const name of more) if (!BROKER_CONFIG_FACTS.has(name)) configs.push(unlistedConfig(name, layers));
  return configs.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of a name that is in no list: a config of one listener, told as it was set and never as one that may change, or nobody knows what. */
function unlistedConfig(name: string, layers: ConfigLayers): EffectiveConfig {
  const base = BROKER_CONFIG_FACTS.get(listenerConfigBase(name) ?? '');
  const isUnknown = base === undefined;
  const fact: ConfigFact = { name, type: base?.type ?? 'STRING', importance: 'LOW', sensitive: isUnknown };
  const isSensitive = isUnknown || base.type === 'PASSWORD';
  const synonyms = brokerConfigSynonyms(layers, name, isSensitive);
  const value = isSensitive ? null : (setBrokerConfig(layers, name) ?? null);
  return { fact, isUnknown, name, value, source: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG, synonyms };
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
    const listed = BROKER_CONFIG_FACTS.get(name);
    const { fact, isUnknown } = listed === undefined ? unlistedConfig(name, layers) : { fact: listed, isUnknown: false };
    const sensitive = fact.type === 'PASSWORD' || fact.sensitive === true;
    const synonyms = brokerConfigSynonyms(layers, name, sensitive).filter(
      (synonym) => synonym.source === ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
    );
    const source = ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG;
    return { fact, isUnknown: isUnknown === true, name, value: sensitive ? null : text, source, synonyms };
  });
}

function shownBrokerValue(fact: ConfigFact, set: string | undefined): string | null {
  if (set === undefined) return fact.default ?? null;
  const parsed = parseConfig(fact, set);
  return parsed.ok ? parsed.shown : set;
}
