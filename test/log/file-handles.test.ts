import { expect } from 'chai';
import { FileHandles } from '../../src/log/file-handles.ts';
import { FakeFiles } from '../sim/fake-files.ts';

describe('FileHandles', () => {
  function handlesOf(capacity: number): { files: FakeFiles; handles: FileHandles } {
    const files = new FakeFiles();
    files.makeDirectory('/d');
    return { files, handles: new FileHandles(files, capacity) };
  }

  it('opens a file once and closes the least recently used ones', () => {
    const { files, handles } = handlesOf(2);
    const a = handles.file('/d/a');
    expect(handles.file('/d/a')).to.equal(a);
    handles.file('/d/b');
    handles.file('/d/a');
    handles.file('/d/c');
    expect([...files.openFiles].map((file) => file.path)).to.have.members(['/d/a', '/d/c']);
  });

  it('closes no file that someone is reading', async () => {
    const { files, handles } = handlesOf(1);
    files.writeFile('/d/a', 'abc');
    let done: () => void = () => undefined;
    const reading = handles.borrow('/d/a', async (file) => {
      await new Promise<void>((resolve) => {
        done = resolve;
      });
      const target = Buffer.alloc(3);
      await file.readLater(target, 0);
      return target.toString();
    });
    handles.file('/d/b');
    handles.release('/d/a');
    done();
    expect(await reading).to.equal('abc');
    expect([...files.openFiles].map((file) => file.path)).to.deep.equal(['/d/b']);
  });
});
