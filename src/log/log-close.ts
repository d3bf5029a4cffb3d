/**
 * The end of a log's work on its files.
 *
 * Clean: everything synced, indexes trimmed, a snapshot of the producers at the end, as Kafka leaves it. Not clean: dropped as it is, as by a crash;
 * what is queued is lost. Either way nothing of the log touches the disk afterwards, nor holds a file. Source: UnifiedLog.close of Apache Kafka.
 */
import { guardedLater } from './disk-guard.ts';
import type { LogParts } from './log-parts.ts';

/** Rejects with StorageFailure. */
export async function close(log: LogParts, o: { readonly clean: boolean }): Promise<void> {
  if (o.clean && log.failure === undefined) await guardedLater(log, () => leaveCleanly(log));
  log.closed = true;
  for (const timer of log.removals) timer.cancel();
  log.writer.abandon();
  await log.writer.settled();
  await log.leaderEpochs.saved();
  log.tail.clear();
  for (const segment of log.segments.values()) log.handles.release(segment.path);
}

async function leaveCleanly(log: LogParts): Promise<void> {
  const { writer, segments, producerState, leaderEpochs, handles, reader } = log;
  await writer.flush();
  log.closed = true;
  const { active } = segments;
  active.deactivate();
  const snapshot = producerState.takeSnapshot();
  const isLeft = producerState.snapshots.removeDoubted();
  await leaderEpochs.saved();
  if (snapshot === undefined && !isLeft && !active.indexes.areUnsynced) return;
  await active.sync(true);
  if (snapshot !== undefined) await handles.borrow(snapshot, (file) => file.sync());
  if (snapshot !== undefined) handles.release(snapshot);
  await log.o.files.syncDirectory(log.directory);
  await reader.settled();
}
