import { expect } from 'chai';
import { CODEC_NAMES, type CompressionCodec, compress } from '../../src/wire/compression/codec.ts';
import type { Invalid } from '../../src/log/validator-contract.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { assembleBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { accepted, altered, CODECS, NOW, options, produced, refused, withError } from './validator-fixture.ts';

const recordSection = (batch: Buffer): Buffer => Buffer.from(batch.subarray(61));
/** Of the first record, after its size, attributes and timestamp delta, one byte each. */
const OFFSET_DELTA_AT = 3;

describe('validation of produced records', () => {
  for (const codec of CODECS) {
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
  }

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

  it('refuses what does not fit a segment', () => {
    withError(
      ErrorCode.RECORD_LIST_TOO_LARGE,
      /exceeds the maximum configured segment size of 50\.$/,
    )(refused(produced(), options({ segmentBytes: 50 })));
  });

  it('holds no producer id beyond 2^53', () => {
    const id = altered(produced(), (b) => b.writeBigInt64BE(4611686018427387905n, 43));
    withError(ErrorCode.INVALID_RECORD, /Producer id 4611686018427387905/)(refused(id));
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

  it('refuses offsets below the end', () => {
    const o = options({}, { origin: 'replication' });
    withError(ErrorCode.UNKNOWN_SERVER_ERROR, /First offset 999 is less than the next offset 1000/)(refused(at(999), o));
  });
});
