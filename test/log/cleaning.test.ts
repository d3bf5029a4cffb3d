import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import type { Log } from '../../src/log/log.ts';
import { exactMaxTimestampOf } from '../../src/wire/exact-timestamps.ts';
import { BASE_TIMESTAMP_AT, batchesOf, CRC_AT, MAX_TIMESTAMP_AT } from '../../src/wire/record-batch.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import {
  append,
  clean,
  type CleanerFixture,
  contents,
  entries,
  fileNames,
  NOW,
  openCompacted,
  put,
  turns,
} from './cleaner-fixture.ts';
import { marker, offsetsIn } from './log-fixture.ts';

const DAY_MS = 86_400_000;

/** Kind, last offset and number of records of every batch. */
async function batches(log: Log): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of log.batches()) {
    const horizon = batch.deleteHorizonMs === undefined ? '' : ' with a horizon';
    found.push(`${batch.isControl ? 'marker' : 'data'} to ${batch.lastOffset} of ${batch.count}${horizon}`);
  }
  return found;
}

async function transaction(
  log: Log,
  producerId: number,
  sequence: number,
  text: string,
  kind: 'commit' | 'abort',
): Promise<void> {
  await put(log, entries(text), { producerId, producerEpoch: 0, baseSequence: sequence, transactional: true });
  await append(log, marker(producerId, 0, kind), 'coordinator');
}

const later = async (fixture: CleanerFixture): Promise<void> => {
  await fixture.clock.advance(DAY_MS + 1);
};

describe('A cleaning', () => {
  it('keeps tombstones for delete.retention.ms after the first cleaning, then takes them out', async () => {
    const fixture = await openCompacted();
    await put(fixture.log, entries('a=1 b=1'));
    await put(fixture.log, entries('a='));
    fixture.log.roll();
    await put(fixture.log, entries('c=1'));
    await clean(fixture);
    expect(await contents(fixture.log)).to.deep.equal(['1:b=1', '2:a=', '3:c=1']);
    await fixture.clock.advance(DAY_MS - 1);
    await clean(fixture);
    expect(await contents(fixture.log)).to.include('2:a=');
    await fixture.clock.advance(1);
    await clean(fixture);
    expect(await contents(fixture.log)).to.deep.equal(['1:b=1', '3:c=1']);
    checkInvariants(fixture.log);
  });

  it('takes out aborted records and forgets their transaction, keeps markers until their horizon', async () => {
    const fixture = await openCompacted();
    const { log } = fixture;
    await transaction(log, 7, 0, 'a=1 b=1', 'abort');
    await transaction(log, 8, 0, 'a=2', 'commit');
    await transaction(log, 7, 2, 'z=1', 'commit');
    await transaction(log, 8, 1, 'z=2', 'commit');
    log.roll();
    await put(log, entries('c=1'));
    expect(log.abortedTransactions(0, 100)).to.have.length(1);
    await clean(fixture);
    // The abort had batches until now: its marker and its entry in the index stay this once.
    expect(await batches(log)).to.deep.equal([
      'marker to 2 of 1',
      'data to 3 of 1',
      'marker to 4 of 1',
      'data to 5 of 0',
      'marker to 6 of 1',
      'data to 7 of 1',
      'marker to 8 of 1',
      'data to 9 of 1',
    ]);
    expect(log.abortedTransactions(0, 100)).to.have.length(1);
    await clean(fixture);
    expect((await batches(log))[0]).to.equal('marker to 2 of 1 with a horizon');
    expect(log.abortedTransactions(0, 100)).to.deep.equal([]);
    expect(fileNames(fixture.files).filter((name) => name.endsWith('.txnindex'))).to.deep.equal([]);
    await later(fixture);
    await clean(fixture);
    expect((await batches(log))[0]).to.equal('data to 3 of 1');
    checkInvariants(log);
  });

  it('keeps the last batch of each producer, without records if need be, and so its sequence', async () => {
    const fixture = await openCompacted();
    const { log } = fixture;
    const producer = { producerId: 5, producerEpoch: 1 };
    await put(log, entries('a=1'), { ...producer, baseSequence: 0 });
    await put(log, entries('a=2 b=2'), { ...producer, baseSequence: 1 });
    await put(log, entries('a=3 b=3'));
    log.roll();
    await put(log, entries('c=1'));
    await clean(fixture);
    expect(await batches(log)).to.deep.equal(['data to 2 of 0', 'data to 4 of 2', 'data to 5 of 1']);
    await fixture.directory.stop({ clean: false, brokerEpoch: 1 });
    for (const name of fileNames(fixture.files).filter((each) => each.endsWith('.snapshot'))) {
      fixture.files.remove(`/data/keyed-0/${name}`);
    }
    const again = await openCompacted({}, fixture);
    expect(again.log.producerState.get(5)?.lastSequence).to.equal(2);
    await put(again.log, entries('a=4'), { ...producer, baseSequence: 3 });
  });

  it('keeps a batch that ends at the high watermark', async () => {
    const fixture = await openCompacted();
    await put(fixture.log, entries('a=1'));
    await put(fixture.log, entries('a=2'));
    await put(fixture.log, entries('a='));
    fixture.log.roll();
    await clean(fixture);
    await later(fixture);
    await clean(fixture);
    expect(await batches(fixture.log)).to.deep.equal(['data to 2 of 0']);
  });

  it('goes as far as the map reaches, and on from there', async () => {
    const fixture = await openCompacted();
    for (let i = 0; i < 20; i++) {
      await put(fixture.log, entries(`k${i % 10}=${i} x=${i}`));
      if (i % 5 === 4) fixture.log.roll();
    }
    const { endOffset } = await clean(fixture, undefined, 4);
    expect(endOffset).to.equal(5);
    expect(await contents(fixture.log)).to.include.members(['0:k0=0', '3:x=1', '5:x=2', '6:k3=3', '7:x=3']);
    expect(await contents(fixture.log)).to.not.include('1:x=0');
    for (let from = endOffset; from < 40; ) from = (await clean(fixture, from, 4)).endOffset;
    expect(await contents(fixture.log)).to.deep.equal(
      [10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((i) => `${i * 2}:k${i % 10}=${i}`).concat('39:x=19'),
    );
    checkInvariants(fixture.log);
  });

  it('takes records without a key out of what was not compacted before', async () => {
    const fixture = await openCompacted({ cleanupPolicy: ['delete'] });
    await put(fixture.log, [{ key: null, value: 'x' }, ...entries('a=1')]);
    fixture.log.roll();
    fixture.log.updateConfig({ ...fixture.log.config, cleanupPolicy: ['compact'] });
    const { keyless } = await clean(fixture);
    expect(keyless).to.equal(1);
    expect(await contents(fixture.log)).to.deep.equal(['1:a=1']);
  });

  it('leaves when files were written, and the snapshots of the segments that begin where they did', async () => {
    const fixture = await openCompacted({ segmentBytes: 200, fileDeleteDelayMs: 100 });
    for (let i = 0; i < 6; i++) await put(fixture.log, entries(`a=${'x'.repeat(60)}`));
    const before = fixture.log.segmentList().map((segment) => segment.modifiedMs());
    await fixture.clock.advance(5000);
    await clean(fixture);
    expect(fixture.log.segmentList()[0]?.modifiedMs()).to.equal(before[0]);
    await clean(fixture);
    await fixture.clock.advance(100);
    await turns();
    const names = fileNames(fixture.files);
    expect(names.filter((name) => /\.(?:deleted|swap|cleaned)$/.test(name))).to.deep.equal([]);
    const bases = new Set(names.filter((name) => name.endsWith('.log')).map((name) => name.slice(0, 20)));
    expect(names.filter((name) => name.endsWith('.snapshot')).every((name) => bases.has(name.slice(0, 20)))).to.equal(true);
  });

  it('begins after a log start that DeleteRecords has moved into a segment', async () => {
    const fixture = await openCompacted({ cleanupPolicy: ['compact', 'delete'] });
    await put(fixture.log, entries('a=1'));
    await put(fixture.log, entries('b=1'));
    await put(fixture.log, entries('b=2'));
    fixture.log.roll();
    fixture.log.advanceLogStartOffset(1);
    await clean(fixture);
    expect(fixture.log.logStartOffset).to.equal(1);
    expect(await contents(fixture.log)).to.deep.equal(['2:b=2']);
    checkInvariants(fixture.log);
  });

  it('does not show a reader that has begun anything else than the log was', async () => {
    const fixture = await openCompacted({ segmentBytes: 300 });
    for (let i = 0; i < 12; i++) await put(fixture.log, entries(`a=${i}${'x'.repeat(80)} k${i}=1`));
    const seen: number[] = [];
    for await (const batch of fixture.log.batches()) {
      seen.push(batch.baseOffset);
      if (batch.baseOffset === 2) await clean(fixture);
    }
    expect(seen).to.deep.equal([...seen].sort((a, b) => a - b));
    expect(new Set(seen).size).to.equal(seen.length);
    expect(seen.filter((offset) => offset > 4).length).to.equal(9);
  });

  it('never shows aborted records without saying so, however long a read takes', async () => {
    const gates: (() => void)[] = [];
    let holds = 0;
    const pause = (): Promise<void> => (holds-- > 0 ? new Promise((resolve) => gates.push(resolve)) : Promise.resolve());
    const fixture = await openCompacted({}, { files: new FakeFiles(() => NOW, { pause }) });
    const { log } = fixture;
    await transaction(log, 7, 0, 'a=1', 'abort');
    await transaction(log, 7, 1, 'b=1', 'commit');
    log.roll();
    await put(log, entries('c=1'));
    await log.flush();
    await fixture.directory.stop({ clean: false, brokerEpoch: 1 });
    const again = await openCompacted({}, fixture);
    again.log.setHighWatermark(again.log.logEndOffset);
    holds = 1;
    const reading = again.log.read(0, { maxBytes: 10_000, minOneBatch: true, upTo: 'lastStable' });
    await clean(again);
    await clean(again);
    expect(again.log.abortedTransactions(0, 100)).to.deep.equal([]);
    expect(gates).to.have.length(1);
    gates[0]?.();
    const { records, abortedTransactions } = await reading;
    expect(abortedTransactions).to.deep.equal([]);
    expect(offsetsIn(records)).to.not.include(0);
  });

  it('refuses records without a key from now on', async () => {
    const { log } = await openCompacted();
    const bytes = buildBatch({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      records: [{ key: null, value: Buffer.from('x'), timestamp: 1_700_000_000_000 }],
    });
    const result = log.append(bytes, { leaderEpoch: 0, origin: 'client' });
    expect(result.ok).to.equal(false);
    if (!result.ok) expect([result.error, result.recordErrors.map(({ batchIndex }) => batchIndex)]).to.deep.equal([87, [0]]);
  });

  it('compacts what Apache Kafka has let in with timestamps beyond 2^53', async () => {
    const first = await openCompacted();
    await put(first.log, entries('a=1 b=1'));
    await put(first.log, entries('a=2 c=1'));
    first.log.roll();
    await put(first.log, entries('d=1'));
    await first.directory.stop({ clean: false, brokerEpoch: 1 });
    const files = first.files.kill();
    const path = `/data/keyed-0/${'0'.repeat(20)}.log`;
    const bytes = files.readFile(path);
    for (const batch of batchesOf(bytes)) {
      const far = batch.baseOffset === 0 ? 2n ** 61n + 1n : 2n ** 63n - 1n;
      for (const at of [BASE_TIMESTAMP_AT, MAX_TIMESTAMP_AT]) bytes.writeBigInt64BE(far, batch.position + at);
      bytes.writeUInt32BE(batch.computeCrc(), batch.position + CRC_AT);
    }
    files.writeFile(path, bytes);
    const fixture = await openCompacted({}, { files, clock: first.clock });
    fixture.log.setHighWatermark(fixture.log.logEndOffset);
    await clean(fixture);
    expect(await contents(fixture.log)).to.deep.equal(['1:b=1', '2:a=2', '3:c=1', '4:d=1']);
    const left = batchesOf(files.readFile(path)).map((batch) => exactMaxTimestampOf(batch));
    expect(left).to.deep.equal([2n ** 61n + 1n, 2n ** 63n - 1n]);
    checkInvariants(fixture.log);
  });
});
