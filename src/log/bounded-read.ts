/**
 * What a reader gets of a log: batches up to what it may see, from memory where they are young, else from the files.
 *
 * Invariants: nothing at or past the bound, nor what is not yet written; batches and the aborted transactions among them are of one state of the log,
 * which compaction may change in between. Bytes are lent (wire/recycled-memory.ts). Source: UnifiedLog.read of Apache Kafka.
 */
import { baseOffsetAt } from './batch-header.ts';
import { StorageFailure } from '../world/files.ts';
import { guarded, guardedLater } from './disk-guard.ts';
import type { LogRead, ReadBound, ReadOptions } from './log-contract.ts';
import { lastStableOffset, type LogParts } from './log-parts.ts';
import { OffsetOutOfRange } from './offset-out-of-range.ts';
import type { TailRead } from './tail-memory.ts';

/**
 * Batches from the one that holds `offset`, or the next where compaction has left a gap: at once what is young, later what is read off the event loop.
 * Nothing when `offset` is at or past the bound. Throws OffsetOutOfRange outside [logStartOffset, logEndOffset].
 */
export function read(log: LogParts, offset: number, o: ReadOptions): LogRead | Promise<LogRead> {
  const endOffset = log.writer.queuedOffset;
  if (offset < log.startOffset || offset > endOffset) {
    throw new OffsetOutOfRange(
      `offset ${offset} of ${log.o.topic}-${log.o.partition} is outside [${log.startOffset}, ${endOffset}]`,
    );
  }
  const bound = boundOf(log, o.upTo);
  if (offset >= bound) return asRead(log, offset, o.upTo, { chunks: [], sizeInBytes: 0, nextOffset: offset });
  const recent = log.tail.read(offset, o.maxBytes, o.minOneBatch, bound);
  if (recent !== undefined) return guarded(log, () => asRead(log, offset, o.upTo, recent));
  // A read that a stop has overtaken opens no file again.
  if (log.closed) throw new StorageFailure('read', log.directory, 'closed');
  return guarded(log, () => readFiles(log, offset, o, bound));
}

function boundOf(log: LogParts, upTo: ReadBound): number {
  const bound =
    upTo === 'logEnd' ? log.writer.queuedOffset : upTo === 'highWatermark' ? log.highWatermark : lastStableOffset(log);
  return Math.min(bound, log.writer.writtenOffset);
}

function readFiles(log: LogParts, offset: number, o: ReadOptions, bound: number): LogRead | Promise<LogRead> {
  const { reader } = log;
  const { generation } = reader;
  const found = reader.read(offset, o.maxBytes, o.minOneBatch, bound);
  if (!(found instanceof Promise)) return asRead(log, offset, o.upTo, found);
  return guardedLater(log, async () => {
    const later = await found;
    return generation === reader.generation ? asRead(log, offset, o.upTo, later) : readFiles(log, offset, o, bound);
  });
}

function asRead(log: LogParts, offset: number, upTo: ReadBound, { chunks, sizeInBytes, nextOffset }: TailRead): LogRead {
  const records = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : chunks;
  if (upTo !== 'lastStable') return { records, sizeInBytes, nextOffset };
  const [first] = chunks;
  // Of the segment that the records are from, and of later ones.
  const from = first === undefined ? offset : Math.max(offset, baseOffsetAt(first, 0));
  const abortedTransactions = sizeInBytes === 0 ? [] : log.reader.abortedTransactions(offset, nextOffset, from);
  return { records, sizeInBytes, nextOffset, abortedTransactions };
}

/** As `read` up to the end of the log, what is queued included, as far as it can be had at once; undefined when it cannot. For a copy of the log. */
export function readQueued(log: LogParts, offset: number, maxBytes: number): TailRead | undefined {
  const { tail, writer, reader } = log;
  const held = tail.read(offset, maxBytes, true, writer.queuedOffset);
  if (held !== undefined) return held;
  return guarded(log, () => {
    writer.write();
    return reader.readRecent(offset, maxBytes, writer.queuedOffset);
  });
}
