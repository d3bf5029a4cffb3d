/** Finding batches by their headers, where index and headers may be damaged. */
import { expect } from 'chai';
import { findBatch, leadsToBatch } from '../../src/log/batch-search.ts';
import { CorruptBatch } from '../../src/log/corrupt-batch.ts';
import { writeInt64 } from '../../src/wire/int64.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { batch, DIRECTORY, offsetsIn, openLog, put } from './log-fixture.ts';

const CONFIG = { indexIntervalBytes: 1 };
const SEGMENT = `${DIRECTORY}/00000000000000000000`;
const COUNT = 8;

/** Eight batches of two records in a segment with an index entry for each, and one more segment; stopped cleanly. */
async function stopped(): Promise<FakeFiles> {
  const { log, files } = await openLog(CONFIG);
  for (let i = 0; i < COUNT; i++) put(log, batch({ count: 2, timestamp: 1000 + i }));
  log.roll();
  put(log, batch({ timestamp: 2000 }));
  await log.close({ clean: true });
  return files;
}

function fileOf(bytes: Buffer) {
  const files = new FakeFiles();
  files.makeDirectory('/d');
  files.writeFile('/d/f', bytes);
  return files.open('/d/f', 'read');
}

describe('the search for batches', () => {
  it('finds every batch whatever byte of an index is damaged', async () => {
    const original = await stopped();
    const size = original.stat(`${SEGMENT}.index`)?.size ?? 0;
    expect(size).to.equal(8 * (COUNT - 1));
    for (let at = 0; at < size; at++) {
      for (const mask of [0x01, 0x10, 0x80]) {
        const files = original.copy();
        const bytes = files.readFile(`${SEGMENT}.index`);
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        files.writeFile(`${SEGMENT}.index`, bytes);
        const { log } = await openLog(CONFIG, { files, cleanShutdown: true });
        expect(log.logEndOffset).to.equal(2 * COUNT + 1);
        for (let i = 0; i < COUNT; i++) {
          const { records } = await log.read(2 * i + 1, { maxBytes: 1, minOneBatch: true, upTo: 'logEnd' });
          expect(offsetsIn(records), `offset ${2 * i + 1} with byte ${at} changed by ${mask}`).to.deep.equal([2 * i]);
        }
        await log.close({ clean: false });
      }
    }
  });

  it('passes over a batch with a base offset that cannot be, and says so to who asks for what is in it', async () => {
    const bytes = (await stopped()).readFile(`${SEGMENT}.log`);
    const size = new RecordBatch(bytes).sizeInBytes;
    for (const baseOffset of [100, 1, -5]) {
      const damaged = Buffer.from(bytes);
      writeInt64(damaged, baseOffset, 3 * size);
      const file = fileOf(damaged);
      const find = (offset: number): number => findBatch(file, 0, damaged.length, offset, 2 * COUNT);
      expect([find(0), find(5), find(8), find(15)]).to.deep.equal([0, 2 * size, 4 * size, 7 * size]);
      expect(() => find(6)).to.throw(CorruptBatch, `at position ${3 * size}: its offsets`);
    }
  });

  it('ends at a batch that is cut off, and says where a length is impossible', async () => {
    const bytes = (await stopped()).readFile(`${SEGMENT}.log`);
    const size = new RecordBatch(bytes).sizeInBytes;
    const cut = bytes.subarray(0, 3 * size - 1);
    expect(findBatch(fileOf(cut), 0, cut.length, 4, 2 * COUNT)).to.equal(cut.length);
    bytes.writeInt32BE(-1, 2 * size + 8);
    expect(findBatch(fileOf(bytes), 0, bytes.length, 3, 2 * COUNT)).to.equal(size);
    expect(() => findBatch(fileOf(bytes), 0, bytes.length, 4, 2 * COUNT)).to.throw(CorruptBatch, 'its length is impossible');
  });

  it('believes an index entry only where a batch begins at or below its offset', async () => {
    const bytes = (await stopped()).readFile(`${SEGMENT}.log`);
    const size = new RecordBatch(bytes).sizeInBytes;
    const leads = (offset: number, position: number): boolean =>
      leadsToBatch(fileOf(bytes), { offset, position }, 0, bytes.length);
    expect([
      leads(3, size),
      leads(7, size),
      leads(1, size),
      leads(3, size + 1),
      leads(3, -8),
      leads(3, bytes.length),
    ]).to.deep.equal([true, true, false, false, false, false]);
  });
});
