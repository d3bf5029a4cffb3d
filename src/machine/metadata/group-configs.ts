/** What a group's configs may be: each within its own bounds, and within those that the broker sets for all groups (KIP-848, KIP-932, KIP-1071). */
import { ConfigSource } from '../../wire/config-resource.ts';
import { type ConfigFact, GROUP_CONFIGS } from '../../wire/generated/configs.ts';
import { parseConfig } from './config-value.ts';
import {
  BROKER_CONFIG_FACTS,
  type ConfigLayers,
  type ConfigSynonym,
  type EffectiveConfig,
  brokerConfigSynonyms,
  setBrokerConfig,
} from './config-sources.ts';

/** Group config, the broker config below which it may not be, the one above which it may not be; checked always, or only where it is set. */
const BOUNDS: readonly (readonly [string, string | null, string | null, 'always' | 'whenSet'])[] = [
  [
    'consumer.heartbeat.interval.ms',
    'group.consumer.min.heartbeat.interval.ms',
    'group.consumer.max.heartbeat.interval.ms',
    'always',
  ],
  ['consumer.session.timeout.ms', 'group.consumer.min.session.timeout.ms', 'group.consumer.max.session.timeout.ms', 'always'],
  [
    'consumer.assignment.interval.ms',
    'group.consumer.min.assignment.interval.ms',
    'group.consumer.max.assignment.interval.ms',
    'whenSet',
  ],
  ['share.heartbeat.interval.ms', 'group.share.min.heartbeat.interval.ms', 'group.share.max.heartbeat.interval.ms', 'always'],
  ['share.session.timeout.ms', 'group.share.min.session.timeout.ms', 'group.share.max.session.timeout.ms', 'always'],
  [
    'share.record.lock.duration.ms',
    'group.share.min.record.lock.duration.ms',
    'group.share.max.record.lock.duration.ms',
    'always',
  ],
  ['share.delivery.count.limit', 'group.share.min.delivery.count.limit', 'group.share.max.delivery.count.limit', 'always'],
  [
    'share.partition.max.record.locks',
    'group.share.min.partition.max.record.locks',
    'group.share.max.partition.max.record.locks',
    'always',
  ],
  ['share.assignment.interval.ms', 'group.share.min.assignment.interval.ms', 'group.share.max.assignment.interval.ms', 'whenSet'],
  [
    'streams.heartbeat.interval.ms',
    'group.streams.min.heartbeat.interval.ms',
    'group.streams.max.heartbeat.interval.ms',
    'always',
  ],
  ['streams.session.timeout.ms', 'group.streams.min.session.timeout.ms', 'group.streams.max.session.timeout.ms', 'always'],
  ['streams.num.standby.replicas', null, 'group.streams.max.standby.replicas', 'always'],
  [
    'streams.assignment.interval.ms',
    'group.streams.min.assignment.interval.ms',
    'group.streams.max.assignment.interval.ms',
    'whenSet',
  ],
];

const TIMEOUTS: readonly (readonly [string, string])[] = [
  ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms'],
  ['share.session.timeout.ms', 'share.heartbeat.interval.ms'],
  ['streams.session.timeout.ms', 'streams.heartbeat.interval.ms'],
];

export const GROUP_CONFIG_FACTS: ReadonlyMap<string, ConfigFact> = new Map(GROUP_CONFIGS.map((fact) => [fact.name, fact]));

/** The value in force for a group, as text. */
export function groupConfigValue(fact: ConfigFact, own: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  const set = own.get(fact.name) ?? (typeof fact.broker === 'string' ? brokerValue(fact.broker, layers) : undefined);
  if (set === undefined || set === null) return fact.default ?? null;
  const parsed = parseConfig(fact, set);
  return parsed.ok ? parsed.shown : set;
}

/** The text of what is wrong with a group's whole set of configs; null when nothing is. */
export function groupConfigsError(configs: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  for (const [name, text] of configs) {
    const fact = GROUP_CONFIG_FACTS.get(name);
    if (fact === undefined) return `Unknown group config name: ${name}`;
    const parsed = parseConfig(fact, text);
    if (!parsed.ok) return parsed.message;
  }
  const valueOf = (name: string): number => {
    const fact = GROUP_CONFIG_FACTS.get(name);
    return Number(fact === undefined ? null : groupConfigValue(fact, configs, layers));
  };
  for (const [name, min, max, when] of BOUNDS) {
    if (when === 'whenSet' && !configs.has(name)) continue;
    if (min !== null && valueOf(name) < Number(brokerValue(min, layers)))
      return `${name} must be greater than or equal to ${min}`;
    if (max !== null && valueOf(name) > Number(brokerValue(max, layers))) return `${name} must be less than or equal to ${max}`;
  }
  for (const [session, heartbeat] of TIMEOUTS) {
    if (valueOf(session) <= valueOf(heartbeat)) return `${session} must be greater than ${heartbeat}`;
  }
  return null;
}

function brokerValue(name: string, layers: ConfigLayers): string | null {
  return setBrokerConfig(layers, name) ?? BROKER_CONFIG_FACTS.get(name)?.default ?? null;
}

/** All configs of a group, sorted by name; internal ones only where they are set. */
export function effectiveGroupConfigs(own: ReadonlyMap<string, string>, layers: ConfigLayers): readonly EffectiveConfig[] {
  const shown = GROUP_CONFIGS.filter((fact) => fact.internal !== true || own.has(fact.name));
  return shown.map((fact) => {
    const { name } = fact;
    const value = groupConfigValue(fact, own, layers);
    const fallback: ConfigSynonym = { name, value: fact.default ?? null, source: ConfigSource.DEFAULT_CONFIG };
    const builtIn = fact.default === undefined || fact.default === null ? [] : [fallback];
    const inherited = typeof fact.broker === 'string' ? brokerConfigSynonyms(layers, fact.broker, false) : builtIn;
    const synonyms = own.has(name) ? [{ name, value, source: ConfigSource.GROUP_CONFIG }, ...inherited] : inherited;
    return { fact, name, value, source: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG, synonyms };
  });
}
