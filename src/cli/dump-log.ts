/** The batches and records of a `.log` or `.checkpoint` file, read piece by piece. */
import { DecodeError } from '../wire/decode-error.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import { type KafkaRecord, recordsOf } from '../wire/record.ts';
import type { Files, OpenFile } from '../world/files.ts';
import { type DumpItem, line } from './dump-item.ts';
import { batchesOfFile } from './file-batches.ts';
import { decodeRecord, recordJson, recordText } from './dump-record.ts';
import { CODEC_NAMES } from '../wire/compression/codec.ts';

/** `topic` says how records are to be decoded; undefined: as a user's. */
export function* dumpLog(files: Files, path: string, topic: string | undefined): Generator<DumpItem> {
  const file = files.open(path, 'read');
  try {
    yield* batchItems(file, topic);
  } finally {
    file.close();
  }
}

function* batchItems(file: OpenFile, topic: string | undefined): Generator<DumpItem> {
  for (const { position, batch } of batchesOfFile(file)) {
    if (batch !== undefined) {
      yield batchItem(batch, position, topic);
      continue;
    }
    const size = file.size() - position;
    yield { text: `${size} bytes at position ${position} are no whole batch`, json: { position, size, torn: true } };
  }
}

function batchItem(batch: RecordBatch, position: number, topic: string | undefined): DumpItem {
  const isValid = batch.isValid;
  const fields = {
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    count: batch.count,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    deleteHorizonMs: batch.deleteHorizonMs,
    position,
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    size: batch.sizeInBytes,
    magic: batch.magic,
    compression: CODEC_NAMES[batch.codec] ?? `unknown (${batch.codec})`,
    crc: batch.crc,
    isValid,
  };
  const records = isValid ? readRecords(batch) : [];
  if (typeof records === 'string') return { text: `${line(fields)}\n| ${records}`, json: { ...fields, problem: records } };
  const decoded = records.map((record) => decodeRecord(topic, batch.isControl, record));
  const lines = records.map((record, i) => recordText(record, decoded[i]));
  return {
    text: [line(fields), ...lines].join('\n'),
    json: { ...fields, records: records.map((record, i) => recordJson(record, decoded[i])) },
  };
}

/** The records, or why they cannot be read. */
function readRecords(batch: RecordBatch): KafkaRecord[] | string {
  try {
    return recordsOf(batch);
  } catch (error) {
    if (error instanceof DecodeError) return `records cannot be read: ${error.message}`;
    throw error;
  }
}
