/** Records produced, well and badly. */
import { type Case, many, one, NO_SUCH_ID, ZERO_ID } from '../../case.ts';
import { produce, fetched, CODECS, sent } from './acts.ts';
import { BLOCKS, repacked, unpacked } from './compressed.ts';

const changed = (bytes: Buffer, change: (bytes: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
};

export const PRODUCED: readonly Case[] = [
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
