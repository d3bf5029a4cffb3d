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

  /** The server's side of a connection, and its client, which does not read. */
  async function withSlowPeer(): Promise<[Connection, Socket]> {
    const accepted: Connection[] = [];
    listening = await new NodeNetwork().listen('127.0.0.1', 0, (connection) => void accepted.push(connection));
    const socket = await client();
    socket.pause();
    while (accepted.length === 0) await new Promise(setImmediate);
    return [accepted[0] as Connection, socket];
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

  it('makes who writes wait for a slow peer, keeps the order of all that is written, and tells when each piece is done with', async () => {
    const [connection, socket] = await withSlowPeer();
    let drained = (): void => undefined;
    connection.start({ data: () => undefined, drain: () => drained(), closed: () => undefined });
    const sent: Buffer[] = [];
    let done = 0;
    let writes = 0;
    const write = (sizes: readonly number[]): boolean => {
      const chunks = sizes.map((size) => Buffer.alloc(size, `${writes} `));
      sent.push(...chunks);
      writes++;
      return connection.write(chunks, () => void done++);
    };
    while (write([64 * 1024]));
    const drain = new Promise<void>((resolve) => (drained = resolve));
    expect(done).to.be.lessThan(writes);
    for (const sizes of [[10], [10, 20], [9000, 70_000], [8000, 900], [30], [40_000], [5, 6, 7]]) write(sizes);
    const expected = Buffer.concat(sent);
    const received = answer(socket, expected.length);
    socket.resume();
    expect((await received).equals(expected)).to.equal(true);
    await drain;
    connection.end();
    await once(socket, 'close');
    expect(done).to.equal(writes);
  });

  it('sends what it has taken before it closes, and tells nothing more of a peer that is gone', async () => {
    const [connection, socket] = await withSlowPeer();
    let drained = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      connection.start({ data: () => undefined, drain: () => drained(), closed: resolve });
    });
    for (const isLast of [false, true]) {
      socket.pause();
      let size = 64 * 1024;
      while (connection.write([Buffer.alloc(64 * 1024)])) size += 64 * 1024;
      const drain = new Promise<void>((resolve) => (drained = resolve));
      if (isLast) connection.end();
      const received = answer(socket, size);
      socket.resume();
      expect((await received).length).to.equal(size);
      await (isLast ? closed : drain);
    }
    let told = false;
    expect(connection.write([Buffer.from('late')], () => void (told = true))).to.equal(true);
    await new Promise(setImmediate);
    expect(told).to.equal(false);
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
