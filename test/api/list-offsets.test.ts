import { expect } from 'chai';
import { listOffsets } from '../../src/api/list-offsets.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type {
  ListOffsetsRequestDraft,
  ListOffsetsRequestListOffsetsPartitionDraft,
  ListOffsetsResponseListOffsetsPartitionResponse,
} from '../../src/wire/generated/list-offsets.ts';
import { BASE_TIMESTAMP_AT } from '../../src/wire/record-batch.ts';
import { StorageFailure } from '../../src/world/files.ts';
import { batchOf, idOf, SmallBroker } from '../support/small-broker.ts';

type Answer = ListOffsetsResponseListOffsetsPartitionResponse;
const LATEST_VERSION = 11;

describe('ListOffsets', () => {
  let broker: SmallBroker;

  beforeEach(async () => {
    broker = new SmallBroker();
    await broker.createTopic('orders', 2);
    for (const [value, timestamp] of [
      ['a', 1000],
      ['b', 3000],
      ['c', 2000],
    ] as const)
      await broker.append('orders', [value], 0, timestamp);
  });

  async function ask(
    partitions: readonly ListOffsetsRequestListOffsetsPartitionDraft[],
    version = LATEST_VERSION,
    over: Partial<ListOffsetsRequestDraft> = {},
  ): Promise<readonly Answer[]> {
    const request = { replicaId: -1, topics: [{ name: 'orders', partitions }], ...over };
    const asked = broker.ask('listOffsets', listOffsets, version, request);
    await broker.turn();
    return asked.answer.topics.flatMap((topic) => topic.partitions);
  }

  async function one(timestamp: number, version = LATEST_VERSION, over: Partial<ListOffsetsRequestDraft> = {}): Promise<Answer> {
    const [answer] = await ask([{ partitionIndex: 0, timestamp }], version, over);
    if (answer === undefined) throw new Error('no partition in the answer');
    return answer;
  }

  const cases: [string, number, bigint, bigint, number][] = [
    ['latest', -1, 3n, -1n, 0],
    ['earliest', -2, 0n, -1n, 0],
    ['greatest timestamp', -3, 1n, 3000n, 0],
    ['earliest local', -4, 0n, -1n, 0],
    ['latest tiered', -5, -1n, -1n, -1],
    ['earliest pending upload', -6, -1n, -1n, -1],
    ['before the first', 0, 0n, 1000n, 0],
    ['between two', 1500, 1n, 3000n, 0],
    ['exactly one', 3000, 1n, 3000n, 0],
    ['after the last', 3001, -1n, -1n, -1],
  ];
  it('tells of a time beyond 2^53 that a damaged log has', async () => {
    const file = broker.files.open('/data/orders-0/00000000000000000000.log', 'write');
    file.write([Buffer.from('4000000000000000', 'hex')], BASE_TIMESTAMP_AT);
    expect(await one(0)).to.deep.include({ errorCode: ErrorCode.NONE, offset: 0n, timestamp: 0x4000_0000_0000_0000n });
    file.write([Buffer.from('7fffffffffffffff', 'hex')], BASE_TIMESTAMP_AT);
    expect(await one(0)).to.deep.include({ errorCode: ErrorCode.NONE, offset: 0n, timestamp: 0x7fff_ffff_ffff_ffffn });
  });

  for (const [what, timestamp, offset, foundAt, leaderEpoch] of cases) {
    it(`${what} (${timestamp})`, async () => {
      const answer = await one(timestamp);
      expect(answer).to.deep.include({ errorCode: ErrorCode.NONE, offset, timestamp: foundAt, leaderEpoch });
    });
  }

  it('knows special timestamps only from the version that has them', async () => {
    for (const [timestamp, since] of [
      [-1, 1],
      [-2, 1],
      [-3, 7],
      [-4, 8],
      [-5, 9],
      [-6, 11],
    ] as const) {
      expect((await one(timestamp, since)).errorCode, `${timestamp} at ${since}`).to.equal(ErrorCode.NONE);
      if (since > 1)
        expect((await one(timestamp, since - 1)).errorCode, `${timestamp} before`).to.equal(ErrorCode.UNSUPPORTED_VERSION);
    }
    expect((await one(-7)).errorCode).to.equal(ErrorCode.UNSUPPORTED_VERSION);
  });

  it('of an empty partition', async () => {
    for (const timestamp of [-1, -2]) {
      const [answer] = await ask([{ partitionIndex: 1, timestamp }]);
      expect(answer).to.deep.include({ errorCode: ErrorCode.NONE, offset: 0n, timestamp: -1n });
    }
    const [none] = await ask([{ partitionIndex: 1, timestamp: -3 }]);
    expect(none).to.deep.include({ errorCode: ErrorCode.NONE, offset: -1n, timestamp: -1n });
  });

  it('shows clients the high watermark, and replicas the end', async () => {
    await broker.createTopic('pair', 1, {}, [1, 2]);
    await broker.append('pair', ['a']);
    const topics = [{ name: 'pair', partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
    expect((await one(-1, LATEST_VERSION, { topics })).offset).to.equal(0n);
    expect((await one(-1, LATEST_VERSION, { topics, isolationLevel: 1 })).offset).to.equal(0n);
    expect((await one(-1, LATEST_VERSION, { topics, replicaId: 2 })).offset).to.equal(1n);
    const byTime = [{ name: 'pair', partitions: [{ partitionIndex: 0, timestamp: 0 }] }];
    expect((await one(-1, LATEST_VERSION, { topics: byTime })).offset).to.equal(-1n);
  });

  it('has no latest offset right after an election, while the high watermark lags behind its start', async () => {
    await broker.createTopic('pair', 1, {}, [1, 2]);
    await broker.append('pair', ['a']);
    await broker.applyRecords([{ kind: 'PartitionChangeRecord', value: { topicId: idOf('pair'), partitionId: 0, leader: 1 } }]);
    const topics = [{ name: 'pair', partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
    expect((await one(-1, 5, { topics })).errorCode).to.equal(ErrorCode.OFFSET_NOT_AVAILABLE);
    expect((await one(-1, 4, { topics })).errorCode).to.equal(ErrorCode.LEADER_NOT_AVAILABLE);
  });

  it('refuses what is unknown, fenced or named twice', async () => {
    const errors = async (partitions: readonly ListOffsetsRequestListOffsetsPartitionDraft[]): Promise<number[]> =>
      (await ask(partitions)).map(({ errorCode }) => errorCode);
    expect(await errors([{ partitionIndex: 9, timestamp: -1 }])).to.deep.equal([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
    expect(await errors([{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: 4 }])).to.deep.equal([
      ErrorCode.UNKNOWN_LEADER_EPOCH,
    ]);
    expect(await errors([{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -2 }])).to.deep.equal([
      ErrorCode.FENCED_LEADER_EPOCH,
    ]);
    const twice = [
      { partitionIndex: 0, timestamp: -1 },
      { partitionIndex: 1, timestamp: -1 },
      { partitionIndex: 0, timestamp: -2 },
    ];
    expect(await errors(twice)).to.deep.equal([ErrorCode.INVALID_REQUEST, ErrorCode.NONE]);
  });

  it('answers a topic once, however often it is named, and not at all without partitions', async () => {
    const partitions = (index: number) => [{ partitionIndex: index, timestamp: -1 }];
    const asked = broker.ask('listOffsets', listOffsets, LATEST_VERSION, {
      replicaId: -1,
      topics: [
        { name: 'none', partitions: [] },
        { name: 'orders', partitions: partitions(1) },
        { name: 'orders', partitions: partitions(0) },
      ],
    });
    await broker.turn();
    expect(asked.answer.topics.map((topic) => [topic.name, topic.partitions.map((one) => one.partitionIndex)])).to.deep.equal([
      ['orders', [1, 0]],
    ]);
  });

  it('says of a partition alone that its disk has failed while it was searched', async () => {
    const failure = new StorageFailure('read', '/data/orders-0', 'EIO');
    broker.partition('orders').log.offsetForTimestamp = () => Promise.reject(failure);
    const [failed, other] = await ask([
      { partitionIndex: 0, timestamp: 1500 },
      { partitionIndex: 1, timestamp: -1 },
    ]);
    expect([failed?.errorCode, other?.errorCode]).to.deep.equal([ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NONE]);
  });

  it('does not count what is not yet written', async () => {
    broker.partition('orders').append(batchOf(['d']), { requiredAcks: 1, origin: 'client' });
    const asked = broker.ask('listOffsets', listOffsets, 1, {
      replicaId: -1,
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    });
    expect(asked.answer.topics[0]?.partitions[0]?.offset).to.equal(3n);
    await broker.turn();
    expect((await one(-1)).offset).to.equal(4n);
  });
});
