import { expect } from 'chai';
import { LeaderEpochs } from '../../src/log/leader-epochs.ts';
import { FakeFiles } from '../sim/fake-files.ts';

async function epochsOf(...entries: readonly (readonly [number, number])[]): Promise<{ epochs: LeaderEpochs; files: FakeFiles }> {
  const files = new FakeFiles();
  files.makeDirectory('/d');
  const epochs = new LeaderEpochs(files, '/d');
  for (const [epoch, startOffset] of entries) epochs.assign(epoch, startOffset);
  epochs.save();
  await epochs.saved();
  return { epochs, files };
}

describe('LeaderEpochs', () => {
  it('keeps a file as Kafka has it, and reads it again', async () => {
    const { files, epochs } = await epochsOf([0, 0], [2, 116], [3, 169]);
    expect(files.readFile('/d/leader-epoch-checkpoint').toString()).to.equal('0\n3\n0 0\n2 116\n3 169\n');
    expect(new LeaderEpochs(files, '/d').entries()).to.deep.equal(epochs.entries());
  });

  it('says where an epoch ends', async () => {
    const { epochs } = await epochsOf([1, 10], [3, 20], [5, 30]);
    expect(epochs.endOffsetFor(5, 40)).to.deep.equal({ leaderEpoch: 5, endOffset: 40 });
    expect(epochs.endOffsetFor(4, 40)).to.deep.equal({ leaderEpoch: 3, endOffset: 30 });
    expect(epochs.endOffsetFor(3, 40)).to.deep.equal({ leaderEpoch: 3, endOffset: 30 });
    expect(epochs.endOffsetFor(0, 40)).to.deep.equal({ leaderEpoch: 0, endOffset: 10 });
    expect(epochs.endOffsetFor(6, 40)).to.deep.equal({ leaderEpoch: -1, endOffset: -1 });
    expect(epochs.endOffsetFor(-1, 40)).to.deep.equal({ leaderEpoch: -1, endOffset: -1 });
  });

  it('says which epoch an offset is of', async () => {
    const { epochs } = await epochsOf([1, 10], [3, 20]);
    expect([9, 10, 19, 20, 99].map((offset) => epochs.epochOf(offset))).to.deep.equal([-1, 1, 1, 3, 3]);
  });

  it('drops entries that a new one contradicts', async () => {
    const { epochs } = await epochsOf([1, 10], [2, 20], [3, 30]);
    epochs.assign(4, 20);
    expect(epochs.entries()).to.deep.equal([
      { epoch: 1, startOffset: 10 },
      { epoch: 4, startOffset: 20 },
    ]);
    epochs.assign(4, 25);
    expect(epochs.latest).to.deep.equal({ epoch: 4, startOffset: 20 });
  });

  it('follows truncation at both ends', async () => {
    const { epochs } = await epochsOf([1, 10], [2, 20], [3, 30]);
    epochs.truncateFromEnd(30);
    expect(epochs.latestEpoch).to.equal(2);
    epochs.truncateFromStart(25);
    expect(epochs.entries()).to.deep.equal([{ epoch: 2, startOffset: 25 }]);
  });

  it('saves what was assigned while it was saving', async () => {
    const { epochs, files } = await epochsOf([0, 0]);
    for (let i = 1; i < 50; i++) {
      epochs.assign(i, i * 2);
      epochs.save();
      if (i % 7 === 0) await Promise.resolve();
    }
    await epochs.saved();
    expect(new LeaderEpochs(files, '/d').entries()).to.deep.equal(epochs.entries());
  });

  it('leaves its file alone until it is asked to save', async () => {
    const { epochs, files } = await epochsOf([0, 0], [1, 5]);
    epochs.assign(2, 9);
    epochs.truncateFromStart(3);
    await epochs.saved();
    expect(files.readFile('/d/leader-epoch-checkpoint').toString()).to.equal('0\n2\n0 0\n1 5\n');
    epochs.save();
    await epochs.saved();
    expect(files.readFile('/d/leader-epoch-checkpoint').toString()).to.equal('0\n3\n0 3\n1 5\n2 9\n');
  });

  it('starts empty from a damaged file', () => {
    const files = new FakeFiles();
    files.makeDirectory('/d');
    files.writeFile('/d/leader-epoch-checkpoint', '0\n2\n1 0\n');
    expect(new LeaderEpochs(files, '/d').entries()).to.deep.equal([]);
  });
});
