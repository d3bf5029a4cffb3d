/**
 * The partitions that a topic gets, placed by the controller or as a request says: which requests make sense, and what is said of the others.
 *
 * Checks, their order and their texts are those of Apache Kafka's ReplicationControlManager. All partitions of a request or none.
 */
import type { CreatePartitionsRequest } from '../../wire/generated/create-partitions.ts';
import type { CreateTopicsRequestCreatableTopic } from '../../wire/generated/create-topics.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { ApiError, Surroundings } from './decision.ts';
import { MAX_RECORDS_PER_OPERATION, TOO_LARGE } from './operation-errors.ts';
import { isCordoned, newPartition, placeReplicas } from './replica-placement.ts';
import type { PartitionImage, TopicImage } from './topic-image.ts';

export type NewPartitions =
  | { readonly ok: true; readonly partitions: readonly PartitionImage[] }
  | { readonly ok: false; readonly error: ApiError };

const failed = (error: ErrorCode, message: string | null): { readonly ok: false; readonly error: ApiError } => ({
  ok: false,
  error: { error, message },
});

/** Of a topic whose request gives counts alone. */
export function placedPartitions(topic: CreateTopicsRequestCreatableTopic, around: Surroundings): NewPartitions {
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
  return partitionsOn(placement.replicas, 0, around);
}

function partitionsOn(placed: readonly (readonly number[])[], firstIndex: number, around: Surroundings): NewPartitions {
  const partitions: PartitionImage[] = [];
  for (const [i, replicas] of placed.entries()) {
    const partition = newPartition(firstIndex + i, replicas, around);
    if (partition === undefined) {
      const message = `Unable to replicate the partition ${replicas.length} time(s): All brokers are currently fenced or in controlled shutdown.`;
      return failed(ErrorCode.INVALID_REPLICATION_FACTOR, message);
    }
    partitions.push(partition);
  }
  return { ok: true, partitions };
}

/** Of a topic whose request says where each partition goes. */
export function manualPartitions(topic: CreateTopicsRequestCreatableTopic, around: Surroundings): NewPartitions {
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
): NewPartitions {
  const problem = assignmentProblem(brokerIds, factor, around);
  if (problem !== null) return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem);
  const partition = newPartition(index, brokerIds, around);
  if (partition !== undefined) return { ok: true, partitions: [partition] };
  const message = `All brokers specified in the manual partition assignment for partition ${index} are fenced or in controlled shutdown.`;
  return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}

/** What is wrong with where a request wants a partition; null when nothing is. `factor` is how many replicas there have to be. */
export function assignmentProblem(brokerIds: readonly number[], factor: number | undefined, around: Surroundings): string | null {
  if (brokerIds.length === 0) return 'The manual partition assignment includes an empty replica list.';
  let previous: number | undefined;
  for (const broker of [...brokerIds].sort((a, b) => a - b)) {
    if (!around.image.brokers.has(broker)) {
      return `The manual partition assignment includes broker ${broker}, but no such broker is registered.`;
    }
    if (isCordoned(around.image.brokers.get(broker))) {
      return `The manual partition assignment includes broker ${broker}, but all its log directories are cordoned.`;
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

/** Of a topic that exists. */
export function addedPartitions(
  topic: CreatePartitionsRequest['topics'][number],
  image: TopicImage,
  around: Surroundings,
): NewPartitions {
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
  return partitionsOn(placement.replicas, existing, around);
}

function assignedPartitions(
  assignments: readonly { readonly brokerIds: readonly number[] }[],
  firstIndex: number,
  factor: number,
  around: Surroundings,
): NewPartitions {
  const partitions: PartitionImage[] = [];
  for (const [i, { brokerIds }] of assignments.entries()) {
    const made = manualPartition(firstIndex + i, brokerIds, factor, around);
    if (!made.ok) return made;
    partitions.push(...made.partitions);
  }
  return { ok: true, partitions };
}
