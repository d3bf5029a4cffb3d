import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { CODEC_NAMES } from '../../src/wire/compression/codec.ts';
import { batchesOf, completeBytes, type RecordBatch } from '../../src/wire/record-batch.ts';
import { type KafkaRecord, recordsOf } from '../../src/wire/record.ts';
import { vectors } from '../support/protocol-data.ts';

interface RecordRow {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers?: readonly (readonly [string, string | null])[];
}

interface BatchRow {
  readonly magic: number;
  readonly size: number;
  readonly baseOffset: string;
  readonly lastOffset: string;
  readonly valid: boolean;
  readonly crc: number;
  readonly compression: string;
  readonly timestampType: string;
  readonly maxTimestamp: string;
  readonly attributes: number;
  readonly partitionLeaderEpoch?: number;
  readonly lastOffsetDelta?: number;
  readonly baseTimestamp?: string;
  readonly producerId?: string;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly lastSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  readonly deleteHorizonMs?: string | null;
  readonly count?: number;
  readonly records?: readonly RecordRow[];
  /** Where `records` holds but the first ones. */
  readonly recordCount?: number;
  readonly keysAndValuesSha256?: string;
  readonly [other: string]: unknown;
}

interface Row {
  readonly name: string;
  readonly bytes: string;
  readonly completeBytes: number;
  readonly batches: readonly BatchRow[];
}

const hex = (bytes: Buffer | null): string | null => (bytes === null ? null : bytes.toString('hex'));

const rowOf = (record: KafkaRecord): RecordRow => ({
  offset: String(record.offset),
  timestamp: String(record.timestamp),
  key: hex(record.key),
  value: hex(record.value),
  ...(record.headers.length > 0 && { headers: record.headers.map((h) => [h.key, hex(h.value)] as const) }),
});

function digestOf(records: readonly KafkaRecord[]): string {
  const digest = createHash('sha256');
  for (const { key, value } of records) digest.update(key ?? '').update(value ?? '');
  return digest.digest('hex');
}

function viewOf(batch: RecordBatch): Partial<BatchRow> {
  const legacy = batch.magic < 2;
  return {
    magic: batch.magic,
    size: batch.sizeInBytes,
    lastOffset: String(batch.lastOffset),
    valid: batch.isValid,
    crc: batch.crc,
    compression: CODEC_NAMES[batch.codec] ?? String(batch.codec),
    timestampType: batch.magic === 0 ? 'NoTimestampType' : batch.timestampType,
    maxTimestamp: String(batch.maxTimestamp),
    attributes: batch.attributes,
    ...(!legacy && {
      baseOffset: String(batch.baseOffset),
      partitionLeaderEpoch: batch.partitionLeaderEpoch,
      lastOffsetDelta: batch.lastOffsetDelta,
      baseTimestamp: String(batch.baseTimestamp),
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      transactional: batch.isTransactional,
      control: batch.isControl,
      deleteHorizonMs: batch.deleteHorizonMs === undefined ? null : String(batch.deleteHorizonMs),
      count: batch.count,
    }),
  };
}

describe('golden batches', () => {
  for (const row of vectors<Row>('batches.jsonl')) {
    it(`${row.name} is read`, () => {
      const bytes = Buffer.from(row.bytes, 'hex');
      expect(completeBytes(bytes)).to.equal(row.completeBytes);
      const batches = batchesOf(bytes.subarray(0, row.completeBytes));
      expect(batches.length).to.equal(row.batches.length);
      for (const [i, batch] of batches.entries()) {
        const expected = row.batches[i] as BatchRow;
        expect(expected).to.deep.include(viewOf(batch));
        if (!expected.valid) continue;
        const records = recordsOf(batch);
        if (batch.magic < 2) expect(String(records[0]?.offset)).to.equal(expected.baseOffset);
        expect(records.length).to.equal(expected.recordCount ?? expected.records?.length);
        expect(records.slice(0, expected.records?.length).map(rowOf)).to.deep.equal(expected.records);
        if (expected.keysAndValuesSha256) expect(digestOf(records)).to.equal(expected.keysAndValuesSha256);
      }
    });
  }
});
