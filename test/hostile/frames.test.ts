/** Bytes that no client of Kafka would send, and clients that send and do not read, do not end, or do not stay. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { framesIn, correlationIdsIn, requestFrame, responseIn } from '../support/requests.ts';
import { Victim } from './victim.ts';

const MIB = 1024 * 1024;

/** Sends bytes, and gives what was answered once the broker has closed; the test's own time limit bounds it. */
async function answeredAndClosed(victim: Victim, bytes: Buffer): Promise<Buffer> {
  const socket = await opened(victim);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  return Buffer.concat(chunks);
}

async function opened(victim: Victim): Promise<Socket> {
  const { host, port } = victim.address;
  const socket = connect({ host, port, noDelay: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const size = (bytes: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(bytes);
  return buffer;
};
const framed = (body: Buffer): Buffer => Buffer.concat([size(body.length), body]);
const header = (key: number, version: number): Buffer => {
  const buffer = Buffer.alloc(10);
  buffer.writeInt16BE(key, 0);
  buffer.writeInt16BE(version, 2);
  buffer.writeInt32BE(7, 4);
  buffer.writeInt16BE(-1, 8);
  return buffer;
};
const flexibleHeader = (key: number, version: number): Buffer => Buffer.concat([header(key, version), Buffer.alloc(1)]);
const metadataFrame = (id: number): Buffer => requestFrame('metadata', 12, id, { topics: null });

const TLS_HELLO = Buffer.from(`1603010200010001fc0303${'5a'.repeat(32)}20${'a5'.repeat(32)}0004130113020100019f`, 'hex');

const REFUSED: Readonly<Record<string, Buffer>> = {
  'a size one above the limit': size(104_857_601),
  'the largest size': size(0x7fff_ffff),
  'a negative size': size(-1),
  'the most negative size': Buffer.from('80000000', 'hex'),
  'a size of zero': size(0),
  'a frame too short for a header': framed(Buffer.from('0003', 'hex')),
  'a header that ends within its client id': framed(Buffer.from('0003000c000000070064', 'hex')),
  'an unknown API': framed(header(999, 0)),
  'a negative API': framed(header(-1, 0)),
  'an API of controllers': framed(header(52, 0)),
  'a version of the future': framed(header(3, 99)),
  'a negative version': framed(header(3, -1)),
  'a body of garbage': framed(Buffer.concat([header(3, 12), Buffer.alloc(64, 0xee)])),
  'an array longer than the frame': framed(Buffer.concat([header(3, 1), size(0x7fff_fff0)])),
  'a TLS hello': TLS_HELLO,
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost:9092\r\nUser-Agent: curl/8.0\r\n\r\n'),
  'an HTTP 2 preface': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  text: Buffer.from('hello, is anybody there?\n'),
  'bytes without sense': Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 151 + 128) & 0xff)),
};

describe('hostile frames', function () {
  this.timeout(60_000);
  let victim: Victim;

  before(async () => {
    victim = await Victim.start();
  });

  after(async () => {
    const { code, stderr } = await victim.stop();
    expect(code).to.equal(0);
    expect(stderr, 'nothing is said about clients that send nonsense').to.equal('');
  });

  afterEach(() => victim.isUnharmed());

  for (const [what, bytes] of Object.entries(REFUSED)) {
    it(`${what}: closed without an answer`, async () => {
      expect((await answeredAndClosed(victim, bytes)).length).to.equal(0);
    });
  }

  it('good requests before a bad one are answered', async () => {
    const answer = await answeredAndClosed(victim, Buffer.concat([metadataFrame(1), metadataFrame(2), size(-5)]));
    expect(correlationIdsIn(answer).every((id) => id === 1 || id === 2)).to.equal(true);
  });

  it('a request that comes one byte at a time is answered', async () => {
    const socket = await opened(victim);
    const answered = once(socket, 'data') as Promise<[Buffer]>;
    for (const byte of metadataFrame(9)) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [answer] = await answered;
    expect(correlationIdsIn(answer)).to.deep.equal([9]);
    socket.destroy();
  });

  it('three hundred halves of frames that claim 100 MB cost what has come of them', async () => {
    const before = victim.rssBytes();
    const sockets = await Promise.all(Array.from({ length: 300 }, () => opened(victim)));
    const half = Buffer.concat([size(104_857_600), header(0, 9), Buffer.alloc(10_000)]);
    for (const socket of sockets) socket.write(half);
    await victim.serves();
    expect((victim.rssBytes() - before) / MIB, 'resident MiB for 300 claims of 100 MB').to.be.below(80);
    for (const socket of sockets) socket.destroy();
  });

  it('ten thousand connections that come, say half a word or nothing, and leave', async () => {
    for (let batch = 0; batch < 50; batch++) {
      const sockets = await Promise.all(Array.from({ length: 200 }, () => opened(victim)));
      for (const [i, socket] of sockets.entries()) {
        if (i % 3 === 0) socket.write(metadataFrame(1).subarray(0, 9));
        if (i % 3 === 1) socket.write(metadataFrame(1));
        // No port of this machine is kept waiting for a connection that is over.
        socket.resetAndDestroy();
      }
      // Answered after all of these were accepted: the machine's queue of connections does not overflow.
      await victim.ask('metadata', 12, { topics: [] });
    }
  });

  it('a thousand requests whose answers are not read wait, and are answered once they are', async () => {
    const before = victim.rssBytes();
    const socket = await opened(victim);
    socket.pause();
    const configs = (id: number): Buffer =>
      requestFrame('describeConfigs', 4, id, {
        resources: [{ resourceType: 4, resourceName: '1', configurationKeys: null }],
        includeDocumentation: true,
      });
    for (let id = 0; id < 1000; id++) socket.write(configs(id));
    await victim.serves();
    expect((victim.rssBytes() - before) / MIB, 'resident MiB while nobody reads').to.be.below(64);
    const chunks: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      let [bytes, expected] = [0, Number.POSITIVE_INFINITY];
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        const first = chunks[0];
        if (expected === Number.POSITIVE_INFINITY && first !== undefined && first.length >= 4)
          expected = 1000 * (first.readInt32BE(0) + 4);
        if (bytes >= expected) resolve();
      });
    });
    socket.resume();
    await all;
    const ids = correlationIdsIn(Buffer.concat(chunks));
    expect(ids).to.deep.equal(Array.from({ length: 1000 }, (_, id) => id));
    socket.destroy();
  });

  it('ApiVersions of any unknown version is answered in version 0', async () => {
    const client = victim.client();
    for (const version of [-1, 6, 99, 32_767]) {
      const answer = await client.exchange(flexibleHeader(18, version));
      expect(responseIn('apiVersions', 0, answer).errorCode).to.equal(35);
      expect(framesIn(framed(answer)).length).to.equal(1);
    }
  });
});
