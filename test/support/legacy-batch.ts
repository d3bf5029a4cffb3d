/** Message sets of magic 1, as clients before 0.11 wrote them. */
import { crc32, gzipSync } from 'node:zlib';

function message(offset: number, attributes: number, value: Buffer, timestamp: bigint): Buffer {
  const bytes = Buffer.alloc(34 + value.length);
  bytes.writeBigInt64BE(BigInt(offset));
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt8(1, 16);
  bytes.writeInt8(attributes, 17);
  bytes.writeBigInt64BE(timestamp, 18);
  bytes.writeInt32BE(-1, 26);
  bytes.writeInt32BE(value.length, 30);
  value.copy(bytes, 34);
  bytes.writeUInt32BE(crc32(bytes.subarray(16)), 12);
  return bytes;
}

/** One message, or with gzip all of them in one that has the last one's offset; theirs are relative to the first. Timestamps rise by one. */
export function legacyBatch(offsets: readonly number[], codec: 'none' | 'gzip' = 'none', timestamp = 0n): Buffer {
  const [first = 0] = offsets;
  const plain = offsets.map((offset, index) =>
    message(codec === 'gzip' ? offset - first : offset, 0, Buffer.from('value'), timestamp + BigInt(index)),
  );
  if (codec === 'none') return Buffer.concat(plain);
  return message(offsets.at(-1) ?? 0, 1, gzipSync(Buffer.concat(plain)), timestamp + BigInt(offsets.length - 1));
}
