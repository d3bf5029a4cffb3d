import { expect } from 'chai';
import { crc32c, crc32cImplementations } from '../../src/wire/crc32c.ts';
import { vectors } from '../support/protocol-data.ts';

interface Row {
  readonly bytes: string;
  readonly crc32c: number;
}

describe('crc32c', () => {
  const rows = vectors<Row>('crc32c.jsonl').map((row) => ({ bytes: Buffer.from(row.bytes, 'hex'), expected: row.crc32c }));

  it('agrees with the golden values, whole and as part of a larger buffer', () => {
    expect(rows.length).to.be.greaterThan(5);
    for (const { bytes, expected } of rows) {
      expect(crc32c(bytes)).to.equal(expected);
      const larger = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
      expect(crc32c(larger, 6, 6 + bytes.length)).to.equal(expected);
    }
  });

  it('is one function in every implementation', () => {
    const long = Buffer.alloc(70_001, 'some bytes, and more');
    for (const [name, checksum] of crc32cImplementations()) {
      for (const { bytes, expected } of rows) expect(checksum(bytes), name).to.equal(expected);
      expect(checksum(long), name).to.equal(crc32c(long));
    }
  });
});
