/** Records: produced well and badly, fetched, found by time and epoch, deleted; producer ids. */
import type { ApiTypes } from '../../../../src/wire/generated/apis.ts';
import { recordsOf } from '../../../../src/wire/record.ts';
import { RECORDS_AT, RecordBatch } from '../../../../src/wire/record-batch.ts';
import { assembleBatch } from '../../../../src/wire/record-batch-builder.ts';
import { type Case, many, NO_SUCH_ID, one, ZERO_ID } from '../case.ts';
import type { Conversation, Topic } from '../conversation.ts';

type Produce = ApiTypes['produce']['requestDraft'];
type Fetch = ApiTypes['fetch']['requestDraft'];

const produce = (topic: Topic, records: Buffer | null, more: Partial<Produce> & { index?: number } = {}): Produce => {
  const { index = 0, ...rest } = more;
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ ...topic, partitionData: [{ index, records }] }],
    ...rest,
  };
};

const fetched = (
  topic: Topic,
  fetchOffset: number,
  more: Partial<Fetch> & { partition?: number; partitionMaxBytes?: number; currentLeaderEpoch?: number } = {},
): Fetch => {
  const { partition = 0, partitionMaxBytes = 1_000_000, currentLeaderEpoch = -1, ...rest } = more;
  return {
    replicaId: -1,
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 10_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic: topic.name,
        topicId: topic.topicId,
        partitions: [{ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch }],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
    ...rest,
  };
};

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Produces what `records` makes, then fetches the partition whole. */
const sent = (
  name: string,
  records: (x: Conversation) => Buffer | null,
  configs: Record<string, string> = {},
  more: Partial<Produce> & { index?: number } = {},
): Case =>
  many('produce', name, async (x) => {
    const topic = await x.topic('a', 1, configs);
    await x.call('produce', produce(topic, records(x), more));
    await x.call('fetch', fetched(topic, 0));
  });

/** Larger than a block of lz4, and nearly all of it repeated. */
const LONG_VALUES = Array.from({ length: 900 }, (_, i) => `${i}: ${'abcdefghij'.repeat(i % 11)} and the letters ${i % 7} again`);

/** The levels that packers are told apart by; of lz4 9 is the fast one. */
const LEVELS = { gzip: [-1, 1, 9], lz4: [1, 2, 5, 9, 12, 17], zstd: [-131_072, -1, 0, 19, 22] } as const;

/** What was packed at each level is unpacked by the broker, whose topic wants it plain. */
const unpacked = (codec: keyof typeof LEVELS): readonly Case[] =>
  LEVELS[codec].map((level) =>
    many('produce', `packed in ${codec} at level ${level}, for a topic that wants it plain`, async (x) => {
      const topic = await x.topic('a', 1, { 'compression.type': 'uncompressed' });
      const packed = x.batch(LONG_VALUES, { codec: CODECS.indexOf(codec) as 1 | 3 | 4, level });
      const { responses } = await x.call('produce', produce(topic, packed));
      if (responses[0]?.partitionResponses[0]?.errorCode !== 0) throw new Error('the batch was refused');
      await x.call('fetch', fetched(topic, 0));
    }),
  );

/** What the broker packs at each level. The compressors are not the same: what the batch holds is compared. */
const repacked = (codec: keyof typeof LEVELS): readonly Case[] =>
  LEVELS[codec].map((level) =>
    many('produce', `to a topic of ${codec} at level ${level}`, async (x) => {
      const topic = await x.topic('a', 1, { 'compression.type': codec, [`compression.${codec}.level`]: String(level) });
      await x.call('produce', produce(topic, x.batch(LONG_VALUES)));
      const { responses } = await x.quiet('fetch', fetched(topic, 0));
      const stored = responses[0]?.partitions[0]?.records;
      if (!Buffer.isBuffer(stored)) throw new Error('no records were fetched');
      const batch = new RecordBatch(stored);
      x.note('stored', [batch.codec, batch.count, batch.maxTimestamp, recordsOf(batch)]);
    }),
  );

/** A record whose last bytes are all the same, packed as one block of lz4 that its maker ends as `ended` says, given those bytes before the last ten. */
const endedBlock = (name: string, ended: (before: Buffer) => Buffer): Case =>
  sent(`a block of lz4 that ${name}`, (x) => {
    const section = Buffer.from(x.batch(['='.repeat(60)]).subarray(RECORDS_AT));
    // The count of headers comes last.
    const block = ended(section.subarray(0, -11));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    return assembleBatch(Buffer.concat([Buffer.from('04224d18604082', 'hex'), size, block, Buffer.alloc(4)]), {
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      codec: 3,
      lastOffsetDelta: 0,
      count: 1,
      baseTimestamp: x.run.timestamp,
      maxTimestamp: x.run.timestamp,
    });
  });

/** Literals, then a match of `length` bytes one or `distance` bytes back. */
const literalsAndMatch = (literals: Buffer, length: number, distance = 1): Buffer =>
  Buffer.concat([Buffer.from([0xf0 | (length - 4), literals.length - 15]), literals, Buffer.from([distance, 0])]);
const lastLiterals = (literals: string): Buffer => Buffer.concat([Buffer.from([literals.length << 4]), Buffer.from(literals)]);

const BLOCKS: readonly Case[] = [
  endedBlock('ends as it should', (before) => Buffer.concat([literalsAndMatch(before, 6), lastLiterals('====\0')])),
  endedBlock('has four literals at its end', (before) => Buffer.concat([literalsAndMatch(before, 7), lastLiterals('===\0')])),
  endedBlock('ends with one literal', (before) => Buffer.concat([literalsAndMatch(before, 10), lastLiterals('\0')])),
  endedBlock('has a match that reaches nowhere', (before) =>
    Buffer.concat([literalsAndMatch(before, 6, 0), lastLiterals('====\0')]),
  ),
];

const changed = (bytes: Buffer, change: (bytes: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
};

const PRODUCED: readonly Case[] = [
  sent('one batch', (x) => x.batch(['a', 'b', null])),
  ...CODECS.map((codec, code) =>
    sent(`a batch in ${codec}`, (x) =>
      x.batch(
        Array.from({ length: 50 }, (_, i) => `value ${i % 5}`),
        { codec: code as 0 | 1 | 2 | 3 | 4 },
      ),
    ),
  ),
  sent('with headers', (x) =>
    x.batch(['a'], {
      records: [
        {
          key: null,
          value: null,
          timestamp: x.run.timestamp,
          headers: [
            { key: 'h', value: Buffer.from('v') },
            { key: 'h', value: null },
          ],
        },
      ],
    }),
  ),
  sent('acks of one', (x) => x.batch(['a']), {}, { acks: 1 }),
  sent('acks of two', (x) => x.batch(['a']), {}, { acks: 2 }),
  sent('a partition that is not there', (x) => x.batch(['a']), {}, { index: 5 }),
  sent('a negative partition', (x) => x.batch(['a']), {}, { index: -1 }),
  sent('no bytes', () => Buffer.alloc(0)),
  sent('two batches at once', (x) => Buffer.concat([x.batch(['a']), x.batch(['b'])])),
  sent('a wrong checksum', (x) => changed(x.batch(['a']), (bytes) => bytes.writeUInt32BE(1, 17))),
  sent('a torn batch', (x) => x.batch(['a']).subarray(0, 65)),
  sent('a batch and half a one', (x) => Buffer.concat([x.batch(['a']), x.batch(['b']).subarray(0, 30)])),
  sent('a magic byte of 3', (x) => changed(x.batch(['a']), (bytes) => bytes.writeInt8(3, 16))),
  sent('a length too small', (x) => changed(x.batch(['a']), (bytes) => bytes.writeInt32BE(5, 8))),
  sent('a length below zero', (x) => changed(x.batch(['a']), (bytes) => bytes.writeInt32BE(-5, 8))),
  sent('a control batch from a client', (x) => x.batch(['a'], { control: true })),
  sent('an id without idempotence', (x) => x.batch(['a'], { producerId: 5, producerEpoch: 0 })),
  sent('a transactional batch without transaction', (x) =>
    x.batch(['a'], { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true }),
  ),
  sent('a sequence that does not begin at zero', (x) =>
    x.batch(['a'], { producerId: 77_001, producerEpoch: 0, baseSequence: 3 }),
  ),
  sent('larger than max.message.bytes', (x) => x.batch(['a'.repeat(500)]), { 'max.message.bytes': '400' }),
  many('produce', 'log append time', async (x) => {
    const topic = await x.topic('a', 1, { 'message.timestamp.type': 'LogAppendTime' });
    await x.call('produce', produce(topic, x.batch(['a'])));
    const { responses } = await x.quiet('fetch', fetched(topic, 0));
    // The checksum and the largest timestamp follow from the time of the append.
    const stored = responses[0]?.partitions[0]?.records;
    x.note(
      'stored',
      Buffer.isBuffer(stored) ? Buffer.concat([stored.subarray(0, 17), stored.subarray(21, 35), stored.subarray(43)]) : stored,
    );
  }),
  sent('a timestamp too old', (x) => x.batch(['a', 'b']), { 'message.timestamp.before.max.ms': '1000' }),
  sent(
    'a timestamp too far ahead',
    (x) => x.batch([], { records: [{ key: null, value: null, timestamp: x.run.timestamp + 7_200_000_000 }] }),
    { 'message.timestamp.after.max.ms': '1000' },
  ),
  sent(
    'no key where the topic is compacted',
    (x) =>
      x.batch([], {
        records: [
          { key: Buffer.from('k'), value: null, timestamp: x.run.timestamp },
          { key: null, value: Buffer.from('v'), timestamp: x.run.timestamp },
        ],
      }),
    { 'cleanup.policy': 'compact' },
  ),
  sent('recompressed by the topic', (x) => x.batch(['a', 'b']), { 'compression.type': 'uncompressed' }),
  ...(['gzip', 'lz4', 'zstd'] as const).flatMap((codec) => [...unpacked(codec), ...repacked(codec)]),
  ...BLOCKS,
  sent('too few in-sync replicas', (x) => x.batch(['a']), { 'min.insync.replicas': '2' }),
  one('produce', 'a topic that is not there', (x) => produce({ name: x.name('a'), topicId: NO_SUCH_ID }, x.batch(['a']))),
  one('produce', 'the zero id', (x) => produce({ name: x.name('a'), topicId: ZERO_ID }, x.batch(['a'])), { from: 13 }),
  one('produce', 'nothing', () => ({ transactionalId: null, acks: -1, timeoutMs: 1000, topicData: [] })),
  one('produce', 'two partitions, one of them not there', async (x) => {
    const topic = await x.topic('a', 2);
    return {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          ...topic,
          partitionData: [
            { index: 1, records: x.batch(['a']) },
            { index: 2, records: x.batch(['b']) },
          ],
        },
      ],
    };
  }),
  many(
    'produce',
    'no answer to acks of zero, but to what follows',
    async (x) => {
      const topic = await x.topic('a');
      const sending = x.call('produce', produce(topic, x.batch(['a']), { acks: 0 }), { quiet: true }).catch(() => undefined);
      const { key } = await x
        .call('findCoordinator', { key: x.name('g'), keyType: 0, coordinatorKeys: [x.name('g')] }, { quiet: true })
        .then(
          () => ({ key: 'answered' }),
          () => ({ key: 'not answered' }),
        );
      x.note('next request', key);
      x.connection('first').close();
      await sending;
    },
    { from: 13 },
  ),
  many('produce', 'idempotently: again, a gap, an old epoch', async (x) => {
    const topic = await x.topic('a');
    const { producerId } = await x.quiet('initProducerId', { transactionalId: null, transactionTimeoutMs: 0 });
    const batch = (baseSequence: number, producerEpoch = 0, values: string[] = ['a', 'b']): Buffer =>
      x.batch(values, { producerId: Number(producerId), producerEpoch, baseSequence });
    for (const records of [
      batch(0),
      batch(2),
      batch(0),
      batch(2),
      batch(7),
      batch(4, 0, ['c']),
      batch(0, 1),
      batch(6, 0),
      batch(2, 1),
    ]) {
      await x.call('produce', produce(topic, records));
    }
    await x.call('describeProducers', { topics: [{ name: topic.name, partitionIndexes: [0] }] });
    for (let i = 0; i < 6; i++) await x.call('produce', produce(topic, batch(4 + i * 2, 1)));
    await x.call('produce', produce(topic, batch(2, 1)));
    await x.call('produce', produce(topic, batch(14, 1)));
  }),
];

const filled = async (x: Conversation, partitions = 1): Promise<Topic> => {
  const topic = await x.topic('a', partitions);
  for (const values of [['a', 'b'], ['c'], ['d', 'e', 'f']]) await x.append(topic, x.batch(values));
  return topic;
};

const FETCHED: readonly Case[] = [
  ...[0, 1, 3, 5, 6].map((offset) => one('fetch', `from offset ${offset} of six`, async (x) => fetched(await filled(x), offset))),
  one('fetch', 'beyond the end', async (x) => fetched(await filled(x), 7)),
  one('fetch', 'below zero', async (x) => fetched(await filled(x), -1)),
  one('fetch', 'one byte', async (x) => fetched(await filled(x), 2, { partitionMaxBytes: 1 })),
  one('fetch', 'one byte of the whole', async (x) => fetched(await filled(x), 0, { maxBytes: 1 })),
  one('fetch', 'committed only', async (x) => fetched(await filled(x), 0, { isolationLevel: 1 })),
  one('fetch', 'a partition that is not there', async (x) => fetched(await filled(x), 0, { partition: 4 })),
  one('fetch', 'a topic that is not there', (x) => fetched({ name: x.name('a'), topicId: NO_SUCH_ID }, 0)),
  one('fetch', 'the zero id', (x) => fetched({ name: x.name('a'), topicId: ZERO_ID }, 0), { from: 13 }),
  one('fetch', 'the right epoch', async (x) => fetched(await filled(x), 0, { currentLeaderEpoch: 0 })),
  one('fetch', 'an epoch to come', async (x) => fetched(await filled(x), 0, { currentLeaderEpoch: 7 }), { from: 9 }),
  one('fetch', 'nothing', () => ({ replicaId: -1, maxWaitMs: 10, minBytes: 1, topics: [], forgottenTopicsData: [] })),
  one('fetch', 'more bytes than there are', async (x) => fetched(await filled(x), 0, { minBytes: 1_000_000, maxWaitMs: 50 })),
  one(
    'fetch',
    'diverging epochs',
    async (x) => {
      const topic = await filled(x);
      const draft = fetched(topic, 6);
      return {
        ...draft,
        topics: draft.topics.map((one) => ({
          ...one,
          partitions: one.partitions.map((partition) => ({ ...partition, lastFetchedEpoch: 5 })),
        })),
      };
    },
    { from: 12 },
  ),
  many(
    'fetch',
    'with a session',
    async (x) => {
      const topic = await filled(x, 2);
      const opening = fetched(topic, 0, { sessionEpoch: 0 });
      const { sessionId } = await x.call('fetch', opening);
      await x.call('fetch', { ...fetched(topic, 6), sessionId, sessionEpoch: 1, maxWaitMs: 20 });
      await x.append(topic, x.batch(['g']));
      await x.call('fetch', { ...opening, topics: [], sessionId, sessionEpoch: 2 });
      await x.call('fetch', { ...opening, topics: [], sessionId, sessionEpoch: 7 });
      await x.call('fetch', { ...fetched(topic, 0, { partition: 1 }), sessionId, sessionEpoch: 3, maxWaitMs: 20 });
      await x.call('fetch', {
        ...opening,
        topics: [],
        forgottenTopicsData: [{ topic: topic.name, topicId: topic.topicId, partitions: [0] }],
        sessionId,
        sessionEpoch: 4,
        maxWaitMs: 20,
      });
      await x.call('fetch', { ...fetched(topic, 0), sessionId, sessionEpoch: -1 });
      await x.call('fetch', { ...opening, topics: [], sessionId, sessionEpoch: 5 });
      await x.call('fetch', { ...opening, topics: [], sessionId: 123_456, sessionEpoch: 1 });
    },
    { from: 7 },
  ),
  many('fetch', 'waits for what comes', async (x) => {
    const topic = await x.topic('a');
    const waiting = x.call('fetch', fetched(topic, 0, { maxWaitMs: 10_000 }), { on: 'reader', quiet: true });
    await x.append(topic, x.batch(['late']));
    x.note('fetch', await waiting);
  }),
];

const listed = (
  topic: Topic,
  timestamp: number,
  more: { partitionIndex?: number; currentLeaderEpoch?: number; isolationLevel?: number } = {},
): ApiTypes['listOffsets']['requestDraft'] => ({
  replicaId: -1,
  isolationLevel: more.isolationLevel ?? 0,
  topics: [
    {
      name: topic.name,
      partitions: [{ partitionIndex: more.partitionIndex ?? 0, currentLeaderEpoch: more.currentLeaderEpoch ?? -1, timestamp }],
    },
  ],
  timeoutMs: 5000,
});

const OFFSETS: readonly Case[] = [
  ...[-1, -2, -3, -4, -5, -6, -7, -99].map((special) =>
    one('listOffsets', `timestamp ${special}`, async (x) => listed(await filled(x), special)),
  ),
  ...[-1, -2, -3, -4, -5, -6].map((special) =>
    one('listOffsets', `timestamp ${special} of an empty log`, async (x) => listed(await x.topic('a'), special)),
  ),
  ...[0, 1, 2, 3].map((after) =>
    one('listOffsets', `${after} ms after the first`, async (x) => listed(await filled(x), x.run.timestamp + after)),
  ),
  one('listOffsets', 'before all', async (x) => listed(await filled(x), 0)),
  one('listOffsets', 'after all', async (x) => listed(await filled(x), x.run.timestamp + 1_000_000)),
  one('listOffsets', 'committed only', async (x) => listed(await filled(x), -1, { isolationLevel: 1 })),
  one('listOffsets', 'a partition that is not there', async (x) => listed(await filled(x), -1, { partitionIndex: 3 })),
  one('listOffsets', 'a topic that is not there', (x) => listed({ name: x.name('a'), topicId: ZERO_ID }, -1)),
  one('listOffsets', 'an epoch to come', async (x) => listed(await filled(x), -1, { currentLeaderEpoch: 3 }), { from: 4 }),
  one('listOffsets', 'a partition twice', async (x) => {
    const { topics, ...draft } = listed(await filled(x), -1);
    return { ...draft, topics: topics.map((topic) => ({ ...topic, partitions: [...topic.partitions, ...topic.partitions] })) };
  }),
  ...[-1, 0, 1].map((leaderEpoch) =>
    one('offsetForLeaderEpoch', `epoch ${leaderEpoch}`, async (x) => ({
      replicaId: -1,
      topics: [{ topic: (await filled(x)).name, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }] }],
    })),
  ),
  one('offsetForLeaderEpoch', 'a leader epoch to come', async (x) => ({
    replicaId: -1,
    topics: [{ topic: (await filled(x)).name, partitions: [{ partition: 0, currentLeaderEpoch: 4, leaderEpoch: 0 }] }],
  })),
  one('offsetForLeaderEpoch', 'what is not there', (x) => ({
    replicaId: -1,
    topics: [{ topic: x.name('a'), partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
  })),
];

const cut = (name: string, partitionIndex: number, offset: number): ApiTypes['deleteRecords']['requestDraft'] => ({
  topics: [{ name, partitions: [{ partitionIndex, offset }] }],
  timeoutMs: 5000,
});

const DELETED: readonly Case[] = [
  ...[0, 2, 4, 6, -1].map((offset) =>
    many('deleteRecords', `before ${offset} of six`, async (x) => {
      const topic = await filled(x);
      await x.call('deleteRecords', cut(topic.name, 0, offset));
      await x.call('listOffsets', listed(topic, -2));
      await x.call('fetch', fetched(topic, 0));
      await x.call('fetch', fetched(topic, 4));
    }),
  ),
  one('deleteRecords', 'beyond the end', async (x) => cut((await filled(x)).name, 0, 7)),
  one('deleteRecords', 'below minus one', async (x) => cut((await filled(x)).name, 0, -2)),
  one('deleteRecords', 'a partition that is not there', async (x) => cut((await filled(x)).name, 3, 1)),
  one('deleteRecords', 'a topic that is not there', (x) => cut(x.name('a'), 0, 1)),
  one('deleteRecords', 'where the topic is compacted', async (x) =>
    cut((await x.topic('a', 1, { 'cleanup.policy': 'compact' })).name, 0, 0),
  ),
];

const IDS: readonly Case[] = [
  one('initProducerId', 'without transactions', () => ({ transactionalId: null, transactionTimeoutMs: 60_000 })),
  one('initProducerId', 'with an empty transactional id', () => ({ transactionalId: '', transactionTimeoutMs: 60_000 })),
  one(
    'initProducerId',
    'an id without epoch',
    () => ({ transactionalId: null, transactionTimeoutMs: 60_000, producerId: 5, producerEpoch: -1 }),
    { from: 3 },
  ),
  one(
    'initProducerId',
    'an id and its epoch',
    () => ({ transactionalId: null, transactionTimeoutMs: 60_000, producerId: 5, producerEpoch: 3 }),
    { from: 3 },
  ),
  one('describeProducers', 'none', async (x) => ({ topics: [{ name: (await filled(x)).name, partitionIndexes: [0] }] })),
  one('describeProducers', 'what is not there', (x) => ({ topics: [{ name: x.name('a'), partitionIndexes: [0, 1] }] })),
  one('describeProducers', 'a partition that is not there', async (x) => ({
    topics: [{ name: (await filled(x)).name, partitionIndexes: [0, 5] }],
  })),
];

export const RECORD_CASES: readonly Case[] = [...PRODUCED, ...FETCHED, ...OFFSETS, ...DELETED, ...IDS];
