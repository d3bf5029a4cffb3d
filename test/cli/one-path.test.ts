import { expect } from 'chai';
import { onePath } from '../../src/cli/one-path.ts';

describe('The arguments of a command that looks at one path', () => {
  it('are a path and whether values are wanted, in any order', () => {
    expect(onePath(['data'], 'usage')).to.deep.equal({ path: 'data', json: false });
    expect(onePath(['--json', 'data'], 'usage')).to.deep.equal({ path: 'data', json: true });
    expect(onePath(['data', '--json'], 'usage')).to.deep.equal({ path: 'data', json: true });
  });

  it('that are wrong are told in one sentence', () => {
    for (const args of [[], ['one', 'two']]) expect(() => onePath(args, 'it takes one file')).to.throw(/^it takes one file$/);
    expect(() => onePath(['--jsno', 'data'], 'usage')).to.throw(/^Unknown option '--jsno'; see blumfeld --help$/);
  });
});
