import { expect } from 'chai';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { type Invalid, type Validated, type ValidationOptions, validateRecords } from '../../src/log/record-validator.ts';
import { CODEC_NAMES, type CompressionCodec, compress } from '../../src/wire/compression/codec.ts';
import { TOPIC_CONFIGS } from '../../src/wire/generated/configs.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { CRC_AT, RecordBatch } from '../../src/wire/record-batch.ts';
import { assembleBatch, type BatchDraft, buildBatch, type RecordDraft } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';

const NOW = 1_700_000_000_000;
const text = (value: string): Buffer => Buffer.from(value);
const record = (key: string | null, value: string | null, timestamp = NOW): RecordDraft => ({
  key: key === null ? null : text(key),
  value: value === null ? null : text(value),
  timestamp,
});
const THREE = [record('a', '1'), record(null, '2', NOW - 5), record('c', null, NOW + 7)];

const produced = (draft: Partial<BatchDraft> = {}): Buffer =>
  buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records: THREE, ...draft });

/** A batch whose header was changed after it was built, its checksum made right again. */
function altered(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch);
  batch.writeUInt32BE(new RecordBatch(batch).computeCrc(), CRC_AT);
  return batch;
}

const options = (config: Partial<LogConfig> = {}, o: Partial<ValidationOptions> = {}): ValidationOptions => ({
  config: { ...DEFAULT_LOG_CONFIG, ...config },
  nowMs: NOW,
  origin: 'client',
  topicPartition: 'orders-3',
  firstOffset: 1000,
  partitionLeaderEpoch: 7,
  ...o,
});

function accepted(records: Buffer, o = options()): Validated & { readonly batch: RecordBatch } {
  const result = validateRecords(records, o);
  if (!result.ok) throw new Error(`refused: ${result.error} ${result.reason}`);
  const batch = new RecordBatch(result.records);
  expect(batch.isValid, 'checksum of what is appended').to.equal(true);
  return { ...result, batch };
}

function refused(records: Buffer, o = options()): Invalid {
  const before = Buffer.from(records);
  const result = validateRecords(records, o);
  if (result.ok) throw new Error('accepted');
  expect(records.equals(before), 'a refused batch is left as it came').to.equal(true);
  return result;
}

const withError = (error: ErrorCode, reason: string | RegExp): ((invalid: Invalid) => void) => {
  return (invalid) => {
    expect(invalid.error).to.equal(error);
    if (typeof reason === 'string') expect(invalid.reason).to.equal(reason);
    else expect(invalid.reason).to.match(reason);
    if (invalid.recordErrors.length === 0) expect(invalid.message, 'only errors of single records are told').to.equal(null);
    else expect(invalid.message).to.equal(invalid.reason);
  };
};

const codecs = [0, 1, 2, 3, 4] as const satisfies readonly CompressionCodec[];

describe('validation of produced records', () => {
  for (const codec of codecs) {
    it(`assigns offsets and epoch in place (${CODEC_NAMES[codec]})`, () => {
      const records = produced({ codec, producerId: 5, producerEpoch: 1, baseSequence: 9 });
      const crc = new RecordBatch(records).crc;
      const result = accepted(records);
      expect(result.records.buffer, 'the same memory').to.equal(records.buffer);
      expect(result).to.include({
        firstOffset: 1000,
        lastOffset: 1002,
        maxTimestamp: NOW + 7,
        offsetOfMaxTimestamp: 1002,
        logAppendTimeMs: -1,
      });
      expect(result.batch).to.include({
        baseOffset: 1000,
        lastOffset: 1002,
        partitionLeaderEpoch: 7,
        crc,
        producerId: 5,
        baseSequence: 9,
      });
      expect(recordsOf(result.batch).map((r) => [r.offset, r.timestamp])).to.deep.equal([
        [1000, NOW],
        [1001, NOW - 5],
        [1002, NOW + 7],
      ]);
    });

    it(`stamps the time of the append (${CODEC_NAMES[codec]})`, () => {
      const records = produced({ codec });
      const result = accepted(records, options({ messageTimestampType: 'LogAppendTime' }, { nowMs: NOW + 99 }));
      expect(result.records.buffer).to.equal(records.buffer);
      expect(result).to.include({ maxTimestamp: NOW + 99, logAppendTimeMs: NOW + 99 });
      expect(result.batch).to.include({ timestampType: 'LogAppendTime', maxTimestamp: NOW + 99, baseTimestamp: NOW });
      expect(recordsOf(result.batch).map((r) => r.timestamp)).to.deep.equal([NOW + 99, NOW + 99, NOW + 99]);
    });

    it(`writes the largest timestamp that the records have (${CODEC_NAMES[codec]})`, () => {
      const records = altered(produced({ codec }), (b) => b.writeBigInt64BE(BigInt(NOW + 500), 35));
      const result = accepted(records);
      expect(result.maxTimestamp).to.equal(NOW + 7);
      expect(result.batch.maxTimestamp).to.equal(NOW + 7);
    });

    it(`refuses timestamps out of bounds, record by record (${CODEC_NAMES[codec]})`, () => {
      const records = [
        record('a', '1', NOW - 1001),
        record('b', '2', NOW - 1000),
        record('c', '3', NOW + 2000),
        record('d', '4', NOW + 2001),
        record('e', '5', -1),
      ];
      const o = options({ messageTimestampBeforeMaxMs: 1000, messageTimestampAfterMaxMs: 2000 });
      const invalid = refused(produced({ codec, records }), o);
      withError(ErrorCode.INVALID_TIMESTAMP, 'One or more records have been rejected due to invalid timestamp')(invalid);
      const bounds = `is out of range. The timestamp should be within [${NOW - 1000}, ${NOW + 2000}]`;
      expect(invalid.recordErrors).to.deep.equal([
        { batchIndex: 0, message: `Timestamp ${NOW - 1001} of message with offset 0 ${bounds}` },
        { batchIndex: 3, message: `Timestamp ${NOW + 2001} of message with offset 3 ${bounds}` },
      ]);
    });

    it(`refuses records without a key for a compacted topic (${CODEC_NAMES[codec]})`, () => {
      const records = [record(null, '1'), record('b', '2'), record(null, '3'), record(null, '4'), record(null, '5')];
      const invalid = refused(produced({ codec, records }), options({ cleanupPolicy: ['compact', 'delete'] }));
      const message = 'Compacted topic cannot accept message without key in topic partition orders-3';
      withError(
        ErrorCode.INVALID_RECORD,
        'One or more records have been rejected due to 4 record errors in total, and only showing the first three errors at most: ' +
          `[RecordError(batchIndex=0, message='${message}'), RecordError(batchIndex=2, message='${message}'), RecordError(batchIndex=3, message='${message}')]`,
      )(invalid);
      expect(invalid.recordErrors.map((e) => e.batchIndex)).to.deep.equal([0, 2, 3, 4]);
    });

    it(`refuses fewer and more records than the header says (${CODEC_NAMES[codec]})`, () => {
      for (const [count, reason] of [
        [4, /record/],
        [2, /bytes left after the 2 records/],
      ] as const) {
        const change = (b: Buffer): void => {
          b.writeInt32BE(count, 57);
          b.writeInt32BE(count - 1, 23);
        };
        withError(ErrorCode.INVALID_RECORD, reason)(refused(altered(produced({ codec }), change)));
      }
    });
  }

  it('a timestamp error wins over others in the same batch', () => {
    const invalid = refused(
      produced({ records: [record(null, '1'), record('b', '2', NOW + 10_000_000)] }),
      options({ cleanupPolicy: ['compact'] }),
    );
    expect(invalid.error).to.equal(ErrorCode.INVALID_TIMESTAMP);
    expect(invalid.recordErrors.length).to.equal(2);
  });

  it('refuses what a number cannot hold, and says it exactly', () => {
    const records = altered(produced({ records: [record('a', '1')] }), (b) => b.writeBigInt64BE(0x7fff_ffff_ffff_fffen, 27));
    const invalid = refused(records, options({ messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER }));
    expect(invalid.error).to.equal(ErrorCode.INVALID_TIMESTAMP);
    expect(invalid.recordErrors[0]?.message).to.include('Timestamp 9223372036854775806 of message with offset 0');
    const id = altered(produced(), (b) => b.writeBigInt64BE(4611686018427387905n, 43));
    withError(ErrorCode.INVALID_RECORD, /Producer id 4611686018427387905/)(refused(id));
  });

  it('refuses a batch that claims to be stamped already, unless the topic keeps timestamps and this one is in bounds', () => {
    const stamped = (): Buffer =>
      produced({ records: [record('key', 'value')], timestampType: 'LogAppendTime', maxTimestamp: NOW });
    withError(
      ErrorCode.INVALID_TIMESTAMP,
      'One or more records have been rejected due to invalid timestamp',
    )(refused(stamped(), options({ messageTimestampType: 'LogAppendTime' })));
    const message = refused(stamped(), options({ messageTimestampType: 'LogAppendTime' })).recordErrors[0]?.message;
    expect(message).to.equal(
      `Invalid timestamp type in message DefaultRecord(offset=0, timestamp=${NOW}, key=3 bytes, value=5 bytes). ` +
        'Producer should not set timestamp type to LogAppendTime.',
    );
    expect(accepted(stamped()).batch.timestampType).to.equal('CreateTime');
  });

  it('refuses by checksum, size, length and magic', () => {
    const broken = produced();
    broken[70] = (broken[70] as number) ^ 1;
    withError(
      ErrorCode.CORRUPT_MESSAGE,
      `Record is corrupt (stored crc = ${new RecordBatch(broken).crc}) in topic partition orders-3.`,
    )(refused(broken));
    const size = produced().length;
    withError(
      ErrorCode.MESSAGE_TOO_LARGE,
      `The record batch size in the append to orders-3 is ${size} bytes which exceeds the maximum configured value of ${size - 1}).`,
    )(refused(produced(), options({ maxMessageBytes: size - 1 })));
    expect(accepted(produced(), options({ maxMessageBytes: size })).batch.count).to.equal(3);
    withError(
      ErrorCode.RECORD_LIST_TOO_LARGE,
      /exceeds the maximum configured segment size of 50\.$/,
    )(refused(produced(), options({ segmentBytes: 50 })));
    const short = produced();
    short.writeInt32BE(13, 8);
    withError(ErrorCode.CORRUPT_MESSAGE, /Record size 13 is less than the minimum/)(refused(short));
    const unknown = produced();
    unknown[16] = 3;
    withError(ErrorCode.CORRUPT_MESSAGE, /Invalid magic found in record: 3/)(refused(unknown));
    withError(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      'Unknown compression type id: 6',
    )(refused(altered(produced(), (b) => b.writeInt16BE(6, 21))));
  });

  it('refuses what only brokers may say', () => {
    const header = (change: (b: Buffer) => void): Invalid => refused(altered(produced(), change));
    withError(
      ErrorCode.INVALID_RECORD,
      'The baseOffset of the record batch in the append to orders-3 should be 0, but it is 12',
    )(header((b) => b.writeBigInt64BE(12n, 0)));
    withError(
      ErrorCode.INVALID_RECORD,
      'Clients are not allowed to write control records in topic partition orders-3',
    )(header((b) => b.writeInt16BE(0x20, 21)));
    withError(
      ErrorCode.INVALID_RECORD,
      'Invalid sequence number -1 in record batch with producerId 9 in topic partition orders-3',
    )(header((b) => b.writeBigInt64BE(9n, 43)));
    withError(
      ErrorCode.INVALID_RECORD,
      'Batch has an invalid offset range: [0, -1] in topic partition orders-3',
    )(header((b) => b.writeInt32BE(-1, 23)));
    withError(
      ErrorCode.INVALID_RECORD,
      'Invalid reported count for record batch: 0 in topic partition orders-3',
    )(header((b) => b.writeInt32BE(0, 57)));
    withError(
      ErrorCode.INVALID_RECORD,
      'Inconsistent batch offset range [0, 5] and count of records 3 in topic partition orders-3',
    )(header((b) => b.writeInt32BE(5, 23)));
    const two = Buffer.concat([produced(), produced()]);
    withError(ErrorCode.INVALID_RECORD, 'Compressed outer record has more than one batch')(refused(two));
  });

  it('cuts a torn tail off', () => {
    const whole = produced();
    const result = accepted(Buffer.concat([whole, whole.subarray(0, 40)]));
    expect(result.records.length).to.equal(whole.length);
  });

  it('leaves the records of an uncompressed batch their own offset deltas, as Kafka does, and refuses such a compressed one', () => {
    const gap = (codec: CompressionCodec): Buffer => {
      const section = recordSection(produced());
      section[OFFSET_DELTA_AT] = 20;
      return assembleBatch(codec === 0 ? section : compress(codec, section), {
        baseOffset: 0,
        partitionLeaderEpoch: -1,
        codec,
        lastOffsetDelta: 2,
        count: 3,
        baseTimestamp: NOW,
        maxTimestamp: NOW + 7,
      });
    };
    expect(accepted(gap(0)).lastOffset).to.equal(1002);
    withError(ErrorCode.UNKNOWN_SERVER_ERROR, /Offsets of the compressed records/)(refused(gap(1)));
    const rebuilt = accepted(gap(1), options({ compressionType: 'lz4' }));
    expect(recordsOf(rebuilt.batch).map((r) => r.offset)).to.deep.equal([1000, 1001, 1002]);
  });

  it('refuses compressed data that does not unpack, or holds a record above the bound', () => {
    for (const codec of [1, 2, 3, 4] as const) {
      const bad = assembleBatch(Buffer.from('not compressed at all'), {
        baseOffset: 0,
        partitionLeaderEpoch: -1,
        codec,
        lastOffsetDelta: 0,
        count: 1,
        baseTimestamp: NOW,
        maxTimestamp: NOW,
      });
      withError(ErrorCode.UNKNOWN_SERVER_ERROR, /^Failed to decompress record stream/)(refused(bad));
      const large = produced({ codec, records: [record('k', 'x'.repeat(5000))] });
      withError(ErrorCode.INVALID_RECORD, /at most 5000 allowed/)(refused(large, options({ maxDecompressedMessageBytes: 5000 })));
    }
  });
});

const recordSection = (batch: Buffer): Buffer => Buffer.from(batch.subarray(61));
/** Of the first record, after its size, attributes and timestamp delta, one byte each. */
const OFFSET_DELTA_AT = 3;

describe('batches written anew', () => {
  const targets = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
  for (const [index, compressionType] of targets.entries()) {
    for (const codec of codecs) {
      if (codec === index) continue;
      it(`${CODEC_NAMES[codec]} becomes ${compressionType}`, () => {
        const headers = [
          { key: 'trace', value: text('abc') },
          { key: 'none', value: null },
        ];
        const records = [{ ...record('a', '1'), headers }, ...THREE];
        const draft = { codec, records, producerId: 77, producerEpoch: 2, baseSequence: 5, transactional: true };
        const result = accepted(produced(draft), options({ compressionType }));
        expect(result).to.include({ firstOffset: 1000, lastOffset: 1003, maxTimestamp: NOW + 7 });
        expect(result.batch).to.include({
          codec: index,
          baseOffset: 1000,
          count: 4,
          lastOffsetDelta: 3,
          partitionLeaderEpoch: 7,
          producerId: 77,
          producerEpoch: 2,
          baseSequence: 5,
          isTransactional: true,
          maxTimestamp: NOW + 7,
          baseTimestamp: NOW,
          timestampType: 'CreateTime',
        });
        const expected = recordsOf(new RecordBatch(produced({ ...draft, codec: 0 }))).map((r) => ({
          ...r,
          offset: r.offset + 1000,
        }));
        expect(recordsOf(result.batch)).to.deep.equal(expected);
      });
    }
  }

  it('gets the time of the append too', () => {
    const o = options({ compressionType: 'gzip', messageTimestampType: 'LogAppendTime' }, { nowMs: NOW + 50 });
    const result = accepted(produced(), o);
    expect(result.batch).to.include({ timestampType: 'LogAppendTime', maxTimestamp: NOW + 50 });
    expect(recordsOf(result.batch).map((r) => r.timestamp)).to.deep.equal([NOW + 50, NOW + 50, NOW + 50]);
  });

  it('is refused when its timestamps are beyond 2^53, even where the topic stamps its records', () => {
    const records = altered(produced(), (b) => b.writeBigInt64BE(0x7fff_ffff_ffff_ffffn, 27));
    const o = options({ compressionType: 'gzip', messageTimestampType: 'LogAppendTime' });
    withError(ErrorCode.INVALID_TIMESTAMP, 'Base timestamp 9223372036854775807 in orders-3 is beyond 2^53')(refused(records, o));
    expect(accepted(Buffer.from(records), options({ messageTimestampType: 'LogAppendTime' })).maxTimestamp).to.equal(NOW);
  });

  it('must still fit', () => {
    const records = [record('k', 'x'.repeat(5000))];
    const packed = produced({ codec: 1, records });
    const o = options({ compressionType: 'uncompressed', maxMessageBytes: 1000 });
    withError(
      ErrorCode.MESSAGE_TOO_LARGE,
      /^Message batch size is 50\d\d bytes in append to partition orders-3 which exceeds/,
    )(refused(packed, o));
  });

  it('needs records, whoever appends', () => {
    const empty = altered(produced(), (b) => b.writeInt32BE(0, 57));
    withError(
      ErrorCode.INVALID_RECORD,
      /^Invalid reported count for record batch: 0/,
    )(refused(empty, options({}, { origin: 'coordinator' })));
  });

  it('leaves control batches as they are', () => {
    const marker = produced({ control: true, transactional: true, producerId: 3, producerEpoch: 0, records: [record('k', 'v')] });
    const result = accepted(marker, options({ compressionType: 'zstd' }, { origin: 'coordinator' }));
    expect(result.batch).to.include({ codec: 0, isControl: true, baseOffset: 1000 });
  });
});

describe('validation with given offsets', () => {
  const at = (baseOffset: number, partitionLeaderEpoch = 7): Buffer => produced({ baseOffset, partitionLeaderEpoch });

  it('keeps offsets, epochs and timestamps of several batches', () => {
    const records = Buffer.concat([at(1000), at(1003), at(1010)]);
    const copy = Buffer.from(records);
    const result = accepted(records, options({ messageTimestampType: 'LogAppendTime' }, { origin: 'replication' }));
    expect(result.records.equals(copy)).to.equal(true);
    expect(result).to.include({ firstOffset: 1000, lastOffset: 1012, maxTimestamp: NOW + 7, offsetOfMaxTimestamp: 1002 });
  });

  it('refuses offsets below the end and out of order, and a wrong epoch of the quorum', () => {
    const o = options({}, { origin: 'replication' });
    withError(ErrorCode.UNKNOWN_SERVER_ERROR, /First offset 999 is less than the next offset 1000/)(refused(at(999), o));
    withError(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      /Out of order offsets found in append to orders-3/,
    )(refused(Buffer.concat([at(1003), at(1000)]), o));
    withError(
      ErrorCode.INVALID_RECORD,
      /did not set the batch epoch correctly, expected 7 but the batch has 6/,
    )(refused(at(1000, 6), options({}, { origin: 'raft' })));
  });

  it('stops before batches of a later leader, and may have nothing left', () => {
    const o = options({}, { origin: 'replication' });
    const first = at(1000);
    expect(accepted(Buffer.concat([first, at(1003, 8), at(1006)]), o).records.length).to.equal(first.length);
    const none = validateRecords(at(1000, 8), o);
    expect(none).to.deep.include({ ok: true, firstOffset: 1000, lastOffset: 999, maxTimestamp: -1 });
  });

  it('does not bind replicas to max.message.bytes', () => {
    expect(accepted(at(1000), options({ maxMessageBytes: 10 }, { origin: 'replication' })).lastOffset).to.equal(1002);
  });
});

describe('the default log config', () => {
  it('is what the topic configs say', () => {
    const facts = new Map(TOPIC_CONFIGS.map((fact) => [fact.name, fact.default]));
    const dotted = (name: string): string => name.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`);
    const kafkaName = (name: string): string => ({ segmentIndexBytes: 'segment.index.bytes' })[name] ?? dotted(name);
    for (const [name, value] of Object.entries(DEFAULT_LOG_CONFIG)) {
      if (name === 'compressionLevels') continue;
      const fact = facts.get(kafkaName(name));
      const expected = typeof value === 'number' ? String(Math.min(Number(fact), Number.MAX_SAFE_INTEGER)) : fact;
      expect(String(value), name).to.equal(expected);
    }
    const levels = Object.fromEntries(
      ['gzip', 'lz4', 'zstd'].map((codec) => [codec, Number(facts.get(`compression.${codec}.level`))]),
    );
    expect(DEFAULT_LOG_CONFIG.compressionLevels).to.deep.equal(levels);
  });
});
