import { expect } from 'chai';
import { putUuid, randomUuid, stringOfUuid, ZERO_UUID } from '../../src/wire/uuid.ts';

describe('uuids', () => {
  it('are 22 characters outside and sixteen bytes inside', () => {
    const bytes = Buffer.alloc(20, 0xff);
    putUuid(bytes, ZERO_UUID, 2);
    expect(bytes.toString('hex')).to.equal(`ffff${'00'.repeat(16)}ffff`);
    expect(stringOfUuid(bytes, 2)).to.equal(ZERO_UUID);
    for (const wrong of ['', 'AAAA', `${ZERO_UUID}A`, '*'.repeat(22)]) expect(() => putUuid(bytes, wrong, 0)).to.throw(TypeError);
  });

  it('are drawn of version 4, and again where they would begin with a hyphen', () => {
    const draws = [Buffer.alloc(16, 0xfb), Buffer.alloc(16, 0xff), Buffer.alloc(16, 0)];
    const random = { bytes: () => draws.shift() ?? Buffer.alloc(16) };
    expect(stringOfUuid(Buffer.alloc(16, 0xfb))).to.match(/^-/);
    const drawn = randomUuid(random);
    expect(Buffer.from(drawn, 'base64url').toString('hex')).to.equal('ffffffffffff4fffbfffffffffffffff');
    expect(Buffer.from(randomUuid(random), 'base64url').toString('hex')).to.equal('00000000000040008000000000000000');
  });
});
