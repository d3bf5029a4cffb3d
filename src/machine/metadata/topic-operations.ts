/** CreateTopics, DeleteTopics and CreatePartitions as the controller decides them (Kafka's ReplicationControlManager). */
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponseCreatePartitionsTopicResultDraft,
} from '../../wire/generated/create-partitions.ts';
import type {
  CreateTopicsRequest,
  CreateTopicsRequestCreatableTopic,
  CreateTopicsResponseCreatableTopicResultDraft,
} from '../../wire/generated/create-topics.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponseDeletableTopicResultDraft } from '../../wire/generated/delete-topics.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import { ZERO_UUID } from '../../wire/uuid.ts';
import { checkedTopicConfigs } from './config-operations.ts';
import { configLayers } from './config-sources.ts';
import type { ApiError, Decision, Surroundings } from './decision.ts';
import { MAX_RECORDS_PER_OPERATION, TOO_LARGE, UNKNOWN_TOPIC, UNKNOWN_TOPIC_ID } from './operation-errors.ts';
import { partitionRecord, recordVersions } from './record-versions.ts';
import { newPartition, placeReplicas } from './replica-placement.ts';
import { createdTopicConfigs } from './topic-configs.ts';
import type { PartitionImage, TopicImage } from './topic-image.ts';
import { CLUSTER_METADATA_TOPIC, topicNameError } from '../../wire/topic-name.ts';

const MAX_PARTITIONS_PER_REQUEST = 10_000;

type TopicResult = CreateTopicsResponseCreatableTopicResultDraft;
type Partitions =
  | { readonly ok: true; readonly partitions: readonly PartitionImage[] }
  | { readonly ok: false; readonly error: ApiError };

const failed = (error: ErrorCode, message: string | null): { readonly ok: false; readonly error: ApiError } => ({
  ok: false,
  error: { error, message },
});

/** Topics that a request names once and that are not to be refused before anything else come first, in its order; then the others. */
export function createTopics(request: CreateTopicsRequest, around: Surroundings): Decision<TopicResult[]> {
  const duplicates = repeated(request.topics.map((topic) => topic.name));
  const candidates = request.topics.filter(({ name }) => !duplicates.has(name) && name !== CLUSTER_METADATA_TOPIC);
  const defaultPartitions = around.brokerConfigs.int('num.partitions');
  if (totalPartitions(candidates, defaultPartitions) > MAX_PARTITIONS_PER_REQUEST) {
    const error = { error: ErrorCode.POLICY_VIOLATION, message: 'Excessively large number of partitions per request.' };
    return { records: [], reply: request.topics.map(({ name }) => failedTopic(name, error)) };
  }
  const records: MetadataRecordDraft[] = [];
  const results: TopicResult[] = candidates.map((topic) => createTopic(topic, records, around));
  if (records.length > MAX_RECORDS_PER_OPERATION) {
    return { records: [], reply: request.topics.map(({ name }) => failedTopic(name, TOO_LARGE)) };
  }
  for (const name of duplicates) {
    results.push(failedTopic(name, { error: ErrorCode.INVALID_REQUEST, message: 'Duplicate topic name.' }));
  }
  if (request.topics.some(({ name }) => name === CLUSTER_METADATA_TOPIC) && !duplicates.has(CLUSTER_METADATA_TOPIC)) {
    const message = `Creation of internal topic ${CLUSTER_METADATA_TOPIC} is prohibited.`;
    results.push(failedTopic(CLUSTER_METADATA_TOPIC, { error: ErrorCode.INVALID_REQUEST, message }));
  }
  return { records: request.validateOnly ? [] : records, reply: results };
}

function createTopic(
  topic: CreateTopicsRequestCreatableTopic,
  records: MetadataRecordDraft[],
  around: Surroundings,
): TopicResult {
  const { name } = topic;
  const refusal = nameProblem(name, around);
  if (refusal !== null) return failedTopic(name, refusal);
  const configs = checkedTopicConfigs(topic, around);
  if (!configs.ok) return failedTopic(name, configs.error);
  const placed = topic.assignments.length > 0 ? manualPartitions(topic, around) : placedPartitions(topic, around);
  if (!placed.ok) return failedTopic(name, placed.error);

  const topicId = around.uuid();
  const version = recordVersions(around.image).partitionRecord;
  records.push({ kind: 'TopicRecord', value: { name, topicId }, version: 0 }, ...configs.records);
  for (const partition of placed.partitions) records.push(partitionRecord(topicId, partition, version));
  return {
    name,
    topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: placed.partitions.length,
    replicationFactor: placed.partitions[0]?.replicas.length ?? 0,
    configs: createdTopicConfigs(configs.configs, configLayers(around.image, around.nodeId, around.brokerConfigs)).map(
      (config) => ({
        name: config.name,
        value: config.value,
        readOnly: false,
        configSource: config.source,
        isSensitive: false,
      }),
    ),
  };
}

function failedTopic(name: string, { error, message }: ApiError): TopicResult {
  return { name, errorCode: error, errorMessage: message, configs: [] };
}

function nameProblem(name: string, around: Surroundings): ApiError | null {
  if (around.image.topicsByName.has(name)) {
    return { error: ErrorCode.TOPIC_ALREADY_EXISTS, message: `Topic '${name}' already exists.` };
  }
  const [other] = name.includes('.') || name.includes('_') ? (around.image.collidingTopics(name) ?? []) : [];
  if (other !== undefined) {
    return { error: ErrorCode.INVALID_TOPIC_EXCEPTION, message: `Topic '${name}' collides with existing topic: ${other}` };
  }
  const message = topicNameError(name);
  return message === null ? null : { error: ErrorCode.INVALID_TOPIC_EXCEPTION, message };
}

function placedPartitions(topic: CreateTopicsRequestCreatableTopic, around: Surroundings): Partitions {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    return failed(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    );
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    return failed(ErrorCode.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.');
  }
  const count = topic.numPartitions === -1 ? around.brokerConfigs.int('num.partitions') : topic.numPartitions;
  const factor =
    topic.replicationFactor === -1 ? around.brokerConfigs.int('default.replication.factor') : topic.replicationFactor;
  const placement = placeReplicas(count, factor, around);
  if (!placement.ok) {
    const message = `Unable to replicate the partition ${factor} time(s): ${placement.error.message}`;
    return failed(ErrorCode.INVALID_REPLICATION_FACTOR, message);
  }
  const partitions: PartitionImage[] = [];
  for (const [index, replicas] of placement.replicas.entries()) {
    const partition = newPartition(index, replicas, around);
    if (partition === undefined) return failed(ErrorCode.INVALID_REPLICATION_FACTOR, noneActive(factor));
    partitions.push(partition);
  }
  return { ok: true, partitions };
}

function noneActive(replicationFactor: number): string {
  return `Unable to replicate the partition ${replicationFactor} time(s): All brokers are currently fenced or in controlled shutdown.`;
}

function manualPartitions(topic: CreateTopicsRequestCreatableTopic, around: Surroundings): Partitions {
  const unset = (what: string): string => `A manual partition assignment was specified, but ${what} not set to -1.`;
  if (topic.replicationFactor !== -1) return failed(ErrorCode.INVALID_REQUEST, unset('replication factor was'));
  if (topic.numPartitions !== -1) return failed(ErrorCode.INVALID_REQUEST, unset('numPartitions was'));
  const byIndex = new Map<number, PartitionImage>();
  let factor: number | undefined;
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (byIndex.has(partitionIndex)) {
      const message = `Found multiple manual partition assignments for partition ${partitionIndex}`;
      return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
    }
    const made = manualPartition(partitionIndex, brokerIds, factor, around);
    if (!made.ok) return made;
    for (const partition of made.partitions) byIndex.set(partitionIndex, partition);
    factor = brokerIds.length;
  }
  const partitions: PartitionImage[] = [];
  for (let index = 0; index < byIndex.size; index++) {
    const partition = byIndex.get(index);
    if (partition === undefined) {
      return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'partitions should be a consecutive 0-based integer sequence');
    }
    partitions.push(partition);
  }
  return { ok: true, partitions };
}

function manualPartition(
  index: number,
  brokerIds: readonly number[],
  factor: number | undefined,
  around: Surroundings,
): Partitions {
  const problem = assignmentProblem(brokerIds, factor, around);
  if (problem !== null) return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem);
  const partition = newPartition(index, brokerIds, around);
  if (partition !== undefined) return { ok: true, partitions: [partition] };
  const message = `All brokers specified in the manual partition assignment for partition ${index} are fenced or in controlled shutdown.`;
  return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}

function assignmentProblem(brokerIds: readonly number[], factor: number | undefined, around: Surroundings): string | null {
  if (brokerIds.length === 0) return 'The manual partition assignment includes an empty replica list.';
  let previous: number | undefined;
  for (const broker of [...brokerIds].sort((a, b) => a - b)) {
    if (!around.image.brokers.has(broker)) {
      return `The manual partition assignment includes broker ${broker}, but no such broker is registered.`;
    }
    if (broker === previous) return `The manual partition assignment includes the broker ${broker} more than once.`;
    previous = broker;
  }
  if (factor === undefined || brokerIds.length === factor) return null;
  return (
    `The manual partition assignment includes a partition with ${brokerIds.length} replica(s), but this is not consistent with ` +
    `previous partitions, which have ${factor} replica(s).`
  );
}

function totalPartitions(topics: readonly CreateTopicsRequestCreatableTopic[], defaultPartitions: number): number {
  let total = 0;
  for (const { assignments, numPartitions } of topics) {
    if (assignments.length > 0) total += assignments.length;
    else if (numPartitions === -1) total += defaultPartitions;
    else if (numPartitions > 0) total += numPartitions;
  }
  return total;
}

/** By name (before v6, or with a null id) or by id; what is wrong in the request itself is answered first. */
export function deleteTopics(
  request: DeleteTopicsRequest,
  around: Surroundings,
): Decision<DeleteTopicsResponseDeletableTopicResultDraft[]> {
  const results: DeleteTopicsResponseDeletableTopicResultDraft[] = [];
  const answer = (name: string | null, topicId: string, { error, message }: ApiError): void => {
    results.push({ name, topicId, errorCode: error, errorMessage: message });
  };
  const wrong = (message: string): ApiError => ({ error: ErrorCode.INVALID_REQUEST, message });
  const names: string[] = [...request.topicNames];
  const ids: string[] = [];
  for (const { name, topicId } of request.topics) {
    if (name === null && topicId === ZERO_UUID) answer(null, ZERO_UUID, wrong('Neither topic name nor id were specified.'));
    else if (name === null) ids.push(topicId);
    else if (topicId === ZERO_UUID) names.push(name);
    else answer(name, topicId, wrong('You may not specify both topic name and topic id.'));
  }
  const duplicateNames = repeated(names);
  const duplicateIds = repeated(ids);
  for (const name of duplicateNames) answer(name, ZERO_UUID, wrong('Duplicate topic name.'));
  for (const id of duplicateIds) answer(null, id, wrong('Duplicate topic id.'));

  const doomed = new Map<string, TopicImage>();
  for (const id of ids) {
    if (duplicateIds.has(id)) continue;
    const topic = around.image.topicsById.get(id);
    if (topic === undefined) answer(null, id, UNKNOWN_TOPIC_ID);
    else doomed.set(id, topic);
  }
  for (const name of names) {
    if (duplicateNames.has(name)) continue;
    const topic = around.image.topicsByName.get(name);
    if (topic === undefined) {
      answer(name, ZERO_UUID, UNKNOWN_TOPIC);
    } else if (doomed.has(topic.id) || duplicateIds.has(topic.id)) {
      doomed.delete(topic.id);
      answer(name, topic.id, wrong('The provided topic name maps to an ID that was already supplied.'));
    } else {
      doomed.set(topic.id, topic);
    }
  }
  const records: MetadataRecordDraft[] = [];
  for (const topic of doomed.values()) {
    records.push({ kind: 'RemoveTopicRecord', value: { topicId: topic.id }, version: 0 });
    answer(topic.name, topic.id, { error: ErrorCode.NONE, message: null });
  }
  return { records, reply: results };
}

export function createPartitions(
  request: CreatePartitionsRequest,
  around: Surroundings,
): Decision<CreatePartitionsResponseCreatePartitionsTopicResultDraft[]> {
  const duplicates = repeated(request.topics.map((topic) => topic.name));
  const results: CreatePartitionsResponseCreatePartitionsTopicResultDraft[] = [];
  const records: MetadataRecordDraft[] = [];
  const version = recordVersions(around.image).partitionRecord;
  let additional = 0;
  for (const { name, count } of request.topics) {
    const existing = around.image.topicsByName.get(name)?.partitions.size;
    if (existing !== undefined && !duplicates.has(name)) additional += Math.max(0, count - existing);
  }
  if (additional > MAX_RECORDS_PER_OPERATION) {
    const errorMessage = 'Excessively large number of additional partitions per request.';
    return {
      records: [],
      reply: request.topics.map(({ name }) => ({ name, errorCode: ErrorCode.POLICY_VIOLATION, errorMessage })),
    };
  }
  for (const name of duplicates) {
    results.push({ name, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' });
  }
  for (const topic of request.topics) {
    if (duplicates.has(topic.name)) continue;
    const image = around.image.topicsByName.get(topic.name);
    const added =
      image === undefined
        ? ({ ok: false, error: { ...UNKNOWN_TOPIC, message: null } } as const)
        : addPartitions(topic, image, around);
    if (added.ok && image !== undefined) for (const p of added.partitions) records.push(partitionRecord(image.id, p, version));
    const { error, message } = added.ok ? { error: ErrorCode.NONE, message: null } : added.error;
    results.push({ name: topic.name, errorCode: error, errorMessage: message });
  }
  if (records.length > MAX_RECORDS_PER_OPERATION) {
    const reply = request.topics.map(({ name }) => ({ name, errorCode: TOO_LARGE.error, errorMessage: TOO_LARGE.message }));
    return { records: [], reply };
  }
  return { records: request.validateOnly ? [] : records, reply: results };
}

function addPartitions(topic: CreatePartitionsRequest['topics'][number], image: TopicImage, around: Surroundings): Partitions {
  const existing = image.partitions.size;
  if (topic.count === existing) return failed(ErrorCode.INVALID_PARTITIONS, `Topic already has ${existing} partition(s).`);
  if (topic.count < existing) {
    const message = `The topic ${topic.name} currently has ${existing} partition(s); ${topic.count} would not be an increase.`;
    return failed(ErrorCode.INVALID_PARTITIONS, message);
  }
  const additional = topic.count - existing;
  if (additional > MAX_RECORDS_PER_OPERATION) return { ok: false, error: TOO_LARGE };
  if (topic.assignments !== null && topic.assignments.length !== additional) {
    const message =
      `Attempted to add ${additional} additional partition(s), but only ${topic.assignments.length} ` +
      'assignment(s) were specified.';
    return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
  }
  const factor = image.partitions.get(0)?.replicas.length ?? 1;
  if (topic.assignments !== null) return assignedPartitions(topic.assignments, existing, factor, around);
  const placement = placeReplicas(additional, factor, around);
  if (!placement.ok) return placement;
  const partitions: PartitionImage[] = [];
  for (const [i, replicas] of placement.replicas.entries()) {
    const partition = newPartition(existing + i, replicas, around);
    if (partition === undefined) return failed(ErrorCode.INVALID_REPLICATION_FACTOR, noneActive(factor));
    partitions.push(partition);
  }
  return { ok: true, partitions };
}

function assignedPartitions(
  assignments: readonly { readonly brokerIds: readonly number[] }[],
  firstIndex: number,
  factor: number,
  around: Surroundings,
): Partitions {
  const partitions: PartitionImage[] = [];
  for (const [i, { brokerIds }] of assignments.entries()) {
    const made = manualPartition(firstIndex + i, brokerIds, factor, around);
    if (!made.ok) return made;
    partitions.push(...made.partitions);
  }
  return { ok: true, partitions };
}

/** What occurs more than once. */
function repeated(values: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) twice.add(value);
    seen.add(value);
  }
  return twice;
}
