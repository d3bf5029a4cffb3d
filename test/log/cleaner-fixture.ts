/** A data directory with one compacted log on a disk in memory, and a cleaner whose threads take turns with the test. */
import { serveCleaning } from '../../src/log/cleaner-service.ts';
import { CleanerThread } from '../../src/log/cleaner-thread.ts';
import { cleanableRange } from '../../src/log/cleanable-range.ts';
import { type CleanedLog, cleanLog } from '../../src/log/cleaning.ts';
import { type CleanerSettings, LogCleaner, type LogCleanerOptions } from '../../src/log/log-cleaner.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { DEFAULT_LIVE_SETTINGS } from '../../src/log/log-directory-options.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import type { Log } from '../../src/log/log.ts';
import { Throttle } from '../../src/log/throttle.ts';
import { type BatchDraft, buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { InlineThreads } from '../../src/world/inline-threads.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { TOPIC_ID, turn } from './log-fixture.ts';

export const DATA = '/data';
const IDENTITY = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'U0NSzs5MRFCWG_YBqsIJvA' };
export const NOW = 1_700_000_000_000;

export const COMPACTED: LogConfig = {
  ...DEFAULT_LOG_CONFIG,
  cleanupPolicy: ['compact'],
  segmentBytes: 1_000_000,
  messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
};

export const SETTINGS: CleanerSettings = {
  threads: 1,
  dedupeBufferBytes: 4 * 1024 * 1024,
  loadFactor: 0.9,
  ioBufferBytes: 4096,
  maxBytesPerSecond: Number.MAX_VALUE,
  backoffMs: 15_000,
};

/** Days pass in these tests: what a directory does from time to time would be all that happens in them. */
const NEVER = Number.MAX_SAFE_INTEGER;
const IDLE = {
  flushOffsetCheckpointIntervalMs: NEVER,
  flushStartOffsetCheckpointIntervalMs: NEVER,
  highWatermarkCheckpointIntervalMs: NEVER,
  retentionCheckIntervalMs: NEVER,
  producerIdExpirationCheckIntervalMs: NEVER,
};

export interface CleanerFixture {
  readonly files: FakeFiles;
  readonly clock: VirtualClock;
  readonly directory: LogDirectory;
  readonly log: Log;
  readonly threads: InlineThreads;
}

export async function openCompacted(
  config: Partial<LogConfig> = {},
  o: { readonly files?: FakeFiles; readonly clock?: VirtualClock } = {},
): Promise<CleanerFixture> {
  const clock = o.clock ?? new VirtualClock(NOW);
  const files = o.files ?? new FakeFiles(() => clock.now());
  const directory = await LogDirectory.open({
    files,
    clock,
    random: new SeededRandom(1),
    path: DATA,
    identity: IDENTITY,
    live: { ...DEFAULT_LIVE_SETTINGS, verifiesTransactions: false },
    ...IDLE,
  });
  const all = { ...COMPACTED, ...config };
  await directory.openLogs(() => all);
  const log = await directory.create('keyed', 0, TOPIC_ID, all);
  const threads = new InlineThreads(clock, (parent) => serveCleaning(parent, files));
  return { files, clock, directory, log, threads };
}

export interface Entry {
  readonly key: string | null;
  /** Null: a tombstone. */
  readonly value: string | null;
  readonly timestamp?: number;
}

/** `a=1 b=2 a=` in short: the last is a tombstone. */
export const entries = (text: string): Entry[] =>
  text.split(' ').map((pair) => {
    const [key = '', value = ''] = pair.split('=');
    return { key, value: value === '' ? null : value };
  });

/** Appends one batch and moves the high watermark behind it. */
export async function put(log: Log, records: readonly Entry[], draft: Partial<BatchDraft> = {}): Promise<number> {
  const bytes = buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: records.map(({ key, value, timestamp = NOW }) => ({
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestamp,
    })),
    ...draft,
  });
  return append(log, bytes);
}

export async function append(log: Log, bytes: Buffer, origin: 'client' | 'coordinator' = 'client'): Promise<number> {
  const result = log.append(bytes, { leaderEpoch: 0, origin });
  if (!result.ok) throw new Error(`refused with ${result.error}: ${result.message}`);
  await turn();
  log.setHighWatermark(log.logEndOffset);
  return result.firstOffset;
}

/** One cleaning of the log as it is now, whether it is dirty enough or not; what the checkpoint says does not count. */
export async function clean(
  { clock, threads, log }: CleanerFixture,
  firstDirtyOffset?: number,
  maxKeys = 1000,
): Promise<CleanedLog> {
  const thread = new CleanerThread({ threads, clock, throttle: new Throttle(clock, Number.MAX_VALUE) });
  const range = cleanableRange(log, firstDirtyOffset, clock.now());
  return cleanLog(log, range, {
    thread,
    maxKeys,
    loadFactor: 0.9,
    readBytes: 2048,
    nowMs: clock.now(),
    isAborted: () => false,
  });
}

/** A cleaner of the directory, and what it has cleaned so far. */
export function startCleaner(
  fixture: CleanerFixture,
  settings: Partial<CleanerSettings> = {},
  o: Partial<LogCleanerOptions> = {},
): { readonly cleaner: LogCleaner; readonly cleaned: CleanedLog[]; readonly uncleanable: Error[] } {
  const cleaned: CleanedLog[] = [];
  const uncleanable: Error[] = [];
  const cleaner = new LogCleaner({
    clock: fixture.clock,
    threads: fixture.threads,
    directories: [fixture.directory],
    settings: { ...SETTINGS, ...settings },
    onCleaned: (each) => void cleaned.push(each),
    onUncleanable: (_log, reason) => void uncleanable.push(reason),
    ...o,
  });
  cleaner.start();
  return { cleaner, cleaned, uncleanable };
}

/** Turns of the event loop in which whatever can end ends. */
export async function turns(count = 200): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** `offset:key=value` of every record that is not a marker. */
export async function contents(log: Log): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of log.batches()) {
    if (batch.isControl) continue;
    for (const { offset, key, value } of recordsOf(batch))
      found.push(`${offset}:${String(key)}=${value === null ? '' : String(value)}`);
  }
  return found;
}

export const fileNames = (files: FakeFiles): string[] =>
  files
    .list(`${DATA}/keyed-0`)
    .map(({ name }) => name)
    .sort();

export const checkpoint = (files: FakeFiles): string => files.readFile(`${DATA}/cleaner-offset-checkpoint`).toString();
