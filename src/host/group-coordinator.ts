/**
 * The group coordinator of this broker: knows which partition of `__consumer_offsets` a group lives in, runs a group machine over each partition
 * that this broker leads, and turns the errors that come from there into each API's answers.
 *
 * Source: KIP-98 and earlier for the placing of groups; KIP-394, KIP-345, KIP-447 and KIP-848 for what the APIs answer.
 */
import { GroupMachine } from '../machine/group/group-machine.ts';
import type { GroupAfter, GroupClient, GroupInput, GroupReply } from '../machine/group/input.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { Partition } from '../partition/partition.ts';
import type { TransactionEnd } from '../partition/transaction-end.ts';
import type { GroupRecord } from '../wire/coordinator-record.ts';
import type { DeleteGroupsResponseDeletableGroupResultDraft } from '../wire/generated/delete-groups.ts';
import type { DescribeGroupsResponseDescribedGroupDraft } from '../wire/generated/describe-groups.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { HeartbeatRequest, HeartbeatResponseDraft } from '../wire/generated/heartbeat.ts';
import type { JoinGroupRequest, JoinGroupResponseDraft } from '../wire/generated/join-group.ts';
import type { LeaveGroupRequest, LeaveGroupResponseDraft } from '../wire/generated/leave-group.ts';
import type {
  ListGroupsRequest,
  ListGroupsResponseDraft,
  ListGroupsResponseListedGroupDraft,
} from '../wire/generated/list-groups.ts';
import type { OffsetCommitRequest, OffsetCommitResponseDraft } from '../wire/generated/offset-commit.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponseDraft } from '../wire/generated/offset-delete.ts';
import type {
  OffsetFetchRequestOffsetFetchRequestGroup,
  OffsetFetchResponseOffsetFetchResponseGroupDraft,
} from '../wire/generated/offset-fetch.ts';
import type { SyncGroupRequest, SyncGroupResponseDraft } from '../wire/generated/sync-group.ts';
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponseDraft } from '../wire/generated/txn-offset-commit.ts';
import type { Clock } from '../world/clock.ts';
import type { Random } from '../world/random.ts';
import { CoordinatedTopic } from './coordinated-topic.ts';
import { coordinatorErrorOf } from './coordinator-error.ts';
import { readRecord, writeRecord } from './group-records.ts';
import { type CoordinatorSettings, type GroupSettings, groupSettingsOf } from './group-settings.ts';
import { Host } from './host.ts';
import type { InternalTopic } from './internal-topic.ts';
import type { TransactionalWrite } from './host-contract.ts';
import { type CoordinatorAnswer, failed } from './coordinator-answer.ts';
import { randomUuidText } from '../wire/uuid.ts';

export type { GroupClient };

export interface GroupCoordinatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: CoordinatorSettings;
  readonly image: MetadataImage;
  /** Creates the topic unless it exists; resolves when it is in the image or cannot be. */
  createInternalTopic(topic: InternalTopic): Promise<unknown>;
  /** The groups of a partition could not be read; they stay unavailable until it is led anew. */
  onLoadFailure?(partition: Partition, failure: unknown): void;
}

/** Whether a transactional write may be made, and what has to be shown with it. */
export interface VerifiedWrite {
  readonly error: ErrorCode;
  readonly guard: TransactionalWrite['guard'];
}

type GroupHost = Host<GroupInput, GroupRecord, GroupReply, GroupAfter>;
type Answer<K extends GroupReply['kind']> = CoordinatorAnswer<GroupReply, K>;

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #settings: GroupSettings;
  /** `__consumer_offsets`, by group ids. */
  readonly topic: CoordinatedTopic<GroupHost>;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    this.#settings = groupSettingsOf(options.settings);
    const { image } = options;
    this.topic = new CoordinatedTopic({
      image,
      topic: this.#settings.offsetsTopic,
      createInternalTopic: (topic) => options.createInternalTopic(topic),
      open: (partition) => this.#open(partition),
    });
  }

  #open(partition: Partition): GroupHost {
    return new Host({
      clock: this.#options.clock,
      partition,
      machine: () => new GroupMachine(this.#settings.machine),
      readRecord,
      writeRecord,
      codec: this.#settings.offsetsTopicCodec,
      writeTimeoutMs: this.#settings.offsetsCommitTimeoutMs,
      onLoadFailure: (failure) => this.#options.onLoadFailure?.(partition, failure),
    });
  }

  /** Offsets of these topics are forgotten. */
  onTopicsDeleted(topics: readonly { readonly name: string; readonly id: string }[]): void {
    for (const host of this.topic.hosts()) void host.submit({ kind: 'topicsDeleted', topics });
  }

  /** Answers all that waits; no timer stays. */
  stop(): void {
    this.topic.stop();
  }

  #partitionOf(groupId: string): number {
    return this.topic.partitionOf(groupId);
  }

  async #ask<K extends GroupReply['kind']>(
    kind: K,
    index: number,
    input: GroupInput,
    errorOf = coordinatorErrorOf,
    transaction?: TransactionalWrite,
  ): Promise<Answer<K>> {
    if (this.topic.isStopped) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const host = this.topic.hostOf(index);
    if (host === undefined) return failed(ErrorCode.NOT_COORDINATOR);
    const answer = await host.submit(input, transaction);
    if (!answer.ok) return failed(errorOf(answer.error));
    const { reply } = answer;
    if (reply.kind === 'refused') return failed(reply.error as ErrorCode);
    if (reply.kind !== kind) throw new Error(`the group machine answered ${input.kind} with ${reply.kind}`);
    return { error: ErrorCode.NONE, reply: reply as Extract<GroupReply, { kind: K }> };
  }

  async joinGroup(request: JoinGroupRequest, client: GroupClient): Promise<JoinGroupResponseDraft> {
    const refuse = (errorCode: ErrorCode, memberId: string): JoinGroupResponseDraft => {
      return { errorCode, memberId, generationId: -1, protocolType: null, protocolName: null, leader: '', members: [] };
    };
    if (request.groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID, request.memberId);
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#settings;
    if (request.sessionTimeoutMs < groupMinSessionTimeoutMs || request.sessionTimeoutMs > groupMaxSessionTimeoutMs) {
      return refuse(ErrorCode.INVALID_SESSION_TIMEOUT, request.memberId);
    }
    const freshId = randomUuidText(this.#options.random);
    const answer = await this.#ask('join', this.#partitionOf(request.groupId), { kind: 'join', request, client, freshId });
    return answer.reply?.response ?? refuse(answer.error, '');
  }

  async syncGroup(request: SyncGroupRequest): Promise<SyncGroupResponseDraft> {
    const refuse = (errorCode: ErrorCode): SyncGroupResponseDraft => ({ errorCode, assignment: Buffer.alloc(0) });
    if (request.groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
    const answer = await this.#ask('sync', this.#partitionOf(request.groupId), { kind: 'sync', request });
    return answer.reply?.response ?? refuse(answer.error);
  }

  /** While its groups are loaded a member is told that all is well: it has nothing better to do than to go on. */
  async heartbeat(request: HeartbeatRequest): Promise<HeartbeatResponseDraft> {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    const answer = await this.#ask('heartbeat', this.#partitionOf(request.groupId), { kind: 'heartbeat', request });
    if (answer.reply !== undefined) return answer.reply.response;
    return { errorCode: answer.error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : answer.error };
  }

  async leaveGroup(request: LeaveGroupRequest): Promise<LeaveGroupResponseDraft> {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    const answer = await this.#ask('leave', this.#partitionOf(request.groupId), { kind: 'leave', request });
    if (answer.reply !== undefined) return answer.reply.response;
    if (answer.error !== ErrorCode.UNKNOWN_MEMBER_ID) return { errorCode: answer.error };
    const members = request.members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      errorCode: answer.error,
    }));
    return { errorCode: ErrorCode.NONE, members };
  }

  /** Topics come with name and id. The empty group id is a group id here, as of old. */
  async commitOffsets(request: OffsetCommitRequest, client: GroupClient): Promise<OffsetCommitResponseDraft> {
    const answer = await this.#ask('commit', this.#partitionOf(request.groupId), { kind: 'commit', request, client });
    if (answer.reply !== undefined) return answer.reply.response;
    return refusedOffsets(request, answer.error);
  }

  /**
   * Offsets as part of a producer's transaction. `verify` asks its coordinator about the partition of `__consumer_offsets`, where that is needed; topics come
   * with name and id.
   */
  async commitInTransaction(
    request: TxnOffsetCommitRequest,
    apiVersion: number,
    verify: (partition: Partition) => Promise<VerifiedWrite>,
  ): Promise<TxnOffsetCommitResponseDraft> {
    const refuse = (errorCode: ErrorCode): TxnOffsetCommitResponseDraft => refusedOffsets(request, errorCode);
    if (this.topic.isStopped) return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    if (request.groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
    const index = this.#partitionOf(request.groupId);
    const partition = this.topic.partition(index);
    if (partition === undefined)
      return refuse(this.topic.exists ? ErrorCode.NOT_COORDINATOR : ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const { error, guard } = await verify(partition);
    if (error !== ErrorCode.NONE) return refuse(coordinatorErrorOf(error));
    const transaction = { producerId: Number(request.producerId), producerEpoch: request.producerEpoch, guard };
    const input: GroupInput = { kind: 'commitInTransaction', request, apiVersion };
    const answer = await this.#ask('commitInTransaction', index, input, coordinatorErrorOf, transaction);
    return answer.reply?.response ?? refuse(answer.error);
  }

  /** Ends a producer's transaction in a partition of `__consumer_offsets`: its offsets count, or are forgotten. */
  async completeTransaction(index: number, end: TransactionEnd): Promise<ErrorCode> {
    if (this.topic.isStopped) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const error = (await this.topic.hostOf(index)?.completeTransaction(end)) ?? ErrorCode.NOT_COORDINATOR;
    const isElsewhere = error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS || error === ErrorCode.NOT_COORDINATOR;
    return isElsewhere ? ErrorCode.NOT_LEADER_OR_FOLLOWER : error;
  }

  /** The error, if any, is the group's, in all versions. */
  async fetchOffsets(
    group: OffsetFetchRequestOffsetFetchRequestGroup,
    requireStable: boolean,
  ): Promise<OffsetFetchResponseOffsetFetchResponseGroupDraft> {
    const input: GroupInput = { kind: 'fetch', group, requireStable };
    const answer = await this.#ask('fetch', this.#partitionOf(group.groupId), input, fetchErrorOf);
    return answer.reply?.response ?? { groupId: group.groupId, topics: [], errorCode: answer.error };
  }

  async deleteOffsets(request: OffsetDeleteRequest): Promise<OffsetDeleteResponseDraft> {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID, topics: [] };
    const answer = await this.#ask('deleteOffsets', this.#partitionOf(request.groupId), { kind: 'deleteOffsets', request });
    return answer.reply?.response ?? { errorCode: answer.error, topics: [] };
  }

  async describeGroups(groupIds: readonly string[], client: GroupClient): Promise<DescribeGroupsResponseDescribedGroupDraft[]> {
    const parts = this.#byPartition(groupIds).map(async ([index, ids]) => {
      const answer = await this.#ask('describe', index, { kind: 'describe', groupIds: ids, client });
      return answer.reply?.groups ?? ids.map((groupId) => undescribed(groupId, answer.error));
    });
    return (await Promise.all(parts)).flat();
  }

  /** Of all partitions led here; those that are being loaded make the whole answer COORDINATOR_LOAD_IN_PROGRESS. */
  async listGroups(request: ListGroupsRequest): Promise<ListGroupsResponseDraft> {
    if (this.topic.isStopped) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] };
    const input: GroupInput = { kind: 'list', request };
    const answers = await Promise.all([...this.topic.indexes()].map((index) => this.#ask('list', index, input)));
    const groups: ListGroupsResponseListedGroupDraft[] = [];
    for (const answer of answers) {
      if (answer.reply !== undefined) groups.push(...answer.reply.groups);
      else if (answer.error !== ErrorCode.NOT_COORDINATOR) return { errorCode: answer.error, groups: [] };
    }
    return { errorCode: ErrorCode.NONE, groups };
  }

  async deleteGroups(groupIds: readonly string[]): Promise<DeleteGroupsResponseDeletableGroupResultDraft[]> {
    const parts = this.#byPartition(groupIds).map(async ([index, ids]) => {
      const answer = await this.#ask('deleteGroups', index, { kind: 'deleteGroups', groupIds: ids });
      return answer.reply?.results ?? ids.map((groupId) => ({ groupId, errorCode: answer.error }));
    });
    return (await Promise.all(parts)).flat();
  }

  #byPartition(groupIds: readonly string[]): [number, string[]][] {
    const byPartition = new Map<number, string[]>();
    for (const groupId of groupIds) {
      const index = this.#partitionOf(groupId);
      const ids = byPartition.get(index);
      if (ids === undefined) byPartition.set(index, [groupId]);
      else ids.push(groupId);
    }
    return [...byPartition];
  }
}

function refusedOffsets(request: OffsetCommitRequest | TxnOffsetCommitRequest, errorCode: ErrorCode) {
  const topics = request.topics.map(({ name, topicId, partitions }) => {
    return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) };
  });
  return { throttleTimeMs: 0, topics };
}

function undescribed(groupId: string, errorCode: ErrorCode): DescribeGroupsResponseDescribedGroupDraft {
  return { errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] };
}

/** Consumers of before 3.9 do not try again on COORDINATOR_NOT_AVAILABLE here. */
function fetchErrorOf(error: ErrorCode): ErrorCode {
  const mapped = coordinatorErrorOf(error);
  return mapped === ErrorCode.COORDINATOR_NOT_AVAILABLE && error !== mapped ? ErrorCode.NOT_COORDINATOR : mapped;
}
