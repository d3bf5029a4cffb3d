/**
 * Runs what touches the disk for one log.
 *
 * Invariants: nothing is run once the disk has failed; a failure takes the log down, and goes on to the caller. Throws StorageFailure.
 */
import { StorageFailure } from '../world/files.ts';
import type { LogParts } from './log-parts.ts';

export function guarded<T>(log: LogParts, run: () => T): T {
  if (log.failure !== undefined) throw log.failure;
  try {
    return run();
  } catch (error) {
    throw noted(log, error);
  }
}

/** As `guarded`, for what ends later. */
export async function guardedLater<T>(log: LogParts, run: () => Promise<T>): Promise<T> {
  if (log.failure !== undefined) throw log.failure;
  try {
    return await run();
  } catch (error) {
    throw noted(log, error);
  }
}

function noted(log: LogParts, error: unknown): unknown {
  if (error instanceof StorageFailure) log.writer.fail(error);
  return error;
}
