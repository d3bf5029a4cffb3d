import { expect } from 'chai';
import {
  type FetchContext,
  type FetchedData,
  type FetchedPartition,
  FetchSessions,
  type SessionRequest,
  sessionSlots,
} from '../../src/partition/fetch-sessions.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { randomOf, SEED } from '../support/property.ts';

const wanted = (index: number, over: Partial<FetchedPartition> = {}): FetchedPartition => ({
  topic: 'orders',
  topicId: ZERO_UUID,
  index,
  fetchOffset: 0,
  maxBytes: 100,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  toldHighWatermark: -1,
  toldLogStartOffset: -1,
  ...over,
});

const requestOf = (sessionId: number, sessionEpoch: number, over: Partial<SessionRequest> = {}): SessionRequest => ({
  sessionId,
  sessionEpoch,
  usesTopicIds: false,
  fromFollower: false,
  partitions: [],
  forgotten: [],
  nameOf: () => undefined,
  ...over,
});

const forget = (index: number): SessionRequest['forgotten'][number] => ({ topic: 'orders', topicId: ZERO_UUID, index });

const dataFor = (
  partition: FetchedPartition,
  highWatermark = 0,
  bytes = 0,
  errorCode: ErrorCode = ErrorCode.NONE,
): FetchedData => ({
  partition,
  data: { partitionIndex: partition.index, errorCode, highWatermark, logStartOffset: 0, records: Buffer.alloc(bytes) },
  sizeInBytes: bytes,
});

const indexesOf = (context: FetchContext): number[] => context.partitions.map(({ index }) => index);
const answerAll = (sessions: FetchSessions, context: FetchContext, highWatermark = 0) =>
  sessions.answer(
    context,
    context.partitions.map((partition) => dataFor(partition, highWatermark)),
  );

describe('fetch sessions', () => {
  let clock: VirtualClock;
  let sessions: FetchSessions;
  let chance: number;
  const random = { bytes: (size: number) => Buffer.alloc(size), below: (bound: number) => chance++ % bound };

  beforeEach(() => {
    clock = new VirtualClock();
    chance = 100;
    sessions = new FetchSessions({ clock, random, slots: 2 });
  });

  const open = (indexes: readonly number[], over: Partial<SessionRequest> = {}): number => {
    const context = sessions.open(requestOf(0, 0, { partitions: indexes.map((index) => wanted(index)), ...over }));
    expect(context.kind).to.equal('full');
    return answerAll(sessions, context).sessionId;
  };

  describe('what a request is, by session id and epoch', () => {
    const cases: [string, (live: number) => [number, number], string, boolean][] = [
      ['no session, epoch 0: opens one', () => [0, 0], 'full', true],
      ['no session, epoch -1: goes without', () => [0, -1], 'sessionless', true],
      ['a live session, epoch 0: closes it and opens another', (live) => [live, 0], 'full', false],
      ['a live session, epoch -1: closes it', (live) => [live, -1], 'sessionless', false],
      ['a dead session, epoch 0: opens one', (live) => [live + 1, 0], 'full', true],
      ['a live session, the epoch it is at: goes on', (live) => [live, 1], 'incremental', true],
      ['a live session, another epoch: refused', (live) => [live, 2], 'refused', true],
      ['a dead session: refused', (live) => [live + 1, 1], 'refused', true],
    ];
    for (const [what, ids, kind, lives] of cases) {
      it(what, () => {
        const live = open([0]);
        const [id, epoch] = ids(live);
        expect(sessions.open(requestOf(id, epoch, { partitions: [wanted(1)] })).kind).to.equal(kind);
        const after = sessions.open(requestOf(live, kind === 'incremental' ? 2 : 1));
        expect(after.kind === 'incremental', 'the session lives').to.equal(lives);
      });
    }
  });

  it('adds, changes and forgets partitions', () => {
    const id = open([0, 1, 2]);
    const context = sessions.open(
      requestOf(id, 1, { partitions: [wanted(1, { fetchOffset: 7, maxBytes: 9 }), wanted(5)], forgotten: [forget(0)] }),
    );
    expect(indexesOf(context)).to.deep.equal([1, 2, 5]);
    expect(context.partitions[0]).to.include({ fetchOffset: 7, maxBytes: 9 });
  });

  it('ends with its last partition', () => {
    const id = open([0]);
    const context = sessions.open(requestOf(id, 1, { forgotten: [forget(0)] }));
    expect(context.kind).to.equal('sessionless');
    expect(sessions.answer(context, []).sessionId).to.equal(0);
    expect(sessions.size).to.equal(0);
  });

  it('refuses an answer that another request has overtaken', () => {
    const id = open([0]);
    const slow = sessions.open(requestOf(id, 1));
    const quick = sessions.open(requestOf(id, 2));
    expect(answerAll(sessions, quick).error).to.equal(ErrorCode.NONE);
    const late = answerAll(sessions, slow);
    expect([late.error, late.sessionId, late.results.length]).to.deep.equal([ErrorCode.INVALID_FETCH_SESSION_EPOCH, id, 0]);
  });

  it('tells a partition with records, a moved high watermark or an error, and once more when the error is gone', () => {
    const id = open([0, 1, 2, 3]);
    const tell = (epoch: number, data: (partition: FetchedPartition) => FetchedData): number[] => {
      const context = sessions.open(requestOf(id, epoch));
      return sessions.answer(context, context.partitions.map(data)).results.map(({ partition }) => partition.index);
    };
    expect(tell(1, (p) => dataFor(p))).to.deep.equal([]);
    expect(tell(2, (p) => (p.index === 1 ? dataFor(p, 0, 5) : dataFor(p)))).to.deep.equal([1]);
    expect(tell(3, (p) => (p.index === 2 ? dataFor(p, 9) : dataFor(p)))).to.deep.equal([2]);
    expect(
      tell(4, (p) => (p.index === 3 ? dataFor(p, 0, 0, ErrorCode.FENCED_LEADER_EPOCH) : dataFor(p, p.index === 2 ? 9 : 0))),
    ).to.deep.equal([3]);
    expect(tell(5, (p) => dataFor(p, p.index === 2 ? 9 : 0))).to.deep.equal([3]);
    expect(tell(6, (p) => dataFor(p, p.index === 2 ? 9 : 0))).to.deep.equal([]);
  });

  it('wraps its epoch from the greatest to 1', () => {
    const id = open([0]);
    const context = sessions.open(requestOf(id, 1));
    if (context.kind !== 'incremental') throw new Error(context.kind);
    context.session.epoch = 0x7fffffff;
    expect(sessions.open(requestOf(id, 0x7fffffff)).kind).to.equal('incremental');
    expect(sessions.open(requestOf(id, 1)).kind).to.equal('incremental');
  });

  it('keeps to topic ids or to names', () => {
    const id = open([0]);
    const context = sessions.open(requestOf(id, 1, { usesTopicIds: true }));
    expect(context.kind === 'refused' && context.error).to.equal(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
  });

  for (const [configured, sessionsAtMost] of [
    [1000, 1000],
    [0, 0],
    [7, 0],
    [8, 8],
    [15, 8],
    [17, 16],
  ] as const) {
    it(`there are at most ${sessionsAtMost} where ${configured} slots are configured`, () => {
      expect(sessionSlots(configured)).to.equal(sessionsAtMost);
    });
  }

  describe('when all slots are taken', () => {
    it('gives none to a newcomer while the others are young', () => {
      open([0, 1]);
      open([0, 1]);
      expect(open([0, 1, 2])).to.equal(0);
      expect(sessions.size).to.equal(2);
    });

    it('gives the place of one that was not used for two minutes', async () => {
      const old = open([0, 1, 2]);
      await clock.advance(60_000);
      open([0]);
      await clock.advance(60_001);
      expect(open([0])).to.be.greaterThan(0);
      expect(sessions.open(requestOf(old, 1)).kind).to.equal('refused');
    });

    it('gives the place of a smaller one older than that, in use as it may be', async () => {
      const small = open([0]);
      const large = open([0, 1, 2]);
      await clock.advance(120_001);
      for (const id of [small, large]) answerAll(sessions, sessions.open(requestOf(id, 1)));
      expect(open([0]), 'no larger than the smallest').to.equal(0);
      expect(open([0, 1]), 'larger').to.be.greaterThan(0);
      expect(sessions.open(requestOf(small, 2)).kind).to.equal('refused');
      expect(sessions.open(requestOf(large, 2)).kind).to.equal('incremental');
    });

    it("gives a consumer's place to a follower at once, and not the other way round", () => {
      const consumer = open([0, 1, 2]);
      open([0], { fromFollower: true });
      expect(open([0], { fromFollower: true })).to.be.greaterThan(0);
      expect(sessions.open(requestOf(consumer, 1)).kind).to.equal('refused');
      expect(open([0, 1, 2])).to.equal(0);
    });

    it('gives none at all where there are no slots', () => {
      sessions = new FetchSessions({ clock, random, slots: 0 });
      expect(open([0])).to.equal(0);
    });
  });

  it('does over any conversation what a client that keeps all answers expects', () => {
    const chanceOf = randomOf(SEED);
    const below = (bound: number): number => Math.floor(chanceOf() * bound);
    for (let run = 0; run < 50; run++) converse(below, `SEED=${SEED} run ${run}`);
  });

  /** One client, one session: it sends differences, the broker's partitions change at random, and what the client knows has to stay right. */
  function converse(below: (bound: number) => number, what: string): void {
    sessions = new FetchSessions({ clock, random, slots: 2 });
    const highWatermarks = Array.from({ length: 8 }, () => below(3));
    const fetched = new Map<number, number>();
    const known = new Map<number, number>();
    let [id, epoch] = [0, 0];
    for (let step = 0; step < 40; step++) {
      const changed = Array.from({ length: below(3) }, () => below(8));
      const dropped = id === 0 ? [] : [...fetched.keys()].filter((index) => !changed.includes(index) && below(6) === 0);
      for (const index of changed) fetched.set(index, below(100));
      for (const index of dropped) {
        fetched.delete(index);
        known.delete(index);
      }
      const sent = id === 0 ? [...fetched.keys()] : changed;
      const partitions = sent.map((index) => wanted(index, { fetchOffset: fetched.get(index) ?? 0 }));
      const context = sessions.open(requestOf(id, epoch, { partitions, forgotten: dropped.map(forget) }));
      expect(new Map(context.partitions.map((one) => [one.index, one.fetchOffset])), what).to.deep.equal(new Map(fetched));
      for (const [index, highWatermark] of highWatermarks.entries())
        highWatermarks[index] = highWatermark + (below(4) === 0 ? 1 : 0);
      const results = context.partitions.map((one) => dataFor(one, highWatermarks[one.index] ?? 0, below(5) === 0 ? 1 : 0));
      const answer = sessions.answer(context, results);
      expect(answer.error, what).to.equal(ErrorCode.NONE);
      for (const { partition, data } of answer.results) known.set(partition.index, Number(data.highWatermark));
      for (const index of fetched.keys())
        expect(known.get(index), `${what} step ${step} partition ${index}`).to.equal(highWatermarks[index]);
      const withRecords = results.filter(({ sizeInBytes }) => sizeInBytes > 0).map(({ partition }) => partition.index);
      if (context.kind === 'incremental') {
        const order = [...context.session.partitions.values()].map(({ index }) => index);
        expect(order.slice(order.length - withRecords.length), what).to.deep.equal(withRecords);
      }
      epoch = answer.sessionId === 0 ? 0 : context.kind === 'incremental' ? epoch + 1 : 1;
      id = answer.sessionId;
      if (below(10) !== 0) continue;
      [id, epoch] = [0, 0];
      known.clear();
    }
  }
});
