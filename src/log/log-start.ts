/**
 * Where a log begins: moved by DeleteRecords and by retention, never backwards and never above the high watermark.
 *
 * Source: UnifiedLog.maybeIncrementLogStartOffset and deleteOldSegments of Apache Kafka.
 */
import type { LogParts } from './log-parts.ts';
import { OffsetOutOfRange } from './offset-out-of-range.ts';
import { type RetentionView, segmentsBeforeLogStart, segmentsBeyondSize, segmentsBeyondTime } from './retention.ts';
import type { Segment } from './segment.ts';
import { discard, roll } from './segment-keeper.ts';

/** Nothing before `offset` is served any more. Throws OffsetOutOfRange above the high watermark. */
export function advanceLogStartOffset(log: LogParts, offset: number): void {
  if (offset > log.highWatermark) {
    throw new OffsetOutOfRange(
      `Cannot increment the log start offset to ${offset} of partition ${log.o.topic}-${log.o.partition} ` +
        `since it is larger than the high watermark ${log.highWatermark}`,
    );
  }
  if (offset <= log.startOffset) return;
  log.startOffset = offset;
  log.leaderEpochs.truncateFromStart(offset);
  log.leaderEpochs.save();
  log.producerState.onLogStartOffset(offset);
}

/** Retention by log start, size and time, as cleanup.policy says; returns how many segments went. Throws StorageFailure. */
export function deleteOldSegments(log: LogParts): number {
  let count = deleteSegments(log, segmentsBeforeLogStart(retentionView(log)));
  if (!log.config.cleanupPolicy.includes('delete')) return count;
  count += deleteSegments(log, segmentsBeyondSize(retentionView(log)));
  return count + deleteSegments(log, segmentsBeyondTime(retentionView(log)));
}

function retentionView({ segments, config, startOffset, highWatermark, writer, o }: LogParts): RetentionView {
  return {
    segments: segments.values(),
    config,
    logStartOffset: startOffset,
    logEndOffset: writer.queuedOffset,
    highWatermark,
    nowMs: o.clock.now(),
  };
}

function deleteSegments(log: LogParts, doomed: readonly Segment[]): number {
  const { segments, reader, writer } = log;
  const last = doomed[doomed.length - 1];
  if (last === undefined) return 0;
  if (last === segments.active) roll(log, writer.queuedOffset);
  advanceLogStartOffset(log, segments.higher(last.baseOffset)?.baseOffset ?? log.startOffset);
  discard(log, doomed);
  reader.forgetPlaces();
  return doomed.length;
}
