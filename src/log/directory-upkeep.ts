/**
 * What is done for the logs of one data directory from time to time: checkpoint files, flush.ms, retention, producers that are silent.
 *
 * Source: LogManager.startup and ReplicaManager.startHighWatermarkCheckPointThread of Apache Kafka.
 */
import type { Checkpoints } from './checkpoints.ts';
import type { DirectoryLogs } from './directory-logs.ts';
import type { Jobs } from './jobs.ts';
import type { LogDirectoryOptions } from './log-directory-options.ts';

const FIRST_RETENTION_CHECK_MS = 30_000;
const NEVER_MS = Number.MAX_SAFE_INTEGER;

export interface Upkeep {
  readonly o: LogDirectoryOptions;
  readonly jobs: Jobs;
  readonly logs: DirectoryLogs;
  readonly checkpoints: Checkpoints;
}

export function startUpkeep({ o, jobs, logs, checkpoints }: Upkeep): void {
  jobs.repeat(o.flushOffsetCheckpointIntervalMs ?? 60_000, () => checkpoints.saveRecoveryPoints());
  jobs.repeat(o.flushStartOffsetCheckpointIntervalMs ?? 60_000, () => checkpoints.saveLogStarts());
  jobs.repeat(o.highWatermarkCheckpointIntervalMs ?? 5_000, () => checkpoints.saveHighWatermarks());
  jobs.repeat(o.flushSchedulerIntervalMs ?? NEVER_MS, () => flushDue(logs, o.clock.now()));
  jobs.repeat(o.producerIdExpirationCheckIntervalMs ?? 600_000, () =>
    jobs.inSlices(logs.values(), (log) => log.removeExpiredProducers()),
  );
  jobs.repeat(o.retentionCheckIntervalMs ?? 300_000, () => deleteOldSegments(jobs, logs), FIRST_RETENTION_CHECK_MS);
}

/** What has waited too long for its sync, by flush.ms. A log that is closed meanwhile is not the disk's fault. */
async function flushDue(logs: DirectoryLogs, nowMs: number): Promise<void> {
  const due = [...logs.values()].filter(
    (log) => log.recoveryPoint < log.logEndOffset && nowMs - log.lastFlushMs >= log.config.flushMs,
  );
  for (const log of due) {
    await log.flush().catch((error: unknown) => {
      if (!log.isClosed) throw error;
    });
  }
}

/** Retention, for every log but the metadata log and those that are compacted, which is done by who compacts them. */
function deleteOldSegments(jobs: Jobs, logs: DirectoryLogs): Promise<void> {
  return jobs.inSlices(logs.ofPartitions(), (log) => {
    const isOurs = logs.get(log.topic, log.partition) === log && !log.config.cleanupPolicy.includes('compact');
    if (isOurs) log.deleteOldSegments();
  });
}
