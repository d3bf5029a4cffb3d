/** What the group machine is asked, what it answers, and what it wants to hear about again once its records are stored. */
import type { DeleteGroupsResponseDeletableGroupResultDraft } from '../../wire/generated/delete-groups.ts';
import type { DescribeGroupsResponseDescribedGroupDraft } from '../../wire/generated/describe-groups.ts';
import type { HeartbeatRequest, HeartbeatResponseDraft } from '../../wire/generated/heartbeat.ts';
import type { JoinGroupRequest, JoinGroupResponseDraft } from '../../wire/generated/join-group.ts';
import type { LeaveGroupRequest, LeaveGroupResponseDraft } from '../../wire/generated/leave-group.ts';
import type { ListGroupsRequest, ListGroupsResponseListedGroupDraft } from '../../wire/generated/list-groups.ts';
import type { OffsetCommitRequest, OffsetCommitResponseDraft } from '../../wire/generated/offset-commit.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponseDraft } from '../../wire/generated/offset-delete.ts';
import type {
  OffsetFetchRequestOffsetFetchRequestGroup,
  OffsetFetchResponseOffsetFetchResponseGroupDraft,
} from '../../wire/generated/offset-fetch.ts';
import type { SyncGroupRequest, SyncGroupResponseDraft } from '../../wire/generated/sync-group.ts';
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponseDraft } from '../../wire/generated/txn-offset-commit.ts';
import type { JoinProtocol } from './classic-group.ts';

/** Who asks. */
export interface GroupClient {
  readonly apiVersion: number;
  /** Empty where the request header has none. */
  readonly clientId: string;
  /** Address without port, such as 127.0.0.1. */
  readonly host: string;
}

export type GroupInput =
  /** `freshId`: a random uuid in its canonical text form, for the id of a member that has none. */
  | { readonly kind: 'join'; readonly request: JoinGroupRequest; readonly client: GroupClient; readonly freshId: string }
  | { readonly kind: 'sync'; readonly request: SyncGroupRequest }
  | { readonly kind: 'heartbeat'; readonly request: HeartbeatRequest }
  | { readonly kind: 'leave'; readonly request: LeaveGroupRequest }
  /** Topics come with name and id. */
  | { readonly kind: 'commit'; readonly request: OffsetCommitRequest; readonly client: GroupClient }
  /** Topics come with name and id. Its records are part of the producer's transaction. */
  | { readonly kind: 'commitInTransaction'; readonly request: TxnOffsetCommitRequest; readonly apiVersion: number }
  | { readonly kind: 'fetch'; readonly group: OffsetFetchRequestOffsetFetchRequestGroup; readonly requireStable: boolean }
  | { readonly kind: 'deleteOffsets'; readonly request: OffsetDeleteRequest }
  | { readonly kind: 'describe'; readonly groupIds: readonly string[]; readonly client: GroupClient }
  | { readonly kind: 'list'; readonly request: ListGroupsRequest }
  | { readonly kind: 'deleteGroups'; readonly groupIds: readonly string[] }
  /** Answered when the tombstones are stored. */
  | { readonly kind: 'topicsDeleted'; readonly topics: readonly { readonly name: string; readonly id: string }[] };

/** `refused`: an error of the whole request, which every API shows in its own way. */
export type GroupReply =
  | { readonly kind: 'join'; readonly response: JoinGroupResponseDraft }
  | { readonly kind: 'sync'; readonly response: SyncGroupResponseDraft }
  | { readonly kind: 'heartbeat'; readonly response: HeartbeatResponseDraft }
  | { readonly kind: 'leave'; readonly response: LeaveGroupResponseDraft }
  | { readonly kind: 'commit'; readonly response: OffsetCommitResponseDraft }
  | { readonly kind: 'commitInTransaction'; readonly response: TxnOffsetCommitResponseDraft }
  | { readonly kind: 'fetch'; readonly response: OffsetFetchResponseOffsetFetchResponseGroupDraft }
  | { readonly kind: 'deleteOffsets'; readonly response: OffsetDeleteResponseDraft }
  | { readonly kind: 'describe'; readonly groups: readonly DescribeGroupsResponseDescribedGroupDraft[] }
  | { readonly kind: 'list'; readonly groups: readonly ListGroupsResponseListedGroupDraft[] }
  | { readonly kind: 'deleteGroups'; readonly results: readonly DeleteGroupsResponseDeletableGroupResultDraft[] }
  | { readonly kind: 'topicsDeleted' }
  | { readonly kind: 'refused'; readonly error: number };

export type GroupAfter =
  /** The leader's assignment: with it in the log the group is Stable. */
  | {
      readonly kind: 'assignment';
      readonly groupId: string;
      readonly generation: number;
      readonly assignments: ReadonlyMap<string, Buffer>;
    }
  /** A static member that came back under another id without any need to rebalance. */
  | {
      readonly kind: 'staticMember';
      readonly groupId: string;
      readonly requestId: number;
      readonly groupInstanceId: string;
      readonly oldMemberId: string;
      readonly memberId: string;
      readonly before: {
        readonly protocols: readonly JoinProtocol[];
        readonly rebalanceTimeoutMs: number;
        readonly sessionTimeoutMs: number;
      };
      readonly leaderBefore: string | null;
      readonly skipsAssignment: boolean;
    }
  /** The first record of a group that has just come up. */
  | { readonly kind: 'newGroup'; readonly groupId: string };

export type GroupAlarm =
  | { readonly kind: 'session'; readonly groupId: string; readonly memberId: string }
  | { readonly kind: 'join'; readonly groupId: string }
  | { readonly kind: 'sync'; readonly groupId: string; readonly generation: number }
  | { readonly kind: 'expiry' };

/** Broker configs that the machine obeys, by their names without dots. */
export interface GroupConfig {
  readonly groupMaxSize: number;
  readonly groupInitialRebalanceDelayMs: number;
  readonly offsetMetadataMaxBytes: number;
  readonly offsetsRetentionMs: number;
  readonly offsetsRetentionCheckIntervalMs: number;
}
