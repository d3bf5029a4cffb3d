import { expect } from 'chai';
import { ProducerEntry } from '../../src/log/producer-entry.ts';
import { ProducerSnapshots } from '../../src/log/producer-snapshots.ts';
import { FakeFiles } from '../sim/fake-files.ts';

function written(...offsets: readonly number[]): { readonly files: FakeFiles; readonly snapshots: ProducerSnapshots } {
  const files = new FakeFiles();
  files.makeDirectory('/d');
  const snapshots = new ProducerSnapshots(files, '/d', []);
  for (const offset of offsets) snapshots.write(offset, [new ProducerEntry(offset, 0)]);
  return { files, snapshots };
}

const offsetsIn = (files: FakeFiles): number[] =>
  files
    .list('/d')
    .map(({ name }) => Number(name.slice(0, 20)))
    .toSorted((a, b) => a - b);

describe('Snapshots of producers', () => {
  it('are those that the directory holds, whatever else is in it', () => {
    const { files } = written(7, 3);
    const names = [...files.list('/d').map(({ name }) => name), '00000000000000000009.log', 'x.snapshot'];
    expect(new ProducerSnapshots(files, '/d', names).latestOffset).to.equal(7);
  });

  it('drop those that are damaged for the newest sound one', () => {
    const { files, snapshots } = written(1, 2, 3);
    for (const offset of [2, 3]) files.writeFile(`/d/${String(offset).padStart(20, '0')}.snapshot`, Buffer.from('no snapshot'));
    const latest = snapshots.readLatest();
    expect(latest?.offset).to.equal(1);
    expect(latest?.entries.map(({ producerId }) => producerId)).to.deep.equal([1]);
    expect(offsetsIn(files)).to.deep.equal([1]);
  });

  it('keep only those of segments, and a newest one beyond them', () => {
    const { files, snapshots } = written(1, 2, 3, 4, 5);
    snapshots.removeStrays([0, 2, 4]);
    expect(offsetsIn(files)).to.deep.equal([2, 4, 5]);
    snapshots.removeStrays([0, 2, 5]);
    expect(offsetsIn(files)).to.deep.equal([2, 5]);
  });

  it('keep only those behind the start of the log and up to its end', () => {
    const { files, snapshots } = written(1, 2, 3, 4);
    snapshots.removeOutside(1, 3);
    expect(offsetsIn(files)).to.deep.equal([2, 3]);
    expect(snapshots.latestOffset).to.equal(3);
  });

  it('that are doubted count as gone, and are written only where they say something else', () => {
    const { files, snapshots } = written(1, 2, 3, 4);
    snapshots.doubtBehind(1);
    expect(snapshots.latestOffset).to.equal(1);
    expect(offsetsIn(files)).to.deep.equal([1, 2, 3, 4]);
    const writes: string[] = [];
    const write = files.writeFile.bind(files);
    files.writeFile = (path, content) => {
      writes.push(path);
      write(path, content);
    };
    snapshots.write(2, [new ProducerEntry(2, 0)]);
    snapshots.write(3, [new ProducerEntry(33, 0)]);
    expect(writes).to.deep.equal(['/d/00000000000000000003.snapshot']);
    snapshots.removeDoubted();
    expect(offsetsIn(files)).to.deep.equal([1, 2, 3]);
    expect(snapshots.readLatest()?.entries.map(({ producerId }) => producerId)).to.deep.equal([33]);
  });

  it('that are held are read like files, and are none', () => {
    const { files, snapshots } = written(1);
    snapshots.hold(3, [new ProducerEntry(33, 0)]);
    expect(snapshots.readLatest()?.entries.map(({ producerId }) => producerId)).to.deep.equal([33]);
    expect(offsetsIn(files)).to.deep.equal([1]);
    snapshots.letGo();
    expect(snapshots.latestOffset).to.equal(1);
  });

  it('give a file up once, and follow their directory', () => {
    const { snapshots } = written(4);
    snapshots.relocate('/e');
    expect(snapshots.release(4)).to.equal('/e/00000000000000000004.snapshot');
    expect(snapshots.release(4)).to.equal(undefined);
    expect(snapshots.latestOffset).to.equal(undefined);
  });
});
