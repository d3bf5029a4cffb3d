import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { checkProducedRecords } from '../../src/wire/produced-records.ts';
import { ATTRIBUTES_AT } from '../../src/wire/record-batch.ts';
import { type BatchDraft, buildBatch } from '../../src/wire/record-batch-builder.ts';

const produced = (draft: Partial<BatchDraft> = {}): Buffer =>
  buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: [{ key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1 }],
    ...draft,
  });

describe('record sets of Produce requests', () => {
  it('are one batch of magic 2', () => {
    const invalid = (records: Buffer | null, reason: RegExp): void => {
      const result = checkProducedRecords(records, 9);
      expect(result?.error).to.equal(ErrorCode.INVALID_RECORD);
      expect(result?.reason).to.match(reason);
    };
    expect(checkProducedRecords(produced(), 3)).to.equal(undefined);
    expect(checkProducedRecords(Buffer.concat([produced(), Buffer.from([1, 2, 3])]), 9)).to.equal(undefined);
    invalid(null, /must have at least one record batch per partition/);
    invalid(Buffer.alloc(0), /must have at least one record batch per partition/);
    invalid(produced().subarray(0, -1), /must have at least one record batch per partition/);
    invalid(Buffer.concat([produced(), produced()]), /only allowed to contain exactly one record batch per partition/);
    const old = produced();
    old[16] = 1;
    invalid(old, /only allowed to contain record batches with magic version 2/);
  });

  it('fail the whole request when they cannot be framed', () => {
    const short = produced();
    short.writeInt32BE(13, 8);
    expect(checkProducedRecords(short, 9)).to.include({
      error: ErrorCode.CORRUPT_MESSAGE,
      message: 'Record size 13 is less than the minimum record overhead (14)',
      ofWholeRequest: true,
    });
    const unknown = produced();
    unknown[16] = 3;
    expect(checkProducedRecords(unknown, 9)).to.include({ message: 'Invalid magic found in record: 3', ofWholeRequest: true });
  });

  it('fail alone when it is bytes behind the first batch that cannot be framed', () => {
    const behind = produced();
    behind[16] = 3;
    expect(checkProducedRecords(Buffer.concat([produced(), behind]), 9)).to.include({
      error: ErrorCode.CORRUPT_MESSAGE,
      message: null,
      ofWholeRequest: false,
    });
  });

  it('fail the whole request before version 7 when their codec does not exist', () => {
    const unknown = produced();
    unknown.writeInt16BE(7, ATTRIBUTES_AT);
    expect(checkProducedRecords(unknown, 6)).to.include({ error: ErrorCode.UNKNOWN_SERVER_ERROR, ofWholeRequest: true });
    expect(checkProducedRecords(unknown, 7)).to.equal(undefined);
  });

  it('are not packed with zstd before version 7', () => {
    expect(checkProducedRecords(produced({ codec: 4 }), 7)).to.equal(undefined);
    expect(checkProducedRecords(produced({ codec: 4 }), 6)?.error).to.equal(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
  });
});
