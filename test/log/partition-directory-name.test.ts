import { expect } from 'chai';
import { parseDirectoryName, retiredName } from '../../src/log/partition-directory-name.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

describe('Names of partition directories', () => {
  it('tell topic, partition and state', () => {
    expect(parseDirectoryName('with-dash-12')).to.deep.equal({ topic: 'with-dash', partition: 12, state: 'live' });
    expect(parseDirectoryName('gone-0.b4ce2c1c299c429699c329ec3e724822-delete')).to.deep.equal({
      topic: 'gone',
      partition: 0,
      state: 'delete',
    });
    expect(parseDirectoryName('a.b-3.b4ce2c1c299c429699c329ec3e724822-stray')).to.deep.equal({
      topic: 'a.b',
      partition: 3,
      state: 'stray',
    });
    expect(parseDirectoryName('t-1.b4ce2c1c299c429699c329ec3e724822-future')?.state).to.equal('future');
  });

  it('are nothing else', () => {
    for (const name of ['topic', 'topic-', '-1', 'topic-x', 'topic-1.abc-delete', 'lost+found', '.hidden']) {
      expect(parseDirectoryName(name), name).to.equal(undefined);
    }
  });

  it('stay within what a file system takes', () => {
    const random = new SeededRandom(1);
    const long = retiredName('t'.repeat(249), 7, 'delete', random);
    expect(long).to.have.length(255);
    expect(parseDirectoryName(long)).to.deep.include({ partition: 7, state: 'delete' });
    expect(parseDirectoryName(retiredName('orders', 7, 'stray', random))).to.deep.equal({
      topic: 'orders',
      partition: 7,
      state: 'stray',
    });
  });
});
