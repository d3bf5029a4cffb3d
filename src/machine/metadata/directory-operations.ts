/** In which directories a broker has its replicas, and which of them have failed or are cordoned, as it tells the controller (KIP-858, KIP-1066). */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { BrokerImage } from './broker-image.ts';
import type { Decision, Surroundings } from './decision.ts';
import { directoryChange, NO_EVENT, partitionChanges } from './partition-change.ts';
import { hasDirectories, knowsCordons } from './record-versions.ts';
import { directoryOf, isDirectoryOnline } from '../../wire/directory-id.ts';

export interface ReplicaAssignment {
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly directoryId: string;
}

/** As AssignReplicasToDirs: where the broker's replicas are from now on; UNSUPPORTED_VERSION where that is not recorded. One error code for each, in their order. */
export function assignReplicasToDirs(
  request: { readonly brokerId: number; readonly assignments: readonly ReplicaAssignment[] },
  around: Surroundings,
): Decision<readonly ErrorCode[]> {
  const { brokerId } = request;
  if (!hasDirectories(around.image)) return { records: [], reply: request.assignments.map(() => ErrorCode.UNSUPPORTED_VERSION) };
  const broker = registered(brokerId, around);
  const records: MetadataRecordDraft[] = [];
  const offline: ReplicaAssignment[] = [];
  const reply = request.assignments.map((assignment) => {
    const topic = around.image.topicsById.get(assignment.topicId);
    if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID;
    const partition = topic.partitions.get(assignment.partitionIndex);
    if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (!partition.replicas.includes(brokerId)) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const { directoryId: directory } = assignment;
    const record = directoryChange(around, topic, partition, { brokerId, directory });
    if (record !== undefined) records.push(record);
    if (!isDirectoryOnline(directory, broker.logDirs)) offline.push(assignment);
    return ErrorCode.NONE;
  });
  if (offline.length > 0) {
    const lost = new Set(
      offline.map(({ topicId, partitionIndex }) => around.image.topicsById.get(topicId)?.partitions.get(partitionIndex)),
    );
    records.push(...partitionChanges(around, { ...NO_EVENT, leaving: brokerId }, (partition) => lost.has(partition)));
  }
  return { records, reply };
}

/** As a heartbeat with offline directories: what is in them is led from elsewhere, or by nobody. Nothing for those known to be gone. */
export function directoriesOffline(
  request: { readonly brokerId: number; readonly directoryIds: readonly string[] },
  around: Surroundings,
): Decision<null> {
  const { brokerId } = request;
  const { epoch, logDirs } = registered(brokerId, around);
  const failed = logDirs.filter((directory) => request.directoryIds.includes(directory));
  if (failed.length === 0) return { records: [], reply: null };
  const event = { ...NO_EVENT, leaving: brokerId };
  const change: MetadataRecordDraft = {
    kind: 'BrokerRegistrationChangeRecord',
    value: { brokerId, brokerEpoch: epoch, logDirs: logDirs.filter((directory) => !failed.includes(directory)) },
    version: 2,
  };
  const elections = failed.flatMap((directory) =>
    partitionChanges(around, event, (partition) => directoryOf(partition, brokerId) === directory),
  );
  return { records: [...elections, change], reply: null };
}

/**
 * As a heartbeat with cordoned directories (KIP-1066): these get no new partitions, all others do. Nothing when that is known, and nothing below a
 * metadata.version that knows of it.
 */
export function cordonDirectories(
  request: { readonly brokerId: number; readonly directoryIds: readonly string[] },
  around: Surroundings,
): Decision<null> {
  const { brokerId, directoryIds } = request;
  const { epoch, cordonedLogDirs } = registered(brokerId, around);
  const known = new Set(cordonedLogDirs ?? []);
  const isKnown = known.size === directoryIds.length && directoryIds.every((directory) => known.has(directory));
  if (isKnown || !knowsCordons(around.image)) return { records: [], reply: null };
  const value = { brokerId, brokerEpoch: epoch, cordonedLogDirs: directoryIds };
  return { records: [{ kind: 'BrokerRegistrationChangeRecord', value, version: 3 }], reply: null };
}

function registered(brokerId: number, around: Surroundings): BrokerImage {
  const broker = around.image.brokers.get(brokerId);
  if (broker === undefined) throw new Error(`broker ${brokerId} is not registered`);
  return broker;
}
