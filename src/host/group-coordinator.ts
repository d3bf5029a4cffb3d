/**
 * The group coordinator of this broker (KIP-62, KIP-134, KIP-345, KIP-394, KIP-447 reads, KIP-496, KIP-848 offsets): knows which partition of
 * `__consumer_offsets` a group lives in, and asks the machine over that partition. (Surface first; the bodies follow.)
 */
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { Partition } from '../partition/partition.ts';
import type { DescribeGroupsResponseDescribedGroupDraft } from '../wire/generated/describe-groups.ts';
import type { DeleteGroupsResponseDeletableGroupResultDraft } from '../wire/generated/delete-groups.ts';
import type { ErrorCode } from '../wire/generated/errors.ts';
import type { HeartbeatRequest, HeartbeatResponseDraft } from '../wire/generated/heartbeat.ts';
import type { JoinGroupRequest, JoinGroupResponseDraft } from '../wire/generated/join-group.ts';
import type { LeaveGroupRequest, LeaveGroupResponseDraft } from '../wire/generated/leave-group.ts';
import type { ListGroupsRequest, ListGroupsResponseDraft } from '../wire/generated/list-groups.ts';
import type { OffsetCommitRequest, OffsetCommitResponseDraft } from '../wire/generated/offset-commit.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponseDraft } from '../wire/generated/offset-delete.ts';
import type { OffsetFetchRequestOffsetFetchRequestGroup, OffsetFetchResponseOffsetFetchResponseGroupDraft } from '../wire/generated/offset-fetch.ts';
import type { SyncGroupRequest, SyncGroupResponseDraft } from '../wire/generated/sync-group.ts';
import type { Clock } from '../world/clock.ts';
import type { Random } from '../world/random.ts';

export const OFFSETS_TOPIC = '__consumer_offsets';

/** What is wanted of an internal topic when it does not exist yet. */
export interface InternalTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Topic configs by Kafka's names. */
  readonly configs: Readonly<Record<string, string>>;
}

/** As SettingsView of api/context has them. */
export interface CoordinatorSettings {
  int(name: string): number;
  long(name: string): number;
}

export interface GroupCoordinatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: CoordinatorSettings;
  readonly image: MetadataImage;
  /** Creates the topic unless it exists or is being created; MetadataLog.ensureInternalTopic. Nothing waits for it. */
  ensureInternalTopic(topic: InternalTopic): void;
}

/** Who asks. */
export interface GroupClient {
  readonly apiVersion: number;
  /** Empty where the request header has none. */
  readonly clientId: string;
  /** Address without port, such as 127.0.0.1. */
  readonly host: string;
}

export declare class GroupCoordinator {
  constructor(options: GroupCoordinatorOptions);

  /** This broker leads the partition of __consumer_offsets now: loads its groups. */
  onLeader(partition: Partition): void;
  /** This broker leads it no more: what waits is answered with NOT_COORDINATOR. */
  onResigned(partition: Partition): void;
  /** Offsets of these topics are forgotten. */
  onTopicsDeleted(topics: readonly { readonly name: string; readonly id: string }[]): void;
  /** Answers all that waits; no timer stays. */
  stop(): void;

  /** The broker that coordinates the group; creates __consumer_offsets on first need. */
  coordinatorOf(groupId: string): { readonly error: ErrorCode; readonly nodeId: number };
  joinGroup(request: JoinGroupRequest, client: GroupClient): Promise<JoinGroupResponseDraft>;
  syncGroup(request: SyncGroupRequest, client: GroupClient): Promise<SyncGroupResponseDraft>;
  heartbeat(request: HeartbeatRequest, client: GroupClient): Promise<HeartbeatResponseDraft>;
  leaveGroup(request: LeaveGroupRequest, client: GroupClient): Promise<LeaveGroupResponseDraft>;
  commitOffsets(request: OffsetCommitRequest, client: GroupClient): Promise<OffsetCommitResponseDraft>;
  fetchOffsets(
    group: OffsetFetchRequestOffsetFetchRequestGroup,
    requireStable: boolean,
    client: GroupClient,
  ): Promise<OffsetFetchResponseOffsetFetchResponseGroupDraft>;
  deleteOffsets(request: OffsetDeleteRequest, client: GroupClient): Promise<OffsetDeleteResponseDraft>;
  describeGroups(groupIds: readonly string[], client: GroupClient): Promise<DescribeGroupsResponseDescribedGroupDraft[]>;
  listGroups(request: ListGroupsRequest, client: GroupClient): Promise<ListGroupsResponseDraft>;
  deleteGroups(groupIds: readonly string[], client: GroupClient): Promise<DeleteGroupsResponseDeletableGroupResultDraft[]>;
}
