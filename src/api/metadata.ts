/**
 * Metadata, versions 0 to 13: which topics there are, where their partitions are led, and by which addresses brokers are reached.
 *
 * - No list of topics (v0: an empty one) asks for all of them; an empty list (v1 and up) for none.
 * - Topics may be named by id from v12 (KIP-516); one id in the request and names are not looked at.
 * - A missing topic is created where the request (v4 and up) and auto.create.topics.enable allow it; this answer still has it as
 *   UNKNOWN_TOPIC_OR_PARTITION, as Kafka's has.
 * - v0 leaves out unreachable replicas and says REPLICA_NOT_AVAILABLE. A leader that is away is LEADER_NOT_AVAILABLE; one that has no listener of the
 *   client's name is LISTENER_NOT_FOUND (v6 and up).
 * - Authorized operations (KIP-430, v8 and up) are all there are: there are no ACLs yet.
 * - The order of topics in the answer is that of the request, or of creation.
 */
import type { TopicImage } from '../machine/metadata/topic-image.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  MetadataRequest,
  MetadataResponseMetadataResponsePartitionDraft,
  MetadataResponseMetadataResponseTopicDraft,
} from '../wire/generated/metadata.ts';
import { INTERNAL_TOPICS, topicNameError } from '../wire/topic-name.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import { CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS } from './authorized-operations.ts';
import { createTopicsLater } from './auto-topic-creation.ts';
import type { Context, Handler } from './context.ts';
import { BrokerView, NO_BROKER, aliveBrokers, controllerFor } from './partition-view.ts';

type TopicAnswer = MetadataResponseMetadataResponseTopicDraft;
type PartitionAnswer = MetadataResponseMetadataResponsePartitionDraft;

export const metadata: Handler<'metadata'> = (request, context) => {
  const { apiVersion } = context;
  const refused = isMalformed(request, apiVersion);
  if (refused) return refusal(request);
  const clusterOperations = request.includeClusterAuthorizedOperations && apiVersion <= 10 ? CLUSTER_OPERATIONS : NOT_ASKED;
  return {
    brokers: aliveBrokers(context),
    clusterId: context.clusterId,
    controllerId: controllerFor(context),
    topics: topicAnswers(request, context),
    clusterAuthorizedOperations: clusterOperations,
  };
};

function isMalformed(request: MetadataRequest, apiVersion: number): boolean {
  if (apiVersion >= 12 || request.topics === null) return false;
  return request.topics.some((topic) => topic.name === null || topic.topicId !== ZERO_UUID);
}

function refusal(request: MetadataRequest): { brokers: []; topics: TopicAnswer[]; errorCode: number } {
  const errorCode = ErrorCode.INVALID_REQUEST;
  const topics = (request.topics ?? []).map(({ name, topicId }) => ({ name: name ?? '', topicId, errorCode, partitions: [] }));
  return { brokers: [], topics, errorCode };
}

function topicAnswers(request: MetadataRequest, context: Context): TopicAnswer[] {
  const { image, apiVersion } = context;
  const view = new BrokerView(context);
  const operations = request.includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : NOT_ASKED;
  const known = (topic: TopicImage): TopicAnswer => knownTopic(topic, view, apiVersion, operations);
  if (request.topics === null || (apiVersion === 0 && request.topics.length === 0)) {
    return [...image.topicsByName.values()].map(known);
  }
  const ids = new Set(request.topics.map((topic) => topic.topicId).filter((id) => id !== ZERO_UUID));
  if (ids.size > 0) {
    return [...ids].map((id) => {
      const topic = image.topicsById.get(id);
      return topic === undefined ? unknownId(id) : known(topic);
    });
  }
  const names = new Set(request.topics.map((topic) => topic.name ?? ''));
  const missing = [...names].filter((name) => !image.topicsByName.has(name));
  if (missing.length > 0 && request.allowAutoTopicCreation && context.settings.boolean('auto.create.topics.enable')) {
    const creatable = missing.filter((name) => topicNameError(name) === null);
    if (creatable.length > 0) createTopicsLater(creatable, context);
  }
  return [...names].map((name) => {
    const topic = image.topicsByName.get(name);
    return topic === undefined ? unknownName(name, operations) : known(topic);
  });
}

function unknownId(topicId: string): TopicAnswer {
  return { errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null, topicId, isInternal: false, partitions: [] };
}

function unknownName(name: string, operations: number): TopicAnswer {
  const errorCode = topicNameError(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION;
  return { errorCode, name, isInternal: INTERNAL_TOPICS.has(name), partitions: [], topicAuthorizedOperations: operations };
}

function knownTopic(topic: TopicImage, view: BrokerView, apiVersion: number, operations: number): TopicAnswer {
  const partitions: PartitionAnswer[] = [];
  for (const partition of topic.partitions.values()) {
    const replicaNodes = apiVersion === 0 ? view.aliveOf(partition.replicas) : partition.replicas;
    const isrNodes = apiVersion === 0 ? view.aliveOf(partition.isr) : partition.isr;
    const reachable = view.isAlive(partition.leader);
    const complete = replicaNodes.length === partition.replicas.length && isrNodes.length === partition.isr.length;
    partitions.push({
      errorCode: reachable
        ? complete
          ? ErrorCode.NONE
          : ErrorCode.REPLICA_NOT_AVAILABLE
        : leaderError(partition.leader, view, apiVersion),
      partitionIndex: partition.index,
      leaderId: reachable ? partition.leader : NO_BROKER,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes,
      isrNodes,
      offlineReplicas: view.offlineReplicas(partition),
    });
  }
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: INTERNAL_TOPICS.has(topic.name),
    partitions,
    topicAuthorizedOperations: operations,
  };
}

function leaderError(leader: number, view: BrokerView, apiVersion: number): number {
  return view.isRegistered(leader) && apiVersion >= 6 ? ErrorCode.LISTENER_NOT_FOUND : ErrorCode.LEADER_NOT_AVAILABLE;
}
