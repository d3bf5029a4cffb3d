/**
 * Which part of a log can be compacted, and how dirty the log is.
 *
 * The clean part is what an earlier compaction has read; the cleanable part follows it, up to the first of: the last stable offset, the active segment,
 * a segment with a record younger than min.compaction.lag.ms. Source: LogCleanerManager.cleanableOffsets and LogToClean of Apache Kafka.
 */
import type { Log } from './log.ts';
import type { Segment } from './segment.ts';

export interface CleanableRange {
  readonly firstDirtyOffset: number;
  readonly firstUncleanableOffset: number;
  /** The noted offset lies outside the log, and has to be forgotten. */
  readonly isReset: boolean;
  readonly cleanableBytes: number;
  /** Of clean and cleanable bytes together, how many are cleanable; 0 when there are none. */
  readonly dirtyRatio: number;
  /** A record has waited for longer than max.compaction.lag.ms. */
  readonly isOverdue: boolean;
}

/** The segments with offsets in [from, to), as Kafka counts them: from the one that holds `from`, or the first, to the last that begins below `to`. */
export function segmentsBetween(segments: readonly Segment[], from: number, to: number): readonly Segment[] {
  if (from === to) return [];
  let first = 0;
  for (let i = 0; i < segments.length && (segments[i] as Segment).baseOffset <= from; i++) first = i;
  return segments.slice(first).filter((segment) => segment.baseOffset < to);
}

/** `noted`: up to where the log was cleaned the last time; undefined when it never was. */
export function cleanableRange(log: Log, noted: number | undefined, nowMs: number): CleanableRange {
  const segments = log.segmentList();
  const active = segments.at(-1) as Segment;
  const isReset = noted !== undefined && (noted < log.logStartOffset || noted > log.logEndOffset);
  const firstDirtyOffset = noted === undefined || isReset ? log.logStartOffset : noted;
  const inactive = (from: number): readonly Segment[] =>
    from > active.baseOffset ? [] : segmentsBetween(segments, from, active.baseOffset);
  const dirty = inactive(firstDirtyOffset);
  const uncleanable = Math.max(firstDirtyOffset, firstUncleanable(log, active, dirty, nowMs));
  const firstUncleanableOffset = (inactive(uncleanable)[0] ?? active).baseOffset;
  const bytesIn = (from: number, to: number): number =>
    segmentsBetween(segments, from, to).reduce((sum, segment) => sum + segment.size, 0);
  const cleanBytes = bytesIn(-1, firstDirtyOffset);
  const cleanableBytes = bytesIn(Math.min(firstDirtyOffset, firstUncleanableOffset), firstUncleanableOffset);
  const totalBytes = cleanBytes + cleanableBytes;
  return {
    firstDirtyOffset,
    firstUncleanableOffset,
    isReset,
    cleanableBytes,
    dirtyRatio: totalBytes === 0 ? 0 : cleanableBytes / totalBytes,
    isOverdue: isOverdue(log, dirty, nowMs),
  };
}

function firstUncleanable(log: Log, active: Segment, dirty: readonly Segment[], nowMs: number): number {
  const { minCompactionLagMs } = log.config;
  const bound = Math.min(log.lastStableOffset, active.baseOffset);
  if (minCompactionLagMs <= 0) return bound;
  const young = dirty.find((segment) => segment.largestTimestamp() > nowMs - minCompactionLagMs);
  return young === undefined ? bound : Math.min(bound, young.baseOffset);
}

function isOverdue(log: Log, dirty: readonly Segment[], nowMs: number): boolean {
  const latestMs = nowMs - Math.max(0, log.config.maxCompactionLagMs);
  if (latestMs <= 0) return false;
  return dirty.some((segment) => {
    const timestamp = segment.firstBatchTimestamp();
    return timestamp > 0 && timestamp < latestMs;
  });
}

/**
 * Segments that become one together: as many as fit into segment.bytes, their indexes into segment.index.bytes, and their offsets into 2^31.
 * Source: Cleaner.groupSegmentsBySize of Apache Kafka.
 */
export function groupSegments(
  segments: readonly Segment[],
  { segmentBytes, segmentIndexBytes }: { readonly segmentBytes: number; readonly segmentIndexBytes: number },
  firstUncleanableOffset: number,
): Segment[][] {
  const groups: Segment[][] = [];
  let bytes = 0;
  let offsetBytes = 0;
  let timeBytes = 0;
  for (const [index, segment] of segments.entries()) {
    const indexes = segment.indexSizes();
    const group = groups.at(-1);
    const lastOffset = (segments[index + 1]?.baseOffset ?? firstUncleanableOffset) - 1;
    const fits =
      group !== undefined &&
      bytes + segment.size <= segmentBytes &&
      offsetBytes + indexes.offsets <= segmentIndexBytes &&
      timeBytes + indexes.times <= segmentIndexBytes &&
      (segment.size === 0 || lastOffset - (group[0] as Segment).baseOffset <= 0x7fff_ffff);
    if (fits) {
      group.push(segment);
      bytes += segment.size;
      offsetBytes += indexes.offsets;
      timeBytes += indexes.times;
    } else {
      groups.push([segment]);
      bytes = segment.size;
      offsetBytes = indexes.offsets;
      timeBytes = indexes.times;
    }
  }
  return groups;
}
