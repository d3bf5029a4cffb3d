import { expect } from 'chai';
import { coordinatorPartition, javaHashMapOrder, javaStringHash } from '../../src/wire/java-hash.ts';
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

describe("Java's hash map", () => {
  const order = (...keys: string[]): readonly string[] => javaHashMapOrder(keys, (key) => key);

  it('is gone through by the hashes of its keys, and by age where those share a place', () => {
    expect(order('c', 'b', 'a')).to.deep.equal(['a', 'b', 'c']);
    expect(order('BB', 'Aa')).to.deep.equal(['BB', 'Aa']);
    expect(order('transaction.version', 'metadata.version', 'kraft.version')).to.deep.equal([
      'kraft.version',
      'metadata.version',
      'transaction.version',
    ]);
  });

  it('has twice as many places once three quarters of them would be taken', () => {
    const few = ['0', '!', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    const isFirst = (keys: readonly string[], one: string, other: string): boolean => keys.indexOf(one) < keys.indexOf(other);
    expect(isFirst(order(...few), '0', '!')).to.equal(true);
    expect(isFirst(order(...few, 'k'), '!', '0')).to.equal(true);
  });
});
