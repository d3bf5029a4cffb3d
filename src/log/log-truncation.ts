/**
 * Taking back what was appended: a follower whose copy parts from its leader's, and a log that has to begin anew elsewhere.
 *
 * Afterwards segments, indexes, epochs and producers are what the log would be had nothing been appended from the offset on. Nothing may be appended
 * meanwhile. Source: UnifiedLog.truncateTo and truncateFullyAndStartAt of Apache Kafka.
 */
import { type LogParts, setHighWatermark } from './log-parts.ts';
import { rebuildProducerState } from './recovery.ts';
import { discard, restart } from './segment-keeper.ts';

/** Removes everything from `offset` on. Rejects with StorageFailure. */
export async function truncateTo(log: LogParts, offset: number): Promise<void> {
  const { writer, segments, leaderEpochs } = log;
  if (offset >= writer.queuedOffset) {
    leaderEpochs.truncateFromEnd(writer.queuedOffset);
    leaderEpochs.save();
    return;
  }
  if (offset < segments.first.baseOffset) {
    restartAt(log, offset);
    return;
  }
  writer.write();
  discard(
    log,
    segments.values().filter((segment) => segment.baseOffset > offset),
  );
  segments.active.truncateTo(offset);
  leaderEpochs.truncateFromEnd(offset);
  leaderEpochs.save();
  log.startOffset = Math.min(log.startOffset, offset);
  settleEnd(log, offset);
  await rebuildProducerState(log.producerState, segments, {
    logStartOffset: log.startOffset,
    logEndOffset: offset,
    nowMs: log.o.clock.now(),
  });
  log.producerState.takeSnapshot();
  setHighWatermark(log, log.highWatermark);
}

/** Empties the log and lets it go on at `offset`. Throws StorageFailure. */
export function restartAt(log: LogParts, offset: number): void {
  log.writer.write();
  restart(log, offset);
  log.leaderEpochs.clear();
  log.leaderEpochs.save();
  log.producerState.restartAt(offset);
  log.startOffset = offset;
  settleEnd(log, offset);
  log.highWatermark = offset;
}

function settleEnd({ tail, reader, writer }: LogParts, offset: number): void {
  tail.clear();
  reader.forgetPlaces();
  writer.reset(offset, writer.recoveryPoint);
}
