/**
 * A batch written anew because its topic has a codec of its own: the records stay, what surrounds them and how they are packed changes.
 *
 * Invariants: offsets are contiguous from the base offset; keys, values, headers and timestamps are those of the old batch.
 */
import { type CompressionCodec, compress } from '../wire/compression/codec.ts';
import { NO_TIMESTAMP, RECORDS_AT, type RecordBatch } from '../wire/record-batch.ts';
import { assembleBatch, type BatchDraft, buildBatch, type RecordDraft } from '../wire/record-batch-builder.ts';
import { recordsOfPlain } from '../wire/record.ts';

export interface RebuildOptions {
  readonly codec: CompressionCodec;
  readonly level: number | undefined;
  readonly baseOffset: number;
  readonly partitionLeaderEpoch: number;
  /** Whether the records' offsets are 0, 1, 2 and so on. */
  readonly contiguous: boolean;
  /** The largest of the records' timestamps. */
  readonly maxTimestamp: number;
  /** Set where the topic stamps its records; all of them get it. */
  readonly logAppendTimeMs: number | undefined;
}

/** `plain`: the batch's records unpacked, or the batch's own buffer when they never were packed. */
export function rebuildBatch(batch: RecordBatch, plain: Buffer, o: RebuildOptions): Buffer {
  const packed = batch.codec !== 0;
  const section = packed ? plain : plain.subarray(batch.position + RECORDS_AT, batch.position + batch.sizeInBytes);
  const surroundings = {
    baseOffset: o.baseOffset,
    partitionLeaderEpoch: o.partitionLeaderEpoch,
    codec: o.codec,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    transactional: batch.isTransactional,
    timestampType: o.logAppendTimeMs === undefined ? 'CreateTime' : 'LogAppendTime',
    ...(o.level !== undefined && { level: o.level }),
    ...(o.logAppendTimeMs !== undefined && { maxTimestamp: o.logAppendTimeMs }),
  } as const satisfies Omit<BatchDraft, 'records'>;
  if (!isReusable(batch, o)) return buildBatch({ ...surroundings, records: draftsOf(batch, section, o) });
  return assembleBatch(o.codec === 0 ? section : compress(o.codec, section, o.level), {
    ...surroundings,
    lastOffsetDelta: batch.count - 1,
    count: batch.count,
    baseTimestamp: batch.baseTimestamp,
    maxTimestamp: o.logAppendTimeMs ?? o.maxTimestamp,
  });
}

/** Whether the record section can stay byte for byte: its offsets and timestamps are relative to what the new header says. */
const isReusable = (batch: RecordBatch, o: RebuildOptions): boolean => o.contiguous && batch.timestampType === 'CreateTime';

/** A timestamp that no number holds is left only where the topic stamps its records, and nobody reads it there. */
function draftsOf(batch: RecordBatch, section: Buffer, o: RebuildOptions): RecordDraft[] {
  return recordsOfPlain(batch, section).map((record) =>
    Number.isSafeInteger(record.timestamp) ? record : { ...record, timestamp: o.logAppendTimeMs ?? NO_TIMESTAMP },
  );
}
