import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { md5 } from '../../src/log/md5.ts';

describe('MD5', () => {
  it('is that of OpenSSL, at every length around the ends of blocks', () => {
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 31) & 0xff));
    for (let length = 0; length <= 260; length++) {
      const digest = Buffer.from(md5(bytes, 7, 7 + length).buffer).toString('hex');
      const known = createHash('md5')
        .update(bytes.subarray(7, 7 + length))
        .digest('hex');
      expect(digest, `${length} bytes`).to.equal(known);
    }
  });
});
