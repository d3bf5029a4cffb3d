import { expect } from 'chai';
import { array, assert, integer, property, uint8Array } from 'fast-check';
import { FrameReader } from '../../src/wire/frame.ts';
import { ProtocolViolation } from '../../src/wire/protocol-violation.ts';

function framed(...bodies: readonly Buffer[]): Buffer {
  return Buffer.concat(bodies.flatMap((body) => [sizeOf(body.length), body]));
}

function sizeOf(size: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(size);
  return bytes;
}

function drain(reader: FrameReader): string[] {
  const frames: string[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame.toString('latin1'));
  return frames;
}

describe('frames', () => {
  const bodies = ['first', '', 'x', 'the last one'].map((text) => Buffer.from(text));
  const stream = framed(...bodies);
  const texts = bodies.map(String);

  it('come out whole, wherever the stream is cut in two', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const reader = new FrameReader(100);
      reader.push(stream.subarray(0, cut));
      const frames = drain(reader);
      reader.push(stream.subarray(cut));
      expect([...frames, ...drain(reader)], `cut at ${cut}`).to.deep.equal(texts);
      expect(reader.waitingBytes).to.equal(0);
    }
  });

  it('come out whole, byte by byte', () => {
    const reader = new FrameReader(100);
    const frames: string[] = [];
    for (const byte of stream) {
      reader.push(Buffer.from([byte]));
      frames.push(...drain(reader));
    }
    expect(frames).to.deep.equal(texts);
  });

  it('come out whole for any frames in any chunks', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fff_ffff);
    assert(
      property(array(uint8Array({ maxLength: 300 })), array(integer({ min: 1, max: 500 }), { minLength: 1 }), (frames, cuts) => {
        const whole = framed(...frames.map((frame) => Buffer.from(frame)));
        const reader = new FrameReader(300);
        const found: string[] = [];
        for (let at = 0, i = 0; at < whole.length; i++) {
          const size = cuts[i % cuts.length] as number;
          reader.push(whole.subarray(at, at + size));
          at += size;
          if (i % 3 !== 0) found.push(...drain(reader));
        }
        found.push(...drain(reader));
        expect(found).to.deep.equal(frames.map((frame) => Buffer.from(frame).toString('latin1')));
      }),
      { seed, numRuns: 200 },
    );
  });

  it('have memory of their own, at most twice their size', () => {
    const body = Buffer.alloc(5000, 'b');
    const chunk = framed(body, Buffer.from('next'));
    const reader = new FrameReader(10_000);
    reader.push(chunk);
    const frame = reader.next();
    reader.own();
    chunk.fill(0);
    expect(frame?.equals(body)).to.equal(true);
    expect(frame?.buffer.byteLength).to.be.below(2 * body.length);
    expect(drain(reader)).to.deep.equal(['next']);
  });

  it('come out whole for any chunks in memory that is used again, read in place where a reader offers room', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fff_ffff);
    const sizes = array(integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 6 });
    const reads = array(integer({ min: 1, max: 70_000 }), { minLength: 1 });
    assert(
      property(sizes, reads, (frameSizes, readSizes) => {
        const frames = frameSizes.map((size, i) => Buffer.alloc(size, `${i}-of-many `));
        const whole = framed(...frames);
        const memory = Buffer.alloc(70_000);
        const reader = new FrameReader(200_000);
        const found: Buffer[] = [];
        for (let at = 0, i = 0; at < whole.length; i++) {
          const into = reader.target() ?? memory;
          const size = whole.copy(
            into,
            0,
            at,
            Math.min(whole.length, at + Math.min(into.length, readSizes[i % readSizes.length] as number)),
          );
          reader.push(into.subarray(0, size));
          at += size;
          if (i % 3 !== 1) for (let frame = reader.next(); frame !== undefined; frame = reader.next()) found.push(frame);
          reader.own();
          memory.fill('?');
        }
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) found.push(frame);
        expect(found.map((frame) => frame.length)).to.deep.equal(frameSizes);
        for (const [i, frame] of found.entries()) expect(frame.equals(frames[i] as Buffer), `frame ${i}`).to.equal(true);
      }),
      { seed, numRuns: 100 },
    );
  });

  it('of a negative size or one above the limit are violations, before anything is allocated', () => {
    for (const size of [-1, -(2 ** 31), 101, 2 ** 31 - 1]) {
      const reader = new FrameReader(100);
      reader.push(sizeOf(size));
      expect(() => reader.next(), String(size)).to.throw(ProtocolViolation, String(size));
      expect(reader.heldBytes).to.equal(0);
    }
    const atTheLimit = new FrameReader(100);
    atTheLimit.push(sizeOf(100));
    expect(atTheLimit.next()).to.equal(undefined);
  });

  it('cost what has arrived of them, not what their size promises', () => {
    const reader = new FrameReader(2 ** 30);
    reader.push(sizeOf(2 ** 30));
    expect(reader.next()).to.equal(undefined);
    expect(reader.heldBytes).to.equal(0);
    let arrived = 0;
    for (let i = 0; i < 100; i++) {
      reader.push(Buffer.alloc(64 * 1024));
      arrived += 64 * 1024;
      expect(reader.next()).to.equal(undefined);
      expect(reader.heldBytes).to.be.at.most(Math.max(1 << 20, 16 * arrived));
    }
  });

  it('wait while they are not admitted', () => {
    let open = false;
    const asked: number[] = [];
    const reader = new FrameReader(100, (bytes) => {
      asked.push(bytes);
      return open;
    });
    reader.push(framed(Buffer.from('hello')));
    expect(reader.next()).to.equal(undefined);
    expect(reader.admittedBytes).to.equal(0);
    open = true;
    expect(reader.next()?.toString()).to.equal('hello');
    expect(asked).to.deep.equal([5, 5]);
    expect(reader.admittedBytes).to.equal(0);
  });
});
