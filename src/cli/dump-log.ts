/** The batches and records of a `.log` or `.checkpoint` file, read piece by piece. */
import { batchSizeAt, magicAt, SHORTEST_BATCH } from '../log/batch-header.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { RecordBatch } from '../wire/record-batch.ts';
import { type KafkaRecord, recordsOf } from '../wire/record.ts';
import type { Files, OpenFile } from '../world/files.ts';
import { type DumpItem, line } from './dump-item.ts';
import { decodeRecord, recordJson, recordText } from './dump-record.ts';

const READ_BYTES = 1024 * 1024;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

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
  const end = file.size();
  let position = 0;
  let bytes = Buffer.alloc(0);
  let start = 0;
  while (position < end) {
    const at = position - start;
    const size = bytes.length - at >= SHORTEST_BATCH ? batchSizeAt(bytes, at) : 0;
    const need = size > 0 ? size : SHORTEST_BATCH;
    if (size < 0 || position + need > end || (size > 0 && (magicAt(bytes, at) > 2 || magicAt(bytes, at) < 0))) {
      const rest = end - position;
      yield {
        text: `${rest} bytes at position ${position} are no whole batch`,
        json: { position, size: rest, torn: true },
      };
      return;
    }
    if (size === 0 || bytes.length - at < size) {
      const wanted = Buffer.alloc(Math.min(end - position, Math.max(READ_BYTES, need)));
      bytes = wanted.subarray(0, file.read(wanted, position));
      start = position;
      continue;
    }
    yield batchItem(new RecordBatch(bytes, at), position, topic);
    position += size;
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
    compression: CODECS[batch.codec] ?? `unknown (${batch.codec})`,
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
