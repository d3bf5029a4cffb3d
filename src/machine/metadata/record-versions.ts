/** Which version of a metadata record a cluster's metadata.version asks for. Writing a newer one would make the log unreadable to its older nodes. */
import { FEATURES } from '../../wire/generated/features.ts';
import type { PartitionRecordDraft } from '../../wire/generated/records/partition-record.ts';
import { DIRECTORY_MIGRATING } from '../../wire/directory-id.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { MetadataImage } from './image.ts';
import type { PartitionImage } from './topic-image.ts';

export const METADATA_VERSION = 'metadata.version';
export const ELR_VERSION = 'eligible.leader.replicas.version';

export interface RecordVersions {
  readonly partitionRecord: number;
  readonly partitionChangeRecord: number;
  readonly registerBrokerRecord: number;
}

const BY_LEVEL: ReadonlyMap<number, RecordVersions> = new Map(
  FEATURES.find((feature) => feature.name === METADATA_VERSION)?.levels.map((level) => [
    level.level,
    level['messageVersions'] as RecordVersions,
  ]),
);

/** Raises Error when the image has no metadata.version, or one that is not known here. */
export function recordVersions(image: MetadataImage): RecordVersions {
  const level = image.featureLevel(METADATA_VERSION);
  const versions = BY_LEVEL.get(level);
  if (versions === undefined) throw new Error(`metadata.version ${level} is not known`);
  return versions;
}

const FIRST_WITH_SCRAM = 11;

/** Whether credentials of users are recorded (KIP-900). */
export function hasScram(image: MetadataImage): boolean {
  return image.featureLevel(METADATA_VERSION) >= FIRST_WITH_SCRAM;
}

const FIRST_WITH_TRANSACTIONS = 13;

/** Whether the log may hold metadata transactions (KIP-868). */
export function hasTransactions(image: MetadataImage): boolean {
  return image.featureLevel(METADATA_VERSION) >= FIRST_WITH_TRANSACTIONS;
}

const FIRST_WITH_DIRECTORIES = 17;

/** Whether it is recorded in which directories replicas are (KIP-858). */
export function hasDirectories(image: MetadataImage): boolean {
  return image.featureLevel(METADATA_VERSION) >= FIRST_WITH_DIRECTORIES;
}

const FIRST_WITH_CONTROLLER_REGISTRATIONS = 15;

/** Whether controllers register, so that it is known what they support (KIP-919). */
export function hasControllerRegistrations(image: MetadataImage): boolean {
  return image.featureLevel(METADATA_VERSION) >= FIRST_WITH_CONTROLLER_REGISTRATIONS;
}

const FIRST_WITH_CORDONS = 30;

/** Whether brokers tell which of their directories are cordoned (KIP-1066). */
export function knowsCordons(image: MetadataImage): boolean {
  return image.featureLevel(METADATA_VERSION) >= FIRST_WITH_CORDONS;
}

/** Whether partitions remember their eligible leaders (KIP-966). */
export function isElrEnabled(image: MetadataImage): boolean {
  return image.featureLevel(ELR_VERSION) > 0;
}

/** The full state of a partition as a record. What the version cannot hold is left out. */
export function partitionRecord(topicId: string, partition: PartitionImage, version: number): MetadataRecordDraft {
  const value: PartitionRecordDraft = {
    topicId,
    partitionId: partition.index,
    replicas: partition.replicas,
    isr: partition.isr,
    removingReplicas: partition.removingReplicas,
    addingReplicas: partition.addingReplicas,
    leader: partition.leader,
    leaderRecoveryState: partition.recovering ? 1 : 0,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    ...(version >= 1 ? { directories: directoriesOf(partition) } : {}),
    ...(version >= 2 && partition.elr.length > 0 ? { eligibleLeaderReplicas: partition.elr } : {}),
    ...(version >= 2 && partition.lastKnownElr.length > 0 ? { lastKnownElr: partition.lastKnownElr } : {}),
  };
  return { kind: 'PartitionRecord', value, version };
}

/** As of a time at which directories were not recorded: of none it is known. */
function directoriesOf({ replicas, directories }: PartitionImage): readonly string[] {
  return directories.length > 0 ? directories : replicas.map(() => DIRECTORY_MIGRATING);
}
