/** Records that a client has packed and the broker unpacks, or the other way, at each level; blocks of lz4 by their ends. */
import { recordsOf } from '../../../../../src/wire/record.ts';
import { RECORDS_AT, RecordBatch } from '../../../../../src/wire/record-batch.ts';
import { assembleBatch } from '../../../../../src/wire/record-batch-builder.ts';
import { type Case, many } from '../../case.ts';
import { produce, fetched, CODECS, sent } from './acts.ts';

/** Larger than a block of lz4, and nearly all of it repeated. */
const LONG_VALUES = Array.from({ length: 900 }, (_, i) => `${i}: ${'abcdefghij'.repeat(i % 11)} and the letters ${i % 7} again`);

/** The levels that packers are told apart by; of lz4 9 is the fast one. */
const LEVELS = { gzip: [-1, 1, 9], lz4: [1, 2, 5, 9, 12, 17], zstd: [-131_072, -1, 0, 19, 22] } as const;

/** What was packed at each level is unpacked by the broker, whose topic wants it plain. */
export const unpacked = (codec: keyof typeof LEVELS): readonly Case[] =>
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
export const repacked = (codec: keyof typeof LEVELS): readonly Case[] =>
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

export const BLOCKS: readonly Case[] = [
  endedBlock('ends as it should', (before) => Buffer.concat([literalsAndMatch(before, 6), lastLiterals('====\0')])),
  endedBlock('has four literals at its end', (before) => Buffer.concat([literalsAndMatch(before, 7), lastLiterals('===\0')])),
  endedBlock('ends with one literal', (before) => Buffer.concat([literalsAndMatch(before, 10), lastLiterals('\0')])),
  endedBlock('has a match that reaches nowhere', (before) =>
    Buffer.concat([literalsAndMatch(before, 6, 0), lastLiterals('====\0')]),
  ),
];
