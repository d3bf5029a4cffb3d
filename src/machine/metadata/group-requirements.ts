/**
 * How a broker's configs for groups have to stand to each other.
 *
 * Source: GroupCoordinatorConfig and ShareGroupConfig of Apache Kafka 4.4, in whose order and words they are checked.
 */
import { brokerConfigInForce } from './broker-values.ts';
import { type ConfigLayers, setBrokerConfig } from './config-sources.ts';
import { listOfText } from './list-value.ts';

type Relation = 'greater than or equal to' | 'less than or equal to' | 'less than';
type Pair = readonly [name: string, relation: Relation, other: string];

const HOLDS: Readonly<Record<Relation, (a: number, b: number) => boolean>> = {
  'greater than or equal to': (a, b) => a >= b,
  'less than or equal to': (a, b) => a <= b,
  'less than': (a, b) => a < b,
};

/** The interval or timeout of a kind of group is between its bounds, which are in order. */
const bounded = (kind: string, what: string): readonly Pair[] => [
  [`group.${kind}.max.${what}`, 'greater than or equal to', `group.${kind}.min.${what}`],
  [`group.${kind}.${what}`, 'greater than or equal to', `group.${kind}.min.${what}`],
  [`group.${kind}.${what}`, 'less than or equal to', `group.${kind}.max.${what}`],
];

const times = (kind: string): readonly Pair[] => [
  ...bounded(kind, 'heartbeat.interval.ms'),
  ...bounded(kind, 'session.timeout.ms'),
  [`group.${kind}.heartbeat.interval.ms`, 'less than', `group.${kind}.session.timeout.ms`],
];

const limited = (what: string): readonly Pair[] => [
  [`group.share.max.${what}`, 'greater than or equal to', `group.share.${what}`],
  [`group.share.${what}`, 'greater than or equal to', `group.share.min.${what}`],
];

const CONSUMER: readonly Pair[] = [...times('consumer'), ...bounded('consumer', 'assignment.interval.ms')];
const SHARE_ASSIGNMENT = bounded('share', 'assignment.interval.ms');
const STREAMS: readonly Pair[] = [
  ...times('streams'),
  ...bounded('streams', 'assignment.interval.ms'),
  ['group.streams.num.standby.replicas', 'less than or equal to', 'group.streams.max.standby.replicas'],
  ['group.streams.task.offset.interval.ms', 'greater than or equal to', 'group.streams.min.task.offset.interval.ms'],
  ['group.streams.num.warmup.replicas', 'less than or equal to', 'group.streams.max.warmup.replicas'],
];
const SHARE: readonly Pair[] = [
  ...limited('delivery.count.limit'),
  ...limited('partition.max.record.locks'),
  ['group.share.record.lock.duration.ms', 'greater than or equal to', 'group.share.min.record.lock.duration.ms'],
  ['group.share.max.record.lock.duration.ms', 'greater than or equal to', 'group.share.record.lock.duration.ms'],
  ['group.share.max.share.sessions', 'greater than or equal to', 'group.share.max.size'],
];

/** Assignors by the names that Apache Kafka gives its own; others are classes, and only its own classes can be there. */
const ASSIGNORS: readonly (readonly [config: string, own: readonly string[]])[] = [
  ['group.consumer.assignors', ['uniform', 'range']],
  ['group.streams.assignors', ['sticky']],
  ['group.share.assignors', ['simple']],
];
const OWN_CLASS = /^org\.apache\.kafka\.[\w.$]+$/;

export function groupRequirementProblem(layers: ConfigLayers): string | null {
  return (
    protocolsProblem(layers) ??
    codecProblem(layers, 'offsets.topic.compression.codec') ??
    assignorsProblem(layers) ??
    pairsProblem(layers, CONSUMER) ??
    pairsProblem(layers, times('share')) ??
    shareAssignorsProblem(layers) ??
    pairsProblem(layers, SHARE_ASSIGNMENT) ??
    pairsProblem(layers, STREAMS) ??
    tagsProblem(
      'group.streams.rack.aware.assignment.tags',
      setBrokerConfig(layers, 'group.streams.rack.aware.assignment.tags'),
    ) ??
    pairsProblem(layers, SHARE) ??
    codecProblem(layers, 'share.coordinator.state.topic.compression.codec')
  );
}

/** Tags are told before duplicates in lists are looked at, which at a start are dropped. */
function tagsProblem(name: string, text: string | undefined): string | null {
  const tags = listOfText(text ?? '');
  return new Set(tags).size < tags.length ? `${name} must not contain duplicate tag keys.` : null;
}

function pairsProblem(layers: ConfigLayers, pairs: readonly Pair[]): string | null {
  const valueOf = (name: string): number => Number(brokerConfigInForce(layers, name));
  const broken = pairs.find(([name, relation, other]) => !HOLDS[relation](valueOf(name), valueOf(other)));
  return broken === undefined ? null : `${broken[0]} must be ${broken[1]} ${broken[2]}`;
}

function protocolsProblem(layers: ConfigLayers): string | null {
  const protocols = listOfText(brokerConfigInForce(layers, 'group.coordinator.rebalance.protocols'));
  return protocols.includes('classic') ? null : "Disabling the 'classic' protocol is not supported.";
}

function codecProblem(layers: ConfigLayers, name: string): string | null {
  const id = Number(brokerConfigInForce(layers, name));
  return id >= 0 && id <= 4 ? null : `Unknown compression type id: ${id}`;
}

function assignorsProblem(layers: ConfigLayers): string | null {
  for (const [config, own] of ASSIGNORS) {
    const unknown = listOfText(brokerConfigInForce(layers, config)).find((one) => !own.includes(one) && !OWN_CLASS.test(one));
    if (unknown !== undefined) return `Invalid value ${unknown} for configuration ${config}: Class cannot be found`;
  }
  return null;
}

function shareAssignorsProblem(layers: ConfigLayers): string | null {
  const name = 'group.share.assignors';
  const count = listOfText(brokerConfigInForce(layers, name)).length;
  return count === 1 ? null : `${name} must contain exactly one assignor, but found ${count}`;
}
