/**
 * Incremental fetch sessions (KIP-227): the broker remembers which partitions a client fetches and at which offsets, the client sends only what
 * changed, and the answer holds only partitions that have something new.
 *
 * Invariants:
 * - a session's epoch is the one that its next request has to carry; an answer whose session has moved on meanwhile is refused;
 * - a partition that gave records goes to the end of its session's order, so that one late in the list is not starved by limits;
 * - at most `slots` sessions; a new one takes the place of one unused for `evictionMs`, or of a smaller one older than that.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { FetchResponsePartitionDataDraft } from '../wire/generated/fetch.ts';
import { ZERO_UUID } from '../wire/uuid.ts';
import type { Clock } from '../world/clock.ts';
import type { Random } from '../world/random.ts';

const NO_SESSION = 0;
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;
const MAX_INT32 = 0x7fffffff;
const EVICTION_MS = 120_000;

/** Into so many parts Apache Kafka cuts its cache of sessions, each with as many slots as all others. */
const PARTS = 8;

/** How many sessions there may be for `max.incremental.fetch.session.cache.slots`: fewer than eight slots are none. */
export function sessionSlots(configured: number): number {
  return Math.trunc(configured / PARTS) * PARTS;
}

/** What a client asks of one partition, and what it was last told about it. */
export interface FetchedPartition {
  /** Undefined while a topic id is not known. */
  topic: string | undefined;
  /** The zero uuid where the client fetches by names. */
  readonly topicId: string;
  readonly index: number;
  fetchOffset: number;
  maxBytes: number;
  /** -1: none named. */
  currentLeaderEpoch: number;
  lastFetchedEpoch: number;
  toldHighWatermark: number;
  toldLogStartOffset: number;
}

/** A partition's part of an answer. */
export interface FetchedData {
  readonly partition: FetchedPartition;
  readonly data: FetchResponsePartitionDataDraft;
  /** Bytes of records in `data`. */
  readonly sizeInBytes: number;
}

export interface FetchSession {
  readonly id: number;
  readonly fromFollower: boolean;
  readonly usesTopicIds: boolean;
  readonly createdMs: number;
  readonly partitions: Map<string, FetchedPartition>;
  epoch: number;
  usedMs: number;
  /** Number of partitions, and whether it was older than the eviction time, when last used. */
  size: number;
  seasoned: boolean;
}

/** What one request fetches. */
export type FetchContext =
  | { readonly kind: 'refused'; readonly error: ErrorCode; readonly partitions: readonly FetchedPartition[] }
  | { readonly kind: 'sessionless'; readonly partitions: readonly FetchedPartition[] }
  | {
      readonly kind: 'full';
      readonly partitions: readonly FetchedPartition[];
      readonly usesTopicIds: boolean;
      readonly fromFollower: boolean;
    }
  | {
      readonly kind: 'incremental';
      readonly partitions: readonly FetchedPartition[];
      readonly session: FetchSession;
      readonly epochAfter: number;
    };

export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  /** Fetch 13 and up. */
  readonly usesTopicIds: boolean;
  readonly fromFollower: boolean;
  /** New or changed; where one occurs twice the later counts. */
  readonly partitions: readonly FetchedPartition[];
  readonly forgotten: readonly { readonly topic: string | undefined; readonly topicId: string; readonly index: number }[];
  nameOf(topicId: string): string | undefined;
}

export interface SessionAnswer {
  readonly error: ErrorCode;
  readonly sessionId: number;
  readonly results: readonly FetchedData[];
}

export interface FetchSessionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What `sessionSlots` makes of the config. */
  readonly slots: number;
}

export class FetchSessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #slots: number;
  /** Least recently used first. */
  readonly #sessions = new Map<number, FetchSession>();

  constructor(options: FetchSessionsOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#slots = options.slots;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Which partitions a request is about; changes the session it names. */
  open(request: SessionRequest): FetchContext {
    const { sessionEpoch, sessionId } = request;
    if (sessionEpoch !== INITIAL_EPOCH && sessionEpoch !== FINAL_EPOCH) return this.#openIncremental(request);
    if (sessionId !== NO_SESSION) this.#sessions.delete(sessionId);
    const partitions = withoutRepeats(request.partitions);
    if (sessionEpoch === FINAL_EPOCH) return { kind: 'sessionless', partitions };
    return { kind: 'full', partitions, usesTopicIds: request.usesTopicIds, fromFollower: request.fromFollower };
  }

  /** What of `results` is told, under which session. Called once for each opened context. */
  answer(context: FetchContext, results: readonly FetchedData[]): SessionAnswer {
    switch (context.kind) {
      case 'refused':
        return { error: context.error, sessionId: NO_SESSION, results: [] };
      case 'sessionless':
        return { error: ErrorCode.NONE, sessionId: NO_SESSION, results };
      case 'full':
        return { error: ErrorCode.NONE, sessionId: this.#create(context.usesTopicIds, context.fromFollower, results), results };
      case 'incremental':
        return answerIncremental(context.session, context.epochAfter, results);
    }
  }

  #openIncremental(request: SessionRequest): FetchContext {
    const session = this.#sessions.get(request.sessionId);
    if (session === undefined) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    if (session.epoch !== request.sessionEpoch) return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    if (session.usesTopicIds !== request.usesTopicIds) return refused(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
    update(session, request);
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id);
      return { kind: 'sessionless', partitions: withoutRepeats(request.partitions) };
    }
    this.#touch(session);
    session.epoch = epochAfter(session.epoch);
    return { kind: 'incremental', partitions: [...session.partitions.values()], session, epochAfter: session.epoch };
  }

  #create(usesTopicIds: boolean, fromFollower: boolean, results: readonly FetchedData[]): number {
    if (this.#sessions.size >= this.#slots && !this.#evictFor(fromFollower, results.length)) return NO_SESSION;
    const partitions = new Map<string, FetchedPartition>();
    for (const { partition, data } of results) {
      remember(partition, data);
      partitions.set(keyOf(partition), partition);
    }
    const now = this.#clock.monotonic();
    const session: FetchSession = {
      id: this.#freeId(),
      fromFollower,
      usesTopicIds,
      createdMs: now,
      partitions,
      epoch: epochAfter(INITIAL_EPOCH),
      usedMs: now,
      size: 0,
      seasoned: false,
    };
    this.#touch(session);
    return session.id;
  }

  #freeId(): number {
    for (;;) {
      const id = 1 + this.#random.below(MAX_INT32 - 1);
      if (!this.#sessions.has(id)) return id;
    }
  }

  #touch(session: FetchSession): void {
    const now = this.#clock.monotonic();
    session.usedMs = now;
    session.size = session.partitions.size;
    session.seasoned = now - session.createdMs > EVICTION_MS;
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  /** Makes room for a session of `size` partitions where that is worth it. Followers' sessions give way only to followers', once seasoned. */
  #evictFor(fromFollower: boolean, size: number): boolean {
    const [oldest] = this.#sessions.values();
    if (oldest === undefined) return false;
    if (this.#clock.monotonic() - oldest.usedMs > EVICTION_MS) return this.#sessions.delete(oldest.id);
    let least: FetchSession | undefined;
    for (const session of this.#sessions.values()) {
      if (!session.seasoned && (!fromFollower || session.fromFollower)) continue;
      if (least === undefined || worth(session, least) < 0) least = session;
    }
    if (least === undefined || worth({ fromFollower, size, id: 0 }, least) < 0) return false;
    return this.#sessions.delete(least.id);
  }
}

type Worth = Pick<FetchSession, 'fromFollower' | 'size' | 'id'>;

/** Below 0 when `a` is given up sooner than `b`. */
function worth(a: Worth, b: Worth): number {
  if (a.fromFollower !== b.fromFollower) return a.fromFollower ? 1 : -1;
  return a.size === b.size ? a.id - b.id : a.size - b.size;
}

function refused(error: ErrorCode): FetchContext {
  return { kind: 'refused', error, partitions: [] };
}

/** 1 follows the greatest int32, because 0 opens a new session. */
function epochAfter(epoch: number): number {
  if (epoch < 0) return FINAL_EPOCH;
  return epoch === MAX_INT32 ? 1 : epoch + 1;
}

function keyOf(partition: { readonly topic: string | undefined; readonly topicId: string; readonly index: number }): string {
  return partition.topicId === ZERO_UUID ? `${partition.topic}/${partition.index}` : `${partition.topicId}/${partition.index}`;
}

/** In the order of first mention, as the last mention says. */
function withoutRepeats(partitions: readonly FetchedPartition[]): readonly FetchedPartition[] {
  if (partitions.length < 2) return partitions;
  const byKey = new Map<string, FetchedPartition>();
  for (const partition of partitions) byKey.set(keyOf(partition), partition);
  return byKey.size === partitions.length ? partitions : [...byKey.values()];
}

function update(session: FetchSession, request: SessionRequest): void {
  for (const partition of request.partitions) {
    const key = keyOf(partition);
    const known = session.partitions.get(key);
    if (known === undefined) {
      session.partitions.set(key, partition);
      continue;
    }
    known.fetchOffset = partition.fetchOffset;
    known.maxBytes = partition.maxBytes;
    known.currentLeaderEpoch = partition.currentLeaderEpoch;
    known.lastFetchedEpoch = partition.lastFetchedEpoch;
  }
  for (const forgotten of request.forgotten) session.partitions.delete(keyOf(forgotten));
  if (!session.usesTopicIds) return;
  for (const partition of session.partitions.values()) partition.topic ??= request.nameOf(partition.topicId);
}

function answerIncremental(session: FetchSession, epochExpected: number, results: readonly FetchedData[]): SessionAnswer {
  if (session.epoch !== epochExpected) {
    return { error: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: session.id, results: [] };
  }
  const told = results.filter(({ partition, data, sizeInBytes }) => {
    const news = sizeInBytes > 0 || isNews(partition, data);
    remember(partition, data);
    return news;
  });
  for (const { partition, sizeInBytes } of told) {
    if (sizeInBytes === 0) continue;
    const key = keyOf(partition);
    session.partitions.delete(key);
    session.partitions.set(key, partition);
  }
  return { error: ErrorCode.NONE, sessionId: session.id, results: told };
}

function isNews(partition: FetchedPartition, data: FetchResponsePartitionDataDraft): boolean {
  return (
    data.errorCode !== ErrorCode.NONE ||
    partition.toldHighWatermark !== Number(data.highWatermark) ||
    partition.toldLogStartOffset !== Number(data.logStartOffset ?? -1) ||
    data.divergingEpoch !== undefined ||
    (data.preferredReadReplica ?? -1) !== -1
  );
}

/** After an error the high watermark counts as untold, so that the partition is told again once the error has gone. */
function remember(partition: FetchedPartition, data: FetchResponsePartitionDataDraft): void {
  partition.toldHighWatermark = data.errorCode === ErrorCode.NONE ? Number(data.highWatermark) : -1;
  partition.toldLogStartOffset = Number(data.logStartOffset ?? -1);
}
