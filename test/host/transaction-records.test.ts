/** Records of `__transaction_state`: those that Apache Kafka has written, and those that only we could write. */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecord, writeRecord } from '../../src/host/transaction-records.ts';
import { newTransaction, next } from '../../src/machine/transaction/transaction.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { FACTS } from '../support/protocol-data.ts';

function goldenRecords(name: string): { key: Buffer; value: Buffer | null }[] {
  const path = mkdtempSync(join(tmpdir(), 'blumfeld-'));
  try {
    execFileSync('tar', ['xzf', join(FACTS, 'disk', `${name}.tar.gz`), '-C', path]);
    const logs = readdirSync(path).filter((folder) => folder.startsWith('__transaction_state-'));
    return logs
      .flatMap((folder) => readdirSync(join(path, folder)).map((file) => join(path, folder, file)))
      .filter((file) => file.endsWith('.log'))
      .flatMap((file) => batchesOf(readFileSync(file)))
      .flatMap((batch) => [...recordsOf(batch)])
      .map(({ key, value }) => ({ key: key ?? Buffer.alloc(0), value }));
  } finally {
    rmSync(path, { recursive: true });
  }
}

const PREPARED = next(
  next({ ...newTransaction(7, 1000, 5), producerEpoch: 3 }, 'Ongoing', {
    partitions: new Map([
      ['a', new Set([0, 2])],
      ['b', new Set([1])],
    ]),
    startMs: 6,
    clientVersion: 2,
  }),
  'PrepareCommit',
  { producerEpoch: 4, nextProducerId: 9 },
);

describe('records of __transaction_state', () => {
  for (const name of ['before-cleaning', 'after-cleaning', 'killed']) {
    it(`of Apache Kafka (${name}) are written as they were`, () => {
      const records = goldenRecords(name);
      expect(records.length).to.be.greaterThan(20);
      for (const { key, value } of records) {
        const record = readRecord(key, value);
        if (record === undefined) throw new Error('passed over');
        const written = writeRecord(record, 2);
        expect(written.key.toString('hex')).to.equal(key.toString('hex'));
        expect(written.value?.toString('hex')).to.equal(value?.toString('hex'));
      }
    });
  }

  it('come back whole in version 1, but for the last epoch, and without what KIP-890 added in version 0', () => {
    for (const [transactionVersion, lost] of [
      [2, {}],
      [0, { previousProducerId: -1, nextProducerId: -1, clientVersion: 0 }],
    ] as const) {
      const { key, value } = writeRecord(
        { transactionalId: 'id', transaction: { ...PREPARED, lastProducerEpoch: 3 } },
        transactionVersion,
      );
      expect(readRecord(key, value)).to.deep.equal({
        transactionalId: 'id',
        transaction: { ...PREPARED, ...lost, lastProducerEpoch: -1 },
      });
    }
  });

  it('of an id that is forgotten have no value', () => {
    const { key, value } = writeRecord({ transactionalId: 'id', transaction: null }, 2);
    expect(value).to.equal(null);
    expect(readRecord(key, null)).to.deep.equal({ transactionalId: 'id', transaction: null });
  });

  it('that nobody knows yet are passed over; a state that is none is an error', () => {
    const { key, value } = writeRecord({ transactionalId: 'id', transaction: PREPARED }, 2);
    expect(readRecord(Buffer.from([0, 9, 0, 0]), value)).to.equal(undefined);
    const later = Buffer.from(value ?? []);
    later.writeInt16BE(2, 0);
    expect(readRecord(key, later)).to.equal(undefined);
    const dead = Buffer.from(value ?? []);
    dead.writeInt8(6, 2 + 8 + 2 + 4);
    expect(() => readRecord(key, dead)).to.throw('state 6');
  });
});
