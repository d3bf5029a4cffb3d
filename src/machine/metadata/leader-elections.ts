/**
 * ElectLeaders as the controller decides it (Kafka's ReplicationControlManager): the preferred leader, or any that is alive.
 *
 * On a single node there is little to elect: a partition is led by the broker that has it, or by nobody as long as its directory is offline.
 */
import type { ElectLeadersRequest, ElectLeadersResponseDraft } from '../../wire/generated/elect-leaders.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { ApiError, Decision, Surroundings } from './decision.ts';
import { electionChange } from './partition-change.ts';
import { NO_LEADER } from './topic-image.ts';

/** Kafka's numbers of kinds of election. */
const ElectionType = { PREFERRED: 0, UNCLEAN: 1 } as const;

type Results = ElectLeadersResponseDraft['replicaElectionResults'];
type Reply = Omit<ElectLeadersResponseDraft, 'throttleTimeMs'>;

const NOT_NEEDED: ApiError = {
  error: ErrorCode.ELECTION_NOT_NEEDED,
  message: 'Leader election not needed for topic partition.',
};
const NO_PREFERRED: ApiError = {
  error: ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
  message: 'The preferred leader was not available.',
};
const NO_ELIGIBLE: ApiError = {
  error: ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
  message: 'Eligible topic partition leaders are not available.',
};
const ELECTED: ApiError = { error: ErrorCode.NONE, message: null };

/** Null in place of partitions means all there are: only those that a leader was wanted for are told. */
export function electLeaders(request: ElectLeadersRequest, around: Surroundings): Decision<Reply> {
  const { electionType, topicPartitions } = request;
  if (topicPartitions?.length === 0) return { records: [], reply: { errorCode: ErrorCode.NONE, replicaElectionResults: [] } };
  if (electionType !== ElectionType.PREFERRED && electionType !== ElectionType.UNCLEAN) return unknownType(request);
  const records: MetadataRecordDraft[] = [];
  const wanted =
    topicPartitions ??
    [...around.image.topicsByName.values()].map(({ name, partitions }) => ({ topic: name, partitions: [...partitions.keys()] }));
  const replicaElectionResults = wanted.map(({ topic, partitions }) => {
    const elected = partitions.map((partitionId) => {
      const { error, message } = elect(topic, partitionId, electionType === ElectionType.UNCLEAN, records, around);
      return { partitionId, errorCode: error, errorMessage: message };
    });
    const isAsked = topicPartitions !== null;
    return { topic, partitionResult: elected.filter(({ errorCode }) => isAsked || errorCode !== NOT_NEEDED.error) };
  });
  return { records, reply: { errorCode: ErrorCode.NONE, replicaElectionResults } };
}

function unknownType({ electionType, topicPartitions }: ElectLeadersRequest): Decision<Reply> {
  const refused = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: `Unknown election type ${electionType}` };
  const replicaElectionResults: Results = (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, ...refused })),
  }));
  return { records: [], reply: { errorCode: ErrorCode.INVALID_REQUEST, replicaElectionResults } };
}

function elect(name: string, index: number, unclean: boolean, records: MetadataRecordDraft[], around: Surroundings): ApiError {
  const unknown = (message: string): ApiError => ({ error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message });
  const topic = around.image.topicsByName.get(name);
  if (topic === undefined) return unknown(`No such topic as ${name}`);
  const partition = topic.partitions.get(index);
  if (partition === undefined) return unknown(`No such partition as ${name}-${index}`);
  const hasLeader = unclean ? partition.leader !== NO_LEADER : partition.leader === partition.replicas[0];
  if (hasLeader) return NOT_NEEDED;
  const record = electionChange(around, topic, partition, unclean);
  if (record === undefined) return unclean ? NO_ELIGIBLE : NO_PREFERRED;
  records.push(record);
  return ELECTED;
}
