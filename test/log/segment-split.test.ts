/**
 * Segments whose offsets go further than 2^31 from where they begin: what becomes of them at a start, also when the power goes meanwhile.
 * `SEED` replays the power cuts.
 */
import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import type { LogConfig } from '../../src/log/log-config.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { SEED } from '../support/property.ts';
import { legacyBatch } from '../support/legacy-batch.ts';
import { baseOffsets, batch, DIRECTORY, type Fixture, marker, offsetsIn, openLog, put } from './log-fixture.ts';

const FAR = 2 ** 31;
const DISKS_PER_MOMENT = process.env['THOROUGH'] === undefined ? 4 : 60;
const READING = new Set(['read', 'stat', 'list']);
const CONFIG = { indexIntervalBytes: 1, cleanupPolicy: ['compact'] } as const;
const pathOf = (base: number, suffix: string): string => `${DIRECTORY}/${String(base).padStart(20, '0')}.${suffix}`;

/** Two records, written long before they are looked at. */
const at = (baseOffset: number): Buffer =>
  buildBatch({
    baseOffset,
    partitionLeaderEpoch: 0,
    records: ['a', 'b'].map((value) => ({
      key: Buffer.from(value),
      value: Buffer.alloc(300, value),
      timestamp: 1000 + (baseOffset % 997),
    })),
  });

/** A directory on a disk that has all of it: the batches of each segment, with indexes that say nothing. */
async function directoryOf(segments: ReadonlyMap<number, readonly Buffer[]>): Promise<FakeFiles> {
  const files = new FakeFiles(() => 5_000_000);
  const { log } = await openLog(CONFIG, { files });
  await log.close({ clean: true });
  for (const { name } of files.list(DIRECTORY)) if (/^\d/.test(name)) files.remove(`${DIRECTORY}/${name}`);
  for (const [base, batches] of segments) {
    files.writeFile(pathOf(base, 'log'), Buffer.concat(batches));
    files.setModified(pathOf(base, 'log'), 4_000_000);
    for (const suffix of ['index', 'timeindex']) files.writeFile(pathOf(base, suffix), '');
    for (const suffix of ['log', 'index', 'timeindex']) {
      const file = files.open(pathOf(base, suffix), 'write');
      await file.sync();
      file.close();
    }
  }
  for (const path of [DIRECTORY, '/data', '/', '']) await files.syncDirectory(path === '' ? '/' : path);
  return files;
}

const STARTS = [0, 2, 7, FAR + 10, FAR + 12, 2 * FAR + 20, 2 * FAR + 30];
/** What three segments hold that were cleaned into one, and one behind it. */
const overflowed = (): Promise<FakeFiles> =>
  directoryOf(
    new Map([
      [0, STARTS.map(at)],
      [3 * FAR, [at(3 * FAR)]],
    ]),
  );

const opened = (files: FakeFiles, cleanShutdown: boolean, config: Partial<LogConfig> = CONFIG): Promise<Fixture> =>
  openLog(config, { files, cleanShutdown });

const segmentsOf = ({ log }: Fixture): number[] => log.segmentList().map(({ baseOffset }) => baseOffset);
const odd = (files: FakeFiles): string[] =>
  files.list(DIRECTORY).flatMap(({ name }) => (/\.(cleaned|swap|deleted)$/.test(name) ? [name] : []));

async function isWhole(fixture: Fixture): Promise<void> {
  expect(await baseOffsets(fixture.log)).to.deep.equal([...STARTS, 3 * FAR]);
  expect(segmentsOf(fixture)).to.deep.equal([0, FAR + 10, 2 * FAR + 20, 3 * FAR]);
  expect(odd(fixture.files)).to.deep.equal([]);
  checkInvariants(fixture.log);
  fixture.log.setHighWatermark(fixture.log.logEndOffset);
  for (const offset of STARTS) {
    const read = await fixture.log.read(offset, { maxBytes: 1, minOneBatch: true, upTo: 'logEnd' });
    expect(offsetsIn(read.records)).to.deep.equal([offset]);
  }
}

describe('Splitting a segment that has grown too far', () => {
  for (const [when, isClean] of [
    ['a kill', false],
    ['a clean stop', true],
  ] as const) {
    it(`keeps every batch of it, after ${when}`, async () => {
      const fixture = await opened(await overflowed(), isClean);
      await isWhole(fixture);
      expect(fixture.log.segmentList().map((segment) => segment.modifiedMs())).to.deep.equal([4e6, 4e6, 4e6, 4e6]);
      expect(put(fixture.log, batch())).to.equal(3 * FAR + 2);
      await fixture.log.close({ clean: true });
      expect((await opened(fixture.files.kill(), true)).log.logEndOffset).to.equal(3 * FAR + 3);
    });

    it(`does so where the log is not compacted any more, after ${when}`, async () => {
      await isWhole(await opened(await overflowed(), isClean, { indexIntervalBytes: 1, cleanupPolicy: ['delete'] }));
    });

    it(`keeps batches of the last segment, after ${when}`, async () => {
      const [two, one] = [
        [at(0), at(FAR + 1), at(FAR + 3)],
        [at(0), at(FAR + 1)],
      ];
      const fixture = await opened(await directoryOf(new Map([[0, two]])), isClean, { cleanupPolicy: ['delete'] });
      expect(await baseOffsets(fixture.log)).to.deep.equal([0, FAR + 1, FAR + 3]);
      expect(segmentsOf(fixture)).to.deep.equal([0, FAR + 1]);
      expect(put(fixture.log, batch())).to.equal(FAR + 5);
      checkInvariants(fixture.log);
      expect(await baseOffsets((await opened(await directoryOf(new Map([[0, one]])), isClean)).log)).to.deep.equal([0, FAR + 1]);
    });

    it(`takes one batch alone at the end of a log that never had gaps for a damaged one, after ${when}`, async () => {
      const files = await directoryOf(new Map([[0, [at(0), at(FAR + 1)]]]));
      const { log } = await opened(files, isClean, { cleanupPolicy: ['delete'] });
      expect(await baseOffsets(log)).to.deep.equal([0]);
      expect(log.logEndOffset).to.equal(2);
    });

    it(`knows which transactions were aborted in it, after ${when}`, async () => {
      const end = marker(7, 0, 'abort');
      end.writeBigInt64BE(BigInt(FAR + 12));
      const records = [{ key: Buffer.from('k'), value: Buffer.alloc(9), timestamp: 1 }];
      const transaction = { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true };
      const begun = buildBatch({ baseOffset: 2, partitionLeaderEpoch: 0, records, ...transaction });
      const segments = new Map([
        [0, [at(0), begun, at(FAR + 10), end]],
        [2 * FAR, [at(2 * FAR)]],
      ]);
      const { log } = await opened(await directoryOf(segments), isClean);
      expect(log.abortedTransactions(0, log.logEndOffset)).to.deep.include({
        producerId: 7,
        firstOffset: 2,
        lastOffset: FAR + 12,
        lastStableOffset: FAR + 13,
      });
      checkInvariants(log);
    });

    it(`leaves a segment alone in which offsets go back, after ${when}`, async () => {
      const files = await directoryOf(
        new Map([
          [0, [at(0), at(FAR + 10), at(2)]],
          [3 * FAR, [at(3 * FAR)]],
        ]),
      );
      const fixture = await opened(files, isClean);
      expect(segmentsOf(fixture)).to.deep.equal([0, 3 * FAR]);
      expect(odd(fixture.files)).to.deep.equal([]);
    });
  }

  it('keeps what is sound before a batch that is not', async () => {
    const unsound = at(FAR + 12);
    unsound[100] = 0xff;
    const files = await directoryOf(
      new Map([
        [0, [at(0), at(FAR + 10), unsound, at(2 * FAR + 20)]],
        [3 * FAR, [at(3 * FAR)]],
      ]),
    );
    expect(await baseOffsets((await opened(files, false)).log)).to.deep.equal([0, FAR + 10]);
  });

  it('splits message sets of older formats where their first record is', async () => {
    const sets = [
      legacyBatch([0, 1], 'gzip'),
      legacyBatch([FAR + 10, FAR + 11], 'gzip'),
      legacyBatch([FAR + 12]),
      legacyBatch([2 * FAR + 30]),
    ];
    const fixture = await opened(
      await directoryOf(
        new Map([
          [0, sets],
          [3 * FAR, [at(3 * FAR)]],
        ]),
      ),
      false,
    );
    expect(segmentsOf(fixture)).to.deep.equal([0, FAR + 10, 2 * FAR + 30, 3 * FAR]);
    expect(await baseOffsets(fixture.log)).to.deep.equal([1, FAR + 11, FAR + 12, 2 * FAR + 30, 3 * FAR]);
  });

  for (const isClean of [false, true]) {
    it(`loses and doubles nothing when the power goes at any moment of it, after ${isClean ? 'a clean stop' : 'a kill'}`, async () => {
      const random = new SeededRandom(SEED);
      const disks: { readonly before: string; readonly disk: FakeFiles }[] = [];
      const watched: FakeFiles = (await overflowed()).copy({
        beforeOperation: (operation, path) => {
          if (READING.has(operation)) return;
          for (let i = 0; i < DISKS_PER_MOMENT; i++) {
            disks.push({ before: `${operation} ${path}`, disk: watched.imagineCrash(random) });
          }
        },
      });
      await isWhole(await opened(watched, isClean));
      const moments = new Set(disks.map(({ before }) => before));
      expect([...moments].filter((each) => /^rename .*\.(cleaned|swap)$/.test(each)).length).to.equal(6);
      for (const { before, disk } of disks) {
        try {
          let left: FakeFiles | undefined;
          let countdown = random.below(20);
          const again: FakeFiles = disk.copy({
            beforeOperation: (operation) => {
              if (!READING.has(operation) && countdown-- === 0) left = again.imagineCrash(random);
            },
          });
          await isWhole(await opened(again, false));
          if (left !== undefined) await isWhole(await opened(left, false));
        } catch (error) {
          throw new Error(`SEED=${SEED}, the power goes before ${before}`, { cause: error });
        }
      }
    });
  }
});
