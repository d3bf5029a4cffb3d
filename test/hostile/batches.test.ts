/**
 * Record batches that no producer would write. Each goes between two good ones in one request: it alone is refused, the good ones are stored, the connection
 * stays. Which error is told for what is compared with Apache Kafka elsewhere; here the whole broker has to live through it.
 */
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { compress } from '../../src/wire/compression/codec.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { CRC_AT, RecordBatch } from '../../src/wire/record-batch.ts';
import { type BatchDraft, assembleBatch, buildBatch } from '../../src/wire/record-batch-builder.ts';
import type { PlainClient } from '../support/plain-client.ts';
import { batchOf, type Produced, Victim } from './victim.ts';

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;

const good = (): Buffer => batchOf(['one', 'two', 'three']);

function altered(change: (batch: Buffer) => void, checksum = true): Buffer {
  const batch = good();
  change(batch);
  if (checksum) batch.writeUInt32BE(new RecordBatch(batch).computeCrc(), CRC_AT);
  return batch;
}

const produced = (draft: Partial<BatchDraft>): Buffer =>
  buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: [{ key: null, value: Buffer.from('v'), timestamp: Date.now() }],
    ...draft,
  });

/** A message of magic 1 around `value`. */
function legacyMessage(attributes: number, value: Buffer): Buffer {
  const message = Buffer.alloc(34 + value.length);
  message.writeInt32BE(message.length - 12, 8);
  message.writeInt8(1, 16);
  message.writeInt8(attributes, 17);
  message.writeInt32BE(-1, 26);
  message.writeInt32BE(value.length, 30);
  value.copy(message, 34);
  return message;
}

const nested = (): Buffer => legacyMessage(1, gzipSync(legacyMessage(1, gzipSync(legacyMessage(0, Buffer.from('deep'))))));

const WRONG: Readonly<Record<string, readonly [bytes: () => Buffer, error: number]>> = {
  'a wrong checksum': [() => altered((batch) => batch.writeUInt32BE(1, CRC_AT), false), ErrorCode.CORRUPT_MESSAGE],
  'more records than it says': [() => altered((batch) => batch.writeInt32BE(2, 57)), ErrorCode.INVALID_RECORD],
  'fewer records than it says': [
    () =>
      altered((batch) => {
        batch.writeInt32BE(1000, 57);
        batch.writeInt32BE(999, 23);
      }),
    ErrorCode.INVALID_RECORD,
  ],
  'two thousand million records in a hundred bytes': [
    () =>
      altered((batch) => {
        batch.writeInt32BE(0x7fff_ffff, 57);
        batch.writeInt32BE(0x7fff_fffe, 23);
      }),
    ErrorCode.INVALID_RECORD,
  ],
  'a negative count': [() => altered((batch) => batch.writeInt32BE(-1, 57)), ErrorCode.INVALID_RECORD],
  'a negative last offset': [() => altered((batch) => batch.writeInt32BE(-5, 23)), ErrorCode.INVALID_RECORD],
  'a base offset of its own': [() => altered((batch) => batch.writeBigInt64BE(77n, 0)), ErrorCode.INVALID_RECORD],
  'magic 1, a set in a set in a set': [nested, ErrorCode.INVALID_RECORD],
  'half a batch': [() => good().subarray(0, 60), ErrorCode.INVALID_RECORD],
  nothing: [() => Buffer.alloc(0), ErrorCode.INVALID_RECORD],
  'two batches': [() => Buffer.concat([good(), good()]), ErrorCode.INVALID_RECORD],
  'two megabytes': [() => batchOf([Buffer.alloc(2 * MIB)]), ErrorCode.MESSAGE_TOO_LARGE],
  'a control batch': [
    () => produced({ control: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }),
    ErrorCode.INVALID_RECORD,
  ],
  'a producer without a sequence': [
    () => produced({ producerId: 9, producerEpoch: 0, baseSequence: -1 }),
    ErrorCode.INVALID_RECORD,
  ],
  'codec 7': [() => altered((batch) => batch.writeInt16BE(7, 21)), ErrorCode.UNKNOWN_SERVER_ERROR],
  'records that are no gzip': [() => altered((batch) => batch.writeInt16BE(1, 21)), ErrorCode.UNKNOWN_SERVER_ERROR],
  'the future': [() => batchOf(['late'], Date.now() + 2 * DAY_MS), ErrorCode.INVALID_TIMESTAMP],
  'the largest of timestamps': [
    () => altered((batch) => batch.writeBigInt64BE(0x7fff_ffff_ffff_ffffn, 27)),
    ErrorCode.INVALID_TIMESTAMP,
  ],
};

const HEADER = { baseOffset: 0, partitionLeaderEpoch: -1, baseTimestamp: Date.now(), maxTimestamp: Date.now() } as const;

/** Members of 16 MiB each. */
const gzipOfZeros = (members: number): Buffer =>
  Buffer.concat(Array.from<Buffer>({ length: members }).fill(gzipSync(Buffer.alloc(16 * MIB))));

function zstdOfZeros(bytes: number): Buffer {
  const blocks = Math.ceil(bytes / (128 * 1024));
  const frame = Buffer.alloc(6 + 4 * blocks);
  frame.writeUInt32LE(0xfd2fb528);
  frame.writeUInt8(7 << 3, 5);
  for (let i = 0; i < blocks; i++) frame.writeUIntLE(((128 * 1024) << 3) | 2 | (i === blocks - 1 ? 1 : 0), 6 + 4 * i, 3);
  return frame;
}

function lz4OfZeros(bytes: number): Buffer {
  const block = compress(3, Buffer.alloc(64 * 1024)).subarray(7, -4);
  const frame = compress(3, Buffer.alloc(1));
  return Buffer.concat([frame.subarray(0, 7), ...Array.from({ length: bytes / (64 * 1024) }, () => block), Buffer.alloc(4)]);
}

function snappyThatClaims(bytes: number): Buffer {
  const size: number[] = [];
  let rest = bytes;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) size.push((rest & 0x7f) | 0x80);
  return Buffer.from([...size, rest, 0, 0]);
}

/** Sections of at most a megabyte by what they unpack to, or say that they do. */
const BOMBS: Readonly<Record<string, readonly [codec: 1 | 2 | 3 | 4, section: () => Buffer]>> = {
  'gzip of a gigabyte': [1, () => gzipOfZeros(61)],
  'gzip of 240 MiB': [1, () => gzipOfZeros(15)],
  'snappy that claims four gigabytes': [2, () => snappyThatClaims(0xffff_ffff)],
  'snappy of 20 MiB': [2, () => compress(2, Buffer.alloc(20 * MIB))],
  'lz4 of 240 MiB': [3, () => lz4OfZeros(240 * MIB)],
  'zstd of thirty gigabytes': [4, () => zstdOfZeros(30_000 * MIB)],
  'zstd of 240 MiB': [4, () => zstdOfZeros(240 * MIB)],
};

const bomb = (codec: 1 | 2 | 3 | 4, section: Buffer, count = 1): Buffer =>
  assembleBatch(section, { ...HEADER, codec, count, lastOffsetDelta: count - 1 });

describe('hostile batches', function () {
  this.timeout(60_000);
  const topics = ['before', 'wrong', 'behind', 'compacted:1:1:compact'];
  let victim: Victim;
  let client: PlainClient;

  before(async () => {
    victim = await Victim.start({ topics });
  });

  after(async () => {
    const { code, stderr } = await victim.stop();
    expect([code, stderr]).to.deep.equal([0, '']);
  });

  beforeEach(() => {
    client = victim.client();
  });

  afterEach(async () => {
    client.close();
    await victim.isUnharmed();
  });

  /** Its answer, when the good batches around it were stored and the connection stays. */
  async function betweenGoodOnes(records: Buffer): Promise<Produced> {
    const of = (name: string, bytes: Buffer) => ({ name, partitionData: [{ index: 0, records: bytes }] });
    const topicData = [of('before', good()), of('wrong', records), of('behind', good())];
    const answer = await client.call('produce', { acks: -1, timeoutMs: 1000, topicData }, 9, 'hostile');
    const [before, wrong, behind] = answer.responses.map(({ partitionResponses }) => partitionResponses[0]);
    expect([before?.errorCode, behind?.errorCode]).to.deep.equal([0, 0]);
    if (wrong === undefined) throw new Error('no answer for the batch in question');
    await client.call('metadata', { topics: [] }, 12, 'hostile');
    return wrong;
  }

  for (const [what, [bytes, error]] of Object.entries(WRONG)) {
    it(`${what}: ${error} for its partition`, async () => {
      const { errorCode, baseOffset } = await betweenGoodOnes(bytes());
      expect([errorCode, baseOffset]).to.deep.equal([error, -1n]);
      expect((await victim.fetch('wrong')).length, 'bytes stored').to.equal(0);
    });
  }

  it('bytes that are no batch at all refuse the request, partition by partition, and the connection stays', async () => {
    const magic3 = altered((batch) => batch.writeInt8(3, 16), false);
    for (const bytes of [Buffer.alloc(100), Buffer.alloc(100, 0xff), Buffer.from('GET / HTTP/1.1\r\n\r\n'), magic3]) {
      const { errorCode } = await victim.produce('wrong', bytes, client);
      expect(errorCode).to.not.equal(0);
    }
    await client.call('metadata', { topics: [] }, 12, 'hostile');
    expect((await victim.fetch('wrong')).length).to.equal(0);
  });

  for (const [what, [codec, section]] of Object.entries(BOMBS)) {
    it(`${what}: refused`, async () => {
      const { errorCode } = await victim.produce('wrong', bomb(codec, section()), client);
      expect(errorCode).to.be.oneOf([ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.INVALID_RECORD]);
      expect((await victim.fetch('wrong')).length).to.equal(0);
    });
  }

  it('four bombs in one request are taken apart one after the other', async () => {
    const records = bomb(1, gzipOfZeros(15));
    await victim.ask('createPartitions', 3, {
      topics: [{ name: 'behind', count: 4, assignments: null }],
      timeoutMs: 5000,
      validateOnly: false,
    });
    const partitionData = Array.from({ length: 4 }, (_, index) => ({ index, records }));
    const topicData = [{ name: 'behind', partitionData }];
    const { responses } = await client.call('produce', { acks: -1, timeoutMs: 1000, topicData }, 9, 'hostile');
    expect(responses[0]?.partitionResponses.every(({ errorCode }) => errorCode !== 0)).to.equal(true);
    expect(victim.peakBytes() / MIB, 'peak of resident MiB').to.be.below(1000);
  });

  it('six million bad records in a megabyte are counted, and not all listed', async () => {
    const nullKey = Buffer.from('0c000000010100', 'hex');
    const perMember = 2_000_000;
    const member = gzipSync(Buffer.alloc(perMember * nullKey.length, nullKey));
    const members = Array.from<Buffer>({ length: 3 }).fill(member);
    const count = perMember * members.length;
    const answer = await victim.produce('compacted', bomb(1, Buffer.concat(members), count), client);
    expect(answer.errorCode).to.equal(ErrorCode.INVALID_RECORD);
    expect(answer.errorMessage).to.contain(`${count} record errors in total`);
    expect(answer.recordErrors.length).to.be.within(1000, 100_000);
  });
});
