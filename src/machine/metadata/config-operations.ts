/**
 * IncrementalAlterConfigs (KIP-339) and AlterConfigs as broker and controller decide them together (Kafka's ConfigAdminManager and
 * ConfigurationControlManager). A resource is changed wholly or not at all.
 */
import { ConfigResourceType } from '../../wire/config-resource.ts';
import type {
  AlterConfigsRequest,
  AlterConfigsResponseAlterConfigsResourceResponseDraft,
} from '../../wire/generated/alter-configs.ts';
import { CLIENT_METRICS_CONFIGS, type ConfigFact, GROUP_CONFIGS } from '../../wire/generated/configs.ts';
import type { CreateTopicsRequestCreatableTopic } from '../../wire/generated/create-topics.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponseAlterConfigsResourceResponseDraft,
} from '../../wire/generated/incremental-alter-configs.ts';
import { javaHashMapOrder } from '../../wire/java-hash.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import { brokerConfigsError } from './broker-configs.ts';
import { clientMetricsConfigsError } from './client-metrics-configs.ts';
import { BROKER_CONFIG_FACTS, configLayers } from './config-sources.ts';
import type { ApiError, Decision, Surroundings } from './decision.ts';
import { groupConfigsError } from './group-configs.ts';
import { isSayable } from './operation-errors.ts';
import { reconfigurationError } from './reconfiguration.ts';
import { isElrEnabled } from './record-versions.ts';
import { TOPIC_CONFIG_FACTS, topicConfigsError } from './topic-configs.ts';
import { topicNameError } from '../../wire/topic-name.ts';

/** Kafka's numbers of what is done to one config. */
const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const;
const OPERATION_NAMES = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'];

const MAX_VALUE_LENGTH = 32767;
const MIN_ISR = 'min.insync.replicas';

interface Change {
  readonly name: string;
  readonly operation: number;
  readonly value: string | null;
}

type Altered =
  | { readonly ok: true; readonly records: readonly MetadataRecordDraft[] }
  | { readonly ok: false; readonly error: ApiError };
type Checked =
  | { readonly ok: true; readonly configs: ReadonlyMap<string, string>; readonly records: readonly MetadataRecordDraft[] }
  | { readonly ok: false; readonly error: ApiError };

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

const refused = (error: ErrorCode, message: string | null): { readonly ok: false; readonly error: ApiError } => ({
  ok: false,
  error: { error, message },
});
const invalidRequest = (message: string): { readonly ok: false; readonly error: ApiError } =>
  refused(ErrorCode.INVALID_REQUEST, message);
const invalidConfig = (message: string): { readonly ok: false; readonly error: ApiError } =>
  refused(ErrorCode.INVALID_CONFIG, message);

const FACTS: ReadonlyMap<number, ReadonlyMap<string, ConfigFact>> = new Map([
  [ConfigResourceType.TOPIC, TOPIC_CONFIG_FACTS],
  [ConfigResourceType.BROKER, BROKER_CONFIG_FACTS],
  [ConfigResourceType.CLIENT_METRICS, new Map(CLIENT_METRICS_CONFIGS.map((fact) => [fact.name, fact]))],
  [ConfigResourceType.GROUP, new Map(GROUP_CONFIGS.map((fact) => [fact.name, fact]))],
]);

export function incrementalAlterConfigs(
  request: IncrementalAlterConfigsRequest,
  around: Surroundings,
): Decision<IncrementalAlterConfigsResponseAlterConfigsResourceResponseDraft[]> {
  return alterEach(request.resources, request.validateOnly, around, (resource) => {
    const changes = resource.configs.map((c) => ({ name: c.name, operation: c.configOperation, value: c.value }));
    return incrementalChange(resource, changes, around);
  });
}

export function alterConfigs(
  request: AlterConfigsRequest,
  around: Surroundings,
): Decision<AlterConfigsResponseAlterConfigsResourceResponseDraft[]> {
  return alterEach(request.resources, request.validateOnly, around, (resource) => {
    const kept = new Set(resource.configs.map((config) => config.name));
    const current = around.image.configsOf(resource.resourceType, resource.resourceName);
    const dropped = [...current.keys()].filter((name) => !kept.has(name));
    return replacement(resource, dropped, around);
  });
}

/** One answer per resource, in the order of the request. */
function alterEach<R extends Resource>(
  resources: readonly R[],
  validateOnly: boolean,
  around: Surroundings,
  alter: (resource: R) => Altered,
): Decision<IncrementalAlterConfigsResponseAlterConfigsResourceResponseDraft[]> {
  const counts = new Map<string, number>();
  const keyOf = ({ resourceType, resourceName }: R): string => `${resourceType}:${resourceName}`;
  for (const resource of resources) counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1);
  const records: MetadataRecordDraft[] = [];
  const reply = resources.map((resource) => {
    const { resourceType, resourceName } = resource;
    const altered =
      (counts.get(keyOf(resource)) ?? 0) > 1
        ? invalidRequest('Each resource must appear at most once.')
        : (resourceProblem(resource, around) ?? alter(resource));
    if (altered.ok) records.push(...altered.records);
    const { error, message } = altered.ok ? { error: ErrorCode.NONE, message: null } : altered.error;
    return { resourceType, resourceName, errorCode: error, errorMessage: message };
  });
  return { records: validateOnly ? [] : [...records, ...clearedElrs(records, around)], reply: sayable(reply) };
}

/** A text that is too long for an answer fails the whole of it. */
function sayable<R extends { readonly errorMessage: string | null }>(reply: R[]): R[] {
  if (reply.every(({ errorMessage }) => isSayable(errorMessage))) return reply;
  return reply.map((one) => ({ ...one, errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null }));
}

/** What is wrong before any value is looked at. */
function resourceProblem(resource: Resource, around: Surroundings): { readonly ok: false; readonly error: ApiError } | undefined {
  const { resourceType, resourceName, configs } = resource;
  if (new Set(configs.map((config) => config.name)).size < configs.length)
    return invalidRequest('Error due to duplicate config keys');
  const isDelete = (config: object): boolean => 'configOperation' in config && config.configOperation === ConfigOperation.DELETE;
  const nulls = configs.filter((config) => config.value === null && !isDelete(config)).map((config) => config.name);
  if (nulls.length > 0) return invalidRequest(`Null value not supported for : ${nulls.join(', ')}`);
  if (!FACTS.has(resourceType)) return invalidRequest(`Unknown resource type ${resourceType}`);
  if (resourceType === ConfigResourceType.BROKER && resourceName !== '') return brokerNameProblem(resourceName, around.nodeId);
  return undefined;
}

function brokerNameProblem(name: string, nodeId: number): { readonly ok: false; readonly error: ApiError } | undefined {
  if (!/^[+-]?\d{1,10}$/.test(name)) return invalidRequest(`Node id must be an integer, but it is: ${name}`);
  if (Number(name) !== nodeId) return invalidRequest(`Unexpected broker id, expected ${nodeId}, but received ${name}`);
  return undefined;
}

function incrementalChange(resource: Resource, changes: readonly Change[], around: Surroundings): Altered {
  const { resourceType, resourceName } = resource;
  const current = around.image.configsOf(resourceType, resourceName);
  const isBroker = resourceType === ConfigResourceType.BROKER;
  const records: MetadataRecordDraft[] = [];
  // A broker looks through what is asked of brokers as it came, its controller through all else as a hash map has it.
  const inOrder = isBroker ? changes : javaHashMapOrder(changes, ({ name }) => name);
  const asked = new Map(current);
  for (const change of inOrder) {
    const changed = changedValue(resourceType, current.get(change.name) ?? null, change);
    if (typeof changed === 'object' && changed !== null) return changed;
    if (changed !== (current.get(change.name) ?? null) || isBroker) records.push(configRecord(resource, change.name, changed));
    if (changed === null) asked.delete(change.name);
    else asked.set(change.name, askedValue(current.get(change.name) ?? null, change) ?? changed);
  }
  // A broker checks what is about brokers before its controller checks anything.
  const early = isBroker ? resourceConfigsProblem(resource, asked, around) : undefined;
  const problem = early ?? valuesProblem(resource, records, around) ?? existenceProblem(resource, around);
  return problem ?? { ok: true, records };
}

/** What a broker makes of an addition: what the addition itself names twice stays twice, until the controller decides. */
function askedValue(current: string | null, { name, operation, value }: Change): string | undefined {
  if (operation !== ConfigOperation.APPEND) return undefined;
  const items = listed(current ?? BROKER_CONFIG_FACTS.get(name)?.default ?? '');
  return [...items, ...itemsOf(value ?? '').filter((item) => !items.includes(item))].join(',');
}

function changedValue(
  type: number,
  current: string | null,
  change: Change,
): string | null | { readonly ok: false; readonly error: ApiError } {
  const { name, operation, value } = change;
  if (operation === ConfigOperation.SET) return value;
  if (operation === ConfigOperation.DELETE) return null;
  const operationName = OPERATION_NAMES[operation];
  if (operationName === undefined) return invalidRequest(`Unknown operations type ${operation}`);
  // Whoever decides this knows the types of these two alone; elsewhere nothing is a list.
  const isTyped = type === ConfigResourceType.BROKER || type === ConfigResourceType.TOPIC;
  const fact = isTyped ? FACTS.get(type)?.get(name) : undefined;
  if (type === ConfigResourceType.BROKER) {
    if (fact === undefined || fact.dynamicOnly === true) return invalidConfig(`Unknown config name: ${name}`);
    if (fact.type !== 'LIST')
      return invalidConfig(`Config value ${operationName.toLowerCase()} is not allowed for config key: ${name}`);
  }
  if (fact?.type !== 'LIST') return invalidConfig(`Can't ${operationName} to key ${name} because its type is not LIST.`);
  // There is no default to add to, not even an empty one; nobody has thought of it.
  if (fact.required === true) return refused(ErrorCode.UNKNOWN_SERVER_ERROR, null);
  const items = listed(current ?? fact.default ?? '');
  const named = itemsOf(value ?? '');
  if (operation === ConfigOperation.APPEND)
    return [...items, ...named.filter((item, i) => !items.includes(item) && named.indexOf(item) === i)].join(',');
  for (const item of named) {
    const at = items.indexOf(item);
    if (at !== -1) items.splice(at, 1);
  }
  return items.join(',');
}

const listed = (text: string): string[] => text.split(',').filter((item) => item !== '');

/** As Java splits: what is empty at the end is none, but of nothing at all there is one. */
function itemsOf(text: string): string[] {
  const items = text.split(',');
  while (text !== '' && items[items.length - 1] === '') items.pop();
  return items;
}

/** Everything that the request does not name is dropped. */
function replacement(resource: Resource, dropped: readonly string[], around: Surroundings): Altered {
  const current = around.image.configsOf(resource.resourceType, resource.resourceName);
  const isBroker = resource.resourceType === ConfigResourceType.BROKER;
  const records = resource.configs
    .filter(({ name, value }) => isBroker || current.get(name) !== value)
    .map(({ name, value }) => configRecord(resource, name, value));
  records.push(...dropped.map((name) => configRecord(resource, name, null)));
  const asked = new Map(resource.configs.map(({ name, value }) => [name, value ?? '']));
  const early = isBroker ? resourceConfigsProblem(resource, asked, around) : undefined;
  const problem = early ?? valuesProblem(resource, records, around) ?? existenceProblem(resource, around);
  return problem ?? { ok: true, records };
}

type ConfigDraft = Extract<MetadataRecordDraft, { kind: 'ConfigRecord' }>;

function configRecord({ resourceType, resourceName }: Resource, name: string, value: string | null): ConfigDraft {
  return { kind: 'ConfigRecord', value: { resourceType, resourceName, name, value }, version: 0 };
}

function valuesProblem(
  resource: Resource,
  records: readonly MetadataRecordDraft[],
  around: Surroundings,
): { readonly ok: false; readonly error: ApiError } | undefined {
  const { resourceType, resourceName } = resource;
  const configs = new Map(around.image.configsOf(resourceType, resourceName));
  for (const record of records) {
    if (record.kind !== 'ConfigRecord') continue;
    const { name, value } = record.value;
    if (value === null) configs.delete(name);
    else configs.set(name, value);
  }
  const isBroker = resourceType === ConfigResourceType.BROKER;
  for (const record of records) {
    if (record.kind !== 'ConfigRecord') continue;
    const { name, value } = record.value;
    if (isBroker && name === MIN_ISR && isElrEnabled(around.image)) {
      if (resourceName !== '') return invalidConfig(`Broker-level ${MIN_ISR} cannot be altered while ELR is enabled.`);
      if (value === null) return invalidConfig(`Cluster-level ${MIN_ISR} cannot be removed while ELR is enabled.`);
    }
    if (value !== null && value.length > MAX_VALUE_LENGTH) {
      const limit = `it exceeds the maximum value size of ${MAX_VALUE_LENGTH} bytes.`;
      return invalidConfig(`The configuration value cannot be added because ${limit}`);
    }
  }
  return resourceConfigsProblem(resource, configs, around);
}

function resourceConfigsProblem(
  { resourceType, resourceName }: Resource,
  configs: ReadonlyMap<string, string>,
  around: Surroundings,
): { readonly ok: false; readonly error: ApiError } | undefined {
  const layers = configLayers(around.image, around.nodeId, around.brokerConfigs);
  switch (resourceType) {
    case ConfigResourceType.TOPIC: {
      if (resourceName === '') return invalidRequest('Default topic resources are not allowed.');
      const nameError = topicNameError(resourceName);
      if (nameError !== null) return refused(ErrorCode.INVALID_TOPIC_EXCEPTION, nameError);
      const message = topicConfigsError(configs, layers);
      return message === null ? undefined : invalidConfig(message);
    }
    case ConfigResourceType.BROKER: {
      const perBroker = resourceName !== '';
      const after = perBroker ? { ...layers, perBroker: configs } : { ...layers, clusterDefault: configs };
      const message = brokerConfigsError(configs, perBroker) ?? reconfigurationError(layers, after);
      return message === null ? undefined : invalidRequest(message);
    }
    case ConfigResourceType.CLIENT_METRICS: {
      const error = clientMetricsConfigsError(resourceName, configs);
      return error === null ? undefined : { ok: false, error };
    }
    default: {
      if (resourceName === '') return invalidRequest('Default group resources are not allowed.');
      const message = groupConfigsError(configs, layers);
      return message === null ? undefined : invalidConfig(message);
    }
  }
}

/** Only topics and brokers have to exist before they are configured. */
function existenceProblem(
  resource: Resource,
  around: Surroundings,
): { readonly ok: false; readonly error: ApiError } | undefined {
  const { resourceType, resourceName } = resource;
  if (resourceType === ConfigResourceType.TOPIC && !around.image.topicsByName.has(resourceName)) {
    return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${resourceName}' does not exist.`);
  }
  return undefined;
}

/** A changed least in-sync count makes the remembered eligible leaders meaningless (KIP-966). */
function clearedElrs(records: readonly MetadataRecordDraft[], around: Surroundings): MetadataRecordDraft[] {
  if (!isElrEnabled(around.image)) return [];
  const cleared: MetadataRecordDraft[] = [];
  for (const record of records) {
    if (record.kind !== 'ConfigRecord' || record.value.name !== MIN_ISR) continue;
    const topicName = record.value.resourceType === ConfigResourceType.TOPIC ? record.value.resourceName : '';
    cleared.push({ kind: 'ClearElrRecord', value: { topicName }, version: 0 });
  }
  return cleared;
}

/** The configs that a new topic asks for, checked, and the records that set them. */
export function checkedTopicConfigs(topic: CreateTopicsRequestCreatableTopic, around: Surroundings): Checked {
  const nulls = topic.configs.filter((config) => config.value === null).map((config) => config.name);
  if (nulls.length > 0) return invalidConfig(`Null value not supported for topic configs: ${nulls.join(',')}`);
  const configs = new Map(topic.configs.map(({ name, value }) => [name, value ?? '']));
  if (configs.size === 0) return { ok: true, configs, records: [] };
  const resource = { resourceType: ConfigResourceType.TOPIC, resourceName: topic.name, configs: [] };
  const records = [...configs].map(([name, value]) => configRecord(resource, name, value));
  const problem = valuesProblem(resource, records, around);
  return problem ?? { ok: true, configs, records: [...records, ...clearedElrs(records, around)] };
}
