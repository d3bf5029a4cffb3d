import { expect } from 'chai';
import { CODEC_NAMES } from '../../src/wire/compression/codec.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { assembleBatch } from '../../src/wire/record-batch-builder.ts';
import { accepted, altered, CODECS, NOW, options, produced, record, refused, withError } from './validator-fixture.ts';

describe('the check of records', () => {
  for (const codec of CODECS) {
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
