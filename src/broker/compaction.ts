/** The compaction of a broker's logs, as its settings want it. */
import type { SettingsView } from '../api/context.ts';
import { LogCleaner } from '../log/log-cleaner.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { World } from '../world/world.ts';
import type { Logger } from './logger.ts';
import { SettingsError } from './settings-error.ts';

const MEBIBYTE = 1024 * 1024;

/** Starts cleaning, unless log.cleaner.enable is false; returns what ends it. */
export function startCompaction(
  { clock, threads }: World,
  settings: SettingsView,
  directories: readonly LogDirectory[],
  log: Logger,
): () => Promise<void> {
  if (!settings.boolean('log.cleaner.enable')) return () => Promise.resolve();
  const cleaner = new LogCleaner({
    clock,
    threads,
    directories,
    settings: {
      threads: settings.int('log.cleaner.threads'),
      dedupeBufferBytes: settings.long('log.cleaner.dedupe.buffer.size'),
      loadFactor: settings.double('log.cleaner.io.buffer.load.factor'),
      ioBufferBytes: settings.int('log.cleaner.io.buffer.size'),
      maxBytesPerSecond: settings.double('log.cleaner.io.max.bytes.per.second'),
      backoffMs: settings.long('log.cleaner.backoff.ms'),
    },
    onCleaned: ({ topic, partition, ...facts }) => log.info(`compacted ${topic}-${partition}`, facts),
    onUncleanable: ({ topic, partition }, error) =>
      log.warn(`${topic}-${partition} cannot be compacted and is left as it is until the next start`, { error }),
  });
  cleaner.start();
  return () => cleaner.stop();
}

/** What Apache Kafka refuses to start with. Throws SettingsError. */
export function checkCompaction(settings: SettingsView): void {
  const threads = settings.int('log.cleaner.threads');
  const bytes = settings.long('log.cleaner.dedupe.buffer.size');
  if (threads === 0 || Math.floor(bytes / threads) > MEBIBYTE) return;
  throw new SettingsError(
    `log.cleaner.dedupe.buffer.size is ${bytes}, for ${threads} threads; it must be at least 1MB per cleaner thread (log.cleaner.threads)`,
  );
}
