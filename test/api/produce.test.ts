import { expect } from 'chai';
import { produce } from '../../src/api/produce.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type {
  ProduceRequestDraft,
  ProduceResponse,
  ProduceResponsePartitionProduceResponse,
} from '../../src/wire/generated/produce.ts';
import { ProtocolViolation } from '../../src/wire/protocol-violation.ts';
import { type Asked, batchOf, idOf, partitionRecord, SmallBroker } from '../support/small-broker.ts';
import { type Producer, TransactionalBroker } from '../support/transactional-broker.ts';

const LATEST = 13;

function requestTo(
  topic: string,
  records: Buffer | null,
  over: Partial<ProduceRequestDraft> = {},
  index = 0,
): ProduceRequestDraft {
  return {
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: topic, topicId: idOf(topic), partitionData: [{ index, records }] }],
    ...over,
  };
}

function only(response: ProduceResponse): ProduceResponsePartitionProduceResponse {
  expect(response.responses).to.have.length(1);
  const [topic] = response.responses;
  expect(topic?.partitionResponses).to.have.length(1);
  const [answer] = topic?.partitionResponses ?? [];
  if (answer === undefined) throw new Error('no partition in the answer');
  return answer;
}

describe('Produce', () => {
  let broker: SmallBroker;

  beforeEach(async () => {
    broker = new SmallBroker();
    await broker.createTopic('orders', 2);
  });

  const ask = (request: ProduceRequestDraft, version = LATEST, clientId = 'test'): Asked<'produce'> =>
    broker.ask('produce', produce, version, request, { clientId });

  async function answerOf(request: ProduceRequestDraft, version = LATEST): Promise<ProduceResponsePartitionProduceResponse> {
    const asked = ask(request, version);
    await broker.turn();
    return only(asked.answer);
  }

  for (const acks of [1, -1]) {
    it(`acks=${acks} is answered after the write, not before`, async () => {
      // Where an epoch of the leader begins is noted with its first batch.
      await answerOf(requestTo('orders', batchOf(['first'])));
      const before = broker.files.writtenBytes;
      const asked = ask(requestTo('orders', batchOf(['a', 'b']), { acks }));
      expect(asked.settled).to.equal(false);
      expect(broker.files.writtenBytes).to.equal(before);
      expect(broker.partition('orders').highWatermark).to.equal(1);
      await broker.turn();
      const answer = only(asked.answer);
      expect(answer.errorCode).to.equal(ErrorCode.NONE);
      expect(answer.baseOffset).to.equal(1n);
      expect(answer.logStartOffset).to.equal(0n);
      expect(answer.logAppendTimeMs).to.equal(-1n);
      expect(broker.files.writtenBytes).to.be.greaterThan(before);
      expect(broker.partition('orders').highWatermark).to.equal(3);
      expect(broker.partition('orders').waiting).to.equal(0);
    });
  }

  it('gives offsets in the order of requests, of one turn too', async () => {
    const asked = ['a', 'b', 'c'].map((value) => ask(requestTo('orders', batchOf([value, value]))));
    await broker.turn();
    expect(asked.map(({ answer }) => only(answer).baseOffset)).to.deep.equal([0n, 2n, 4n]);
  });

  it('acks=0 is not answered', async () => {
    const asked = ask(requestTo('orders', batchOf(['a']), { acks: 0 }));
    expect(asked.unanswered).to.equal(true);
    await broker.turn();
    expect(broker.partition('orders').highWatermark).to.equal(1);
  });

  it('acks=0 closes the connection when anything is wrong', () => {
    const asked = ask(requestTo('orders', batchOf(['a']), { acks: 0 }, 7));
    expect(asked.error).to.be.instanceOf(ProtocolViolation);
  });

  it('refuses other acks', async () => {
    for (const acks of [-2, 2]) {
      const answer = await answerOf(requestTo('orders', batchOf(['a']), { acks }));
      expect(answer.errorCode).to.equal(ErrorCode.INVALID_REQUIRED_ACKS);
      expect(answer.baseOffset).to.equal(-1n);
    }
    expect(broker.partition('orders').log.logEndOffset).to.equal(0);
  });

  it('tells unknown topics and partitions apart, by name and by id', async () => {
    expect((await answerOf(requestTo('nope', batchOf(['a'])))).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_ID);
    expect((await answerOf(requestTo('nope', batchOf(['a'])), 12)).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await answerOf(requestTo('orders', batchOf(['a']), {}, 2))).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('names the leader of what is led elsewhere from version 10', async () => {
    await broker.applyRecords([
      { kind: 'TopicRecord', value: { name: 'away', topicId: idOf('away') } },
      partitionRecord('away', 0, [2], 2),
    ]);
    const asked = ask(requestTo('away', batchOf(['a'])));
    const answer = only(asked.answer);
    expect(answer.errorCode).to.equal(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    expect(answer.currentLeader).to.include({ leaderId: 2, leaderEpoch: 0 });
    expect(asked.answer.nodeEndpoints).to.deep.equal([{ nodeId: 2, host: 'node-2', port: 9092, rack: null }]);
    expect(ask(requestTo('away', batchOf(['a'])), 9).answer.nodeEndpoints).to.deep.equal([]);
  });

  it('answers by name up to version 12 and by id from 13', async () => {
    const byName = ask(requestTo('orders', batchOf(['a'])), 12);
    const byId = ask(requestTo('orders', batchOf(['a'])), 13);
    await broker.turn();
    expect(byName.answer.responses[0]?.name).to.equal('orders');
    expect(byId.answer.responses[0]?.topicId).to.equal(idOf('orders'));
  });

  describe('wants exactly one batch of magic 2', () => {
    const oldMagic = batchOf(['a']);
    oldMagic[16] = 1;
    const torn = batchOf(['a']).subarray(0, 50);
    const absurd = batchOf(['a']);
    absurd.writeInt32BE(3, 8);
    const zstd = batchOf(['a']);
    zstd.writeUInt16BE(4, 21);
    const cases: [string, Buffer | null, number, number][] = [
      ['no records', null, LATEST, ErrorCode.INVALID_RECORD],
      ['no batch', Buffer.alloc(0), LATEST, ErrorCode.INVALID_RECORD],
      ['two batches', Buffer.concat([batchOf(['a']), batchOf(['b'])]), LATEST, ErrorCode.INVALID_RECORD],
      ['magic 1', oldMagic, LATEST, ErrorCode.INVALID_RECORD],
      ['a torn batch', torn, LATEST, ErrorCode.INVALID_RECORD],
      ['an impossible length', absurd, LATEST, ErrorCode.CORRUPT_MESSAGE],
      ['zstd before version 7', zstd, 6, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE],
    ];
    for (const [what, records, version, error] of cases) {
      it(`${what}: ${error}`, async () => {
        expect((await answerOf(requestTo('orders', records), version)).errorCode).to.equal(error);
        expect(broker.partition('orders').log.logEndOffset).to.equal(0);
      });
    }
  });

  it('a bad batch is the trouble of its own partition', async () => {
    const corrupt = batchOf(['a']);
    corrupt[corrupt.length - 1] = (corrupt[corrupt.length - 1] ?? 0) ^ 1;
    const partitionData = [
      { index: 0, records: corrupt },
      { index: 1, records: batchOf(['a']) },
    ];
    const asked = ask(requestTo('orders', null, { topicData: [{ name: 'orders', topicId: idOf('orders'), partitionData }] }));
    await broker.turn();
    const answers = asked.answer.responses[0]?.partitionResponses ?? [];
    expect(answers.map(({ errorCode }) => errorCode)).to.deep.equal([ErrorCode.CORRUPT_MESSAGE, ErrorCode.NONE]);
  });

  it('counts a partition named twice once, as last given', async () => {
    const partitionData = [
      { index: 0, records: batchOf(['first']) },
      { index: 0, records: batchOf(['second', 'third']) },
    ];
    const asked = ask(requestTo('orders', null, { topicData: [{ name: 'orders', topicId: idOf('orders'), partitionData }] }));
    await broker.turn();
    expect(only(asked.answer).baseOffset).to.equal(0n);
    expect(broker.partition('orders').log.logEndOffset).to.equal(2);
  });

  it('keeps clients out of internal topics, all but the admin client', async () => {
    await broker.createTopic('__consumer_offsets');
    const request = requestTo('__consumer_offsets', batchOf(['a']));
    expect((await answerOf(request)).errorCode).to.equal(ErrorCode.INVALID_TOPIC_EXCEPTION);
    const asked = ask(requestTo('__consumer_offsets', batchOf(['a'])), LATEST, '__admin_client');
    await broker.turn();
    expect(only(asked.answer).errorCode).to.not.equal(ErrorCode.INVALID_TOPIC_EXCEPTION);
  });

  it('refuses batches of a transaction that has no name, and torn ones', async () => {
    const records = (): Buffer => batchOf(['a'], { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true });
    const unnamed = await answerOf(requestTo('orders', records()));
    expect(unnamed.errorCode).to.equal(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    const torn = await answerOf(requestTo('orders', records().subarray(0, -1)));
    expect(torn.errorCode).to.equal(ErrorCode.INVALID_RECORD);
  });

  it('takes transactional batches of one producer alone, whatever is sent to partitions that are not there', async () => {
    const transactional = new TransactionalBroker();
    await transactional.small.createTopic('orders', 2);
    const [one, other] = [await transactional.init('payments'), await transactional.init('refunds')];
    const errorsOf = async (topics: readonly [string, Producer][]): Promise<number[]> => {
      const topicData = topics.map(([name, { producerId, producerEpoch }], index) => {
        const records = batchOf(['a'], { producerId, producerEpoch, baseSequence: 0, transactional: true });
        return { name, partitionData: [{ index, records }] };
      });
      const request = { transactionalId: 'payments', acks: -1, timeoutMs: 1000, topicData };
      const { responses } = await transactional.ask('produce', 12, request);
      return responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode));
    };
    const { INVALID_PRODUCER_ID_MAPPING, NONE, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode;
    expect(
      await errorsOf([
        ['orders', one],
        ['orders', other],
      ]),
    ).to.deep.equal([INVALID_PRODUCER_ID_MAPPING, INVALID_PRODUCER_ID_MAPPING]);
    expect(
      await errorsOf([
        ['orders', one],
        ['lost', other],
      ]),
    ).to.deep.equal([NONE, UNKNOWN_TOPIC_OR_PARTITION]);
  });

  it('answers a repeated batch of an idempotent producer with its first offset', async () => {
    const records = (baseSequence: number): Buffer => batchOf(['a', 'b'], { producerId: 9, producerEpoch: 0, baseSequence });
    expect((await answerOf(requestTo('orders', records(0)))).baseOffset).to.equal(0n);
    expect((await answerOf(requestTo('orders', records(2)))).baseOffset).to.equal(2n);
    const again = await answerOf(requestTo('orders', records(0)));
    expect([again.errorCode, again.baseOffset]).to.deep.equal([ErrorCode.NONE, 0n]);
    expect((await answerOf(requestTo('orders', records(9)))).errorCode).to.equal(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(broker.partition('orders').log.logEndOffset).to.equal(4);
  });

  it('a batch repeated within the turn is not answered before it is written', async () => {
    const records = (): Buffer => batchOf(['a'], { producerId: 9, producerEpoch: 0, baseSequence: 0 });
    const asked = [ask(requestTo('orders', records())), ask(requestTo('orders', records()))];
    expect(asked.map(({ settled }) => settled)).to.deep.equal([false, false]);
    await broker.turn();
    expect(asked.map(({ answer }) => only(answer).baseOffset)).to.deep.equal([0n, 0n]);
  });

  describe('min.insync.replicas', () => {
    const change = (isr: number[]): Promise<void> =>
      broker.applyRecords([{ kind: 'PartitionChangeRecord', value: { topicId: idOf('pair'), partitionId: 0, isr } }]);

    it('binds acks=all alone', async () => {
      await broker.createTopic('pair', 1, { minInsyncReplicas: 2 }, [1, 2]);
      await change([1]);
      expect((await answerOf(requestTo('pair', batchOf(['a'])))).errorCode).to.equal(ErrorCode.NOT_ENOUGH_REPLICAS);
      expect((await answerOf(requestTo('pair', batchOf(['a']), { acks: 1 }))).errorCode).to.equal(ErrorCode.NONE);
    });

    it('is at most the number of replicas', async () => {
      await broker.createTopic('single', 1, { minInsyncReplicas: 2 });
      expect((await answerOf(requestTo('single', batchOf(['a'])))).errorCode).to.equal(ErrorCode.NONE);
    });

    it('acks=all waits for the other replicas until the timeout', async () => {
      await broker.createTopic('pair', 1, {}, [1, 2]);
      const asked = ask(requestTo('pair', batchOf(['a'])));
      await broker.turn();
      expect(asked.settled).to.equal(false);
      await broker.advance(999);
      expect(asked.settled).to.equal(false);
      await broker.advance(1);
      expect(only(asked.answer).errorCode).to.equal(ErrorCode.REQUEST_TIMED_OUT);
      expect(broker.partitions.deadlines.size).to.equal(0);
    });

    it('acks=all is answered when the in-sync set shrinks to the leader, with the error where that is too few', async () => {
      await broker.createTopic('pair', 1, {}, [1, 2]);
      const asked = ask(requestTo('pair', batchOf(['a'])));
      await change([1]);
      expect(only(asked.answer).errorCode).to.equal(ErrorCode.NONE);
      expect(broker.partitions.deadlines.size).to.equal(0);
    });

    it('acks=all after the append, with too few left', async () => {
      await broker.createTopic('pair', 1, { minInsyncReplicas: 2 }, [1, 2]);
      const asked = ask(requestTo('pair', batchOf(['a'])));
      await change([1]);
      expect(only(asked.answer).errorCode).to.equal(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    });
  });

  it('a disk that fails is told, and takes nothing more', async () => {
    broker.files.failing = 'EIO';
    expect((await answerOf(requestTo('orders', batchOf(['a'])))).errorCode).to.equal(ErrorCode.KAFKA_STORAGE_ERROR);
    broker.files.failing = undefined;
    const asked = ask(requestTo('orders', batchOf(['a'])));
    expect(only(asked.answer).errorCode).to.equal(ErrorCode.KAFKA_STORAGE_ERROR);
  });

  it('a topic deleted meanwhile is told', async () => {
    await broker.createTopic('pair', 1, {}, [1, 2]);
    const asked = ask(requestTo('pair', batchOf(['a'])));
    await broker.applyRecords([{ kind: 'RemoveTopicRecord', value: { topicId: idOf('pair') } }]);
    expect(only(asked.answer).errorCode).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(broker.deleted).to.deep.equal(['pair-0']);
  });
});
