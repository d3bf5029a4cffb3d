import { expect } from 'chai';
import { re2Pattern } from '../../src/wire/re2-pattern.ts';

describe('patterns of RE2', () => {
  it('match texts as a whole', () => {
    expect(re2Pattern('tx-[0-9]+')?.matches('tx-12')).to.equal(true);
    expect(re2Pattern('tx-[0-9]+')?.matches('my-tx-12')).to.equal(false);
    expect(re2Pattern('(?i)TX|b')?.matches('tx')).to.equal(true);
  });

  for (const pattern of ['[', '(?=a)', '(a)\\1', 'a{2000}', '*']) {
    it(`${pattern} is none`, () => expect(re2Pattern(pattern)).to.equal(undefined));
  }

  it('take no longer than their text, whatever they are: not for ever, as one that tries every way would', () => {
    expect(re2Pattern('(a*)*b')?.matches('a'.repeat(50_000))).to.equal(false);
  });
});
