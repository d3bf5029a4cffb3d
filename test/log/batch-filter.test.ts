import { expect } from 'chai';
import { type BatchFilter, filterBatch } from '../../src/log/batch-filter.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { type BatchDraft, buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';

const HORIZON = 1_800_000_000_000;

const built = (draft: Partial<BatchDraft> = {}): RecordBatch =>
  new RecordBatch(
    buildBatch({
      baseOffset: 1000,
      partitionLeaderEpoch: 3,
      records: [
        { key: Buffer.from('a'), value: Buffer.from('1'), timestamp: 5000, headers: [{ key: 'h', value: Buffer.from('x') }] },
        { key: Buffer.from('b'), value: null, timestamp: 9000 },
        { key: null, value: Buffer.from('3'), timestamp: 7000 },
      ],
      producerId: 77,
      producerEpoch: 2,
      baseSequence: 40,
      ...draft,
    }),
  );

const filter = (o: Partial<BatchFilter>): BatchFilter => ({
  whenEmpty: 'dropped',
  needsHorizon: false,
  horizonMs: HORIZON,
  maxRecordBytes: 1_000_000,
  retains: () => true,
  ...o,
});

const keyed =
  (wanted: string): BatchFilter['retains'] =>
  (_offset, bytes, from, to) =>
    bytes.toString('utf8', from, to) === wanted;

function filtered(batch: RecordBatch, o: Partial<BatchFilter>): RecordBatch {
  const bytes = filterBatch(batch, filter(o));
  if (bytes === undefined) throw new Error('nothing is left');
  const left = new RecordBatch(bytes);
  expect(left.isValid).to.equal(true);
  expect(left.sizeInBytes).to.equal(bytes.length);
  return left;
}

describe('Filtering a batch', () => {
  it('leaves it byte for byte when all records stay and none is a tombstone', () => {
    const batch = built({ records: [{ key: Buffer.from('a'), value: Buffer.from('1'), timestamp: 5000 }], codec: 1 });
    expect(filtered(batch, {}).bytes).to.deep.equal(batch.bytes);
  });

  for (const codec of [0, 1, 2, 3, 4] as const) {
    it(`keeps its place, producer, sequences and codec ${codec} when records go`, () => {
      const left = filtered(built({ codec, transactional: true }), { retains: keyed('a') });
      expect({
        base: left.baseOffset,
        last: left.lastOffset,
        count: left.count,
        codec: left.codec,
        producer: [left.producerId, left.producerEpoch, left.baseSequence, left.lastSequence],
        transactional: left.isTransactional,
        epoch: left.partitionLeaderEpoch,
        times: [left.baseTimestamp, left.maxTimestamp],
      }).to.deep.equal({
        base: 1000,
        last: 1002,
        count: 1,
        codec,
        producer: [77, 2, 40, 42],
        transactional: true,
        epoch: 3,
        times: [5000, 5000],
      });
      expect(recordsOf(left)).to.deep.equal(recordsOf(built()).slice(0, 1));
    });
  }

  it('gives tombstones a horizon, once, and keeps timestamps', () => {
    const once = filtered(built(), {});
    expect(once.deleteHorizonMs).to.equal(HORIZON);
    expect(once.maxTimestamp).to.equal(9000);
    expect(recordsOf(once)).to.deep.equal(recordsOf(built()));
    expect(filtered(once, { horizonMs: HORIZON + 5 }).bytes).to.deep.equal(once.bytes);
    const less = filtered(once, { horizonMs: HORIZON + 5, retains: keyed('b') });
    expect(less.deleteHorizonMs).to.equal(HORIZON);
    expect(recordsOf(less)).to.deep.equal(recordsOf(built()).slice(1, 2));
  });

  it('sets no horizon that no number holds', () => {
    expect(filtered(built(), { horizonMs: undefined }).bytes).to.deep.equal(built().bytes);
  });

  it('gives a marker of an empty transaction a horizon too', () => {
    const marker = built({
      control: true,
      transactional: true,
      records: [{ key: Buffer.alloc(4), value: Buffer.alloc(6), timestamp: 1 }],
    });
    const left = filtered(marker, { needsHorizon: true });
    expect([left.isControl, left.deleteHorizonMs]).to.deep.equal([true, HORIZON]);
    expect(recordsOf(left)).to.deep.equal(recordsOf(marker));
  });

  it('keeps stamped records stamped', () => {
    const left = filtered(built({ timestampType: 'LogAppendTime', maxTimestamp: 12_345 }), { retains: keyed('b') });
    expect([left.timestampType, left.maxTimestamp, left.deleteHorizonMs]).to.deep.equal(['LogAppendTime', 12_345, HORIZON]);
    expect(recordsOf(left).map(({ timestamp }) => timestamp)).to.deep.equal([12_345]);
  });

  it('leaves nothing of an empty one, or its header alone', () => {
    const none = { retains: () => false };
    expect(filterBatch(built(), filter(none))).to.equal(undefined);
    const left = filtered(built({ codec: 1 }), { ...none, whenEmpty: 'kept' });
    expect({ size: left.sizeInBytes, count: left.count, last: left.lastOffset, codec: left.codec }).to.deep.equal({
      size: 61,
      count: 0,
      last: 1002,
      codec: 0,
    });
    expect([left.baseTimestamp, left.maxTimestamp, left.lastSequence]).to.deep.equal([-1, 9000, 42]);
    expect(filtered(left, { whenEmpty: 'kept' }).bytes).to.deep.equal(left.bytes);
  });

  it('refuses what Apache Kafka cannot write anew', () => {
    const odd = built({
      records: [
        { key: null, value: Buffer.from('x'), timestamp: -7 },
        ...[1, 2].map((n) => ({ key: Buffer.from(`${n}`), value: null, timestamp: 1 })),
      ],
    });
    expect(() => filterBatch(odd, filter({}))).to.throw('the batch at offset 1000 has a record with timestamp -7');
  });

  it('makes batches of format 2 out of message sets of format 1', () => {
    const body = Buffer.concat([Buffer.from([1, 0]), Buffer.alloc(8), Buffer.from([0, 0, 0, 1, 0x6b, 0, 0, 0, 1, 0x76])]);
    const message = Buffer.concat([Buffer.alloc(16), body]);
    message.writeBigInt64BE(500n, 0);
    message.writeInt32BE(4 + body.length, 8);
    message.writeBigInt64BE(1234n, 18);
    const left = filtered(new RecordBatch(message), {});
    expect([left.magic, left.baseOffset, left.lastOffset, left.producerId]).to.deep.equal([2, 500, 500, -1]);
    expect(recordsOf(left)).to.deep.equal([
      { offset: 500, timestamp: 1234, key: Buffer.from('k'), value: Buffer.from('v'), headers: [] },
    ]);
  });
});
