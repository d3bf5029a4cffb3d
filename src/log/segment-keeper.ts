/**
 * Begins, ends and discards the segments of a log.
 *
 * Invariants: a segment that ends is written wholly, with its indexes and a snapshot of the producers, before the next one begins, and is synced in
 * the background; a discarded one is renamed at once and removed after file.delete.delay.ms, so that who still reads it can finish.
 * Source: UnifiedLog.roll and LocalLog.deleteSegmentFiles of Apache Kafka.
 */
import type { Clock, Timer } from '../world/clock.ts';
import type { Files } from '../world/files.ts';
import type { Random } from '../world/random.ts';
import type { FileHandles } from './file-handles.ts';
import type { LogConfig } from './log-config.ts';
import type { LogWriter } from './log-writer.ts';
import type { ProducerState } from './producer-state.ts';
import type { Validated } from './record-validator.ts';
import { newSegment } from './recovery.ts';
import type { Segment } from './segment.ts';
import { DELETED_SUFFIX } from './segment-names.ts';
import type { Segments } from './segments.ts';

export interface SegmentKeeperOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly handles: FileHandles;
  readonly directory: string;
  readonly segments: Segments;
  readonly writer: LogWriter;
  readonly producerState: ProducerState;
  readonly config: () => LogConfig;
  readonly isOpen: () => boolean;
}

export class SegmentKeeper {
  private readonly o: SegmentKeeperOptions;
  private readonly removals = new Set<Timer>();

  constructor(o: SegmentKeeperOptions) {
    this.o = o;
    o.segments.active.rollJitterMs = this.rollJitter();
  }

  /** Whether the batches have to go to a new segment: by size, time, full index or relative offset. */
  shouldRoll({ records, lastOffset, maxTimestamp }: Validated): boolean {
    const { segmentBytes, segmentMs, segmentIndexBytes } = this.o.config();
    const segment = this.o.segments.active;
    if (segment.size > segmentBytes - records.length || !segment.holdsOffset(lastOffset)) return true;
    if (segment.size === 0) return false;
    const waitedMs = segment.timeWaitedForRoll(this.o.clock.now(), maxTimestamp);
    return waitedMs > segmentMs - segment.rollJitterMs || segment.isIndexFull(segmentIndexBytes);
  }

  private rollJitter(): number {
    const { segmentMs, segmentJitterMs } = this.o.config();
    return segmentJitterMs === 0 ? 0 : this.o.random.below(Math.min(segmentJitterMs, segmentMs));
  }

  private begin(offset: number): void {
    const segment = newSegment(this.o, offset);
    segment.rollJitterMs = this.rollJitter();
    this.o.segments.add(segment);
  }

  /** Ends the active segment and begins the next at `offset`; nothing happens when the active one is empty and begins there. */
  roll(offset: number): void {
    const { segments, writer, producerState } = this.o;
    const { active } = segments;
    if (active.baseOffset === offset && active.size === 0) return;
    writer.write();
    active.deactivate();
    this.begin(offset);
    producerState.endOffset = offset;
    producerState.takeSnapshot();
    writer.noteRolled(active);
    writer.advance();
  }

  /** Takes the segments and their snapshots out of the log. */
  discard(doomed: readonly Segment[]): void {
    const { files, handles, segments, writer, producerState } = this.o;
    const removed: string[] = [];
    for (const segment of doomed) {
      segments.remove(segment);
      writer.forget(segment);
      const snapshot = producerState.releaseSnapshot(segment.baseOffset);
      for (const path of snapshot === undefined ? segment.paths() : [...segment.paths(), snapshot]) {
        handles.release(path);
        if (files.stat(path) === undefined) continue;
        files.rename(path, path + DELETED_SUFFIX);
        removed.push(path + DELETED_SUFFIX);
      }
    }
    if (removed.length > 0) this.removeLater(removed);
  }

  private removeLater(paths: readonly string[]): void {
    const { clock, files, writer } = this.o;
    const timer = clock.after(this.o.config().fileDeleteDelayMs, () => {
      this.removals.delete(timer);
      if (!this.o.isOpen()) return;
      try {
        for (const path of paths) files.remove(path);
      } catch (error) {
        writer.fail(error);
      }
    });
    this.removals.add(timer);
  }

  /** What still waits to be removed is removed when the log is opened again. */
  close(): void {
    for (const timer of this.removals) timer.cancel();
    this.removals.clear();
  }

  /** Discards everything and begins anew at `offset`. */
  restart(offset: number): void {
    this.discard(this.o.segments.values());
    this.begin(offset);
    this.o.writer.noteNewFile();
  }
}
