/**
 * DescribeQuorum, versions 0 to 2 (KIP-595, KIP-853): who leads the metadata log, and how far each that votes has come.
 *
 * - This node is the only voter: it leads, it is at the end, and there is nobody that only observes.
 * - Anything but partition 0 of the metadata log, alone, gets UNKNOWN_TOPIC_OR_PARTITION for every partition that is asked for.
 * - Ids of directories, texts of errors and the places of controllers come in version 2, times in version 1. No controller listens at its place here.
 */
import type { DescribeQuorumRequest, DescribeQuorumResponsePartitionDataDraft } from '../wire/generated/describe-quorum.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { CLUSTER_METADATA_TOPIC } from '../wire/topic-name.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import type { Context, Handler } from './context.ts';

const FIRST_WITH_TIMES = 1;
const FIRST_WITH_DIRECTORIES = 2;
const NOT_HERE = 'This server does not host this topic-partition.';

export const describeQuorum: Handler<'describeQuorum'> = ({ topics }, context) => {
  const errorCode = ErrorCode.NONE;
  if (!isMetadataLog(topics)) return { errorCode, errorMessage: '', topics: unknown(topics, context.apiVersion), nodes: [] };
  const partitions = [described(context)];
  const nodes = context.apiVersion < FIRST_WITH_DIRECTORIES ? [] : controllers(context);
  return { errorCode, errorMessage: '', topics: [{ topicName: CLUSTER_METADATA_TOPIC, partitions }], nodes };
};

function isMetadataLog(topics: DescribeQuorumRequest['topics']): boolean {
  const [topic, ...more] = topics;
  if (topic?.topicName !== CLUSTER_METADATA_TOPIC || more.length > 0) return false;
  return topic.partitions.length === 1 && topic.partitions[0]?.partitionIndex === 0;
}

function unknown(topics: DescribeQuorumRequest['topics'], version: number) {
  const error = {
    errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage: version < FIRST_WITH_DIRECTORIES ? '' : NOT_HERE,
    leaderId: 0,
    leaderEpoch: 0,
    highWatermark: 0,
    currentVoters: [],
    observers: [],
  };
  return topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...error })),
  }));
}

function described({ apiVersion, clock, controller }: Context): DescribeQuorumResponsePartitionDataDraft {
  const { highWatermark, logEndOffset } = controller.log;
  const now = apiVersion < FIRST_WITH_TIMES ? -1 : clock.now();
  const currentVoters = controller.voters().map(({ voterId, voterDirectoryId }) => ({
    replicaId: voterId,
    replicaDirectoryId: apiVersion < FIRST_WITH_DIRECTORIES || controller.kraftVersion === 0 ? ZERO_UUID : voterDirectoryId,
    logEndOffset,
    lastFetchTimestamp: now,
    lastCaughtUpTimestamp: now,
  }));
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    leaderId: controller.nodeId,
    leaderEpoch: controller.leaderEpoch,
    highWatermark,
    currentVoters,
    observers: [],
  };
}

function controllers({ controller }: Context) {
  return controller.voters().map(({ voterId, endpoints }) => ({
    nodeId: voterId,
    listeners: endpoints.map(({ name, host, port }) => ({ name, host, port })),
  }));
}
