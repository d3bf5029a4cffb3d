/** A group machine with a log that is an array: what tests talk to. */
import { expect } from 'chai';
import type { ClassicGroup } from '../../../src/machine/group/classic-group.ts';
import { GroupMachine, type GroupStep } from '../../../src/machine/group/group-machine.ts';
import type { GroupAfter, GroupConfig, GroupInput, GroupReply } from '../../../src/machine/group/input.ts';
import { violations } from './invariants.ts';
import type { GroupRecord } from '../../../src/machine/group/record.ts';
import { readRecord, writeRecord } from '../../../src/host/group-records.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import type { JoinGroupResponseDraft } from '../../../src/wire/generated/join-group.ts';
import { writeConsumerProtocolSubscription } from '../../../src/wire/generated/records/consumer-protocol-subscription.ts';
import type { SyncGroupResponseDraft } from '../../../src/wire/generated/sync-group.ts';
import { Writer } from '../../../src/wire/writer.ts';

export const CONFIG: GroupConfig = {
  groupMaxSize: 100,
  groupInitialRebalanceDelayMs: 3000,
  offsetMetadataMaxBytes: 4096,
  offsetsRetentionMs: 7 * 24 * 3600_000,
  offsetsRetentionCheckIntervalMs: 600_000,
};

export const START_MS = 1_700_000_000_000;

export class Groups {
  machine: GroupMachine;
  readonly config: GroupConfig;
  readonly log: GroupRecord[] = [];
  readonly answers = new Map<number, GroupReply>();
  /** With false, records stay uncommitted until `commit` or `refuse`. */
  commitsAtOnce = true;
  /** Set: every append is refused with this error. */
  refusing: ErrorCode | undefined;
  elapsedMs = 0;
  wakeAtMs = Number.POSITIVE_INFINITY;
  asked = 0;
  #fresh = 0;
  readonly #uncommitted: GroupAfter[] = [];

  constructor(config: Partial<GroupConfig> = {}) {
    this.config = { ...CONFIG, ...config };
    this.machine = new GroupMachine(this.config);
    this.#take(this.machine.loaded(this.now), undefined);
  }

  get now() {
    return { timeMs: START_MS + this.elapsedMs, monotonicMs: this.elapsedMs };
  }

  ask(input: GroupInput): number {
    const requestId = this.asked++;
    this.#take(this.machine.step(requestId, input, this.now), requestId);
    return requestId;
  }

  #take(step: GroupStep, requestId: number | undefined): void {
    this.wakeAtMs = step.wakeAtMs;
    const isRefused = step.records.length > 0 && this.refusing !== undefined;
    for (const { requestId: id, reply } of step.replies) {
      expect(this.answers.has(id), `request ${id} is answered twice`).to.equal(false);
      this.answers.set(
        id,
        this.refusing !== undefined && isRefused && id === requestId ? { kind: 'refused', error: this.refusing } : reply,
      );
    }
    if (isRefused) {
      for (const after of step.after)
        this.#take(this.machine.notStored(after, this.refusing ?? ErrorCode.NONE, this.now), undefined);
      return;
    }
    for (const record of step.records) {
      this.machine.apply(record, { offset: this.log.length, producerId: -1 });
      this.log.push(record);
    }
    this.#uncommitted.push(...step.after);
    if (this.commitsAtOnce) this.commit();
    expect(violations(this.machine).join('\n')).to.equal('');
  }

  commit(): void {
    for (let after = this.#uncommitted.shift(); after !== undefined; after = this.#uncommitted.shift()) {
      this.#take(this.machine.stored(after, this.now), undefined);
    }
  }

  /** Lets time pass, waking the machine whenever it asked to be. */
  pass(ms: number): void {
    const until = this.elapsedMs + ms;
    while (this.wakeAtMs <= until) {
      this.elapsedMs = Math.max(this.elapsedMs, this.wakeAtMs);
      this.#take(this.machine.wake(this.now), undefined);
    }
    this.elapsedMs = until;
  }

  /** What a broker knows that has just read the log, as bytes. */
  replayed(): GroupMachine {
    const machine = new GroupMachine(this.config);
    this.log.forEach((record, offset) => {
      const { key, value } = writeRecord(record);
      const read = readRecord(key, value);
      if (read === undefined) throw new Error(`record ${record.kind} is not read`);
      machine.apply(read, { offset, producerId: -1 });
    });
    return machine;
  }

  /** The broker goes and comes back: what waited is never answered. */
  restart(): void {
    this.#uncommitted.length = 0;
    this.machine = this.replayed();
    this.#take(this.machine.loaded(this.now), undefined);
  }

  freshId(): string {
    return `00000000-0000-4000-8000-${String(this.#fresh++).padStart(12, '0')}`;
  }

  group(groupId = 'g'): ClassicGroup {
    const group = this.machine.passing.groups.get(groupId);
    if (group === undefined) throw new Error(`group ${groupId} is not alive`);
    return group;
  }

  state(groupId = 'g'): string {
    return this.machine.passing.groups.get(groupId)?.phase.state ?? (this.machine.lasting.groups.has(groupId) ? 'Empty' : 'Dead');
  }

  // Requests in short.

  join(o: JoinOptions = {}): number {
    const request = {
      groupId: o.groupId ?? 'g',
      sessionTimeoutMs: o.sessionTimeoutMs ?? 10_000,
      rebalanceTimeoutMs: o.rebalanceTimeoutMs ?? 30_000,
      memberId: o.memberId ?? '',
      groupInstanceId: o.instanceId ?? null,
      protocolType: o.protocolType ?? 'consumer',
      protocols: (o.protocols ?? ['range']).map((name) => ({ name, metadata: subscription(o.topics ?? ['t']) })),
      reason: null,
    };
    const client = { apiVersion: o.version ?? 9, clientId: o.clientId ?? 'c', host: '127.0.0.1' };
    return this.ask({ kind: 'join', request, client, freshId: this.freshId() });
  }

  /** Joins a dynamic member: asks for an id, and waits with it. */
  enter(o: JoinOptions = {}): { memberId: string; request: number } {
    const first = this.joined(this.join(o));
    expect(first.errorCode).to.equal(79);
    return { memberId: first.memberId, request: this.join({ ...o, memberId: first.memberId }) };
  }

  sync(o: {
    memberId: string;
    generation: number;
    assignments?: Record<string, string>;
    instanceId?: string;
    type?: string;
    name?: string;
    groupId?: string;
  }): number {
    const assignments = Object.entries(o.assignments ?? {}).map(([memberId, text]) => ({
      memberId,
      assignment: Buffer.from(text),
    }));
    const request = {
      groupId: o.groupId ?? 'g',
      generationId: o.generation,
      memberId: o.memberId,
      groupInstanceId: o.instanceId ?? null,
      protocolType: o.type ?? 'consumer',
      protocolName: o.name ?? 'range',
      assignments,
    };
    return this.ask({ kind: 'sync', request });
  }

  heartbeat(memberId: string, generation: number, instanceId: string | null = null, groupId = 'g'): number {
    const request = { groupId, generationId: generation, memberId, groupInstanceId: instanceId };
    const answer = this.answerOf(this.ask({ kind: 'heartbeat', request }));
    return answer.kind === 'refused' ? answer.error : answer.kind === 'heartbeat' ? answer.response.errorCode : Number.NaN;
  }

  leave(...members: { memberId?: string; instanceId?: string }[]): number[] {
    const identities = members.map((one) => ({
      memberId: one.memberId ?? '',
      groupInstanceId: one.instanceId ?? null,
      reason: null,
    }));
    const answer = this.answerOf(this.ask({ kind: 'leave', request: { groupId: 'g', memberId: '', members: identities } }));
    if (answer.kind === 'refused') return [answer.error];
    return answer.kind === 'leave' ? (answer.response.members ?? []).map((one) => one.errorCode ?? 0) : [Number.NaN];
  }

  offset(o: CommitOptions = {}): number {
    const request = {
      groupId: o.groupId ?? 'g',
      generationIdOrMemberEpoch: o.generation ?? -1,
      memberId: o.memberId ?? '',
      groupInstanceId: o.instanceId ?? null,
      retentionTimeMs: BigInt(o.retentionMs ?? -1),
      topics: [
        {
          name: o.topic ?? 't',
          topicId: o.topicId ?? TOPIC_ID,
          partitions: [
            {
              partitionIndex: o.partition ?? 0,
              committedOffset: BigInt(o.offset ?? 1),
              committedLeaderEpoch: 3,
              committedMetadata: o.metadata ?? null,
            },
          ],
        },
      ],
    };
    const client = { apiVersion: o.version ?? 9, clientId: 'c', host: '127.0.0.1' };
    const answer = this.answerOf(this.ask({ kind: 'commit', request, client }));
    if (answer.kind === 'refused') return answer.error;
    return answer.kind === 'commit' ? (answer.response.topics[0]?.partitions[0]?.errorCode ?? Number.NaN) : Number.NaN;
  }

  /** The committed offset; -1 when there is none. */
  fetched(
    o: { groupId?: string; topic?: string; topicId?: string; partition?: number; requireStable?: boolean } = {},
  ): bigint | number {
    const topics = [{ name: o.topic ?? 't', topicId: o.topicId ?? TOPIC_ID, partitionIndexes: [o.partition ?? 0] }];
    const group = { groupId: o.groupId ?? 'g', memberId: null, memberEpoch: -1, topics };
    const answer = this.answerOf(this.ask({ kind: 'fetch', group, requireStable: o.requireStable ?? false }));
    if (answer.kind !== 'fetch') throw new Error(`no fetch: ${answer.kind}`);
    return answer.response.topics?.[0]?.partitions?.[0]?.committedOffset ?? Number.NaN;
  }

  answerOf(request: number): GroupReply {
    const answer = this.answers.get(request);
    if (answer === undefined) throw new Error(`request ${request} has no answer yet`);
    return answer;
  }

  joined(request: number): JoinGroupResponseDraft {
    const answer = this.answerOf(request);
    if (answer.kind !== 'join') throw new Error(`request ${request} is answered with ${JSON.stringify(answer)}`);
    return answer.response;
  }

  synced(request: number): SyncGroupResponseDraft {
    const answer = this.answerOf(request);
    if (answer.kind !== 'sync') throw new Error(`request ${request} is answered with ${JSON.stringify(answer)}`);
    return answer.response;
  }

  /** A group of `count` members that has come to Stable; the first is the leader. */
  stable(count: number, o: JoinOptions = {}): { members: string[]; generation: number } {
    const entered = Array.from({ length: count }, () => this.enter(o));
    this.pass(3000);
    // Whoever enters later prolongs the first join phase once.
    while (this.state() === 'PreparingRebalance') this.pass(3000);
    const members = entered.map((one) => one.memberId);
    const generation = this.group().generation;
    const leader = this.joined(entered[0]?.request ?? -1).leader;
    for (const memberId of members) if (memberId !== leader) this.sync({ memberId, generation });
    this.sync({
      memberId: leader,
      generation,
      assignments: Object.fromEntries(members.map((memberId) => [memberId, `of ${memberId}`])),
    });
    expect(this.state()).to.equal('Stable');
    return { members, generation };
  }
}

export const TOPIC_ID = 'dG9waWMtaWQtMTIzNDU2Nw';

export interface JoinOptions {
  readonly groupId?: string;
  readonly memberId?: string;
  readonly instanceId?: string;
  readonly version?: number;
  readonly protocols?: readonly string[];
  readonly protocolType?: string;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly topics?: readonly string[];
  readonly clientId?: string;
}

export interface CommitOptions {
  readonly groupId?: string;
  readonly generation?: number;
  readonly memberId?: string;
  readonly instanceId?: string;
  readonly topic?: string;
  readonly topicId?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly metadata?: string;
  readonly retentionMs?: number | bigint;
  readonly version?: number;
}

export function subscription(topics: readonly string[]): Buffer {
  const w = new Writer();
  w.int16(3);
  writeConsumerProtocolSubscription(w, { topics }, 3);
  return w.concat();
}
