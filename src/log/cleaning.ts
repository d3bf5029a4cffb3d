/**
 * One cleaning of one log: the dirty part is mapped, then group by group the segments are compacted by the thread and put in place.
 *
 * What a group is compacted with (producers, high watermark, configuration) is as it is when the group's turn comes. Source: Cleaner.doClean and
 * cleanSegments of Apache Kafka.
 */
import { type CleanableRange, groupSegments, segmentsBetween } from './cleanable-range.ts';
import type { CleaningJob, MappingJob } from './cleaner-messages.ts';
import { CleaningAborted, type CleanerThread } from './cleaner-thread.ts';
import type { Log } from './log.ts';
import type { Segment } from './segment.ts';

export interface CleanedLog {
  readonly topic: string;
  readonly partition: number;
  readonly firstDirtyOffset: number;
  /** Where the next cleaning begins. */
  readonly endOffset: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly recordsRead: number;
  readonly recordsKept: number;
  readonly keyless: number;
}

export interface CleaningOptions {
  readonly thread: CleanerThread;
  readonly maxKeys: number;
  readonly loadFactor: number;
  readonly readBytes: number;
  readonly nowMs: number;
  isAborted(): boolean;
}

/** Rejects with CleaningAborted, with StorageFailure, or with what is wrong with the log; what was put in place by then stays. */
export async function cleanLog(log: Log, range: CleanableRange, o: CleaningOptions): Promise<CleanedLog> {
  const { firstDirtyOffset, firstUncleanableOffset } = range;
  const last = segmentsBetween(log.segmentList(), 0, firstDirtyOffset).at(-1);
  const legacyHorizonMs = last === undefined ? 0 : last.modifiedMs() - log.config.deleteRetentionMs;
  const mapped = await o.thread.mapDirtyPart(mappingJob(log, range, o));
  const endOffset = mapped.latestOffset + 1;
  const totals = { bytesRead: mapped.bytesRead, bytesWritten: 0, recordsRead: 0, recordsKept: 0, keyless: 0 };
  for (const group of groupSegments(segmentsBetween(log.segmentList(), 0, endOffset), log.config, firstUncleanableOffset)) {
    if (o.isAborted()) throw new CleaningAborted('the cleaning was aborted');
    const cleaned = await o.thread.clean(cleaningJob(log, group, legacyHorizonMs, o));
    await log.replaceSegments(cleaned, group);
    totals.bytesRead += cleaned.bytesRead;
    totals.bytesWritten += cleaned.size;
    totals.recordsRead += cleaned.recordsRead;
    totals.recordsKept += cleaned.recordsKept;
    totals.keyless += cleaned.keyless;
  }
  return { topic: log.topic, partition: log.partition, firstDirtyOffset, endOffset, ...totals };
}

function mappingJob(log: Log, { firstDirtyOffset, firstUncleanableOffset }: CleanableRange, o: CleaningOptions): MappingJob {
  const dirty = segmentsBetween(log.segmentList(), firstDirtyOffset, firstUncleanableOffset);
  return {
    directory: log.directory,
    segments: dirty.map((segment, index) => ({
      baseOffset: segment.baseOffset,
      size: segment.size,
      position: segment.lookup(firstDirtyOffset).position,
      endOffset: dirty[index + 1]?.baseOffset ?? firstUncleanableOffset,
    })),
    firstDirtyOffset,
    endOffset: firstUncleanableOffset,
    aborted: log.abortedTransactions(firstDirtyOffset, firstUncleanableOffset),
    maxKeys: o.maxKeys,
    loadFactor: o.loadFactor,
    readBytes: o.readBytes,
    maxRecordBytes: log.config.maxDecompressedMessageBytes,
  };
}

function cleaningJob(log: Log, group: readonly Segment[], legacyHorizonMs: number, o: CleaningOptions): CleaningJob {
  const { config } = log;
  return {
    directory: log.directory,
    segments: group.map((segment, index) => ({
      baseOffset: segment.baseOffset,
      size: segment.size,
      aborted: log.abortedTransactions(segment.baseOffset, group[index + 1]?.baseOffset ?? segment.nextOffset()),
      retainsLegacyTombstones: segment.modifiedMs() > legacyHorizonMs,
    })),
    modifiedMs: group.at(-1)?.modifiedMs() ?? o.nowMs,
    nowMs: o.nowMs,
    deleteRetentionMs: config.deleteRetentionMs,
    indexIntervalBytes: config.indexIntervalBytes,
    highWatermark: log.highWatermark,
    producers: [...log.producerState.entries()].map(
      (entry) => [entry.producerId, entry.lastBatch?.lastOffset ?? -1, entry.producerEpoch] as const,
    ),
    readBytes: o.readBytes,
    maxRecordBytes: config.maxDecompressedMessageBytes,
  };
}
