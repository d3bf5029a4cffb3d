/**
 * The controller as a pure function: a request and the image in, records and a reply out (Kafka's QuorumController with its control managers).
 *
 * It never changes the image: the records do, once they are in the log. Requests are decided one after the other, each on an image that holds the
 * records of all before it.
 *
 * Left out: authorization and quotas (the handlers' and the broker's), creation and alteration policies,
 * ACLs and delegation tokens (kept in the image, not yet changed here).
 */
import type {
  AlterConfigsRequest,
  AlterConfigsResponseAlterConfigsResourceResponseDraft,
} from '../../wire/generated/alter-configs.ts';
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponseCreatePartitionsTopicResultDraft,
} from '../../wire/generated/create-partitions.ts';
import type { CreateTopicsRequest, CreateTopicsResponseDraft } from '../../wire/generated/create-topics.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponseDeletableTopicResultDraft } from '../../wire/generated/delete-topics.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponseAlterConfigsResourceResponseDraft,
} from '../../wire/generated/incremental-alter-configs.ts';
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponseDraft,
} from '../../wire/generated/alter-partition-reassignments.ts';
import type {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponseDraft,
} from '../../wire/generated/alter-user-scram-credentials.ts';
import type { ElectLeadersRequest, ElectLeadersResponseDraft } from '../../wire/generated/elect-leaders.ts';
import type { ErrorCode } from '../../wire/generated/errors.ts';
import type { UpdateFeaturesRequest } from '../../wire/generated/update-features.ts';
import { type BrokerRegistration, fenceBroker, registerBroker, unfenceBroker, unregisterBroker } from './broker-operations.ts';
import { alterConfigs, incrementalAlterConfigs } from './config-operations.ts';
import type { ApiError, Decision, Surroundings } from './decision.ts';
import { assignReplicasToDirs, cordonDirectories, directoriesOffline, type ReplicaAssignment } from './directory-operations.ts';
import { updateFeatures } from './feature-operations.ts';
import { electLeaders } from './leader-elections.ts';
import { type ProducerIdBlock, allocateProducerIds } from './producer-id-operations.ts';
import { alterPartitionReassignments } from './reassignment-operations.ts';
import { alterUserScramCredentials } from './scram-operations.ts';
import { createPartitions, createTopics, deleteTopics } from './topic-operations.ts';

/** Every operation, with what goes in and what comes out. */
export interface ControllerOperations {
  createTopics: { request: CreateTopicsRequest; reply: CreateTopicsResponseDraft['topics'] };
  deleteTopics: { request: DeleteTopicsRequest; reply: readonly DeleteTopicsResponseDeletableTopicResultDraft[] };
  createPartitions: {
    request: CreatePartitionsRequest;
    reply: readonly CreatePartitionsResponseCreatePartitionsTopicResultDraft[];
  };
  incrementalAlterConfigs: {
    request: IncrementalAlterConfigsRequest;
    reply: readonly IncrementalAlterConfigsResponseAlterConfigsResourceResponseDraft[];
  };
  alterConfigs: { request: AlterConfigsRequest; reply: readonly AlterConfigsResponseAlterConfigsResourceResponseDraft[] };
  electLeaders: { request: ElectLeadersRequest; reply: Omit<ElectLeadersResponseDraft, 'throttleTimeMs'> };
  alterPartitionReassignments: {
    request: AlterPartitionReassignmentsRequest;
    reply: Omit<AlterPartitionReassignmentsResponseDraft, 'throttleTimeMs'>;
  };
  alterUserScramCredentials: {
    request: AlterUserScramCredentialsRequest;
    reply: AlterUserScramCredentialsResponseDraft['results'];
  };
  allocateProducerIds: { request: { readonly brokerId: number; readonly brokerEpoch: number }; reply: ProducerIdBlock };
  registerBroker: { request: BrokerRegistration; reply: { readonly brokerEpoch: number } };
  unfenceBroker: { request: { readonly brokerId: number }; reply: null };
  fenceBroker: { request: { readonly brokerId: number }; reply: null };
  unregisterBroker: { request: { readonly brokerId: number }; reply: ApiError };
  assignReplicasToDirs: {
    request: { readonly brokerId: number; readonly assignments: readonly ReplicaAssignment[] };
    reply: readonly ErrorCode[];
  };
  updateFeatures: { request: UpdateFeaturesRequest; reply: ApiError };
  cordonDirectories: { request: { readonly brokerId: number; readonly directoryIds: readonly string[] }; reply: null };
  directoriesOffline: { request: { readonly brokerId: number; readonly directoryIds: readonly string[] }; reply: null };
}

export type ControllerOperation = keyof ControllerOperations;

type Step<K extends ControllerOperation> = (
  request: ControllerOperations[K]['request'],
  around: Surroundings,
) => Decision<ControllerOperations[K]['reply']>;

const STEPS: { readonly [K in ControllerOperation]: Step<K> } = {
  createTopics,
  deleteTopics,
  createPartitions,
  incrementalAlterConfigs,
  alterConfigs,
  electLeaders,
  alterPartitionReassignments,
  alterUserScramCredentials,
  allocateProducerIds,
  registerBroker,
  unfenceBroker,
  fenceBroker,
  unregisterBroker,
  assignReplicasToDirs,
  updateFeatures,
  cordonDirectories,
  directoriesOffline,
};

/** Decides one request. Raises Error only on a broken invariant: whatever a client did wrong is in the reply. */
export function step<K extends ControllerOperation>(
  operation: K,
  request: ControllerOperations[K]['request'],
  around: Surroundings,
): Decision<ControllerOperations[K]['reply']> {
  return STEPS[operation](request, around);
}
