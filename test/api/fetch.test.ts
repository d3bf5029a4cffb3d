import { expect } from 'chai';
import { fetch } from '../../src/api/fetch.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type {
  FetchRequestDraft,
  FetchRequestFetchPartitionDraft,
  FetchResponse,
  FetchResponsePartitionData,
} from '../../src/wire/generated/fetch.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { type Asked, FakeConnection, batchOf, idOf, partitionRecord, SmallBroker } from '../support/small-broker.ts';

const LATEST = 18;

function requestFor(
  topic: string,
  partitions: readonly Partial<FetchRequestFetchPartitionDraft>[],
  over: Partial<FetchRequestDraft> = {},
): FetchRequestDraft {
  return {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1_000_000,
    topics: [
      {
        topic,
        topicId: idOf(topic),
        partitions: partitions.map((one, index) => ({ partition: index, fetchOffset: 0, partitionMaxBytes: 1_000_000, ...one })),
      },
    ],
    ...over,
  };
}

const partsOf = (response: FetchResponse): FetchResponsePartitionData[] =>
  response.responses.flatMap(({ partitions }) => partitions);

function only(response: FetchResponse): FetchResponsePartitionData {
  const parts = partsOf(response);
  expect(parts).to.have.length(1);
  const [part] = parts;
  if (part === undefined) throw new Error('no partition in the answer');
  return part;
}

const valuesOf = (part: FetchResponsePartitionData): string[] =>
  batchesOf(part.records ?? Buffer.alloc(0)).flatMap((batch) => recordsOf(batch).map(({ value }) => String(value)));

describe('Fetch', () => {
  let broker: SmallBroker;

  beforeEach(async () => {
    broker = new SmallBroker();
    await broker.createTopic('orders', 3);
  });

  const ask = (request: FetchRequestDraft, version = LATEST): Asked<'fetch'> => broker.ask('fetch', fetch, version, request);

  describe('reads', () => {
    it('what was written, at once', async () => {
      await broker.append('orders', ['a', 'b']);
      await broker.append('orders', ['c']);
      const part = only(ask(requestFor('orders', [{}])).answer);
      expect(valuesOf(part)).to.deep.equal(['a', 'b', 'c']);
      expect([part.highWatermark, part.lastStableOffset, part.logStartOffset]).to.deep.equal([3n, 3n, 0n]);
      expect(part.abortedTransactions).to.equal(null);
      expect(part.preferredReadReplica).to.equal(-1);
    });

    it('tells of a divergence before it looks whether there is such an offset', async () => {
      await broker.append('orders', ['a']);
      const diverged = only(ask(requestFor('orders', [{ fetchOffset: 9, lastFetchedEpoch: 0 }])).answer);
      expect([diverged.errorCode, diverged.divergingEpoch.endOffset]).to.deep.equal([ErrorCode.NONE, 1n]);
      expect(only(ask(requestFor('orders', [{ fetchOffset: 9 }])).answer).errorCode).to.equal(ErrorCode.OFFSET_OUT_OF_RANGE);
    });

    it('refuses what a later version of the same session asked and an older one cannot tell', async () => {
      await broker.append('orders', ['a']);
      const opening = requestFor('orders', [{ fetchOffset: 9, lastFetchedEpoch: 0 }], { sessionEpoch: 0 });
      const { sessionId } = ask(opening, 12).answer;
      const { answer } = ask(requestFor('orders', [{ partition: 1 }], { sessionId, sessionEpoch: 1 }), 11);
      expect([answer.errorCode, only(answer).errorCode]).to.deep.equal([
        ErrorCode.UNSUPPORTED_VERSION,
        ErrorCode.UNSUPPORTED_VERSION,
      ]);
    });

    it('keeps unknown ids apart', () => {
      const unknown = (topicId: string) => ({ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] });
      const ids = [idOf('nobody'), 'AAAAAAAAAAAAAAAAAAAAAA'];
      const { answer } = ask({ maxWaitMs: 0, minBytes: 0, topics: ids.map(unknown) });
      expect(answer.responses.map(({ topicId }) => topicId)).to.deep.equal(ids);
    });

    it('nothing that is not yet written', async () => {
      broker.partition('orders').append(batchOf(['a']), { requiredAcks: 1, origin: 'client' });
      const asked = ask(requestFor('orders', [{}], { maxWaitMs: 0 }));
      expect(only(asked.answer).records).to.have.length(0);
      await broker.turn();
      expect(valuesOf(only(ask(requestFor('orders', [{}])).answer))).to.deep.equal(['a']);
    });

    it('with an empty list of aborted transactions where READ_COMMITTED asks for it', async () => {
      await broker.append('orders', ['a']);
      expect(only(ask(requestFor('orders', [{}], { isolationLevel: 1 })).answer).abortedTransactions).to.deep.equal([]);
    });

    it('at every version', async () => {
      await broker.append('orders', ['a']);
      for (let version = 4; version <= LATEST; version++) {
        const { answer } = ask(requestFor('orders', [{}], { sessionEpoch: -1 }), version);
        expect(valuesOf(only(answer)), `version ${version}`).to.deep.equal(['a']);
        expect(answer.responses[0]?.topic).to.equal(version < 13 ? 'orders' : '');
        expect(answer.responses[0]?.topicId).to.equal(version < 13 ? 'AAAAAAAAAAAAAAAAAAAAAA' : idOf('orders'));
      }
    });
  });

  describe('limits', () => {
    const big = 'x'.repeat(1000);

    beforeEach(async () => {
      for (const index of [0, 1, 2]) {
        await broker.append('orders', [big], index);
        await broker.append('orders', [big], index);
      }
    });

    const counts = (over: Partial<FetchRequestDraft>, one: Partial<FetchRequestFetchPartitionDraft>): number[] =>
      partsOf(ask(requestFor('orders', [one, one, one], over)).answer).map((part) => valuesOf(part).length);

    it('the first batch comes whole, whatever the limits', () => {
      expect(counts({ maxBytes: 1 }, { partitionMaxBytes: 1 })).to.deep.equal([1, 0, 0]);
    });

    it('a later partition gives nothing where its first batch is too large', () => {
      expect(counts({}, { partitionMaxBytes: 10 })).to.deep.equal([1, 0, 0]);
    });

    it('each partition has its own', () => {
      expect(counts({}, { partitionMaxBytes: 1500 })).to.deep.equal([1, 1, 1]);
    });

    it('all together have one, in their order', () => {
      expect(counts({ maxBytes: 3500 }, {})).to.deep.equal([2, 1, 0]);
    });

    it('the broker has one of its own', () => {
      broker.settings.set('fetch.max.bytes', 1500);
      expect(counts({}, {})).to.deep.equal([1, 0, 0]);
    });
  });

  describe('errors', () => {
    const errorOf = (request: FetchRequestDraft, version = LATEST): number => only(ask(request, version).answer).errorCode;

    it('of offsets', async () => {
      await broker.append('orders', ['a']);
      expect(errorOf(requestFor('orders', [{ fetchOffset: 2 }]))).to.equal(ErrorCode.OFFSET_OUT_OF_RANGE);
      expect(errorOf(requestFor('orders', [{ fetchOffset: -1 }]))).to.equal(ErrorCode.OFFSET_OUT_OF_RANGE);
      expect(errorOf(requestFor('orders', [{ fetchOffset: 2n ** 62n }]))).to.equal(ErrorCode.OFFSET_OUT_OF_RANGE);
      const part = only(ask(requestFor('orders', [{ fetchOffset: 2 }])).answer);
      expect([part.highWatermark, part.logStartOffset, part.records?.length]).to.deep.equal([-1n, -1n, 0]);
      broker.partition('orders').deleteRecordsBefore(1);
      expect(errorOf(requestFor('orders', [{ fetchOffset: 0 }]))).to.equal(ErrorCode.OFFSET_OUT_OF_RANGE);
    });

    it('of topics and partitions', () => {
      expect(errorOf(requestFor('nope', [{}]))).to.equal(ErrorCode.UNKNOWN_TOPIC_ID);
      expect(errorOf(requestFor('nope', [{}]), 12)).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      expect(errorOf(requestFor('orders', [{ partition: 3 }]))).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    });

    it('of leader epochs, with the leader from version 16', async () => {
      await broker.applyRecords([
        { kind: 'PartitionChangeRecord', value: { topicId: idOf('orders'), partitionId: 0, leader: 1 } },
      ]);
      expect(errorOf(requestFor('orders', [{ currentLeaderEpoch: 2, fetchOffset: 0 }]))).to.equal(ErrorCode.UNKNOWN_LEADER_EPOCH);
      const { answer } = ask(requestFor('orders', [{ currentLeaderEpoch: 0 }]));
      expect(only(answer).errorCode).to.equal(ErrorCode.FENCED_LEADER_EPOCH);
      expect(only(answer).currentLeader).to.include({ leaderId: 1, leaderEpoch: 1 });
      expect(answer.nodeEndpoints).to.deep.equal([{ nodeId: 1, host: 'node-1', port: 9092, rack: null }]);
    });

    it('of leaders elsewhere', async () => {
      await broker.applyRecords([
        { kind: 'TopicRecord', value: { name: 'away', topicId: idOf('away') } },
        partitionRecord('away', 0, [2], 2),
      ]);
      expect(errorOf(requestFor('away', [{}]))).to.equal(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    });

    it('of replicas that are not known', () => {
      const replica = { replicaState: { replicaId: 5, replicaEpoch: 1 } };
      expect(errorOf(requestFor('orders', [{ currentLeaderEpoch: 0 }], replica))).to.equal(ErrorCode.UNKNOWN_LEADER_EPOCH);
      expect(errorOf(requestFor('orders', [{}], replica))).to.equal(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      expect(errorOf(requestFor('orders', [{}], { replicaId: 5 }), 11)).to.equal(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    });

    it('of a disk that failed, in words that old clients know', async () => {
      broker.files.failing = 'EIO';
      broker.partition('orders').append(batchOf(['a']), { requiredAcks: 1, origin: 'client' });
      await broker.turn();
      expect(errorOf(requestFor('orders', [{}]))).to.equal(ErrorCode.KAFKA_STORAGE_ERROR);
      expect(errorOf(requestFor('orders', [{}]), 5)).to.equal(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    });

    it('a log that has gone another way is told where it ended', async () => {
      await broker.append('orders', ['a', 'b']);
      await broker.applyRecords([
        { kind: 'PartitionChangeRecord', value: { topicId: idOf('orders'), partitionId: 0, leader: 1 } },
      ]);
      await broker.append('orders', ['c']);
      const part = only(ask(requestFor('orders', [{ fetchOffset: 3, lastFetchedEpoch: 0 }])).answer);
      expect(part.errorCode).to.equal(ErrorCode.NONE);
      expect(part.divergingEpoch).to.include({ epoch: 0, endOffset: 2n });
      expect(valuesOf(only(ask(requestFor('orders', [{ fetchOffset: 2, lastFetchedEpoch: 0 }])).answer))).to.deep.equal(['c']);
    });
  });

  describe('waits', () => {
    it('for its partitions, and is answered when they are written', async () => {
      const asked = ask(requestFor('orders', [{}, {}]));
      await broker.turn();
      expect(asked.settled).to.equal(false);
      await broker.append('orders', ['elsewhere'], 2);
      expect(asked.settled).to.equal(false);
      await broker.append('orders', ['a'], 1);
      expect(partsOf(asked.answer).map(valuesOf)).to.deep.equal([[], ['a']]);
      expect(broker.partition('orders').waiting).to.equal(0);
      expect(broker.partitions.deadlines.size).to.equal(0);
    });

    it('no longer than maxWaitMs', async () => {
      const asked = ask(requestFor('orders', [{}]));
      await broker.advance(499);
      expect(asked.settled).to.equal(false);
      await broker.advance(1);
      expect(only(asked.answer).errorCode).to.equal(ErrorCode.NONE);
      expect(broker.partition('orders').waiting).to.equal(0);
    });

    it('for minBytes of all partitions together', async () => {
      const size = batchOf(['a']).length;
      await broker.append('orders', ['a'], 0);
      const asked = ask(requestFor('orders', [{}, {}], { minBytes: 3 * size }));
      await broker.append('orders', ['b'], 1);
      expect(asked.settled).to.equal(false);
      await broker.append('orders', ['c'], 1);
      expect(partsOf(asked.answer).map(valuesOf)).to.deep.equal([['a'], ['b', 'c']]);
    });

    it('not with maxWaitMs or minBytes of 0', () => {
      expect(ask(requestFor('orders', [{}], { maxWaitMs: 0 })).settled).to.equal(true);
      expect(ask(requestFor('orders', [{}], { minBytes: 0 })).settled).to.equal(true);
    });

    it('with one answer for all that one turn writes', async () => {
      const asked = ask(requestFor('orders', [{}, {}, {}]));
      for (const index of [0, 1, 2])
        broker.partition('orders', index).append(batchOf(['a']), { requiredAcks: 1, origin: 'client' });
      await broker.turn();
      expect(partsOf(asked.answer).map((part) => valuesOf(part).length)).to.deep.equal([1, 1, 1]);
    });

    it('not beyond the life of its topic', async () => {
      const asked = ask(requestFor('orders', [{}]));
      await broker.applyRecords([{ kind: 'RemoveTopicRecord', value: { topicId: idOf('orders') } }]);
      expect(only(asked.answer).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    });

    it('not beyond a change of leader', async () => {
      const asked = ask(requestFor('orders', [{ currentLeaderEpoch: 0 }]));
      await broker.applyRecords([
        { kind: 'PartitionChangeRecord', value: { topicId: idOf('orders'), partitionId: 0, leader: 1 } },
      ]);
      expect(only(asked.answer).errorCode).to.equal(ErrorCode.FENCED_LEADER_EPOCH);
    });

    it('not for a connection that is gone', async () => {
      const connection = new FakeConnection();
      const asked = broker.ask('fetch', fetch, LATEST, requestFor('orders', [{}]), { connection });
      await broker.turn();
      expect(broker.partition('orders').waiting).to.equal(1);
      connection.close();
      expect(broker.partition('orders').waiting).to.equal(0);
      expect(broker.partitions.deadlines.size).to.equal(0);
      await broker.append('orders', ['a']);
      expect(asked.settled).to.equal(false);
    });
  });

  describe('sessions', () => {
    const session = (sessionId: number, sessionEpoch: number, over: Partial<FetchRequestDraft> = {}): FetchRequestDraft =>
      requestFor('orders', [], { topics: [], maxWaitMs: 0, sessionId, sessionEpoch, ...over });

    it('hold what the client fetches and tell only what is new', async () => {
      await broker.append('orders', ['a'], 1);
      const first = ask(requestFor('orders', [{}, {}, {}], { sessionEpoch: 0 })).answer;
      expect(partsOf(first)).to.have.length(3);
      expect(first.sessionId).to.be.greaterThan(0);
      const second = ask({
        ...session(first.sessionId, 1),
        topics: requestFor('orders', [{ partition: 1, fetchOffset: 1 }]).topics,
      }).answer;
      expect([second.errorCode, second.sessionId, partsOf(second).length]).to.deep.equal([0, first.sessionId, 0]);
      await broker.append('orders', ['b'], 2);
      const third = ask(session(first.sessionId, 2)).answer;
      expect(partsOf(third).map((part) => [part.partitionIndex, valuesOf(part)])).to.deep.equal([[2, ['b']]]);
    });

    it('refuse a wrong epoch and an unknown id', () => {
      const { sessionId } = ask(requestFor('orders', [{}], { sessionEpoch: 0, maxWaitMs: 0 })).answer;
      expect(ask(session(sessionId, 2)).answer.errorCode).to.equal(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
      expect(ask(session(sessionId + 1, 1)).answer.errorCode).to.equal(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
      expect(ask(session(sessionId, 1), 12).answer.errorCode).to.equal(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
      expect(ask(session(sessionId, 1)).answer.errorCode).to.equal(ErrorCode.NONE);
    });

    it('find a topic that was not known at first', async () => {
      const first = ask(requestFor('late', [{}], { sessionEpoch: 0, maxWaitMs: 0 })).answer;
      expect(only(first).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_ID);
      await broker.createTopic('late');
      expect(only(ask(session(first.sessionId, 1)).answer).errorCode).to.equal(ErrorCode.NONE);
    });

    it('forget at once what the same request names and forgets, with no id at all too', async () => {
      await broker.append('orders', ['a']);
      const { sessionId } = ask(requestFor('orders', [{}], { sessionEpoch: 0 })).answer;
      const topicId = ZERO_UUID;
      const { answer } = ask(
        session(sessionId, 1, {
          topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }],
          forgottenTopicsData: [{ topicId, partitions: [0] }],
        }),
      );
      expect(partsOf(answer).filter(({ errorCode }) => errorCode !== ErrorCode.NONE)).to.deep.equal([]);
      expect(answer.errorCode).to.equal(ErrorCode.NONE);
    });

    it('notice that a topic was made anew', async () => {
      const first = ask(requestFor('orders', [{}], { sessionEpoch: 0, maxWaitMs: 0 })).answer;
      await broker.applyRecords([{ kind: 'RemoveTopicRecord', value: { topicId: idOf('orders') } }]);
      await broker.applyRecords([
        { kind: 'TopicRecord', value: { name: 'orders', topicId: idOf('again') } },
        { ...partitionRecord('again', 0, [1]) },
      ]);
      expect(only(ask(session(first.sessionId, 1)).answer).errorCode).to.equal(ErrorCode.INCONSISTENT_TOPIC_ID);
    });

    it('let no partition starve another', async () => {
      for (const index of [0, 1, 2]) for (const value of ['a', 'b', 'c']) await broker.append('orders', [value], index);
      const first = ask(requestFor('orders', [{}, {}, {}], { sessionEpoch: 0, maxBytes: 1 })).answer;
      const served = [partsOf(first).find((part) => (part.records?.length ?? 0) > 0)?.partitionIndex];
      for (let epoch = 1; epoch <= 5; epoch++) {
        const next = ask(session(first.sessionId, epoch, { maxBytes: 1 })).answer;
        served.push(
          ...partsOf(next)
            .filter((part) => (part.records?.length ?? 0) > 0)
            .map((part) => part.partitionIndex),
        );
      }
      expect(served).to.deep.equal([0, 0, 1, 2, 0, 1]);
    });
  });
});
