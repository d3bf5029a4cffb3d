import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { FrameReader } from '../../src/wire/frame.ts';
import type { Connection, ListeningSocket } from '../../src/world/network.ts';
import { NodeNetwork } from '../../src/world/node-network.ts';

const LARGE_BYTES = 3_000_000;

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

describe("the machine's network", () => {
  let listening: ListeningSocket;
  let clients: Socket[] = [];

  /** Every frame goes back as it came; `connections` are the server's sides. */
  async function echo(connections: Connection[] = []): Promise<void> {
    listening = await new NodeNetwork().listen('127.0.0.1', 0, (connection) => {
      const reader = new FrameReader(LARGE_BYTES);
      connections.push(connection);
      connection.start({
        data: (chunk) => {
          reader.push(chunk);
          for (let frame = reader.next(); frame !== undefined; frame = reader.next()) connection.write([framed(frame)]);
          reader.own();
        },
        target: () => reader.target(),
        drain: () => undefined,
        closed: () => undefined,
      });
    });
  }

  async function client(): Promise<Socket> {
    const socket = connect(listening.port, '127.0.0.1');
    clients.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  async function answer(socket: Socket, size: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let got = 0;
    while (got < size) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      chunks.push(chunk);
      got += chunk.length;
    }
    return Buffer.concat(chunks);
  }

  afterEach(async () => {
    for (const socket of clients) socket.destroy();
    clients = [];
    await listening.close();
  });

  it('hands over what arrives on many connections at once without mixing it, though all read into the same memory', async () => {
    await echo();
    const sockets = await Promise.all(Array.from({ length: 8 }, client));
    const answers = sockets.map(async (socket, i) => {
      const sent = Buffer.concat([10, 70_000, 0, LARGE_BYTES, 300].map((size, k) => framed(Buffer.alloc(size, `${i}.${k} `))));
      const received = answer(socket, sent.length);
      for (let at = 0; at < sent.length; at += 100_003) socket.write(sent.subarray(at, at + 100_003));
      expect((await received).equals(sent), `connection ${i}`).to.equal(true);
    });
    await Promise.all(answers);
  });

  it('reads nothing while paused, and goes on', async () => {
    const connections: Connection[] = [];
    await echo(connections);
    const socket = await client();
    const sent = framed(Buffer.from('hello'));
    let received = answer(socket, sent.length);
    socket.write(sent);
    await received;
    connections[0]?.pause();
    received = answer(socket, sent.length);
    let came = false;
    void received.then(() => (came = true));
    await new Promise<void>((resolve) => void socket.write(sent, () => resolve()));
    await new Promise(setImmediate);
    expect(came).to.equal(false);
    connections[0]?.resume();
    expect((await received).equals(sent)).to.equal(true);
  });

  it('tells once that a connection is closed, whoever closes it', async () => {
    const closed: string[] = [];
    listening = await new NodeNetwork().listen('127.0.0.1', 0, (connection) => {
      const name = closed.length === 0 ? 'by the peer' : 'by us';
      connection.start({ data: () => connection.destroy(), drain: () => undefined, closed: () => void closed.push(name) });
    });
    const first = await client();
    first.end();
    await once(first, 'close');
    const second = await client();
    second.write('x');
    await once(second, 'close');
    expect(closed).to.deep.equal(['by the peer', 'by us']);
  });
});
