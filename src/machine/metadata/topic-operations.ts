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
import { addedPartitions, manualPartitions, placedPartitions } from './new-partitions.ts';
import { MAX_RECORDS_PER_OPERATION, TOO_LARGE, UNKNOWN_TOPIC, UNKNOWN_TOPIC_ID, isSayable } from './operation-errors.ts';
import { partitionRecord, recordVersions } from './record-versions.ts';
import { createdTopicConfigs } from './topic-configs.ts';
import type { TopicImage } from './topic-image.ts';
import { CLUSTER_METADATA_TOPIC, topicNameError } from '../../wire/topic-name.ts';

const MAX_PARTITIONS_PER_REQUEST = 10_000;

type TopicResult = CreateTopicsResponseCreatableTopicResultDraft;

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
  return { records: request.validateOnly ? [] : records, reply: sayable(results) };
}

/** A text that is too long for an answer fails the whole of it. */
function sayable(results: TopicResult[]): TopicResult[] {
  if (results.every(({ errorMessage }) => isSayable(errorMessage ?? null))) return results;
  return results.map(({ name }) => failedTopic(name, { error: ErrorCode.UNKNOWN_SERVER_ERROR, message: null }));
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
        : addedPartitions(topic, image, around);
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
