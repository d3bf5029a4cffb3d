/** What a log makes of what it finds: the cases by hand; the random ones are in random-model.test.ts. */
import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import { batchesOf, MAGIC_AT, MAX_TIMESTAMP_AT, RecordBatch } from '../../src/wire/record-batch.ts';
import type { FakeFiles } from '../sim/fake-files.ts';
import { baseOffsets, batch, DIRECTORY, type Fixture, marker, offsetsIn, openLog, put, turn } from './log-fixture.ts';

const SEGMENT_0 = `${DIRECTORY}/00000000000000000000`;
const CONFIG = { indexIntervalBytes: 1 };
const LATER = 1_700_000_000_100;

/** Twelve batches of two records in segments of four batches, stopped cleanly. */
async function stopped(): Promise<FakeFiles> {
  const { log, files } = await openLog(CONFIG);
  for (let i = 0; i < 12; i++) {
    put(
      log,
      batch({ count: 2, producerId: 3, producerEpoch: 0, baseSequence: 2 * i, timestamp: 1000 + 10 * i }),
      Math.floor(i / 5),
    );
    if (i % 4 === 3 && i < 11) log.roll();
  }
  await log.close({ clean: true });
  return files.kill();
}

const reopened = (files: FakeFiles, cleanShutdown = false, recoveryPoint = 0): Promise<Fixture> =>
  openLog(CONFIG, { files, cleanShutdown, recoveryPoint, producerIdExpirationMs: Number.MAX_SAFE_INTEGER });

function content(files: FakeFiles): { [name: string]: string } {
  return Object.fromEntries(
    files.list(DIRECTORY).map(({ name }) => [name, files.readFile(`${DIRECTORY}/${name}`).toString('hex')]),
  );
}

function change(files: FakeFiles, path: string, run: (bytes: Buffer) => Buffer): void {
  files.writeFile(path, run(files.readFile(path)));
}

describe('Recovery', () => {
  it('makes the same files from the log alone', async () => {
    const files = await stopped();
    const before = content(files);
    for (const name of Object.keys(before)) {
      if (!name.endsWith('.log') && name !== 'partition.metadata') files.remove(`${DIRECTORY}/${name}`);
    }
    const { log } = await reopened(files);
    checkInvariants(log);
    await log.close({ clean: true });
    expect(content(files)).to.deep.equal(before);
  });

  for (const [what, spoil] of [
    ['is missing', (files: FakeFiles) => files.remove(`${SEGMENT_0}.index`)],
    [
      'has an odd size',
      (files: FakeFiles) => change(files, `${SEGMENT_0}.index`, (bytes) => bytes.subarray(0, bytes.length - 3)),
    ],
    ['does not rise', (files: FakeFiles) => change(files, `${SEGMENT_0}.index`, (bytes) => Buffer.concat([bytes, bytes]))],
    ['has lost its time index', (files: FakeFiles) => files.remove(`${SEGMENT_0}.timeindex`)],
  ] as const) {
    it(`makes an index anew that ${what}, also after a clean stop`, async () => {
      const files = await stopped();
      const before = content(files);
      spoil(files);
      const { log } = await reopened(files, true);
      expect(log.logEndOffset).to.equal(24);
      checkInvariants(log);
      await log.close({ clean: true });
      expect(content(files)).to.deep.equal(before);
    });
  }

  it('knows its producers when every snapshot is missing, also after a clean stop', async () => {
    const files = await stopped();
    const before = content(files);
    for (const name of Object.keys(before)) if (name.endsWith('.snapshot')) files.remove(`${DIRECTORY}/${name}`);
    const { log } = await reopened(files, true);
    expect(log.producerState.get(3)?.lastSequence).to.equal(23);
    await log.close({ clean: true });
    expect(content(files)).to.deep.include({ '00000000000000000024.snapshot': before['00000000000000000024.snapshot'] });
  });

  describe('after a kill in which nothing was lost', () => {
    const snapshotsIn = (files: FakeFiles): number[] =>
      Object.keys(content(files))
        .filter((name) => name.endsWith('.snapshot'))
        .map((name) => Number(name.slice(0, 20)));

    /** Stopped cleanly at 24, gone on with and killed at 26: the snapshot of 24 is in the midst of the last segment, which begins at 16. */
    async function killed(): Promise<FakeFiles> {
      const { log, files } = await reopened(await stopped(), true, 24);
      put(log, batch({ count: 2, producerId: 3, producerEpoch: 0, baseSequence: 24, timestamp: 2000 }), 3);
      await turn();
      return files.kill();
    }

    it('neither makes nor removes a file', async () => {
      let files = await killed();
      const before = content(files);
      for (let times = 0; times < 2; times++) {
        const { log } = await reopened(files, false, 24);
        expect(log.producerState.get(3)?.lastSequence).to.equal(25);
        checkInvariants(log);
        files = files.kill();
        expect(content(files)).to.deep.equal(before);
      }
    });

    it('settles snapshots of producers when the log is closed', async () => {
      const { log, files } = await reopened(await killed(), false, 24);
      await log.close({ clean: true });
      expect(snapshotsIn(files)).to.deep.equal([8, 16, 26]);
      const { log: again } = await reopened(files.kill(), true, 26);
      expect(again.producerState.get(3)?.lastSequence).to.equal(25);
    });

    it('settles them when the segment ends', async () => {
      const { log, files } = await reopened(await killed(), false, 24);
      log.roll();
      expect(snapshotsIn(files)).to.deep.equal([8, 16, 26]);
      const { log: again } = await reopened(files.kill(), false, 26);
      expect(again.producerState.get(3)?.lastSequence).to.equal(25);
    });

    it('takes the log back to where one of them says what is not trusted', async () => {
      const { log, files } = await reopened(await killed(), false, 24);
      change(files, `${DIRECTORY}/00000000000000000024.snapshot`, () => Buffer.from('of another log'));
      await log.truncateTo(24);
      expect(log.producerState.get(3)?.lastSequence).to.equal(23);
      await log.close({ clean: true });
      expect(snapshotsIn(files)).to.deep.equal([8, 16, 24]);
      const { log: again } = await reopened(files.kill(), true, 24);
      expect(again.producerState.get(3)?.lastSequence).to.equal(23);
    });
  });

  describe('of a segment whose batches are partly gone after a clean stop', () => {
    /** A producer and an aborted transaction that end in the first of two segments, which is then cut off behind the transaction's records. */
    async function cutOff(): Promise<FakeFiles> {
      const { log, files } = await openLog(CONFIG);
      put(log, batch({ count: 2, producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true }));
      log.append(marker(5, 0, 'abort'), { leaderEpoch: 0, origin: 'coordinator' });
      put(log, batch({ count: 2, producerId: 6, producerEpoch: 0, baseSequence: 0 }));
      log.roll();
      put(log, batch({ count: 1, timestamp: LATER }));
      await log.close({ clean: true });
      const left = files.kill();
      const size = batch({
        count: 2,
        producerId: 5,
        producerEpoch: 0,
        baseSequence: 0,
        transactional: true,
        timestamp: 1000,
      }).length;
      change(left, `${SEGMENT_0}.log`, (bytes) => bytes.subarray(0, size));
      left.remove(`${SEGMENT_0}.index`);
      return left;
    }

    it('keeps what later snapshots say of producers', async () => {
      const { log } = await reopened(await cutOff(), true);
      expect(log.producerState.get(6)?.lastSequence).to.equal(1);
      expect(log.logEndOffset).to.equal(6);
    });

    it('does not take for committed what was aborted by a marker that is gone', async () => {
      const { log } = await reopened(await cutOff(), true);
      log.setHighWatermark(log.logEndOffset);
      const read = await log.read(0, { maxBytes: 10_000, minOneBatch: true, upTo: 'lastStable' });
      expect(read.nextOffset).to.equal(2);
      expect(read.abortedTransactions).to.deep.equal([{ producerId: 5, firstOffset: 0 }]);
    });

    it('finds the first record that is left with a time or a later one', async () => {
      const { log } = await reopened(await cutOff(), true);
      expect(await log.offsetForTimestamp(LATER - 5)).to.deep.equal({ offset: 5, timestamp: LATER, leaderEpoch: 0 });
    });
  });

  it('writes nothing after a crash where the files of the last segment say what the log says', async () => {
    const files = await stopped();
    const before = content(files);
    const written: string[] = [];
    for (const operation of ['writeFile', 'replaceFile', 'remove'] as const) {
      const run = files[operation].bind(files) as (path: string, content: Buffer | string) => Promise<void>;
      files[operation] = (path: string, bytes: Buffer | string = ''): Promise<void> => {
        written.push(path);
        return run(path, bytes);
      };
    }
    const { log } = await reopened(files, false, 16);
    checkInvariants(log);
    expect(written).to.deep.equal([]);
    await log.close({ clean: true });
    expect(content(files)).to.deep.equal(before);
  });

  it('accepts the zeros of a preallocated index', async () => {
    const files = await stopped();
    const last = `${DIRECTORY}/00000000000000000016`;
    change(files, `${last}.index`, (bytes) => Buffer.concat([bytes, Buffer.alloc(800)]));
    change(files, `${last}.timeindex`, (bytes) => Buffer.concat([bytes, Buffer.alloc(1200)]));
    const { log } = await reopened(files, true);
    checkInvariants(log);
    put(log, batch({ timestamp: 5000 }), 2);
    await turn();
    checkInvariants(log);
  });

  it('reads nothing of a log that was stopped cleanly but its end', async () => {
    const files = await stopped();
    change(files, `${SEGMENT_0}.log`, (bytes) => {
      bytes[100] = (bytes[100] ?? 0) ^ 0xff;
      return bytes;
    });
    const { log } = await reopened(files, true);
    expect(log.logEndOffset).to.equal(24);
  });

  for (const [what, offset, time] of [
    ['a time later than that of the last one', '0000000000000000', '0000020000000000'],
    ['a time before all times', '0000000000000000', '8080808080808080'],
    ['an offset out of reach of the indexes, and a later time', '0200000000000000', '0000020000000000'],
    ['an offset before the segment, and a later time', 'ff00000000000000', '0000020000000000'],
  ] as const) {
    it(`goes on behind a batch with ${what}, cuts off what is behind the end, and stops cleanly again`, async () => {
      const { log: before, files } = await openLog();
      for (let i = 0; i < 3; i++) put(before, batch({ timestamp: 1000 + i }));
      await before.close({ clean: true });
      change(files, `${SEGMENT_0}.log`, (log) => {
        log.write(offset, 0, 'hex');
        log.write(time, MAX_TIMESTAMP_AT, 'hex');
        return Buffer.concat([log, Buffer.alloc(20, 1)]);
      });
      const { log } = await openLog({}, { files: files.kill(), cleanShutdown: true });
      expect(log.logEndOffset).to.equal(3);
      expect(put(log, batch({ timestamp: 2000 }))).to.equal(3);
      await turn();
      log.roll();
      await log.close({ clean: true });
    });
  }

  for (const [what, index, wrong] of [
    ['goes back', 2, 1],
    ['goes on too far', 2, 300],
    ['is before the segment', 3, 0],
    ['is out of reach of the indexes', 1, 2 ** 40],
    ['goes on too far, the first of the segment', 0, 300],
  ] as const) {
    it(`keeps after a kill what is behind a batch whose base offset ${what}`, async () => {
      const { log: before, files } = await openLog(CONFIG);
      for (let i = 0; i < 8; i++) {
        put(before, batch({ count: 2, producerId: 3, producerEpoch: 0, baseSequence: 2 * i, timestamp: 1000 + 10 * i }));
        if (i === 1) before.roll();
      }
      await before.close({ clean: true });
      change(files, `${DIRECTORY}/00000000000000000004.log`, (bytes) => {
        bytes.writeBigInt64BE(BigInt(wrong), batchesOf(bytes)[index]?.position ?? 0);
        return bytes;
      });
      const { log } = await reopened(files.kill());
      expect(log.logEndOffset).to.equal(16);
      log.setHighWatermark(log.logEndOffset);
      const read = async (offset: number): Promise<unknown> => {
        try {
          return offsetsIn((await log.read(offset, { maxBytes: 1, minOneBatch: true, upTo: 'logEnd' })).records);
        } catch (error) {
          return (error as Error).name;
        }
      };
      const found = await Promise.all([4, 6, 8, 10, 12, 14].map(read));
      expect(found).to.deep.equal([4, 6, 8, 10, 12, 14].map((offset) => (offset === 4 + 2 * index ? 'CorruptBatch' : [offset])));
      const timestamps = [2, 3, 4, 5, 6, 7].map((i) => 1000 + 10 * i);
      const at = await Promise.all(timestamps.map(async (timestamp) => (await log.offsetForTimestamp(timestamp))?.offset));
      expect(at).to.deep.equal([4, 6, 8, 10, 12, 14].map((offset) => (offset === 4 + 2 * index ? offset + 2 : offset)));
      await log.close({ clean: true });
    });
  }

  for (const segment of [0, 8, 16]) {
    it(`keeps after a kill what is behind a batch of a magic that is none, in the segment of offset ${segment}`, async () => {
      const files = await stopped();
      change(files, `${DIRECTORY}/${String(segment).padStart(20, '0')}.log`, (bytes) => {
        bytes.writeInt8(23, (batchesOf(bytes)[1]?.position ?? 0) + MAGIC_AT);
        return bytes;
      });
      const { log } = await reopened(files);
      expect([log.logEndOffset, log.segmentCount]).to.deep.equal([24, 3]);
      log.setHighWatermark(24);
      const read = async (offset: number) => log.read(offset, { maxBytes: 1, minOneBatch: true, upTo: 'logEnd' });
      for (const offset of [segment, segment + 4, segment + 6, 22])
        expect(offsetsIn((await read(offset)).records)).to.deep.equal([offset]);
      await log.close({ clean: true });
    });
  }

  it('passes no batches over that the index knows, where a length in front of them leads too far', async () => {
    const files = await stopped();
    const start = batchesOf(files.readFile(`${SEGMENT_0}.log`))[1]?.position ?? 0;
    change(files, `${SEGMENT_0}.log`, (bytes) => {
      bytes.writeInt32BE(1_000_000, start + 8);
      return bytes;
    });
    const { log } = await reopened(files, true);
    log.setHighWatermark(log.logEndOffset);
    const read = async (offset: number) => log.read(offset, { maxBytes: 1, minOneBatch: true, upTo: 'logEnd' });
    for (const offset of [2, 3]) {
      const error: unknown = await read(offset).catch((reason: unknown) => reason);
      expect(String(error)).to.contain(`no record batch at position ${start}`);
    }
    for (const offset of [4, 5]) expect(offsetsIn((await read(offset)).records)).to.deep.equal([4]);
    await log.close({ clean: true });
  });

  it('cuts off a torn tail, at every byte', async () => {
    const original = await stopped();
    const last = `${DIRECTORY}/00000000000000000016.log`;
    const bytes = original.readFile(last);
    const sizes: number[] = [];
    for (let at = 0; at < bytes.length; at += new RecordBatch(bytes, at).sizeInBytes) sizes.push(at);
    let files = original;
    for (let size = bytes.length - 1; size > 0; size -= 7) {
      files.writeFile(last, bytes.subarray(0, size));
      const { log } = await reopened(files, false, 16);
      const whole = sizes.filter((start) => start + new RecordBatch(bytes, start).sizeInBytes <= size).length;
      expect(log.logEndOffset, `${size} bytes`).to.equal(16 + 2 * whole);
      checkInvariants(log);
      files = files.kill();
    }
  });

  it('ends the log at the first damage and drops the segments behind it', async () => {
    const files = await stopped();
    change(files, `${DIRECTORY}/00000000000000000008.log`, (bytes) => {
      const second = new RecordBatch(bytes).sizeInBytes;
      bytes[second + 70] = (bytes[second + 70] ?? 0) ^ 1;
      return bytes;
    });
    const { log } = await reopened(files);
    expect(await baseOffsets(log)).to.deep.equal([0, 2, 4, 6, 8]);
    expect(log.producerState.get(3)?.lastSequence).to.equal(9);
    expect(files.list(DIRECTORY).some(({ name }) => name.startsWith('00000000000000000016.'))).to.equal(false);
    checkInvariants(log);
  });

  describe('of a log in which a segment ends early', () => {
    const MIDDLE = `${DIRECTORY}/00000000000000000008.log`;

    for (const [what, left, offsets] of [
      ['is empty', 0, [0, 2, 4, 6, 16, 18, 20, 22]],
      ['has lost its last batches', 2, [0, 2, 4, 6, 8, 10, 16, 18, 20, 22]],
    ] as const) {
      it(`keeps what is behind it, as Apache Kafka does, when it ${what} after a kill`, async () => {
        const files = await stopped();
        change(files, MIDDLE, (bytes) => {
          let end = 0;
          for (let i = 0; i < left; i++) end += new RecordBatch(bytes, end).sizeInBytes;
          return bytes.subarray(0, end);
        });
        const { log } = await reopened(files);
        expect(await baseOffsets(log)).to.deep.equal(offsets);
        expect(log.logEndOffset).to.equal(24);
        expect(log.producerState.get(3)?.lastSequence).to.equal(23);
        log.setHighWatermark(24);
        const read = await log.read(13, { maxBytes: 1, minOneBatch: true, upTo: 'logEnd' });
        expect(offsetsIn(read.records)).to.deep.equal([16]);
        expect(await log.offsetForTimestamp(1060)).to.deep.include({ offset: offsets.find((offset) => offset >= 12) });
        checkInvariants(log);
        expect(put(log, batch())).to.equal(24);
      });
    }

    it('knows nothing of producers that wrote to what is missing', async () => {
      const { log, files } = await openLog(CONFIG);
      put(log, batch());
      log.roll();
      put(log, batch({ producerId: 9, producerEpoch: 0, baseSequence: 0 }));
      log.roll();
      put(log, batch());
      await log.close({ clean: true });
      const left = files.kill();
      for (const suffix of ['log', 'index', 'timeindex']) left.writeFile(`${DIRECTORY}/00000000000000000001.${suffix}`, '');
      const opened = await reopened(left, false, 1);
      expect(await baseOffsets(opened.log)).to.deep.equal([0, 2]);
      expect(opened.log.producerState.get(9)).to.equal(undefined);
    });

    for (const astray of [10, 14]) {
      it(`passes over a batch whose base offset is beyond the next segment, and keeps what is behind it (${astray})`, async () => {
        const files = await stopped();
        change(files, MIDDLE, (bytes) => {
          let at = 0;
          for (let i = 8; i < astray; i += 2) at += new RecordBatch(bytes, at).sizeInBytes;
          bytes.writeBigInt64BE(BigInt(astray) + 256n, at);
          return bytes;
        });
        const { log } = await reopened(files);
        log.setHighWatermark(log.logEndOffset);
        expect(log.logEndOffset).to.equal(24);
        for (const offset of [8, 10, 12, 14, 16, 18, 20, 22].filter((other) => other !== astray)) {
          const read = await log.read(offset, { maxBytes: 1, minOneBatch: true, upTo: 'logEnd' });
          expect(offsetsIn(read.records)).to.deep.equal([offset]);
        }
        expect(log.producerState.get(3)?.lastSequence).to.equal(23);
      });
    }
  });

  it('does not believe a snapshot of producers from before the log begins', async () => {
    const { log, files } = await openLog(CONFIG);
    put(log, batch({ count: 2 }));
    log.roll();
    put(log, batch({ producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true }));
    log.roll();
    log.append(marker(5, 0, 'abort'), { leaderEpoch: 0, origin: 'coordinator' });
    log.roll();
    put(log, batch());
    await log.close({ clean: true });
    const left = files.kill();
    for (const { name } of left.list(DIRECTORY)) {
      const isOfDeleted = /^0{19}[0-2]\.(log|index|timeindex|txnindex)$/.test(name);
      if (isOfDeleted || (name.endsWith('.snapshot') && !name.startsWith(`${'0'.repeat(19)}3`)))
        left.remove(`${DIRECTORY}/${name}`);
    }
    left.rename(`${DIRECTORY}/00000000000000000003.snapshot`, `${DIRECTORY}/00000000000000000002.snapshot`);
    left.rename(`${DIRECTORY}/00000000000000000003.log`, `${DIRECTORY}/00000000000000000003.log.deleted`);
    const opened = await reopened(left);
    expect([...opened.log.producerState.ongoingTransactions()]).to.deep.equal([]);
    expect(left.stat(`${DIRECTORY}/00000000000000000002.snapshot`)).to.equal(undefined);
  });

  it('does not look below the recovery point', async () => {
    const files = await stopped();
    change(files, `${SEGMENT_0}.log`, (bytes) => {
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      return bytes;
    });
    expect((await reopened(files, false, 9)).log.logEndOffset).to.equal(24);
  });

  it('finishes deletions and forgets unfinished compactions', async () => {
    const files = await stopped();
    for (const name of [
      '00000000000000000000.log.deleted',
      '00000000000000000000.index.deleted',
      '00000000000000000008.log.cleaned',
    ]) {
      files.writeFile(`${DIRECTORY}/${name}`, 'x');
    }
    const { log } = await reopened(files);
    expect(log.logEndOffset).to.equal(24);
    expect(files.list(DIRECTORY).filter(({ name }) => /deleted|cleaned/.test(name))).to.deep.equal([]);
  });

  it('puts a finished compaction in place of what it replaces', async () => {
    const files = await stopped();
    const kept = files.readFile(`${SEGMENT_0}.log`);
    const first = kept.subarray(0, new RecordBatch(kept).sizeInBytes);
    const last = files.readFile(`${DIRECTORY}/00000000000000000008.log`);
    const lastAt = last.length - new RecordBatch(last, 3 * (last.length >> 2)).sizeInBytes;
    files.writeFile(`${SEGMENT_0}.log.swap`, Buffer.concat([first, last.subarray(lastAt)]));
    const { log } = await openLog({ ...CONFIG, cleanupPolicy: ['compact'] }, { files });
    expect(await baseOffsets(log)).to.deep.equal([0, 14, 16, 18, 20, 22]);
    expect(log.segmentList().map((segment) => segment.baseOffset)).to.deep.equal([0, 16]);
    checkInvariants(log);
  });

  it('drops indexes without a log', async () => {
    const files = await stopped();
    files.writeFile(`${DIRECTORY}/00000000000000000099.index`, Buffer.alloc(8));
    await reopened(files);
    expect(files.stat(`${DIRECTORY}/00000000000000000099.index`)).to.equal(undefined);
  });

  it('begins anew when the log ends before what was deleted from it', async () => {
    const files = await stopped();
    const { log } = await openLog(CONFIG, { files, logStartOffset: 100 });
    expect([log.logStartOffset, log.logEndOffset]).to.deep.equal([100, 100]);
    expect(put(log, batch())).to.equal(100);
  });

  it('takes the log start it is told', async () => {
    const { log } = await openLog(CONFIG, { files: await stopped(), logStartOffset: 5 });
    expect(log.logStartOffset).to.equal(5);
    expect(log.leaderEpochs.earliest).to.deep.equal({ epoch: 0, startOffset: 5 });
  });
});
