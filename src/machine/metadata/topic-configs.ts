/** What topic configs may be and what they come to: a topic's own values before the brokers' (KIP-226), those before the built-in ones. */
import type { ConfigFact } from '../../wire/generated/configs.ts';
import type { BrokerConfigs } from './decision.ts';
import type { MetadataImage } from './image.ts';

/** Kafka's numbers of where a config's value comes from (DescribeConfigs, KIP-226). */
export const ConfigSource = {
  UNKNOWN: 0,
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  CLIENT_METRICS_CONFIG: 7,
  GROUP_CONFIG: 8,
} as const;

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

export interface EffectiveConfig {
  readonly fact: ConfigFact;
  readonly name: string;
  /** As text, in the form that DescribeConfigs shows; null where it has none. */
  readonly value: string | null;
  readonly source: number;
  /** Where the value comes from and what it would fall back to, best first. */
  readonly synonyms: readonly ConfigSynonym[];
}

/** All topic configs of a topic, sorted by name. */
export declare function effectiveTopicConfigs(
  own: ReadonlyMap<string, string>,
  image: MetadataImage,
  nodeId: number,
  brokerConfigs: BrokerConfigs,
): readonly EffectiveConfig[];

/** The text of what is wrong with these values for a topic; null when nothing is. */
export declare function topicConfigsError(
  configs: ReadonlyMap<string, string>,
  existing: ReadonlyMap<string, string>,
  brokerConfigs: BrokerConfigs,
): string | null;
