import { expect } from 'chai';
import { coordinatorPartition, javaStringHash } from '../../src/wire/java-hash.ts';
import { vectors } from '../support/protocol-data.ts';

interface Row {
  readonly key: string;
  readonly stringHash: number;
  readonly coordinatorPartitionOf50: number;
}

describe("Java's string hash", () => {
  it('places ids as Kafka does', () => {
    const rows = vectors<Row>('partitions.jsonl');
    expect(rows.length).to.be.greaterThan(50);
    for (const { key, stringHash, coordinatorPartitionOf50 } of rows) {
      expect(javaStringHash(key), key).to.equal(stringHash);
      expect(coordinatorPartition(key, 50), key).to.equal(coordinatorPartitionOf50);
    }
  });

  it('counts the smallest hash as 0', () => {
    expect(javaStringHash('polygenelubricants')).to.equal(-0x8000_0000);
    expect(coordinatorPartition('polygenelubricants', 50)).to.equal(0);
  });
});
