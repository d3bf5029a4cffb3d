/**
 * Fetch, versions 4 to 18.
 *
 * - Waits up to maxWaitMs for minBytes, woken by its own partitions alone; answers at once when there is an error or a divergence to tell.
 * - At most maxBytes and the broker's fetch.max.bytes in all, partitionMaxBytes for each, except that the first batch comes whole (KIP-74).
 * - READ_COMMITTED up to the last stable offset, with the aborted transactions of what is read (KIP-98).
 * - Leader epochs fenced (KIP-320), divergence told by lastFetchedEpoch (KIP-595), topic ids from version 13 (KIP-516), the leader to go to from
 *   version 16 (KIP-951), sessions (KIP-227).
 * - Left out: followers. A fetch with a replica id is answered as a leader does that knows no such replica: UNKNOWN_LEADER_EPOCH, or
 *   NOT_LEADER_OR_FOLLOWER where the request names no epoch. Consumers are not sent to nearer replicas (KIP-392): there are none.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  FetchRequest,
  FetchResponseDraft,
  FetchResponseFetchableTopicResponseDraft,
  FetchResponsePartitionDataDraft,
} from '../wire/generated/fetch.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import type { Context, FetchContext, FetchedData, FetchedPartition, Found, Handler } from './context.ts';
import { LeaderHints } from './leader-hints.ts';

const READ_COMMITTED = 1;
const NO_EPOCH = -1;
const DIVERGENCE_FROM_VERSION = 12;
const NO_RECORDS = Buffer.alloc(0);

export const fetch: Handler<'fetch'> = (request, context) => {
  const replicaId = context.apiVersion >= 15 ? request.replicaState.replicaId : request.replicaId;
  const session = openSession(request, replicaId, context);
  const { interesting, erroneous } = sorted(session, context);
  const answer = (results: readonly FetchedData[]): FetchResponseDraft => {
    const all = erroneous.length === 0 ? results : [...results, ...erroneous];
    const response = responseOf(session, all, replicaId >= 0, context);
    const untellable = context.apiVersion < DIVERGENCE_FROM_VERSION && all.some(({ data }) => data.divergingEpoch !== undefined);
    return untellable ? refusalOfAll(request, ErrorCode.UNSUPPORTED_VERSION) : response;
  };
  if (interesting.length === 0) return answer([]);
  const maxBytes = Math.min(request.maxBytes, context.settings.int('fetch.max.bytes'));
  const results = context.partitions.fetch({
    partitions: interesting,
    find: (partition) => findFor(partition, context),
    replicaId,
    readCommitted: request.isolationLevel === READ_COMMITTED,
    maxBytes,
    minBytes: Math.min(request.minBytes, maxBytes),
    maxWaitMs: request.maxWaitMs,
    connection: context.connection,
  });
  return results instanceof Promise ? results.then(answer) : answer(results);
};

function openSession(request: FetchRequest, replicaId: number, context: Context): FetchContext {
  const usesTopicIds = context.apiVersion >= 13;
  const nameOf = (topicId: string): string | undefined => context.image.topicsById.get(topicId)?.name;
  const partitions: FetchedPartition[] = [];
  for (const topic of request.topics) {
    const name = usesTopicIds ? nameOf(topic.topicId) : topic.topic;
    const topicId = usesTopicIds ? topic.topicId : ZERO_UUID;
    for (const wanted of topic.partitions) {
      partitions.push({
        topic: name,
        topicId,
        index: wanted.partition,
        // An offset beyond 2^53 is beyond the end of any log, rounded or not.
        fetchOffset: Number(wanted.fetchOffset),
        maxBytes: wanted.partitionMaxBytes,
        currentLeaderEpoch: Math.max(NO_EPOCH, wanted.currentLeaderEpoch),
        lastFetchedEpoch: wanted.lastFetchedEpoch,
        toldHighWatermark: -1,
        toldLogStartOffset: -1,
      });
    }
  }
  const forgotten = request.forgottenTopicsData.flatMap((topic) => {
    const named = usesTopicIds
      ? { topic: nameOf(topic.topicId), topicId: topic.topicId }
      : { topic: topic.topic, topicId: ZERO_UUID };
    return topic.partitions.map((index) => ({ ...named, index }));
  });
  const { sessionId, sessionEpoch } = request;
  return context.fetchSessions.open({
    sessionId,
    sessionEpoch,
    usesTopicIds,
    fromFollower: replicaId >= 0,
    partitions,
    forgotten,
    nameOf,
  });
}

/** Partitions that exist, and answers for those that do not. */
function sorted(session: FetchContext, context: Context): { interesting: readonly FetchedPartition[]; erroneous: FetchedData[] } {
  const erroneous: FetchedData[] = [];
  const interesting = session.partitions.filter((partition) => {
    if (partition.topic === undefined) erroneous.push(refused(partition, ErrorCode.UNKNOWN_TOPIC_ID));
    else if (context.image.partition(partition.topic, partition.index) === undefined) {
      erroneous.push(refused(partition, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
    } else return true;
    return false;
  });
  return { interesting, erroneous };
}

function refused(partition: FetchedPartition, errorCode: ErrorCode): FetchedData {
  return {
    partition,
    data: { partitionIndex: partition.index, errorCode, highWatermark: -1, records: NO_RECORDS },
    sizeInBytes: 0,
  };
}

/** For a divergence that a session of a later version has asked for and this version cannot tell. */
function refusalOfAll(request: FetchRequest, errorCode: ErrorCode): FetchResponseDraft {
  return {
    errorCode,
    sessionId: request.sessionId,
    responses: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        errorCode,
        highWatermark: -1,
        records: NO_RECORDS,
      })),
    })),
  };
}

function findFor(partition: FetchedPartition, context: Context): Found {
  const topic = partition.topic ?? '';
  const found = context.partitions.find(topic, partition.index);
  if (found !== undefined) return found;
  const exists = context.image.partition(topic, partition.index) !== undefined;
  return exists ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}

function responseOf(
  session: FetchContext,
  results: readonly FetchedData[],
  fromFollower: boolean,
  context: Context,
): FetchResponseDraft {
  const { apiVersion } = context;
  const hints = new LeaderHints(context);
  const tell = apiVersion >= 16 || apiVersion <= 5 ? results.map((result) => dressed(result, hints, apiVersion)) : results;
  const { error, sessionId, results: told } = context.fetchSessions.answer(session, tell);
  return { errorCode: error, sessionId, responses: byTopic(told), nodeEndpoints: fromFollower ? [] : hints.endpoints };
}

function dressed(result: FetchedData, hints: LeaderHints, apiVersion: number): FetchedData {
  const { data, partition } = result;
  const { errorCode } = data;
  if (errorCode === ErrorCode.NONE) return result;
  // Clients of then do not know the storage error; this one makes them look for the leader again.
  if (apiVersion <= 5 && errorCode === ErrorCode.KAFKA_STORAGE_ERROR) {
    return { ...result, data: { ...data, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER } };
  }
  if (apiVersion < 16) return result;
  if (errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER && errorCode !== ErrorCode.FENCED_LEADER_EPOCH) return result;
  return { ...result, data: { ...data, currentLeader: hints.of(partition.topic ?? '', partition.index) } };
}

/** In the order given; neighbours of one topic together. */
function byTopic(results: readonly FetchedData[]): FetchResponseFetchableTopicResponseDraft[] {
  const topics: { topic: string; topicId: string; partitions: FetchResponsePartitionDataDraft[] }[] = [];
  for (const { data, partition } of results) {
    const last = topics[topics.length - 1];
    const topic = partition.topic ?? '';
    if (last !== undefined && last.topic === topic && last.topicId === partition.topicId) {
      last.partitions.push(data);
    } else topics.push({ topic, topicId: partition.topicId, partitions: [data] });
  }
  return topics;
}
