/** Members of a classic group that share partitions and commit, and a lone client that commits without being a member. */
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { OffsetFetchRequestDraft } from '../../src/wire/generated/offset-fetch.ts';
import type { Actor } from './actor.ts';
import type { Target } from './producer.ts';
import { demand, Violation } from './violation.ts';

const SESSION_TIMEOUT_MS = 6000;
const REBALANCE_TIMEOUT_MS = 4000;

/** The coordinator is elsewhere, not there yet, or has forgotten: ask again. */
const NOT_NOW: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
]);
/** The membership is over, or becomes another one. */
const REJOIN: ReadonlySet<number> = new Set([
  ...NOT_NOW,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.GROUP_ID_NOT_FOUND,
]);

interface Membership {
  readonly memberId: string;
  readonly generationId: number;
  readonly assigned: readonly Target[];
}

const NOBODY: Membership = { memberId: '', generationId: -1, assigned: [] };

const keyOf = (group: string, { topic, index }: Target): string => `${group}: ${topic.name}-${index}`;

export async function takePart(actor: Actor, group: string, targets: readonly Target[], rounds: number): Promise<void> {
  let memberId = '';
  let left = rounds;
  while (left > 0) {
    await findCoordinator(actor, group);
    const joined = await join(actor, group, memberId, targets);
    memberId = joined.memberId;
    if (joined.membership === undefined) {
      left -= 0.1;
      await actor.rest();
      continue;
    }
    left -= await work(actor, group, joined.membership, left);
    if (actor.random.oneIn(3)) {
      await leave(actor, group, joined.membership.memberId);
      memberId = '';
    }
  }
  if (memberId !== '') await leave(actor, group, memberId);
}

async function findCoordinator(actor: Actor, group: string): Promise<void> {
  for (;;) {
    const link = await actor.link();
    const apiVersion = actor.random.between(0, 6);
    const request = apiVersion >= 4 ? { keyType: 0, coordinatorKeys: [group] } : { key: group };
    const answer = await actor.unlessDisconnected(link.request('findCoordinator', apiVersion, request));
    const found = apiVersion >= 4 ? answer?.coordinators[0] : answer;
    if (found?.errorCode === ErrorCode.NONE) return;
    demand(
      found === undefined || NOT_NOW.has(found.errorCode),
      () => `${actor.name}: FindCoordinator is answered ${found?.errorCode}`,
    );
    await actor.rest();
  }
}

async function join(
  actor: Actor,
  groupId: string,
  formerId: string,
  targets: readonly Target[],
): Promise<{ readonly memberId: string; readonly membership?: Membership }> {
  const { random, world } = actor;
  const apiVersion = random.between(1, 9);
  const ask = async (memberId: string) => {
    const link = await actor.link();
    const request = {
      groupId,
      memberId,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      protocolType: 'consumer',
      protocols: [{ name: 'share', metadata: Buffer.from(actor.name) }],
    };
    return actor.unlessDisconnected(link.request('joinGroup', apiVersion, request));
  };
  let answer = await ask(formerId);
  if (answer?.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
    demand(answer.memberId !== '', () => `${actor.name}: MEMBER_ID_REQUIRED without a member id`);
    answer = await ask(answer.memberId);
  }
  if (answer === undefined) return { memberId: '' };
  if (answer.errorCode !== ErrorCode.NONE) {
    const { errorCode } = answer;
    demand(REJOIN.has(errorCode), () => `${actor.name}: JoinGroup is answered ${errorCode}`);
    return { memberId: errorCode === ErrorCode.UNKNOWN_MEMBER_ID ? '' : answer.memberId };
  }
  const { memberId, generationId, leader, members } = answer;
  world.generationSeen(groupId, generationId);
  demand(
    memberId === leader ? members.some((one) => one.memberId === memberId) : members.length === 0,
    () => `${actor.name}: wrong members`,
  );
  const ids = members.map((one) => one.memberId);
  const assignments = ids.map((id, index) => ({
    memberId: id,
    assignment: Buffer.from(JSON.stringify(targets.flatMap((_, at) => (at % ids.length === index ? [at] : [])))),
  }));
  const link = await actor.link();
  const synced = await actor.unlessDisconnected(
    link.request('syncGroup', random.between(0, 5), {
      groupId,
      generationId,
      memberId,
      ...{ protocolType: 'consumer', protocolName: 'share' },
      assignments,
    }),
  );
  if (synced === undefined) return { memberId };
  if (synced.errorCode !== ErrorCode.NONE) {
    demand(REJOIN.has(synced.errorCode), () => `${actor.name}: SyncGroup is answered ${synced.errorCode}`);
    return { memberId: synced.errorCode === ErrorCode.UNKNOWN_MEMBER_ID ? '' : memberId };
  }
  const positions = synced.assignment.length === 0 ? [] : (JSON.parse(synced.assignment.toString()) as number[]);
  const assigned = positions.map((at) => targets[at] as Target);
  return { memberId, membership: { memberId, generationId, assigned } };
}

/** Heartbeats and commits until the membership ends or is given up; how many rounds it has taken. */
async function work(actor: Actor, groupId: string, membership: Membership, most: number): Promise<number> {
  const { random, world } = actor;
  const { memberId, generationId } = membership;
  let done = 0;
  while (done < most) {
    done++;
    const link = await actor.link();
    const beat = await actor.unlessDisconnected(
      link.request('heartbeat', random.between(0, 4), { groupId, generationId, memberId }),
    );
    if (beat === undefined) continue;
    if (beat.errorCode !== ErrorCode.NONE) {
      const { errorCode } = beat;
      demand(REJOIN.has(errorCode), () => `${actor.name}: Heartbeat is answered ${errorCode}`);
      if (!NOT_NOW.has(errorCode)) return done;
    }
    for (const target of membership.assigned) {
      await lookAtCommitted(actor, groupId, target);
      const wasNewest = world.isNewestGeneration(groupId, generationId);
      const errorCode = await commit(actor, groupId, membership, target);
      if (errorCode === ErrorCode.NONE)
        demand(wasNewest, () => `${actor.name}: a commit of generation ${generationId} is taken after a later one has begun`);
      else if (errorCode !== undefined && !NOT_NOW.has(errorCode)) return done;
    }
    await world.scheduler.sleep(random.below(300));
    if (random.oneIn(8)) return done;
  }
  return done;
}

/** Commits without a membership, as clients that assign partitions themselves do. */
export async function commitAlone(actor: Actor, group: string, targets: readonly Target[], rounds: number): Promise<void> {
  await findCoordinator(actor, group);
  for (let i = 0; i < rounds; i++) {
    const target = actor.random.pick(targets);
    await lookAtCommitted(actor, group, target);
    await commit(actor, group, NOBODY, target);
    await actor.rest();
  }
}

async function commit(actor: Actor, groupId: string, membership: Membership, target: Target): Promise<number | undefined> {
  const { random, world } = actor;
  const key = keyOf(groupId, target);
  const link = await actor.link();
  const apiVersion = random.between(2, 10);
  const offset = world.model.willCommit(key);
  const { losses } = world;
  const answer = await actor.unlessDisconnected(
    link.request('offsetCommit', apiVersion, {
      groupId,
      generationIdOrMemberEpoch: membership.generationId,
      memberId: membership.memberId,
      topics: [
        {
          ...(apiVersion >= 10 ? { topicId: target.topic.id } : { name: target.topic.name }),
          partitions: [{ partitionIndex: target.index, committedOffset: offset, committedMetadata: `${offset}` }],
        },
      ],
    }),
  );
  if (answer === undefined) return undefined;
  const errorCode = answer.topics[0]?.partitions[0]?.errorCode;
  if (errorCode === undefined) throw new Violation(`${actor.name}: OffsetCommit is answered without its partition`);
  demand(errorCode === ErrorCode.NONE || REJOIN.has(errorCode), () => `${actor.name}: OffsetCommit is answered ${errorCode}`);
  if (errorCode === ErrorCode.NONE && losses === world.losses) world.model.commitAcknowledged(key, offset);
  else if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.REQUEST_TIMED_OUT) world.model.commitRefused(key, offset);
  return errorCode;
}

async function lookAtCommitted(actor: Actor, groupId: string, target: Target): Promise<void> {
  const { random, world } = actor;
  const { name, id: topicId } = target.topic;
  const key = keyOf(groupId, target);
  const link = await actor.link();
  const apiVersion = random.between(1, 10);
  const partitionIndexes = [target.index];
  const topics = [apiVersion >= 10 ? { topicId, partitionIndexes } : { name, partitionIndexes }];
  const request: OffsetFetchRequestDraft =
    apiVersion >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics: [{ name, partitionIndexes }] };
  const floor = world.model.committedFloor(key);
  const answer = await actor.unlessDisconnected(link.request('offsetFetch', apiVersion, request));
  if (answer === undefined) return;
  const group = apiVersion >= 8 ? answer.groups[0] : answer;
  const partition = group?.topics[0]?.partitions[0];
  const errorCode = group?.errorCode || partition?.errorCode || ErrorCode.NONE;
  if (NOT_NOW.has(errorCode)) return;
  demand(errorCode === ErrorCode.NONE, () => `${actor.name}: OffsetFetch is answered ${errorCode}`);
  const offset = Number(partition?.committedOffset ?? -1);
  demand(
    offset < 0 || partition?.metadata === `${offset}`,
    () => `${key}: committed offset ${offset} has the metadata ${partition?.metadata}`,
  );
  world.model.seeCommitted(key, offset, floor);
}

async function leave(actor: Actor, groupId: string, memberId: string): Promise<void> {
  const link = await actor.link();
  const apiVersion = actor.random.between(0, 5);
  const request = apiVersion >= 3 ? { groupId, members: [{ memberId }] } : { groupId, memberId };
  await actor.unlessDisconnected(link.request('leaveGroup', apiVersion, request));
}
