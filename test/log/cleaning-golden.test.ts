/**
 * The golden directories from before and after Apache Kafka's cleaner: from the first, by the same steps at the same times, comes the second.
 *
 * What was between them: min.compaction.lag.ms was taken back and the dirty ratio lowered, the cleaner ran, twenty records were appended, the cleaner
 * ran again. Offsets 60, 61, 62 and 64 were compacted away, so that their values are made up here; nothing of them is left in either directory.
 */
import { expect } from 'chai';
import { serveCleaning } from '../../src/log/cleaner-service.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { LogCleaner } from '../../src/log/log-cleaner.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import type { Log } from '../../src/log/log.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { InlineThreads } from '../../src/world/inline-threads.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import type { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { filesBelow, goldenDisk } from '../support/golden-disk.ts';
import { SETTINGS, turns } from './cleaner-fixture.ts';
import { turn } from './log-fixture.ts';

const IDENTITY = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'U0NSzs5MRFCWG_YBqsIJvA' };
const CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, retentionMs: -1, segmentIndexBytes: 131_072 };
const KEYED: LogConfig = {
  ...CONFIG,
  segmentBytes: 1000,
  cleanupPolicy: ['compact'],
  minCleanableDirtyRatio: 0.01,
  fileDeleteDelayMs: 500,
};
/** When the cleaner ran the second time: a day before the delete horizon that it has set. */
const SECOND_CLEANING = 1_795_357_567_827;
const BACKOFF_MS = 200;
/** The epoch of the leader that Apache Kafka had after its restart. */
const LEADER_EPOCH = 2;

/** The bytes of each record's value in the later directory, by offset. */
function valuesIn(after: FakeFiles): Map<number, Buffer | null> {
  const values = new Map<number, Buffer | null>();
  for (const path of filesBelow(after, '/after/keyed-0').filter((name) => name.endsWith('.log'))) {
    for (const batch of batchesOf(after.readFile(path)))
      for (const { offset, value } of recordsOf(batch)) values.set(offset, value);
  }
  return values;
}

const keyOf = (n: number): string => (n % 30 === 10 ? 'deleted' : n % 25 === 5 ? `once-${n}` : `key-${n % 7}`);

async function append(log: Log, values: ReadonlyMap<number, Buffer | null>): Promise<void> {
  for (let n = 60; n < 80; n++) {
    const value = values.get(n);
    const bytes = buildBatch({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      records: [
        { key: Buffer.from(keyOf(n)), value: value === undefined ? Buffer.alloc(38) : value, timestamp: 1_700_000_000_000 + n },
      ],
      producerId: 1000,
      producerEpoch: 0,
      baseSequence: n - 60,
    });
    const result = log.append(bytes, { leaderEpoch: LEADER_EPOCH, origin: 'client' });
    if (!result.ok) throw new Error(`offset ${n} is refused with ${result.error}: ${result.message}`);
    await turn();
  }
  log.setHighWatermark(log.logEndOffset);
}

const contentsBelow = (files: FakeFiles, path: string): Record<string, string> =>
  Object.fromEntries(
    filesBelow(files, path)
      .map((name) => [name.slice(path.length + 1), files.readFile(name).toString('hex')] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

describe('Cleaning a directory of Apache Kafka', () => {
  it('leaves byte for byte what Apache Kafka has left, every file of the partition', async () => {
    const after = await goldenDisk('after-cleaning', '/after');
    const files = await goldenDisk('before-cleaning', '/before');
    const clock = new VirtualClock(SECOND_CLEANING - BACKOFF_MS);
    const directory = await LogDirectory.open({ files, clock, random: new SeededRandom(1), path: '/before', identity: IDENTITY });
    await directory.openLogs((topic) => (topic === 'keyed' ? KEYED : CONFIG));
    const log = directory.get('keyed', 0);
    if (log === undefined) throw new Error('keyed-0 is missing');
    log.leaderEpochs.assign(LEADER_EPOCH, 60);
    const threads = new InlineThreads(clock, (parent) => serveCleaning(parent, files));
    const settings = { ...SETTINGS, backoffMs: BACKOFF_MS };
    const cleaner = new LogCleaner({ clock, threads, directories: [directory], settings });
    cleaner.start();
    await clock.advance(0);
    await turns();
    expect(log.segmentList().map((segment) => segment.size)).to.deep.equal([111, 0, 0, 113, 80, 777, 630]);
    await append(log, valuesIn(after));
    await clock.advance(BACKOFF_MS);
    await turns();
    await cleaner.stop();
    await clock.advance(500);
    await directory.stop({ clean: true, brokerEpoch: 1 });
    expect(contentsBelow(files, '/before/keyed-0')).to.deep.equal(contentsBelow(after, '/after/keyed-0'));
    expect(files.readFile('/before/cleaner-offset-checkpoint').toString()).to.equal(
      after.readFile('/after/cleaner-offset-checkpoint').toString(),
    );
  });
});
