/**
 * Begins, ends and discards the segments of a log.
 *
 * Invariants: a segment that ends is written wholly, with its indexes and a snapshot of the producers, before the next one begins, and is synced in
 * the background; a discarded one is renamed at once and removed after file.delete.delay.ms, so that who still reads it can finish.
 * All of it throws StorageFailure. Source: UnifiedLog.roll and LocalLog.deleteSegmentFiles of Apache Kafka.
 */
import type { LogConfig } from './log-config.ts';
import type { LogParts } from './log-parts.ts';
import type { Validated } from './validator-contract.ts';
import { newSegment } from './recovery.ts';
import type { Segment } from './segment.ts';
import { DELETED_SUFFIX } from './segment-names.ts';

/** Whether the batches have to go to a new segment: by size, time, full index or relative offset. */
export function shouldRoll(log: LogParts, { records, lastOffset, maxTimestamp }: Validated): boolean {
  const { segmentBytes, segmentIndexBytes } = log.config;
  const segment = log.segments.active;
  if (segment.size > segmentBytes - records.length || !segment.holdsOffset(lastOffset)) return true;
  if (segment.size === 0) return false;
  const waitedMs = segment.timeWaitedForRoll(log.o.clock.now(), maxTimestamp);
  return waitedMs > longestSegmentMs(log.config) - segment.rollJitterMs || segment.indexes.areFull(segmentIndexBytes);
}

/** segment.ms; what is compacted has to leave the active segment early enough for max.compaction.lag.ms. */
function longestSegmentMs({ cleanupPolicy, maxCompactionLagMs, segmentMs }: LogConfig): number {
  return cleanupPolicy.includes('compact') && maxCompactionLagMs > 0 ? Math.min(maxCompactionLagMs, segmentMs) : segmentMs;
}

/** By how much earlier than segment.ms the active segment ends: drawn for each anew. */
export function drawRollJitter({ segments, config, o }: LogParts): void {
  const { segmentMs, segmentJitterMs } = config;
  if (segmentJitterMs > 0) segments.active.rollJitterMs = o.random.below(Math.min(segmentJitterMs, segmentMs));
}

function begin(log: LogParts, offset: number): void {
  const { files, clock } = log.o;
  log.segments.add(newSegment({ files, handles: log.handles, clock, directory: log.directory }, offset));
  drawRollJitter(log);
}

/** Ends the active segment and begins the next at `offset`; nothing happens when the active one is empty and begins there. */
export function roll(log: LogParts, offset: number): void {
  const { segments, writer, producerState } = log;
  const { active } = segments;
  if (active.baseOffset === offset && active.size === 0) return;
  writer.write();
  active.deactivate();
  begin(log, offset);
  producerState.endOffset = offset;
  producerState.takeSnapshot();
  producerState.snapshots.removeDoubted();
  writer.noteRolled(active);
  writer.advance();
}

/** Takes the segments and their snapshots out of the log. */
export function discard(log: LogParts, doomed: readonly Segment[]): void {
  const { segments, writer, producerState } = log;
  const removed: string[] = [];
  for (const segment of doomed) {
    segments.remove(segment);
    writer.forget(segment);
    const snapshot = producerState.snapshots.release(segment.baseOffset);
    removed.push(...renameToDeleted(log, snapshot === undefined ? segment.paths() : [...segment.paths(), snapshot]));
  }
  removeLater(log, removed);
}

/** The new names of those that exist. */
export function renameToDeleted({ handles, o: { files } }: LogParts, paths: readonly string[]): string[] {
  const removed: string[] = [];
  for (const path of paths) {
    handles.release(path);
    if (files.stat(path) === undefined) continue;
    files.rename(path, path + DELETED_SUFFIX);
    removed.push(nameOf(path) + DELETED_SUFFIX);
  }
  return removed;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** What still waits when the log is closed is removed when it is opened again. */
export function removeLater(log: LogParts, names: readonly string[]): void {
  if (names.length === 0) return;
  const { clock, files } = log.o;
  const timer = clock.after(log.config.fileDeleteDelayMs, () => {
    log.removals = log.removals.filter((other) => other !== timer);
    if (log.closed || log.failure !== undefined) return;
    try {
      for (const name of names) files.remove(`${log.directory}/${name}`);
    } catch (error) {
      log.writer.fail(error);
    }
  });
  log.removals = [...log.removals, timer];
}

/** Discards everything and begins anew at `offset`. */
export function restart(log: LogParts, offset: number): void {
  discard(log, log.segments.values());
  begin(log, offset);
  log.writer.noteNewFile();
}
