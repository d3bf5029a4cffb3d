/** What a log is made of, for the rooms of this folder that do one thing for it each; nobody else gets to see them. */
import type { Timer } from '../world/clock.ts';
import type { StorageFailure } from '../world/files.ts';
import type { CleaningGate } from './cleaning-gate.ts';
import type { FileHandles } from './file-handles.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import type { LogOptions } from './log-contract.ts';
import type { LogReader } from './log-reader.ts';
import type { LogWriter } from './log-writer.ts';
import type { ProducerState } from './producer-state.ts';
import type { Segments } from './segments.ts';
import type { LogTail } from './tail-memory.ts';

export interface LogParts {
  readonly o: LogOptions;
  readonly topicId: string | null;
  readonly handles: FileHandles;
  readonly segments: Segments;
  readonly leaderEpochs: LeaderEpochs;
  readonly producerState: ProducerState;
  readonly writer: LogWriter;
  readonly reader: LogReader;
  readonly tail: LogTail;
  config: LogConfig;
  /** Where its files are; changes when the partition is moved. */
  directory: string;
  startOffset: number;
  highWatermark: number;
  /** Told of each move of `writtenOffset`, and once of the failure. */
  listeners: readonly ((failure?: StorageFailure) => void)[];
  /** Set once the disk has failed. */
  failure: StorageFailure | undefined;
  closed: boolean;
  readonly cleaning: CleaningGate;
  /** Deleted files that wait for file.delete.delay.ms. */
  removals: readonly Timer[];
}

/** Moves the high watermark, kept within [logStartOffset, logEndOffset]. */
export function setHighWatermark(log: LogParts, offset: number): void {
  log.highWatermark = Math.min(Math.max(offset, log.startOffset), log.writer.queuedOffset);
  log.producerState.onHighWatermark(log.highWatermark);
}

/** First offset of the oldest transaction that is open or ended above the high watermark, at most the high watermark. */
export function lastStableOffset({ producerState, highWatermark, startOffset }: LogParts): number {
  const unstable = producerState.firstUnstableOffset;
  if (unstable === undefined || unstable >= highWatermark) return highWatermark;
  return Math.max(unstable, startOffset);
}
