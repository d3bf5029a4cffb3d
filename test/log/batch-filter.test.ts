import { expect } from 'chai';
import { type BatchFilter, filterBatch } from '../../src/log/batch-filter.ts';
import { compress } from '../../src/wire/compression/codec.ts';
import { exactBaseTimestampOf, exactMaxTimestampOf, exactTimestampsAt, newestOf } from '../../src/wire/exact-timestamps.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { assembleBatch, type BatchDraft, type BatchHeader, buildBatch, packRecord } from '../../src/wire/record-batch-builder.ts';
import { recordBytesOf, recordsOf } from '../../src/wire/record.ts';
import { RecordCursor } from '../../src/wire/record-cursor.ts';
import { Writer } from '../../src/wire/writer.ts';
import { legacyBatch } from '../support/legacy-batch.ts';

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

  describe('with timestamps beyond 2^53', () => {
    const FAR = 2n ** 61n + 12_345n;
    const LAST = 2n ** 63n - 1n;

    /** Keys a, b and so on, b a tombstone. */
    function distant(timestamps: readonly bigint[], o: Partial<BatchHeader> = {}): RecordBatch {
      const [baseTimestamp = 0n] = timestamps;
      const w = new Writer();
      for (const [index, timestamp] of timestamps.entries()) {
        const [key, value] = [Buffer.from('abcd'.slice(index, index + 1)), index === 1 ? null : Buffer.from(`${index}`)];
        const record = { key, value, timestamp: 0 };
        packRecord(w, record, index, BigInt.asIntN(64, timestamp - baseTimestamp));
      }
      const plain = w.concat();
      const maxTimestamp = newestOf(timestamps);
      const surroundings = { baseOffset: 1000, partitionLeaderEpoch: 3, lastOffsetDelta: timestamps.length - 1 };
      const header = { ...surroundings, count: timestamps.length, baseTimestamp, maxTimestamp, ...o };
      return new RecordBatch(assembleBatch(o.codec === undefined ? plain : compress(o.codec, plain), header));
    }

    function timesOf(batch: RecordBatch): unknown {
      const section = recordBytesOf(batch, 1_000_000);
      const cursor = new RecordCursor();
      cursor.open(section);
      const positions = Array.from({ length: batch.count }, () => {
        cursor.next();
        return cursor.position;
      });
      return {
        base: exactBaseTimestampOf(batch),
        greatest: exactMaxTimestampOf(batch),
        records: exactTimestampsAt(batch, section, positions),
      };
    }

    for (const codec of [0, 1] as const) {
      it(`keeps them to the millisecond (codec ${codec})`, () => {
        const left = filtered(distant([FAR, 5n, FAR + 7n, LAST], { codec }), {
          retains: (offset) => offset === 1000 || offset === 1002,
        });
        expect(timesOf(left)).to.deep.equal({ base: FAR, greatest: FAR + 7n, records: [FAR, FAR + 7n] });
        expect([left.baseOffset, left.lastOffset, left.count, left.codec]).to.deep.equal([1000, 1003, 2, codec]);
        const late = filtered(distant([3n, 5n, FAR, LAST], { codec }), { retains: (offset) => offset !== 1001 });
        expect(timesOf(late)).to.deep.equal({ base: 3n, greatest: LAST, records: [3n, FAR, LAST] });
      });
    }

    it('gives tombstones a horizon, and keeps one that is itself as far', () => {
      const left = filtered(distant([FAR, FAR + 1n, LAST]), {});
      const records = [FAR, FAR + 1n, LAST];
      expect(timesOf(left)).to.deep.equal({ base: BigInt(HORIZON), greatest: LAST, records });
      expect(timesOf(filtered(left, { horizonMs: 5, retains: keyed('c') }))).to.deep.equal({
        base: BigInt(HORIZON),
        greatest: LAST,
        records: [LAST],
      });
      const farHorizon = distant([FAR, FAR + 1n, FAR + 2n], { deleteHorizon: true });
      const less = filtered(farHorizon, { retains: (offset) => offset !== 1000 });
      expect(timesOf(less)).to.deep.equal({ base: FAR, greatest: FAR + 2n, records: [FAR + 1n, FAR + 2n] });
    });

    it('keeps them where the topic stamps its records, and where nothing is left', () => {
      const stamped = distant([1n, 2n, 3n], { timestampType: 'LogAppendTime', maxTimestamp: LAST });
      expect(timesOf(filtered(stamped, { retains: keyed('a') }))).to.deep.equal({ base: LAST, greatest: LAST, records: [LAST] });
      const empty = filtered(distant([FAR, LAST]), { retains: () => false, whenEmpty: 'kept' });
      expect(timesOf(empty)).to.deep.equal({ base: -1n, greatest: LAST, records: [] });
    });

    it('refuses sums that Apache Kafka takes for negative', () => {
      const batch = distant([LAST, 1n]);
      batch.buffer.writeBigInt64BE(-(2n ** 62n), 27);
      expect(() => filterBatch(batch, filter({ retains: (offset) => offset === 1000 }))).to.throw('cannot be written anew');
    });

    it('keeps them in message sets of format 1', () => {
      for (const [codec, count] of [
        ['none', 1],
        ['gzip', 3],
      ] as const) {
        const offsets = [500, 501, 502].slice(0, count);
        const left = filtered(new RecordBatch(legacyBatch(offsets, codec, FAR)), {});
        const records = [FAR, FAR + 1n, FAR + 2n].slice(0, count);
        expect(timesOf(left)).to.deep.equal({ base: FAR, greatest: records.at(-1), records });
      }
    });
  });
});
