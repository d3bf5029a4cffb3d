/**
 * What Apache Kafka takes for a list (ConfigDef.ValidList of 4.4): nothing twice, nothing empty, and not every list may be without members.
 */
import type { ConfigFact } from '../../wire/generated/configs.ts';

/** A list in the form it is written in: split at commas, blanks around them dropped; empty text is the empty list. */
export function listOfText(text: string): readonly string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/);
}

/** Lists that have to name something, beside those that have to be there at all. */
const NOT_EMPTY: ReadonlySet<string> = new Set([
  'advertised.listeners',
  'group.consumer.assignors',
  'group.coordinator.rebalance.protocols',
  'group.share.assignors',
  'group.streams.assignors',
  'listeners',
  'log.dir',
  'log.dirs',
]);

/** These have rules of their own, which are not about lists. */
const OTHER_RULES: ReadonlySet<string> = new Set(['controller.quorum.bootstrap.servers', 'controller.quorum.voters']);

const REPLICAS = '[partitionId]:[brokerId]';

/** What a list names twice counts once. */
export function withoutRepetition({ name, valid }: ConfigFact, values: readonly string[]): readonly string[] {
  return valid?.startsWith(REPLICAS) === true || OTHER_RULES.has(name) ? values : [...new Set(values)];
}

/** What is wrong with the members, in Kafka's words; null when nothing is. `choice`: the only members there may be. */
export function listProblem(fact: ConfigFact, values: readonly string[], choice?: readonly string[]): string | null {
  const { name, valid } = fact;
  if (valid?.startsWith(REPLICAS) === true) return replicasProblem(name, valid, values);
  if (OTHER_RULES.has(name)) return null;
  if (values.length === 0 && (fact.required === true || NOT_EMPTY.has(name))) {
    return `Configuration '${name}' must not be empty. Valid values include: ${valid ?? 'any non-empty value'}`;
  }
  if (new Set(values).size < values.length) return `Configuration '${name}' values must not be duplicated.`;
  for (const value of values) {
    if (value === '') return `Configuration '${name}' values must not be empty.`;
    if (choice?.includes(value) === false) {
      return `Invalid value ${value} for configuration ${name}: String must be one of: ${choice.join(', ')}`;
    }
  }
  return null;
}

function replicasProblem(name: string, valid: string, values: readonly string[]): string | null {
  const everyReplica = values.every((v) => /^(\d+:\d+)?$/.test(v)) || values.join('') === '*';
  const rule = `${name} must be the literal '*' or a list of replicas in the following format: ${valid}`;
  return everyReplica ? null : `Invalid value [${values.join(', ')}] for configuration ${name}: ${rule}`;
}
