/**
 * The group coordinator of this broker: knows which partition of `__consumer_offsets` a group lives in, runs a group machine over each partition
 * that this broker leads, and turns the errors that come from there into each API's answers.
 *
 * A partition with records is loaded as soon as it is led; an empty one costs nothing until a group is asked for in it.
 * Source: KIP-98 and earlier for the placing of groups; KIP-394, KIP-345, KIP-447 and KIP-848 for what the APIs answer.
 */
import { GroupMachine } from '../machine/group/group-machine.ts';
import type { GroupAfter, GroupClient, GroupInput, GroupReply } from '../machine/group/input.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { LeadershipListener } from '../partition/partitions.ts';
import type { Partition } from '../partition/partition.ts';
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
import { coordinatorPartition } from '../wire/java-hash.ts';
import type { Clock } from '../world/clock.ts';
import type { Random } from '../world/random.ts';
import { coordinatorErrorOf } from './coordinator-error.ts';
import { readRecord, writeRecord } from './group-records.ts';
import {
  type CoordinatorSettings,
  type GroupSettings,
  type InternalTopic,
  OFFSETS_TOPIC,
  groupSettingsOf,
} from './group-settings.ts';
import { Host } from './host.ts';

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

type GroupHost = Host<GroupInput, GroupRecord, GroupReply, GroupAfter>;
type Answer<K extends GroupReply['kind']> =
  | { readonly error: typeof ErrorCode.NONE; readonly reply: Extract<GroupReply, { kind: K }> }
  | { readonly error: Exclude<ErrorCode, typeof ErrorCode.NONE>; readonly reply?: undefined };

export class GroupCoordinator implements LeadershipListener {
  readonly #options: GroupCoordinatorOptions;
  readonly #settings: GroupSettings;
  /** Partitions led here, by index. */
  readonly #led = new Map<number, Partition>();
  readonly #hosts = new Map<number, GroupHost>();
  #creating: Promise<unknown> | undefined;
  #stopped = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    this.#settings = groupSettingsOf(options.settings);
  }

  /** This broker leads the partition of __consumer_offsets now: loads its groups. */
  onLeader(partition: Partition): void {
    if (this.#stopped) return;
    if (this.#led.get(partition.index) !== partition) this.#drop(partition.index);
    this.#led.set(partition.index, partition);
    if (partition.log.logEndOffset > partition.log.logStartOffset) this.#hostOf(partition.index);
  }

  /** This broker leads it no more: what waits is answered with NOT_COORDINATOR. */
  onResigned(partition: Partition): void {
    if (this.#led.get(partition.index) !== partition) return;
    this.#drop(partition.index);
    this.#led.delete(partition.index);
  }

  /** Offsets of these topics are forgotten. */
  onTopicsDeleted(topics: readonly { readonly name: string; readonly id: string }[]): void {
    for (const host of this.#hosts.values()) void host.submit({ kind: 'topicsDeleted', topics });
  }

  /** Answers all that waits; no timer stays. */
  stop(): void {
    this.#stopped = true;
    for (const index of this.#hosts.keys()) this.#drop(index);
    this.#led.clear();
  }

  #drop(index: number): void {
    this.#hosts.get(index)?.close(ErrorCode.NOT_COORDINATOR);
    this.#hosts.delete(index);
  }

  #hostOf(index: number): GroupHost | undefined {
    const existing = this.#hosts.get(index);
    if (existing !== undefined && existing.state !== 'closed') return existing;
    const partition = this.#led.get(index);
    // A host that is closed while its partition is led could not be loaded.
    if (partition === undefined || existing !== undefined) return existing;
    const host: GroupHost = new Host({
      clock: this.#options.clock,
      partition,
      machine: () => new GroupMachine(this.#settings.machine),
      readRecord,
      writeRecord,
      codec: this.#settings.offsetsTopicCodec,
      writeTimeoutMs: this.#settings.offsetsCommitTimeoutMs,
      onLoadFailure: (failure) => this.#options.onLoadFailure?.(partition, failure),
    });
    this.#hosts.set(index, host);
    return host;
  }

  #partitionCount(): number | undefined {
    return this.#options.image.topicsByName.get(OFFSETS_TOPIC)?.partitions.size;
  }

  #partitionOf(groupId: string): number {
    return coordinatorPartition(groupId, this.#partitionCount() ?? this.#settings.offsetsTopic.partitions);
  }

  /** The broker that coordinates the group. Creates __consumer_offsets on first need, and waits for it rather than let every client ask again. */
  async coordinatorOf(groupId: string): Promise<{ readonly error: ErrorCode; readonly nodeId: number }> {
    if (this.#partitionCount() === undefined && !this.#stopped) {
      this.#creating ??= this.#options.createInternalTopic(this.#settings.offsetsTopic).finally(() => {
        this.#creating = undefined;
      });
      await this.#creating;
    }
    const leader = this.#options.image.partition(OFFSETS_TOPIC, this.#partitionOf(groupId))?.leader ?? -1;
    return { error: leader < 0 ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NONE, nodeId: leader };
  }

  async #ask<K extends GroupReply['kind']>(
    kind: K,
    index: number,
    input: GroupInput,
    errorOf = coordinatorErrorOf,
  ): Promise<Answer<K>> {
    if (this.#stopped) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const host = this.#hostOf(index);
    if (host === undefined) return failed(ErrorCode.NOT_COORDINATOR);
    const answer = await host.submit(input);
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
    const freshId = uuidText(this.#options.random);
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
    const errorCode = answer.error;
    const topics = request.topics.map(({ name, topicId, partitions }) => {
      return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) };
    });
    return { topics };
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
    if (this.#stopped) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] };
    const input: GroupInput = { kind: 'list', request };
    const answers = await Promise.all([...this.#hosts.keys()].map((index) => this.#ask('list', index, input)));
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

function failed(error: ErrorCode): { readonly error: Exclude<ErrorCode, typeof ErrorCode.NONE> } {
  if (error === ErrorCode.NONE) throw new Error('a failure without an error');
  return { error };
}

function undescribed(groupId: string, errorCode: ErrorCode): DescribeGroupsResponseDescribedGroupDraft {
  return { errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] };
}

/** Consumers of before 3.9 do not try again on COORDINATOR_NOT_AVAILABLE here. */
function fetchErrorOf(error: ErrorCode): ErrorCode {
  const mapped = coordinatorErrorOf(error);
  return mapped === ErrorCode.COORDINATOR_NOT_AVAILABLE && error !== mapped ? ErrorCode.NOT_COORDINATOR : mapped;
}

const UUID_BYTES = 16;

/** A random uuid (version 4) in its canonical text form. */
function uuidText(random: Random): string {
  const bytes = Buffer.from(random.bytes(UUID_BYTES));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
