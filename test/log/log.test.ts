import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import { OffsetOutOfRange } from '../../src/log/offset-out-of-range.ts';
import { TailMemory } from '../../src/log/tail-memory.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { batchesOf, RecordBatch } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { StorageFailure } from '../../src/world/files.ts';
import { baseOffsets, batch, bytesOf, DIRECTORY, marker, offsetsIn, openLog, put, turn } from './log-fixture.ts';

const READ = { maxBytes: 1_000_000, minOneBatch: true, upTo: 'logEnd' } as const;
const onDisk = { tailMemory: new TailMemory(0) };

describe('Log: appending', () => {
  it('gives offsets at once and writes all of a turn together', async () => {
    const { log, files } = await openLog();
    put(log, batch());
    await turn();
    const moves: number[] = [];
    log.onWritten(() => moves.push(log.writtenOffset));
    expect(put(log, batch({ count: 3 }))).to.equal(1);
    expect(put(log, batch({ count: 2 }))).to.equal(4);
    expect(log.logEndOffset).to.equal(6);
    expect(log.writtenOffset).to.equal(1);
    const before = files.operations;
    await turn();
    expect(files.operations - before).to.equal(1);
    expect(moves).to.deep.equal([6]);
    checkInvariants(log);
  });

  it('puts the leader epoch into batches and remembers where it began', async () => {
    const { log } = await openLog();
    put(log, batch(), 3);
    put(log, batch(), 3);
    put(log, batch(), 5);
    await turn();
    const epochs: number[] = [];
    for await (const each of log.batches()) epochs.push(each.partitionLeaderEpoch);
    expect(epochs).to.deep.equal([3, 3, 5]);
    expect(log.leaderEpochs.entries()).to.deep.equal([
      { epoch: 3, startOffset: 0 },
      { epoch: 5, startOffset: 2 },
    ]);
    expect(log.endOffsetForEpoch(3)).to.deep.equal({ leaderEpoch: 3, endOffset: 2 });
    expect(log.endOffsetForEpoch(5)).to.deep.equal({ leaderEpoch: 5, endOffset: 3 });
    expect(log.endOffsetForEpoch(6)).to.deep.equal({ leaderEpoch: -1, endOffset: -1 });
  });

  it('acknowledges after the sync where flush.messages asks for it, one sync for many', async () => {
    const { log } = await openLog({ flushMessages: 1 });
    const seen: { written: number; synced: number }[] = [];
    log.onWritten(() => seen.push({ written: log.writtenOffset, synced: log.recoveryPoint }));
    for (let i = 0; i < 5; i++) put(log, batch());
    await turn();
    await turn();
    expect(log.writtenOffset).to.equal(5);
    for (const { written, synced } of seen) expect(written).to.be.at.most(synced);
  });

  it('answers a repeated batch with the offsets of then, for the last five', async () => {
    const { log } = await openLog();
    const sent = Array.from({ length: 6 }, (_, i) => ({ count: 2, producerId: 7, producerEpoch: 0, baseSequence: 2 * i }));
    for (const each of sent) put(log, batch(each));
    for (const [i, each] of sent.entries()) {
      const result = log.append(batch(each), { leaderEpoch: 0, origin: 'client' });
      if (i === 0) expect(result).to.deep.include({ ok: false, error: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER });
      else expect(result).to.deep.include({ ok: true, duplicate: true, firstOffset: 2 * i, lastOffset: 2 * i + 1 });
    }
    expect(log.logEndOffset).to.equal(12);
  });

  it('keeps offsets and epochs of copied batches, with their gaps', async () => {
    const { log } = await openLog();
    const copy = batch({ count: 2 });
    new RecordBatch(copy).setBaseOffset(10);
    new RecordBatch(copy).setPartitionLeaderEpoch(4);
    expect(log.append(copy, { leaderEpoch: 4, origin: 'replication' })).to.deep.include({
      ok: true,
      firstOffset: 10,
      lastOffset: 11,
    });
    expect(log.logEndOffset).to.equal(12);
    await turn();
    expect(offsetsIn((await log.read(0, READ)).records)).to.deep.equal([10]);
    checkInvariants(log);
  });

  it('takes nothing when closed', async () => {
    const { log } = await openLog();
    await log.close({ clean: true });
    expect(log.append(batch(), { leaderEpoch: 0, origin: 'client' })).to.deep.include({
      ok: false,
      error: ErrorCode.KAFKA_STORAGE_ERROR,
    });
  });
});

describe('Log: rolling', () => {
  it('begins a new segment when the size would be passed', async () => {
    const one = batch({ size: 500 }).length;
    const { log } = await openLog({ segmentBytes: one * 2 });
    for (let i = 0; i < 5; i++) put(log, batch({ size: 500 }));
    expect(log.segmentList().map((segment) => segment.baseOffset)).to.deep.equal([0, 2, 4]);
    await turn();
    checkInvariants(log);
  });

  it('begins a new segment by the timestamps of the batches', async () => {
    const { log } = await openLog({ segmentMs: 1000 });
    put(log, batch({ timestamp: 1000 }));
    put(log, batch({ timestamp: 2000 }));
    expect(log.segmentCount).to.equal(1);
    put(log, batch({ timestamp: 2001 }));
    expect(log.segmentCount).to.equal(2);
  });

  it('begins a new segment when an index is full', async () => {
    const { log } = await openLog({ indexIntervalBytes: 1, segmentIndexBytes: 40 });
    for (let i = 0; i < 10; i++) put(log, batch({ timestamp: 1000 + i }));
    await turn();
    expect(log.segmentCount).to.be.greaterThan(2);
    checkInvariants(log);
  });

  it('begins a new segment when the relative offset would not fit', async () => {
    const { log } = await openLog();
    put(log, batch());
    const copy = batch();
    new RecordBatch(copy).setBaseOffset(0x8000_0000);
    log.append(copy, { leaderEpoch: -1, origin: 'replication' });
    expect(log.segmentList().map((segment) => segment.baseOffset)).to.deep.equal([0, 0x8000_0000]);
  });

  it('syncs what has ended and moves the recovery point', async () => {
    const { log, files } = await openLog();
    put(log, batch());
    log.roll();
    await turn();
    await turn();
    expect(log.recoveryPoint).to.equal(1);
    expect(files.list(DIRECTORY).map(({ name }) => name)).to.include.members([
      '00000000000000000000.index',
      '00000000000000000000.timeindex',
      '00000000000000000001.log',
      '00000000000000000001.snapshot',
    ]);
  });

  it('does not roll an empty segment', async () => {
    const { log } = await openLog();
    log.roll();
    expect(log.segmentCount).to.equal(1);
  });
});

describe('Log: reading what was written just now', () => {
  it('is done at once, also where it is too large to be held; later, off the event loop', async () => {
    const { log, clock } = await openLog();
    put(log, batch({ size: 200_000 }));
    await turn();
    const now = log.read(0, READ);
    expect(now).not.to.be.instanceOf(Promise);
    expect(offsetsIn((await now).records)).to.deep.equal([0]);
    await clock.advance(60_000);
    const later = log.read(0, READ);
    expect(later).to.be.instanceOf(Promise);
    expect(offsetsIn((await later).records)).to.deep.equal([0]);
  });
});

for (const [where, o] of [
  ['memory', {}],
  ['files', onDisk],
] as const) {
  describe(`Log: reading from ${where}`, () => {
    it('gives whole batches up to the limit, the first one always', async () => {
      const { log } = await openLog({}, o);
      for (let i = 0; i < 4; i++) put(log, batch({ count: 2, size: 100 }));
      await turn();
      const size = batch({ count: 2, size: 100 }).length;
      const read = async (offset: number, maxBytes: number, minOneBatch = true): Promise<number[]> =>
        offsetsIn((await log.read(offset, { maxBytes, minOneBatch, upTo: 'logEnd' })).records);
      expect(await read(0, size * 10)).to.deep.equal([0, 2, 4, 6]);
      expect(await read(3, size * 2)).to.deep.equal([2, 4]);
      expect(await read(3, size * 2 + 5)).to.deep.equal([2, 4]);
      expect(await read(3, 1)).to.deep.equal([2]);
      expect(await read(3, 1, false)).to.deep.equal([]);
      expect(await read(8, 1000)).to.deep.equal([]);
    });

    it('never shows what lies past the bound', async () => {
      const { log } = await openLog({}, o);
      for (let i = 0; i < 4; i++) put(log, batch({ count: 2 }));
      expect(offsetsIn((await log.read(0, READ)).records)).to.deep.equal([]);
      await turn();
      log.setHighWatermark(4);
      expect(offsetsIn((await log.read(0, { ...READ, upTo: 'highWatermark' })).records)).to.deep.equal([0, 2]);
      expect((await log.read(4, { ...READ, upTo: 'highWatermark' })).sizeInBytes).to.equal(0);
      expect((await log.read(7, { ...READ, upTo: 'highWatermark' })).sizeInBytes).to.equal(0);
    });

    it('refuses what lies outside the log', async () => {
      const { log } = await openLog({}, o);
      put(log, batch({ count: 2 }));
      await turn();
      log.setHighWatermark(2);
      log.advanceLogStartOffset(1);
      expect(() => log.read(0, READ)).to.throw(OffsetOutOfRange);
      expect(() => log.read(3, READ)).to.throw(OffsetOutOfRange);
    });

    it('stops readers of committed data before an open transaction and tells them of aborted ones', async () => {
      const { log } = await openLog({}, o);
      const id = { producerId: 5, producerEpoch: 0, transactional: true };
      put(log, batch());
      put(log, batch({ ...id, baseSequence: 0 }));
      await turn();
      log.setHighWatermark(2);
      expect(log.lastStableOffset).to.equal(1);
      log.append(marker(5, 0, 'abort'), { leaderEpoch: 0, origin: 'coordinator' });
      await turn();
      expect(log.lastStableOffset).to.equal(1);
      log.setHighWatermark(3);
      expect(log.lastStableOffset).to.equal(3);
      const read = await log.read(0, { ...READ, upTo: 'lastStable' });
      expect(offsetsIn(read.records)).to.deep.equal([0, 1, 2]);
      expect(read.abortedTransactions).to.deep.equal([{ producerId: 5, firstOffset: 1 }]);
    });

    it('gives the bytes that were appended', async () => {
      const { log } = await openLog({}, o);
      const small = batch({ count: 3 });
      const large = batch({ size: 40_000 });
      put(log, small);
      put(log, large);
      await turn();
      const read = await log.read(0, READ);
      expect(bytesOf(read.records).equals(Buffer.concat([small, large]))).to.equal(true);
      expect(read.nextOffset).to.equal(4);
    });
  });
}

describe('Log: offsets by time', () => {
  it('finds the first record at or after a timestamp, in any segment', async () => {
    const { log } = await openLog({ indexIntervalBytes: 1, segmentBytes: 600 });
    for (let i = 0; i < 10; i++) put(log, batch({ count: 3, timestamp: 1000 + 10 * i }), 1);
    await turn();
    expect(log.segmentCount).to.be.greaterThan(2);
    for (let i = 0; i < 10; i++) {
      expect(await log.offsetForTimestamp(1000 + 10 * i + 1)).to.deep.equal({
        offset: 3 * i + 1,
        timestamp: 1001 + 10 * i,
        leaderEpoch: 1,
      });
      expect(await log.offsetForTimestamp(1000 + 10 * i - 5)).to.deep.include({ offset: 3 * i });
    }
    expect(await log.offsetForTimestamp(5000)).to.equal(undefined);
    expect(await log.offsetOfMaxTimestamp()).to.deep.equal({ offset: 29, timestamp: 1092, leaderEpoch: 1 });
  });

  it('does not look before the log start', async () => {
    const { log } = await openLog();
    for (let i = 0; i < 4; i++) put(log, batch({ timestamp: 1000 + i }));
    await turn();
    log.setHighWatermark(4);
    log.advanceLogStartOffset(2);
    expect(await log.offsetForTimestamp(0)).to.deep.include({ offset: 2 });
  });

  it('knows nothing of an empty log', async () => {
    const { log } = await openLog();
    expect(await log.offsetForTimestamp(0)).to.equal(undefined);
    expect(await log.offsetOfMaxTimestamp()).to.equal(undefined);
  });

  it('goes on in what is left when segments are deleted meanwhile, and brings none of their files back', async () => {
    const { files, log } = await openLog({ segmentBytes: 400, retentionMs: -1 });
    for (let i = 0; i < 6; i++) put(log, batch({ size: 100, timestamp: 1000 + i }));
    await turn();
    const [, second, third] = log.segmentList().map(({ baseOffset }) => baseOffset);
    if (second === undefined || third === undefined) throw new Error('fewer segments than the test needs');
    log.setHighWatermark(log.logEndOffset);
    log.advanceLogStartOffset(second);
    const found = log.offsetForTimestamp(0);
    log.advanceLogStartOffset(third);
    log.deleteOldSegments();
    expect(await found).to.deep.equal({ offset: third, timestamp: 1000 + third, leaderEpoch: 0 });
    const logs = files.list(DIRECTORY).flatMap(({ name }) => (name.endsWith('.log') ? [name] : []));
    expect(logs).to.deep.equal([`${String(third).padStart(20, '0')}.log`]);
  });
});

describe('Log: deleting', () => {
  const SEGMENT = 400;

  it('removes the oldest segments beyond retention.bytes, files after a delay', async () => {
    const { log, files, clock } = await openLog({
      segmentBytes: SEGMENT,
      retentionBytes: 1000,
      retentionMs: -1,
      fileDeleteDelayMs: 50,
    });
    for (let i = 0; i < 20; i++) put(log, batch({ size: 100 }));
    await turn();
    log.setHighWatermark(log.logEndOffset);
    const gone = log.deleteOldSegments();
    expect(gone).to.be.greaterThan(0);
    expect(log.sizeInBytes)
      .to.be.at.least(1000)
      .and.below(1000 + SEGMENT);
    expect(log.logStartOffset).to.equal(log.segmentList()[0]?.baseOffset);
    const deleted = (): string[] => files.list(DIRECTORY).flatMap(({ name }) => (name.endsWith('.deleted') ? [name] : []));
    expect(deleted()).to.include('00000000000000000000.log.deleted');
    await clock.advance(60);
    expect(deleted()).to.deep.equal([]);
    checkInvariants(log);
  });

  it('removes what is older than retention.ms, the active segment too', async () => {
    const { log, clock } = await openLog({ retentionMs: 1000 });
    put(log, batch({ timestamp: clock.now() }));
    await turn();
    log.setHighWatermark(1);
    expect(log.deleteOldSegments()).to.equal(0);
    await clock.advance(1001);
    expect(log.deleteOldSegments()).to.equal(1);
    expect([log.logStartOffset, log.logEndOffset, log.sizeInBytes]).to.deep.equal([1, 1, 0]);
    expect(put(log, batch())).to.equal(1);
  });

  it('keeps everything above the high watermark and in compacted topics', async () => {
    const above = await openLog({ segmentBytes: SEGMENT, retentionBytes: 0, retentionMs: -1 });
    for (let i = 0; i < 10; i++) put(above.log, batch({ size: 100 }));
    await turn();
    expect(above.log.deleteOldSegments()).to.equal(0);
    const compacted = await openLog({ segmentBytes: SEGMENT, retentionBytes: 0, cleanupPolicy: ['compact'] });
    for (let i = 0; i < 10; i++) put(compacted.log, batch({ size: 100 }));
    compacted.log.setHighWatermark(10);
    expect(compacted.log.deleteOldSegments()).to.equal(0);
  });

  it('hides deleted records at once and removes their segments', async () => {
    const { log } = await openLog({ segmentBytes: SEGMENT });
    for (let i = 0; i < 10; i++) put(log, batch({ size: 100 }));
    await turn();
    expect(() => log.advanceLogStartOffset(5)).to.throw(OffsetOutOfRange);
    log.setHighWatermark(10);
    log.advanceLogStartOffset(5);
    expect(log.logStartOffset).to.equal(5);
    log.deleteOldSegments();
    expect(log.logStartOffset).to.equal(5);
    expect(log.segmentList()[0]?.baseOffset).to.be.at.most(5).and.greaterThan(0);
    expect(log.leaderEpochs.earliest).to.deep.equal({ epoch: 0, startOffset: 5 });
  });
});

describe('Log: truncating', () => {
  it('forgets everything from the offset on, producers and epochs too', async () => {
    const { log } = await openLog({ segmentBytes: 600, indexIntervalBytes: 1 });
    for (let i = 0; i < 10; i++) {
      put(log, batch({ count: 2, producerId: 1, producerEpoch: 0, baseSequence: 2 * i, timestamp: 1000 + i }), i < 5 ? 0 : 1);
    }
    await turn();
    await log.truncateTo(6);
    expect(await baseOffsets(log)).to.deep.equal([0, 2, 4]);
    expect(log.logEndOffset).to.equal(6);
    expect(log.producerState.get(1)?.lastSequence).to.equal(5);
    expect(log.leaderEpochs.entries()).to.deep.equal([{ epoch: 0, startOffset: 0 }]);
    expect(put(log, batch({ count: 2, producerId: 1, producerEpoch: 0, baseSequence: 6 }))).to.equal(6);
    await turn();
    checkInvariants(log);
  });

  it('goes on at an offset of one choice', async () => {
    const { log } = await openLog();
    put(log, batch());
    await turn();
    await log.truncateFullyAndStartAt(100);
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).to.deep.equal([100, 100, 100]);
    expect(put(log, batch())).to.equal(100);
    await turn();
    expect(await baseOffsets(log)).to.deep.equal([100]);
    checkInvariants(log);
  });
});

describe('Log: a failing disk', () => {
  it('refuses everything from the failed write on, and tells who waits', async () => {
    const failures: StorageFailure[] = [];
    const { log, files } = await openLog({}, { onFailure: (failure) => failures.push(failure) });
    const told: unknown[] = [];
    log.onWritten((failure) => told.push(failure));
    put(log, batch());
    files.failAfter(1, 'ENOSPC');
    await turn();
    expect(failures).to.have.length(1);
    expect(told).to.deep.equal(failures);
    expect(log.writtenOffset).to.equal(0);
    expect(log.append(batch(), { leaderEpoch: 0, origin: 'client' })).to.deep.include({
      ok: false,
      error: ErrorCode.KAFKA_STORAGE_ERROR,
    });
    const flushed = await log.flush().catch((error: unknown) => error);
    expect(flushed).to.be.instanceOf(StorageFailure);
  });

  it('loses nothing it has acknowledged, whichever operation fails', async () => {
    for (let n = 1; n < 120; n++) {
      const { log, files, clock } = await openLog({ segmentBytes: 500, flushMessages: 3, indexIntervalBytes: 1 });
      files.failAfter(n, n % 2 === 0 ? 'ENOSPC' : 'EIO', n % 3 !== 0);
      let acknowledged = 0;
      log.onWritten(() => {
        acknowledged = log.writtenOffset;
      });
      for (let i = 0; i < 12; i++) {
        log.append(batch({ count: 2, size: 50 }), { leaderEpoch: i >> 2, origin: 'client' });
        if (i % 2 === 0) await turn();
      }
      await log.close({ clean: true }).catch((error: unknown) => expect(error).to.be.instanceOf(StorageFailure));
      files.failNever();
      const reopened = await openLog({}, { files: files.kill(), clock });
      expect(reopened.log.logEndOffset, `operation ${n}`).to.be.at.least(acknowledged);
      checkInvariants(reopened.log);
    }
  });
});

describe('Log: stopping and starting', () => {
  it('leaves what Kafka leaves, and scans nothing afterwards', async () => {
    const first = await openLog({ indexIntervalBytes: 1 });
    for (let i = 0; i < 3; i++) put(first.log, batch({ timestamp: 1000 + i }));
    await first.log.close({ clean: true });
    const { files } = first;
    const names = files.list(DIRECTORY).map(({ name }) => name);
    expect(names).to.have.members([
      '00000000000000000000.index',
      '00000000000000000000.log',
      '00000000000000000000.timeindex',
      '00000000000000000003.snapshot',
      'leader-epoch-checkpoint',
      'partition.metadata',
    ]);
    expect(files.stat(`${DIRECTORY}/00000000000000000000.index`)?.size).to.equal(2 * 8);
    expect(files.stat(`${DIRECTORY}/00000000000000000000.timeindex`)?.size).to.equal(2 * 12);
    const again = await openLog({}, { files: files.kill(), cleanShutdown: true });
    expect(again.log.logEndOffset).to.equal(3);
    expect(again.log.recoveryPoint).to.equal(3);
    expect(put(again.log, batch())).to.equal(3);
  });

  it('refuses a directory of another topic id', async () => {
    const { files } = await openLog();
    let error: unknown;
    try {
      await openLog({}, { files, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' });
    } catch (caught) {
      error = caught;
    }
    expect(String(error)).to.contain('belongs to topic id lAUzRX3ZRWiZ95BSMdX_Dw');
  });

  it('packs with zstd where the topic says so, on every release of Node', async () => {
    const { log } = await openLog({ compressionType: 'zstd' });
    put(log, batch({ count: 10, size: 5000 }));
    await turn();
    expect(log.sizeInBytes).to.be.lessThan(1000);
    const { records } = await log.read(0, { maxBytes: 1e6, minOneBatch: true, upTo: 'logEnd' });
    const [stored] = batchesOf(bytesOf(records));
    expect([stored?.codec, stored === undefined ? 0 : recordsOf(stored).length]).to.deep.equal([4, 10]);
  });
});
