import { expect } from 'chai';
import { validateRecords } from '../../src/log/record-validator.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { accepted, altered, options, produced, refused, withError } from './validator-fixture.ts';

describe('a record set', () => {
  const at = (baseOffset: number, partitionLeaderEpoch = 7): Buffer => produced({ baseOffset, partitionLeaderEpoch });

  it('is refused by checksum, size, length and magic', () => {
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

  it('loses a torn tail', () => {
    const whole = produced();
    const result = accepted(Buffer.concat([whole, whole.subarray(0, 40)]));
    expect(result.records.length).to.equal(whole.length);
  });

  it('is refused when its offsets do not rise, or when its epoch is not that of the quorum', () => {
    withError(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      /Out of order offsets found in append to orders-3/,
    )(refused(Buffer.concat([at(1003), at(1000)]), options({}, { origin: 'replication' })));
    withError(
      ErrorCode.INVALID_RECORD,
      /did not set the batch epoch correctly, expected 7 but the batch has 6/,
    )(refused(at(1000, 6), options({}, { origin: 'raft' })));
  });

  it('ends before batches of a later leader, and may have nothing left', () => {
    const o = options({}, { origin: 'replication' });
    const first = at(1000);
    expect(accepted(Buffer.concat([first, at(1003, 8), at(1006)]), o).records.length).to.equal(first.length);
    const none = validateRecords(at(1000, 8), o);
    expect(none).to.deep.include({ ok: true, firstOffset: 1000, lastOffset: 999, maxTimestamp: -1 });
  });

  it('is not bound to max.message.bytes where a replica copies it', () => {
    expect(accepted(at(1000), options({ maxMessageBytes: 10 }, { origin: 'replication' })).lastOffset).to.equal(1002);
  });
});
