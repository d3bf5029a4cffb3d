/** Record sets as clients send them, and what is expected of their validation. */
import { expect } from 'chai';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { validateRecords } from '../../src/log/record-validator.ts';
import type { Invalid, Validated, ValidationOptions } from '../../src/log/validator-contract.ts';
import type { CompressionCodec } from '../../src/wire/compression/codec.ts';
import type { ErrorCode } from '../../src/wire/generated/errors.ts';
import { CRC_AT, RecordBatch } from '../../src/wire/record-batch.ts';
import { type BatchDraft, buildBatch, type RecordDraft } from '../../src/wire/record-batch-builder.ts';

export const NOW = 1_700_000_000_000;
export const text = (value: string): Buffer => Buffer.from(value);
export const record = (key: string | null, value: string | null, timestamp = NOW): RecordDraft => ({
  key: key === null ? null : text(key),
  value: value === null ? null : text(value),
  timestamp,
});
export const THREE = [record('a', '1'), record(null, '2', NOW - 5), record('c', null, NOW + 7)];

export const produced = (draft: Partial<BatchDraft> = {}): Buffer =>
  buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records: THREE, ...draft });

/** A batch whose header was changed after it was built, its checksum made right again. */
export function altered(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch);
  batch.writeUInt32BE(new RecordBatch(batch).computeCrc(), CRC_AT);
  return batch;
}

export const options = (config: Partial<LogConfig> = {}, o: Partial<ValidationOptions> = {}): ValidationOptions => ({
  config: { ...DEFAULT_LOG_CONFIG, ...config },
  nowMs: NOW,
  origin: 'client',
  topicPartition: 'orders-3',
  firstOffset: 1000,
  partitionLeaderEpoch: 7,
  ...o,
});

export function accepted(records: Buffer, o = options()): Validated & { readonly batch: RecordBatch } {
  const result = validateRecords(records, o);
  if (!result.ok) throw new Error(`refused: ${result.error} ${result.reason}`);
  const batch = new RecordBatch(result.records);
  expect(batch.isValid, 'checksum of what is appended').to.equal(true);
  return { ...result, batch };
}

export function refused(records: Buffer, o = options()): Invalid {
  const before = Buffer.from(records);
  const result = validateRecords(records, o);
  if (result.ok) throw new Error('accepted');
  expect(records.equals(before), 'a refused batch is left as it came').to.equal(true);
  return result;
}

export const withError = (error: ErrorCode, reason: string | RegExp): ((invalid: Invalid) => void) => {
  return (invalid) => {
    expect(invalid.error).to.equal(error);
    if (typeof reason === 'string') expect(invalid.reason).to.equal(reason);
    else expect(invalid.reason).to.match(reason);
    if (invalid.recordErrors.length === 0) expect(invalid.message, 'only errors of single records are told').to.equal(null);
    else expect(invalid.message).to.equal(invalid.reason);
  };
};

export const CODECS = [0, 1, 2, 3, 4] as const satisfies readonly CompressionCodec[];
