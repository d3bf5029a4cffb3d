/** What a group's configs may be: each within its own bounds, and within those that the broker sets for all groups (KIP-848, KIP-932, KIP-1071). */
import { ConfigSource } from '../../wire/config-resource.ts';
import { type ConfigFact, GROUP_CONFIGS } from '../../wire/generated/configs.ts';
import { GROUP_DEFINITION, undefinedName, valueError } from './config-definition.ts';
import { parseConfig } from './config-value.ts';
import { listOfText } from './list-value.ts';
import {
  BROKER_CONFIG_FACTS,
  type ConfigLayers,
  type ConfigSynonym,
  type EffectiveConfig,
  brokerConfigSynonyms,
  setBrokerConfig,
} from './config-sources.ts';

/** Group config, the broker config below which it may not be, the one above which it may not be. Only what a group sets itself is held to them. */
const BOUNDS: readonly (readonly [string, string | null, string | null])[] = [
  ['consumer.heartbeat.interval.ms', 'group.consumer.min.heartbeat.interval.ms', 'group.consumer.max.heartbeat.interval.ms'],
  ['consumer.session.timeout.ms', 'group.consumer.min.session.timeout.ms', 'group.consumer.max.session.timeout.ms'],
  ['consumer.assignment.interval.ms', 'group.consumer.min.assignment.interval.ms', 'group.consumer.max.assignment.interval.ms'],
  ['share.heartbeat.interval.ms', 'group.share.min.heartbeat.interval.ms', 'group.share.max.heartbeat.interval.ms'],
  ['share.session.timeout.ms', 'group.share.min.session.timeout.ms', 'group.share.max.session.timeout.ms'],
  ['share.record.lock.duration.ms', 'group.share.min.record.lock.duration.ms', 'group.share.max.record.lock.duration.ms'],
  ['share.delivery.count.limit', 'group.share.min.delivery.count.limit', 'group.share.max.delivery.count.limit'],
  [
    'share.partition.max.record.locks',
    'group.share.min.partition.max.record.locks',
    'group.share.max.partition.max.record.locks',
  ],
  ['share.assignment.interval.ms', 'group.share.min.assignment.interval.ms', 'group.share.max.assignment.interval.ms'],
  ['streams.heartbeat.interval.ms', 'group.streams.min.heartbeat.interval.ms', 'group.streams.max.heartbeat.interval.ms'],
  ['streams.session.timeout.ms', 'group.streams.min.session.timeout.ms', 'group.streams.max.session.timeout.ms'],
  ['streams.num.standby.replicas', null, 'group.streams.max.standby.replicas'],
  ['streams.assignment.interval.ms', 'group.streams.min.assignment.interval.ms', 'group.streams.max.assignment.interval.ms'],
  ['streams.task.offset.interval.ms', 'group.streams.min.task.offset.interval.ms', null],
  ['streams.num.warmup.replicas', null, 'group.streams.max.warmup.replicas'],
];

const TAGS = 'streams.rack.aware.assignment.tags';

const TIMEOUTS: readonly (readonly [string, string])[] = [
  ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms'],
  ['share.session.timeout.ms', 'share.heartbeat.interval.ms'],
  ['streams.session.timeout.ms', 'streams.heartbeat.interval.ms'],
];

const GROUP_CONFIG_FACTS: ReadonlyMap<string, ConfigFact> = new Map(GROUP_CONFIGS.map((fact) => [fact.name, fact]));

/** The value in force for a group, as text. */
function groupConfigValue(fact: ConfigFact, own: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  const set = own.get(fact.name) ?? (typeof fact.broker === 'string' ? brokerValue(fact.broker, layers) : undefined);
  if (set === undefined || set === null) return fact.default ?? null;
  const parsed = parseConfig(fact, set);
  return parsed.ok ? parsed.shown : set;
}

/** The text of what is wrong with a group's whole set of configs; null when nothing is. */
export function groupConfigsError(configs: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  const unknown = undefinedName(configs, GROUP_DEFINITION);
  if (unknown !== undefined) return `Unknown group config name: ${unknown}`;
  return (
    tagsError(configs) ??
    valueError(configs, GROUP_DEFINITION) ??
    boundsError(configs, layers) ??
    assignorError(configs, layers) ??
    timeoutsError(configs, layers) ??
    deadLetterError(configs)
  );
}

/** Looked at before any value is parsed. */
function tagsError(configs: ReadonlyMap<string, string>): string | null {
  const tags = listOfText(configs.get(TAGS) ?? '');
  return new Set(tags).size === tags.length ? null : `${TAGS} must not contain duplicate tag keys.`;
}

function boundsError(configs: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  for (const [name, min, max] of BOUNDS) {
    const text = configs.get(name);
    if (text === undefined) continue;
    const least = min === null ? null : Number(brokerValue(min, layers));
    const most = max === null ? null : Number(brokerValue(max, layers));
    const value = Number(text);
    if (!(least !== null && value < least) && !(most !== null && value > most)) continue;
    if (least === null) return `${name} must be less than or equal to ${most}`;
    return most === null
      ? `${name} must be greater than or equal to ${least}`
      : `${name} must be in the range ${least} to ${most} inclusive.`;
  }
  return null;
}

function assignorError(configs: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  const assignor = configs.get('streams.assignor.name');
  if (assignor === undefined) return null;
  const registered = (brokerValue('group.streams.assignors', layers) ?? '').split(',').map((one) => one.trim());
  if (registered.includes(assignor.trim())) return null;
  return `streams.assignor.name '${assignor.trim()}' is not a registered task assignor. Registered assignors are: [${registered.join(', ')}].`;
}

function timeoutsError(configs: ReadonlyMap<string, string>, layers: ConfigLayers): string | null {
  const valueOf = (name: string): number => {
    const fact = GROUP_CONFIG_FACTS.get(name);
    return Number(fact === undefined ? null : groupConfigValue(fact, configs, layers));
  };
  for (const [session, heartbeat] of TIMEOUTS) {
    if (!configs.has(session) && !configs.has(heartbeat)) continue;
    if (valueOf(session) <= valueOf(heartbeat)) return `${session} must be greater than ${heartbeat}`;
  }
  return null;
}

function deadLetterError(configs: ReadonlyMap<string, string>): string | null {
  const isInternal = configs.get('errors.deadletterqueue.topic.name')?.startsWith('__') === true;
  return isInternal ? "errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'" : null;
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
