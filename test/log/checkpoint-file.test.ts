import { expect } from 'chai';
import { formatCheckpoint, formatOffsetCheckpoint, readCheckpoint, readOffsetCheckpoint } from '../../src/log/checkpoint-file.ts';
import { FakeFiles } from '../sim/fake-files.ts';

describe('Checkpoint files', () => {
  function holding(content: string): FakeFiles {
    const files = new FakeFiles();
    files.makeDirectory('/d');
    files.writeFile('/d/f', content);
    return files;
  }

  it('are written and read as Kafka has them', () => {
    const written = formatOffsetCheckpoint([
      { topic: 'codecs', partition: 4, offset: 20 },
      { topic: 'with-dash', partition: 0, offset: 0 },
    ]);
    expect(written).to.equal('0\n2\ncodecs 4 20\nwith-dash 0 0\n');
    expect([...readOffsetCheckpoint(holding(written), '/d/f')]).to.deep.equal([
      ['codecs-4', 20],
      ['with-dash-0', 0],
    ]);
    expect(formatCheckpoint([])).to.equal('0\n0\n');
  });

  it('are nothing when missing, empty, of another version or not as long as they say', () => {
    for (const content of ['', '1\n0\n', '0\n2\na 0 1\n', '0\nx\n'])
      expect(readCheckpoint(holding(content), '/d/f')).to.equal(undefined);
    expect(readCheckpoint(holding(''), '/d/other')).to.equal(undefined);
  });
});
