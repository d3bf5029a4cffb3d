/** A topic and its partitions as the metadata log has them. A PartitionImage never changes: a change puts a new one in its place. */
import type { PartitionChangeRecord } from '../../wire/generated/records/partition-change-record.ts';
import type { PartitionRecord } from '../../wire/generated/records/partition-record.ts';
import { DIRECTORY_MIGRATING } from '../../wire/directory-id.ts';

/** In place of a leader's id: there is none. */
export const NO_LEADER = -1;

/** In a PartitionChangeRecord: the leader stays, and so does its epoch. */
export const NO_LEADER_CHANGE = -2;

/** In a PartitionChangeRecord: the recovery state stays. */
const NO_RECOVERY_CHANGE = -1;

export interface PartitionImage {
  readonly index: number;
  readonly replicas: readonly number[];
  /** One per replica, in the same order. */
  readonly directories: readonly string[];
  readonly isr: readonly number[];
  /** Eligible leader replicas (KIP-966). */
  readonly elr: readonly number[];
  readonly lastKnownElr: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  /** NO_LEADER when there is none. */
  readonly leader: number;
  /** True after an unclean election, until the leader has recovered (KIP-704). */
  readonly recovering: boolean;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
}

export interface TopicImage {
  readonly name: string;
  readonly id: string;
  /** By index; always a dense range from 0. */
  readonly partitions: ReadonlyMap<number, PartitionImage>;
}

/**
 * Thousands of partitions have the same few lists of one broker or none: these are kept once for all of them. Longer ones are copied, because a list
 * that was read entry by entry holds room for more.
 */
class SharedLists<T> {
  readonly #none: readonly T[] = [];
  readonly #single = new Map<T, readonly T[]>();

  shared(list: readonly T[]): readonly T[] {
    const [first] = list;
    if (first === undefined) return this.#none;
    if (list.length > 1) return list.slice();
    const known = this.#single.get(first);
    if (known !== undefined) return known;
    const single: readonly T[] = [first];
    this.#single.set(first, single);
    return single;
  }
}

const brokers = new SharedLists<number>();
const directoryIds = new SharedLists<string>();

/** Not for use outside the image. */
export interface MutableTopicImage extends TopicImage {
  readonly partitions: Map<number, PartitionImage>;
}

export function partitionOfRecord(record: PartitionRecord): PartitionImage {
  return {
    index: record.partitionId,
    replicas: brokers.shared(record.replicas),
    directories: directoriesFor(record.directories, record.replicas.length),
    isr: brokers.shared(record.isr),
    elr: brokers.shared(record.eligibleLeaderReplicas ?? []),
    lastKnownElr: brokers.shared(record.lastKnownElr ?? []),
    removingReplicas: brokers.shared(record.removingReplicas),
    addingReplicas: brokers.shared(record.addingReplicas),
    leader: record.leader,
    recovering: record.leaderRecoveryState === 1,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
  };
}

/**
 * What a PartitionChangeRecord makes of a partition: null and -2 leave a field alone. The leader epoch rises whenever a leader is named, be it the
 * same one or none; the partition epoch rises always.
 */
export function mergedPartition(old: PartitionImage, record: PartitionChangeRecord): PartitionImage {
  const replicas = brokers.shared(record.replicas ?? old.replicas);
  const leaderNamed = record.leader !== NO_LEADER_CHANGE;
  return {
    index: old.index,
    replicas,
    directories: directoriesFor(record.directories ?? old.directories, replicas.length),
    isr: brokers.shared(record.isr ?? old.isr),
    elr: brokers.shared(record.eligibleLeaderReplicas ?? old.elr),
    lastKnownElr: brokers.shared(record.lastKnownElr ?? old.lastKnownElr),
    removingReplicas: brokers.shared(record.removingReplicas ?? old.removingReplicas),
    addingReplicas: brokers.shared(record.addingReplicas ?? old.addingReplicas),
    leader: leaderNamed ? record.leader : old.leader,
    recovering: record.leaderRecoveryState === NO_RECOVERY_CHANGE ? old.recovering : record.leaderRecoveryState === 1,
    leaderEpoch: leaderNamed ? old.leaderEpoch + 1 : old.leaderEpoch,
    partitionEpoch: old.partitionEpoch + 1,
  };
}

function directoriesFor(directories: readonly string[], replicaCount: number): readonly string[] {
  if (directories.length > 0) return directoryIds.shared(directories);
  return new Array<string>(replicaCount).fill(DIRECTORY_MIGRATING);
}
