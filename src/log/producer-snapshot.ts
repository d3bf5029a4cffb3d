/**
 * The `.snapshot` file: what the log knew of its producers at the offset that is the file's name.
 *
 * int16 version, CRC-32C of all that follows it, entries. Only the last batch of each producer is kept. Source: ProducerSnapshot of Apache Kafka.
 */
import { crc32c } from '../wire/crc32c.ts';
import { readProducerSnapshot, writeProducerSnapshot } from '../wire/generated/records/producer-snapshot.ts';
import { writableInt64 } from '../wire/int64.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { ProducerEntry } from './producer-entry.ts';

const VERSION = 1;
const CRC_AT = 2;
const COVERED_FROM = 6;

export function formatProducerSnapshot(producers: Iterable<ProducerEntry>): Buffer {
  const sorted = [...producers].toSorted((a, b) => a.producerId - b.producerId);
  const writer = new Writer();
  writer.int16(VERSION);
  const producerEntries = sorted.map((entry) => ({
    producerId: entry.producerId,
    epoch: entry.producerEpoch,
    lastSequence: entry.lastSequence,
    lastOffset: entry.lastBatch?.lastOffset ?? -1,
    offsetDelta: entry.lastBatch?.offsetDelta ?? 0,
    timestamp: writableInt64(entry.lastTimestamp),
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnFirstOffset: entry.currentTxnFirstOffset,
  }));
  writeProducerSnapshot(writer, { crc: 0, producerEntries }, VERSION);
  const bytes = writer.concat();
  bytes.writeUInt32BE(crc32c(bytes, COVERED_FROM), CRC_AT);
  return bytes;
}

/** Undefined when the bytes are damaged or of a version not known. */
export function parseProducerSnapshot(bytes: Buffer): ProducerEntry[] | undefined {
  if (bytes.length < COVERED_FROM || bytes.readInt16BE(0) !== VERSION) return undefined;
  if (bytes.readUInt32BE(CRC_AT) !== crc32c(bytes, COVERED_FROM)) return undefined;
  try {
    return readProducerSnapshot(new Reader(bytes, CRC_AT), VERSION).producerEntries.map((read) => {
      const timestamp = Number(read.timestamp);
      const entry = new ProducerEntry(
        Number(read.producerId),
        read.epoch,
        read.coordinatorEpoch,
        timestamp,
        Math.max(-1, Number(read.currentTxnFirstOffset)),
      );
      const lastOffset = Number(read.lastOffset);
      if (lastOffset >= 0) {
        entry.addBatch(read.epoch, { lastSequence: read.lastSequence, lastOffset, offsetDelta: read.offsetDelta, timestamp });
      }
      return entry;
    });
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
