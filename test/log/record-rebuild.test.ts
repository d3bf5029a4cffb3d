import { expect } from 'chai';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import { CODEC_NAMES } from '../../src/wire/compression/codec.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import {
  accepted,
  altered,
  CODECS,
  NOW,
  options,
  produced,
  record,
  refused,
  text,
  THREE,
  withError,
} from './validator-fixture.ts';

describe('batches written anew', () => {
  const targets = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
  for (const [index, compressionType] of targets.entries()) {
    for (const codec of CODECS) {
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

  it('is packed at the level that the topic has for the codec', () => {
    const records = Array.from({ length: 500 }, (_, i) => record(`k${i}`, `{"id":${i},"name":"n${(i * 7919) % 97}"}`));
    const sizeAt = (compressionType: 'gzip' | 'lz4', level: number): number => {
      const compressionLevels = { ...DEFAULT_LOG_CONFIG.compressionLevels, [compressionType]: level };
      const { batch } = accepted(produced({ records }), options({ compressionType, compressionLevels }));
      expect(recordsOf(batch).map(({ value }) => value)).to.deep.equal(records.map(({ value }) => value));
      return batch.sizeInBytes;
    };
    expect(sizeAt('gzip', 9)).to.be.lessThan(sizeAt('gzip', 1));
    expect(sizeAt('lz4', 12)).to.be.lessThan(sizeAt('lz4', 1));
    expect(sizeAt('lz4', 1)).to.be.lessThan(sizeAt('lz4', 9));
  });

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
