/** Which of the oldest segments have to go. Source: UnifiedLog.deletableSegments and the three rules around it in Apache Kafka. */
import type { LogConfig } from './log-config.ts';
import type { Segment } from './segment.ts';

export interface RetentionView {
  readonly segments: readonly Segment[];
  readonly config: LogConfig;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
  readonly nowMs: number;
}

type Rule = (segment: Segment, next: Segment | undefined) => boolean;

/** From the oldest on, as long as the rule holds; never beyond the high watermark, never the active segment while it is empty. */
function oldestWhile(view: RetentionView, rule: Rule): Segment[] {
  const found: Segment[] = [];
  for (const [index, segment] of view.segments.entries()) {
    const next = view.segments[index + 1];
    const endOffset = next?.baseOffset ?? view.logEndOffset;
    if (view.highWatermark < endOffset || (next === undefined && segment.size === 0) || !rule(segment, next)) break;
    found.push(segment);
  }
  return found;
}

/** All of whose records were deleted by DeleteRecords or retention elsewhere. */
export const segmentsBeforeLogStart = (view: RetentionView): Segment[] =>
  oldestWhile(view, (_, next) => next !== undefined && next.baseOffset <= view.logStartOffset);

/** As many as can go without falling below retention.bytes. */
export function segmentsBeyondSize(view: RetentionView): Segment[] {
  const { retentionBytes } = view.config;
  let excess = -retentionBytes;
  for (const segment of view.segments) excess += segment.size;
  if (retentionBytes < 0 || excess < 0) return [];
  return oldestWhile(view, (segment) => {
    if (excess < segment.size) return false;
    excess -= segment.size;
    return true;
  });
}

/** Whose newest record is older than retention.ms. */
export function segmentsBeyondTime(view: RetentionView): Segment[] {
  const { retentionMs } = view.config;
  if (retentionMs < 0) return [];
  return oldestWhile(view, (segment) => view.nowMs - segment.largestTimestamp() > retentionMs);
}
