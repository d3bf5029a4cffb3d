/** `meta.properties` as java.util.Properties writes and reads it. */
import { expect } from 'chai';
import { formatMetaProperties, readMetaProperties } from '../../src/log/meta-properties.ts';
import { FilesInMemory } from '../support/files-in-memory.ts';

const IDENTITY = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'U0NSzs5MRFCWG_YBqsIJvA' };

describe('meta.properties', () => {
  it('are the bytes that Apache Kafka writes', () => {
    expect(formatMetaProperties(IDENTITY, Date.UTC(2026, 10, 22, 14, 25, 35))).to.equal(
      '#\n#Sun Nov 22 14:25:35 UTC 2026\nnode.id=1\ndirectory.id=U0NSzs5MRFCWG_YBqsIJvA\nversion=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\n',
    );
  });

  const read = (content: string | undefined) => {
    const files = new FilesInMemory();
    if (content !== undefined) files.writeFile('/data/meta.properties', content);
    return readMetaProperties(files, '/data');
  };

  it('are read in any order, with blanks, comments and either line end', () => {
    expect(read(formatMetaProperties(IDENTITY, 0))).to.deep.equal(IDENTITY);
    const text = `# a\r\n! b\r\ncluster.id = ${IDENTITY.clusterId} \r\nversion:1\r\nnode.id=1\r\nother=x\r\ndirectory.id=${IDENTITY.directoryId}`;
    expect(read(text)).to.deep.equal(IDENTITY);
  });

  it('are nothing where there is no file', () => {
    expect(read(undefined)).to.equal(undefined);
  });

  for (const [what, [from, to, sentence]] of Object.entries({
    'another version': [
      'version=1',
      'version=0',
      '/data/meta.properties is of version 0, and only 1 can be read; restore the file',
    ],
    'no cluster': ['cluster.id=', 'x=', '/data/meta.properties has no cluster.id; restore the file or format the directory anew'],
    'no directory': ['directory.id=', 'x=', '/data/meta.properties has no directory.id'],
    'a node that is none': [
      'node.id=1',
      'node.id=one',
      '/data/meta.properties has node.id "one", which is no node id; restore the file',
    ],
  } as const)) {
    it(`with ${what} say so`, () => {
      expect(() => read(formatMetaProperties(IDENTITY, 0).replace(from, to))).to.throw(sentence);
    });
  }
});
