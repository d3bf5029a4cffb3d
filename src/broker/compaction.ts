/** The compaction of a broker's logs, as its settings want it at any time. */
import type { SettingsView } from '../api/context.ts';
import { type CleanerSettings, LogCleaner } from '../log/log-cleaner.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { World } from '../world/world.ts';
import type { Logger } from './logger.ts';
import { SettingsError } from './settings-error.ts';

const MEBIBYTE = 1024 * 1024;

export interface Compaction {
  /** Goes on by what the settings are now, where that is something else. */
  reconfigure(): void;
  stop(): Promise<void>;
}

export interface CompactionOptions {
  readonly world: World;
  readonly settings: SettingsView;
  readonly directories: readonly LogDirectory[];
  readonly log: Logger;
  /** What is in force for a broker config, what was set at run time included. */
  inForce(name: string): string;
}

/** Starts cleaning, unless log.cleaner.enable is false. */
export function startCompaction({ world, settings, directories, log, inForce }: CompactionOptions): Compaction {
  if (!settings.boolean('log.cleaner.enable')) return { reconfigure: () => undefined, stop: () => Promise.resolve() };
  const { clock, threads } = world;
  let current = cleanerSettings(inForce);
  const cleaner = new LogCleaner({
    clock,
    threads,
    directories,
    settings: current,
    onCleaned: ({ topic, partition, ...facts }) => log.info(`compacted ${topic}-${partition}`, facts),
    onUncleanable: ({ topic, partition }, error) =>
      log.warn(`${topic}-${partition} cannot be compacted and is left as it is until the next start`, { error }),
  });
  cleaner.start();
  const reconfigure = (): void => {
    const wanted = cleanerSettings(inForce);
    if (JSON.stringify(wanted) === JSON.stringify(current)) return;
    current = wanted;
    log.info('compaction goes on with other settings', { ...wanted });
    void cleaner.reconfigure(wanted);
  };
  return { reconfigure, stop: () => cleaner.stop() };
}

function cleanerSettings(inForce: CompactionOptions['inForce']): CleanerSettings {
  const number = (name: string): number => Number(inForce(name));
  return {
    threads: number('log.cleaner.threads'),
    dedupeBufferBytes: number('log.cleaner.dedupe.buffer.size'),
    loadFactor: number('log.cleaner.io.buffer.load.factor'),
    ioBufferBytes: number('log.cleaner.io.buffer.size'),
    maxBytesPerSecond: number('log.cleaner.io.max.bytes.per.second'),
    backoffMs: Math.min(number('log.cleaner.backoff.ms'), Number.MAX_SAFE_INTEGER),
  };
}

/** What Apache Kafka refuses to start with. Throws SettingsError. */
export function checkCompaction(settings: SettingsView): void {
  const threads = settings.int('log.cleaner.threads');
  if (threads === 0) {
    throw new SettingsError(
      'log.cleaner.threads is 0; it must be at least 1, and log.cleaner.enable=false is what stops compaction',
    );
  }
  const bytes = settings.long('log.cleaner.dedupe.buffer.size');
  if (Math.floor(bytes / threads) > MEBIBYTE) return;
  throw new SettingsError(
    `log.cleaner.dedupe.buffer.size is ${bytes}, for ${threads} threads; it must be at least 1MB per cleaner thread (log.cleaner.threads)`,
  );
}
