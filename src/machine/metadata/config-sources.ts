/**
 * Where a broker config's value comes from (KIP-226): set for this broker at run time, for all brokers at run time, in its properties, or built in.
 * Topic and group configs fall back to broker configs, so these come first.
 */
import { ConfigResourceType, ConfigSource } from '../../wire/config-resource.ts';
import { BROKER_CONFIGS, type ConfigFact } from '../../wire/generated/configs.ts';
import type { BrokerConfigs } from './decision.ts';
import type { MetadataImage } from './image.ts';

export interface ConfigSynonym {
  readonly name: string;
  /** Null when it is sensitive. */
  readonly value: string | null;
  readonly source: number;
}

export interface EffectiveConfig {
  readonly fact: ConfigFact;
  /** A name that is no config's, which Apache Kafka keeps for a plug-in that may know it: of no type, and told to nobody. */
  readonly isUnknown?: boolean;
  readonly name: string;
  /** As text, in the form that DescribeConfigs shows; null where it has none or is sensitive. */
  readonly value: string | null;
  readonly source: number;
  /** Where the value comes from and what it would fall back to, best first. */
  readonly synonyms: readonly ConfigSynonym[];
}

/** What a broker's configs come from; all that effective values are computed of. */
export interface ConfigLayers {
  readonly perBroker: ReadonlyMap<string, string>;
  readonly clusterDefault: ReadonlyMap<string, string>;
  readonly properties: ReadonlyMap<string, string>;
}

/** Broker configs that stand in for one another, the finest unit first; the value counts in the first one's unit. */
const SYNONYM_GROUPS: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
];

const FLUSH_SYNONYMS = ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'];

export const BROKER_CONFIG_FACTS: ReadonlyMap<string, ConfigFact> = new Map(BROKER_CONFIGS.map((fact) => [fact.name, fact]));

export function configLayers(image: MetadataImage, nodeId: number, brokerConfigs: BrokerConfigs): ConfigLayers {
  return {
    perBroker: image.configsOf(ConfigResourceType.BROKER, String(nodeId)),
    clusterDefault: image.configsOf(ConfigResourceType.BROKER, ''),
    properties: brokerConfigs.explicit(),
  };
}

/** The text that was set for a broker config, the run-time layers first; undefined when only the default is left. */
export function setBrokerConfig(layers: ConfigLayers, name: string): string | undefined {
  return layers.perBroker.get(name) ?? layers.clusterDefault.get(name) ?? layers.properties.get(name);
}

/**
 * All layers that have a value for a broker config or for one that stands in for it, best first. What comes before the first layer of the config
 * itself is left out, as in Kafka: a retention in hours alone is no synonym of the one in milliseconds.
 */
export function brokerConfigSynonyms(layers: ConfigLayers, name: string, sensitive: boolean): readonly ConfigSynonym[] {
  const names = synonymNames(name);
  const found: ConfigSynonym[] = [];
  const collect = (values: { get(name: string): string | null | undefined }, source: number): void => {
    for (const synonym of names) {
      const value = values.get(synonym);
      if (value !== undefined && value !== null) found.push({ name: synonym, value: sensitive ? null : value, source });
    }
  };
  collect(layers.perBroker, ConfigSource.DYNAMIC_BROKER_CONFIG);
  collect(layers.clusterDefault, ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
  collect(layers.properties, ConfigSource.STATIC_BROKER_CONFIG);
  collect({ get: defaultOf }, ConfigSource.DEFAULT_CONFIG);
  const own = found.findIndex((synonym) => synonym.name === name);
  return own === -1 ? [] : found.slice(own);
}

/** What may only be set at run time has a value in force where nobody set one, but no default that is told. */
function defaultOf(name: string): string | null | undefined {
  const fact = BROKER_CONFIG_FACTS.get(name);
  return fact?.dynamicOnly === true ? undefined : fact?.default;
}

const OF_LISTENER = /^listener\.name\.[^.]*\.(.*)$/;

/** The config that `name` sets for one listener alone, as in `listener.name.internal.max.connections`; undefined where it sets none. */
export function listenerConfigBase(name: string): string | undefined {
  return OF_LISTENER.exec(name)?.[1];
}

function synonymNames(name: string): readonly string[] {
  const base = listenerConfigBase(name);
  if (base !== undefined) return [name, base];
  if (name === 'log.flush.interval.ms') return FLUSH_SYNONYMS;
  return SYNONYM_GROUPS.find((group) => group.includes(name)) ?? [name];
}
