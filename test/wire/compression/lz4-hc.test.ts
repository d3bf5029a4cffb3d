import { createRequire } from 'node:module';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { compress, decompress, LZ4 } from '../../../src/wire/compression/codec.ts';
import { HC_BLOCK_BYTES, packBlockHc } from '../../../src/wire/compression/lz4-hc.ts';
import { checked, randomOf, SEED } from '../../support/property.ts';

const native = createRequire(import.meta.url)('lz4-napi') as { uncompressSync(data: Buffer): Buffer };

const LEVELS = Array.from({ length: 17 }, (_, i) => i + 1);

function unpacked(block: Buffer, size: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(size);
  return native.uncompressSync(Buffer.concat([prefix, block]));
}

interface Sequence {
  readonly literals: number;
  /** Where the match begins, how long it is and how far back it reaches; none in the last sequence. */
  readonly match: { readonly at: number; readonly length: number; readonly distance: number } | undefined;
}

/** A reader of its own, which says how a block is made. */
function sequencesOf(block: Buffer): Sequence[] {
  const sequences: Sequence[] = [];
  let position = 0;
  let at = 0;
  const extended = (length: number): number => {
    let whole = length;
    if (length !== 15) return whole;
    for (;;) {
      const byte = block.readUInt8(position++);
      whole += byte;
      if (byte < 255) return whole;
    }
  };
  while (position < block.length) {
    const token = block.readUInt8(position++);
    const literals = extended(token >>> 4);
    position += literals;
    at += literals;
    if (position === block.length) {
      sequences.push({ literals, match: undefined });
      break;
    }
    const distance = block.readUInt16LE(position);
    position += 2;
    const length = extended(token & 15) + 4;
    sequences.push({ literals, match: { at, length, distance } });
    at += length;
  }
  return sequences;
}

function checkBlock(data: Buffer, level: number): Buffer {
  const block = packBlockHc(data, level);
  const context = `level ${level}, ${data.length} bytes ${data.subarray(0, 40).toString('hex')}, seed ${SEED}`;
  expect(unpacked(block, data.length).equals(data), context).to.equal(true);
  const sequences = sequencesOf(block);
  const last = sequences.at(-1);
  expect(last?.match, context).to.equal(undefined);
  if (sequences.length > 1) expect(last?.literals, context).to.be.at.least(5);
  for (const { match } of sequences) {
    if (match === undefined) continue;
    expect(match.at, context).to.be.at.most(data.length - 12);
    expect(match.distance, context).to.be.within(1, match.at);
  }
  return block;
}

/** Records as programs write them. */
function text(size: number, random: () => number): Buffer {
  const words = Array.from({ length: 400 }, () => Math.floor(random() * 36 ** 6).toString(36));
  const word = (): string => words[Math.floor(random() ** 2 * words.length)] as string;
  const parts: string[] = [];
  for (let length = 0, id = 0; length < size; id++) {
    const part = `{"id":${id},"user":"${word()}","action":"${word()}","amount":${Math.floor(random() * 1e5)},"note":"${word()} ${word()} ${word()}"}`;
    parts.push(part);
    length += part.length;
  }
  return Buffer.from(parts.join('')).subarray(0, size);
}

const pieces = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))));
const fewLetters = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3000 }).map((letters) => Buffer.from(letters));

describe('blocks of lz4, packed by level', () => {
  it('are read natively and keep the rules for their end', () => {
    const level = fc.constantFrom(...LEVELS);
    const data = fc.oneof(pieces, fewLetters).map((bytes) => bytes.subarray(0, HC_BLOCK_BYTES));
    checked(
      fc.property(data, level, (bytes, atLevel) => {
        checkBlock(bytes, atLevel);
      }),
      400,
    );
  });

  it('of every small size, and with literals and matches of every length around those that need another byte', () => {
    const random = randomOf(SEED);
    const noise = Buffer.from(Array.from({ length: 1000 }, () => Math.floor(random() * 256)));
    for (let size = 0; size <= 40; size++) {
      checkBlock(Buffer.alloc(size, 'a'), 12);
      checkBlock(Buffer.alloc(size, 'abcdefg'), 1);
      checkBlock(noise.subarray(0, size), 12);
    }
    const lengths = [4, 5, 13, 14, 15, 16, 17, 18, 19, 20, 268, 269, 270, 271, 272, 273, 274, 275, 529, 530];
    for (const length of lengths) {
      checkBlock(Buffer.concat([noise.subarray(0, length), Buffer.alloc(100, 'xy'), noise.subarray(0, length), noise]), 12);
      checkBlock(Buffer.concat([noise.subarray(0, 600), noise.subarray(10, 10 + length), Buffer.alloc(12, '-')]), 3);
    }
  });

  it('of the largest size: all alike, nothing alike, and matches as far back as they may be', () => {
    const random = randomOf(SEED);
    const noise = Buffer.from(Array.from({ length: HC_BLOCK_BYTES }, () => Math.floor(random() * 256)));
    expect(checkBlock(Buffer.alloc(HC_BLOCK_BYTES), 12).length).to.be.lessThan(300);
    expect(checkBlock(noise, 12).length).to.be.greaterThan(HC_BLOCK_BYTES);
    const far = Buffer.from(noise);
    far.copy(far, HC_BLOCK_BYTES - 100, 0, 60);
    expect(sequencesOf(checkBlock(far, 1)).map(({ match }) => match?.distance)).to.include(HC_BLOCK_BYTES - 100);
    expect(() => packBlockHc(Buffer.alloc(HC_BLOCK_BYTES + 1), 1)).to.throw('65537 bytes');
  });

  it('that repeat badly: long chains that hardly differ', () => {
    const random = randomOf(SEED);
    const letters = (count: number): Buffer =>
      Buffer.from(Array.from({ length: HC_BLOCK_BYTES }, () => Math.floor(random() * count)));
    const runs = Buffer.concat(
      Array.from({ length: 500 }, (_, i) => Buffer.concat([Buffer.alloc((i * 7) % 250), Buffer.from('x')])),
    );
    for (const data of [letters(2), letters(4), runs.subarray(0, HC_BLOCK_BYTES)])
      for (const level of [1, 17]) checkBlock(data, level);
  });

  it('of two letters in no order: the search ends before all is found, which takes half a second of the event loop and 14,700 bytes', () => {
    const random = randomOf(SEED);
    const tosses = Buffer.from(Array.from({ length: HC_BLOCK_BYTES }, () => Math.floor(random() * 2)));
    expect(checkBlock(tosses, 17).length, `seed ${SEED}`).to.be.within(16_000, 20_000);
  });

  it('are the smaller the higher the level, and smaller than the fast ones', () => {
    const data = text(300_000, randomOf(SEED));
    const sizeAt = (level: number): number => {
      const packed = compress(LZ4, data, level);
      expect(decompress(LZ4, packed, data.length).equals(data), `level ${level}`).to.equal(true);
      return packed.length;
    };
    const fast = compress(LZ4, data).length;
    expect(sizeAt(9), 'the default is the fast one').to.equal(fast);
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12].map(sizeAt);
    for (const [i, size] of sizes.entries())
      expect(size, `seed ${SEED}: ${sizes.join()}`).to.be.at.most((sizes[i - 1] ?? fast) * 1.001);
    expect(sizes[3], `seed ${SEED}`).to.be.lessThan((sizes[0] as number) * 0.99);
    expect(sizes[8], `seed ${SEED}`).to.be.lessThan(fast * 0.9);
    expect(sizeAt(17)).to.equal(sizeAt(12));
  });
});
