import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  CODEC_NAMES,
  type CompressionCodec,
  compress,
  decompress,
  prepareToCompress,
} from '../../../src/wire/compression/codec.ts';
import { xxhash32 } from '../../../src/wire/compression/xxhash32.ts';
import { DecodeError } from '../../../src/wire/decode-error.ts';
import { checked } from '../../support/property.ts';

const codecs = [0, 1, 2, 3, 4] as const satisfies readonly CompressionCodec[];
const MIB = 1024 * 1024;

/** Data as it comes in batches: some of it repeats. */
const data = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 400 })), { maxLength: 20 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))));

/** What a program writes. */
const words = Buffer.from(
  Array.from({ length: 5000 }, (_, i) => `{"id":${i},"name":"n${(i * 7919) % 997}","at":${i * i}}`).join(),
);

describe('compression', () => {
  for (const codec of codecs) {
    it(`${CODEC_NAMES[codec]}: what was packed is unpacked`, () => {
      checked(
        fc.property(data, (bytes) => {
          const packed = compress(codec, bytes);
          expect(decompress(codec, packed, bytes.length).equals(bytes)).to.equal(true);
          if (bytes.length > 0) expect(() => decompress(codec, packed, bytes.length - 1)).to.throw(DecodeError);
        }),
        60,
      );
    });

    it(`${CODEC_NAMES[codec]}: several blocks, and none`, () => {
      const large = Buffer.alloc(MIB + 77, 'a row of letters, and again ');
      for (let i = 0; i < large.length; i += 97) large[i] = i & 0xff;
      expect(decompress(codec, compress(codec, large), 2 * MIB).equals(large)).to.equal(true);
      expect(decompress(codec, compress(codec, Buffer.alloc(0)), 10).length).to.equal(0);
    });
  }

  it('refuses codecs that do not exist', () => {
    for (const codec of [5, 6, 7, -1])
      expect(() => decompress(codec, Buffer.alloc(10), 100)).to.throw(DecodeError, 'unknown compression codec');
  });
});

describe('lz4 blocks', () => {
  const frame = (block: string): Buffer => {
    const bytes = Buffer.from(block, 'hex');
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return Buffer.concat([Buffer.from('04224d18604082', 'hex'), size, bytes, Buffer.alloc(4)]);
  };

  const read = (...parts: readonly string[]): string => decompress(3, frame(parts.join('')), 100_000).toString();
  const refused = (...parts: readonly string[]): Chai.Assertion => expect(() => read(...parts)).to.throw(DecodeError);
  const letters = (count: number): string => Buffer.alloc(count, 'bcdefghijklmnopqr').toString('hex');

  it('copy what they have written, overlaps included', () => {
    expect(read('1f61010000', '50', letters(5))).to.equal(`${'a'.repeat(20)}bcdef`);
    expect(read('346162630300', '50', letters(5))).to.equal('abcabcabcabbcdef');
  });

  // As Apache Kafka's own reader takes them and refuses them.
  it('end with literals of their own, at least five of them', () => {
    refused('1f61010000');
    refused('14610100', '40', letters(4));
    expect(read('14610100', '50', letters(5))).to.equal(`${'a'.repeat(9)}bcdef`);
    refused('e0', letters(13));
    expect(read('d0', letters(13))).to.equal('bcdefghijklmn');
  });

  it('may end otherwise where few literals come early enough, or a length takes bytes', () => {
    refused('d0', letters(13), '0100', '00');
    expect(read('e0', letters(14), '0100', '00')).to.equal('bcdefghijklmnooooo');
    expect(read('1f610100', 'ffff00', '30', letters(3))).to.equal(`${'a'.repeat(530)}bcd`);
    refused('1f610100', 'ffff00', '20', letters(2));
  });

  it('have no match within five bytes of the largest size', () => {
    const bytesOf255 = 'ff'.repeat(256);
    expect(read('1f610100', bytesOf255, 'e7', '30', letters(3)).length).to.equal(65_534);
    refused('1f610100', bytesOf255, 'e8', '30', letters(3));
  });

  it('have no match that begins within twelve bytes of the largest size', () => {
    const to65520 = `1f610100${'ff'.repeat(256)}dc`;
    expect(read(to65520, '40', letters(4), '0100', '80', letters(8)).length).to.equal(65_536);
    refused(to65520, '50', letters(5), '0100', '70', letters(7));
  });

  it('have zeros where a match reaches no bytes back', () => {
    expect(read('14610000', '50', letters(5))).to.equal(`a${'\0'.repeat(8)}bcdef`);
  });

  it('never copy what was not written', () => {
    for (const block of ['1f61020000', '0f010000']) {
      expect(() => read(block, '50', letters(5))).to.throw(DecodeError, /match at/);
    }
  });
});

describe('gzip', () => {
  it('packs with its level, -1 being its default', () => {
    const [fastest = 0, usual, sixth = 0, tightest] = [1, -1, 6, 9].map((level) => compress(1, words, level).length);
    expect(usual).to.equal(sixth);
    expect(sixth)
      .to.be.lessThan(fastest)
      .and.greaterThan(tightest as number);
  });
});

describe('zstd', () => {
  it('packs with its level on every release of Node, once it was waited for', async () => {
    const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `{"id":${i},"name":"n${i % 97}"}`).join());
    await prepareToCompress(4);
    const [fastest = 0, usual = 0] = [-5, 3, 19].map((level) => {
      const packed = compress(4, text, level);
      expect(decompress(4, packed, text.length).equals(text), `level ${level}`).to.equal(true);
      return packed.length;
    });
    expect(usual)
      .to.be.lessThan(fastest / 2)
      .and.lessThan(text.length / 5);
    expect(decompress(4, compress(4, Buffer.alloc(0)), 0).length).to.equal(0);
  });

  it('packs worse with every level further below zero, and as usual with level zero', async () => {
    await prepareToCompress(4);
    const sizes = [-131_072, -100, -7, -2, -1, 0].map((level) => compress(4, words, level).length);
    for (const [i, size] of sizes.slice(1).entries()) expect(size, sizes.join()).to.be.lessThan(sizes[i] as number);
    expect(compress(4, words, 0)).to.deep.equal(compress(4, words, 3));
  });
});

describe('what claims to be larger than it may be', () => {
  const bounded = (codec: CompressionCodec, packed: Buffer): void => {
    const before = process.memoryUsage().rss;
    expect(() => decompress(codec, packed, MIB)).to.throw(DecodeError);
    expect(process.memoryUsage().rss - before).to.be.lessThan(64 * MIB);
  };

  it('is not unpacked: gzip', () => bounded(1, gzipSync(Buffer.alloc(200 * MIB), { level: 1 })));

  it('is not unpacked: snappy, bare and framed', () => {
    const huge = Buffer.from('ffffffff0700', 'hex');
    bounded(2, huge);
    bounded(2, Buffer.concat([Buffer.from('82534e4150505900000000010000000100000006', 'hex'), huge]));
    expect(() => decompress(2, huge, 2 ** 31)).to.throw(DecodeError, /cannot unpack to/);
  });

  it('is not unpacked: lz4', () => {
    const match = Buffer.concat([Buffer.from('1f610100', 'hex'), Buffer.alloc(100_000, 0xff), Buffer.from('00', 'hex')]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(match.length);
    const header = Buffer.from('04224d186070', 'hex');
    const checksum = Buffer.from([(xxhash32(header, 4, 6) >>> 8) & 0xff]);
    bounded(3, Buffer.concat([header, checksum, size, match, Buffer.alloc(4)]));
  });

  it('is not unpacked: zstd, by declared size, window or blocks', () => {
    bounded(4, Buffer.from('28b52ffde0ffffffffffff0f00010000', 'hex'));
    bounded(4, Buffer.from('28b52ffd00f84d0000000000000000000000', 'hex'));
    const runs = Array.from({ length: 300 }, () => Buffer.from('02001000', 'hex'));
    bounded(4, Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), ...runs, Buffer.from('010000', 'hex')]));
  });
});
