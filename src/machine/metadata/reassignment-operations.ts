/**
 * AlterPartitionReassignments as the controller decides it (Kafka's ReplicationControlManager, KIP-455, KIP-860).
 *
 * Nothing is copied to another broker here. What needs nobody else is done at once: another order of replicas, or the end of those that are gone. A replica
 * for a broker that is registered but gone is waited for until the reassignment is cancelled, as in Kafka.
 */
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponseDraft,
} from '../../wire/generated/alter-partition-reassignments.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { ApiError, Decision, Surroundings } from './decision.ts';
import { assignmentProblem } from './new-partitions.ts';
import { allowsUncleanElection, type Assignment, assignmentChange } from './partition-change.ts';
import type { PartitionImage, TopicImage } from './topic-image.ts';

type Reply = Omit<AlterPartitionReassignmentsResponseDraft, 'throttleTimeMs'>;
type Target = AlterPartitionReassignmentsRequest['topics'][number]['partitions'][number];
type Assigned = { readonly ok: true; readonly assignment: Assignment } | { readonly ok: false; readonly error: ApiError };

interface Place {
  readonly topic: TopicImage;
  readonly partition: PartitionImage;
}

const failed = (error: ErrorCode, message: string | null): { readonly ok: false; readonly error: ApiError } => ({
  ok: false,
  error: { error, message },
});

/** Each partition by itself; what is decided for all of them is recorded together. */
export function alterPartitionReassignments(request: AlterPartitionReassignmentsRequest, around: Surroundings): Decision<Reply> {
  const { allowReplicationFactorChange, topics } = request;
  // An empty request does not come as far as the controller's own answer, whose fields differ.
  if (topics.length === 0) {
    const reply = { allowReplicationFactorChange: true, errorCode: ErrorCode.NONE, errorMessage: '', responses: [] };
    return { records: [], reply };
  }
  const records: MetadataRecordDraft[] = [];
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((target) => {
      const { error, message } = alter(name, target, allowReplicationFactorChange, records, around);
      return { partitionIndex: target.partitionIndex, errorCode: error, errorMessage: message };
    }),
  }));
  return { records, reply: { allowReplicationFactorChange, errorCode: ErrorCode.NONE, errorMessage: null, responses } };
}

function alter(
  name: string,
  target: Target,
  mayChangeFactor: boolean,
  records: MetadataRecordDraft[],
  around: Surroundings,
): ApiError {
  const unknown = (message: string): ApiError => ({ error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message });
  const topic = around.image.topicsByName.get(name);
  if (topic === undefined) return unknown(`Unable to find a topic named ${name}.`);
  const partition = topic.partitions.get(target.partitionIndex);
  if (partition === undefined) return unknown(`Unable to find partition ${name}:${target.partitionIndex}.`);
  const place = { topic, partition };
  const assigned = target.replicas === null ? cancelled(place, around) : changed(place, target.replicas, mayChangeFactor, around);
  if (!assigned.ok) return assigned.error;
  const record = assignmentChange(around, topic, partition, assigned.assignment);
  if (record !== undefined) records.push(record);
  return { error: ErrorCode.NONE, message: null };
}

const isReassigned = ({ addingReplicas, removingReplicas }: PartitionImage): boolean =>
  addingReplicas.length > 0 || removingReplicas.length > 0;

/** Who was to come goes, who was to go stays. */
function cancelled({ topic, partition }: Place, around: Surroundings): Assigned {
  if (!isReassigned(partition)) return failed(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, null);
  const stays = (broker: number): boolean => !partition.addingReplicas.includes(broker);
  const replicas = partition.replicas.filter(stays);
  const isr = partition.isr.filter(stays);
  if (isr.length === 0 && replicas.length === 0) {
    const message = 'Invalid replica assignment: addingReplicas contains all replicas.';
    return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
  }
  if (isr.length === 0 && !allowsUncleanElection(around, topic)) {
    const what = `Unable to revert partition assignment for ${topic.name}:${partition.index}`;
    return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, `${what} because it would require an unclean leader election.`);
  }
  const inSync = isr.length === 0 ? replicas.slice(0, 1) : isr;
  return { ok: true, assignment: { replicas, isr: inSync, removingReplicas: [], addingReplicas: [] } };
}

function changed({ partition }: Place, target: readonly number[], mayChangeFactor: boolean, around: Surroundings): Assigned {
  const problem = assignmentProblem(target, undefined, around);
  if (problem !== null) return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem);
  const factor = factorOf(partition);
  if (!mayChangeFactor && factor !== target.length) {
    const message = `The replication factor is changed from ${factor} to ${target.length}`;
    return failed(ErrorCode.INVALID_REPLICATION_FACTOR, message);
  }
  const removing = inOrder(partition.replicas.filter((broker) => !target.includes(broker)));
  const adding = inOrder(target.filter((broker) => !partition.replicas.includes(broker)));
  const assignment = {
    replicas: [...target, ...removing],
    isr: partition.isr,
    removingReplicas: removing.length > 0 ? removing : partition.removingReplicas,
    addingReplicas: adding.length > 0 ? adding : partition.addingReplicas,
  };
  return { ok: true, assignment: completed(assignment) };
}

/** How many replicas the partition has once a reassignment under way is through. */
function factorOf({ replicas, addingReplicas, removingReplicas }: PartitionImage): number {
  const all = new Set([...replicas, ...addingReplicas]);
  for (const broker of removingReplicas) all.delete(broker);
  return all.size;
}

/** The assignment without those that are to go, once all others are in sync; as it is before that. */
function completed(assignment: Assignment): Assignment {
  const { removingReplicas, addingReplicas } = assignment;
  if (removingReplicas.length === 0 && addingReplicas.length === 0) return assignment;
  const stays = (broker: number): boolean => !removingReplicas.includes(broker);
  const replicas = assignment.replicas.filter(stays);
  const isr = assignment.isr.filter(stays);
  if (isr.length === 0 || replicas.length === 0 || !replicas.every((broker) => isr.includes(broker))) return assignment;
  return { replicas, isr, removingReplicas: [], addingReplicas: [] };
}

const inOrder = (brokers: readonly number[]): readonly number[] => [...brokers].sort((a, b) => a - b);
