/**
 * ListOffsets, versions 1 to 11.
 *
 * - Latest (-1) and earliest (-2) at all versions, greatest timestamp (-3, KIP-734) from 7, earliest local (-4, KIP-405) from 8, latest tiered
 *   (-5, KIP-1005) from 9, earliest pending upload (-6, KIP-1023) from 11; earlier, or any other negative one: UNSUPPORTED_VERSION.
 * - READ_COMMITTED ends at the last stable offset. A replica that asks, instead of a consumer, sees the whole log.
 * - A partition named twice: INVALID_REQUEST, told once. Just after an election, before the high watermark has reached the start of the
 *   epoch: OFFSET_NOT_AVAILABLE, LEADER_NOT_AVAILABLE before version 5.
 * - Left out: tiered storage. -4 is the earliest offset, -5 and -6 are nowhere, as in Apache Kafka without it; timeoutMs (10, KIP-1075) has
 *   nothing to bound.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  ListOffsetsRequest,
  ListOffsetsRequestListOffsetsPartition,
  ListOffsetsResponseListOffsetsPartitionResponseDraft,
} from '../wire/generated/list-offsets.ts';
import {
  EARLIEST_LOCAL_TIMESTAMP,
  EARLIEST_PENDING_UPLOAD_TIMESTAMP,
  EARLIEST_TIMESTAMP,
  LATEST_TIERED_TIMESTAMP,
  LATEST_TIMESTAMP,
  MAX_TIMESTAMP,
} from '../wire/list-offsets-timestamp.ts';
import { writableInt64 } from '../wire/int64.ts';
import type { Context, Handler, LookedUp, ReadBound } from './context.ts';
import { hostedPartition } from './hosted-partition.ts';

type Answer = ListOffsetsResponseListOffsetsPartitionResponseDraft;

const CONSUMER = -1;
const DEBUGGING_CONSUMER = -2;
const READ_COMMITTED = 1;

const MIN_VERSIONS: ReadonlyMap<number, number> = new Map([
  [LATEST_TIMESTAMP, 1],
  [EARLIEST_TIMESTAMP, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL_TIMESTAMP, 8],
  [LATEST_TIERED_TIMESTAMP, 9],
  [EARLIEST_PENDING_UPLOAD_TIMESTAMP, 11],
]);

export const listOffsets: Handler<'listOffsets'> = (request, context) => {
  const repeated = repeatedIn(request);
  const later: Promise<void>[] = [];
  const topics = eachOnce(request).map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((wanted): Answer => {
      if (repeated.has(`${name}/${wanted.partitionIndex}`)) return refused(wanted, ErrorCode.INVALID_REQUEST);
      const answer = answerTo(name, wanted, request, context);
      if (!(answer instanceof Promise)) return answer;
      const place = refused(wanted, ErrorCode.NONE);
      later.push(answer.then((found) => void Object.assign(place, found)));
      return place;
    }),
  }));
  return later.length === 0 ? { topics } : Promise.all(later).then(() => ({ topics }));
};

function answerTo(
  topic: string,
  wanted: ListOffsetsRequestListOffsetsPartition,
  request: ListOffsetsRequest,
  context: Context,
): Answer | Promise<Answer> {
  const timestamp = Number(wanted.timestamp);
  if (timestamp < 0 && context.apiVersion < (MIN_VERSIONS.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
    return refused(wanted, ErrorCode.UNSUPPORTED_VERSION);
  }
  const partition = hostedPartition(topic, wanted.partitionIndex, context);
  if (typeof partition === 'number') return refused(wanted, partition);
  const error =
    request.replicaId === DEBUGGING_CONSUMER
      ? partition.checkLeaderEpoch(wanted.currentLeaderEpoch)
      : partition.checkLeader(wanted.currentLeaderEpoch);
  if (error !== ErrorCode.NONE) return refused(wanted, error);
  const found = partition.lookUpOffset(timestamp, seenBy(request));
  return found instanceof Promise ? found.then((later) => answerOf(wanted, later, context)) : answerOf(wanted, found, context);
}

function seenBy(request: ListOffsetsRequest): ReadBound {
  if (request.replicaId !== CONSUMER) return 'logEnd';
  return request.isolationLevel === READ_COMMITTED ? 'lastStable' : 'highWatermark';
}

function answerOf(wanted: ListOffsetsRequestListOffsetsPartition, found: LookedUp, context: Context): Answer {
  if ('error' in found) {
    const unknownThen = found.error === ErrorCode.OFFSET_NOT_AVAILABLE && context.apiVersion < 5;
    return refused(wanted, unknownThen ? ErrorCode.LEADER_NOT_AVAILABLE : found.error);
  }
  const { leaderEpoch, offset } = found;
  // Beyond 2^53 only in a damaged log, or in one of another broker.
  const timestamp = writableInt64(found.timestamp);
  const answer = { partitionIndex: wanted.partitionIndex, errorCode: ErrorCode.NONE, timestamp, offset };
  return context.apiVersion >= 4 ? { ...answer, leaderEpoch } : answer;
}

function refused(wanted: ListOffsetsRequestListOffsetsPartition, errorCode: ErrorCode): Answer {
  return { partitionIndex: wanted.partitionIndex, errorCode, timestamp: -1, offset: -1 };
}

function repeatedIn(request: ListOffsetsRequest): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}/${partitionIndex}`;
      if (seen.has(key)) repeated.add(key);
      seen.add(key);
    }
  }
  return repeated;
}

/** Each topic once, and each of its partitions once, where it is named first; topics without partitions are not answered. */
function eachOnce(
  request: ListOffsetsRequest,
): readonly { name: string; partitions: ListOffsetsRequestListOffsetsPartition[] }[] {
  const topics = new Map<string, Map<number, ListOffsetsRequestListOffsetsPartition>>();
  for (const { name, partitions } of request.topics) {
    if (partitions.length === 0) continue;
    const topic = topics.get(name) ?? new Map<number, ListOffsetsRequestListOffsetsPartition>();
    topics.set(name, topic);
    for (const wanted of partitions) if (!topic.has(wanted.partitionIndex)) topic.set(wanted.partitionIndex, wanted);
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions: [...partitions.values()] }));
}
