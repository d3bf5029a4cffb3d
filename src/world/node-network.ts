/** TCP through node:net. Addresses are told without the IPv6 wrapping of IPv4 ones, since clients are told them again. */
import { lookup } from 'node:dns/promises';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import type { Connection, ConnectionEvents, ListeningSocket, Network } from './network.ts';

/**
 * Every connection's bytes arrive here, are handed on at once and are copied or done with before the next read: a buffer per read, as streams make
 * them, is most of what the garbage collector has to do in a broker.
 */
const READ_BYTES = 256 * 1024;
let arrivals: Buffer | undefined;

/** Answers up to this size are joined: one more copy costs less than one more chunk in a vectored write. */
const JOIN_BELOW_BYTES = 8 * 1024;

/** More than this on its way through a socket makes the writer wait, as with streams. */
const UNDER_WAY_BYTES = 16 * 1024;
/** What sockets call bytes; not among the encodings of strings. */
const AS_BYTES: string = 'buffer';

/** `::ffff:127.0.0.1` is `127.0.0.1` to everyone but the socket that took it; a zone (`fe80::1%eth0`) stays. */
function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** What a socket stands on. Documented for clients alone (`onread` of `net.connect`), so it is asked whether it can be had. */
interface Accepted {
  _handle: { readonly useUserBuffer?: unknown } | null;
}

/** `accepted`, reading into memory that is used again and again; undefined where this Node.js cannot. */
function readingInPlace(accepted: Socket, target: () => Buffer, arrived: (chunk: Buffer) => void): Socket | undefined {
  const from = accepted as unknown as Accepted;
  const handle = from._handle;
  if (handle === null || typeof handle.useUserBuffer !== 'function') return undefined;
  from._handle = null;
  const onread = {
    buffer: target,
    callback: (size: number, bytes: Uint8Array): boolean => {
      arrived(bytes.subarray(0, size) as Buffer);
      return true;
    },
  };
  return new Socket({ handle, onread, pauseOnCreate: true } as ConstructorParameters<typeof Socket>[0]);
}

class NodeConnection implements Connection {
  readonly localHost: string;
  readonly localPort: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  private readonly socket: Socket;
  private readonly inPlace: boolean;
  private events: ConnectionEvents | undefined;
  /** Bytes handed to the socket by `put` that it has not yet taken. */
  private underWayBytes = 0;
  private drainWanted = false;

  constructor(accepted: Socket) {
    const socket = readingInPlace(
      accepted,
      () => this.events?.target?.() ?? (arrivals ??= Buffer.allocUnsafeSlow(READ_BYTES)),
      (chunk) => this.events?.data(chunk),
    );
    this.inPlace = socket !== undefined;
    this.socket = socket ?? accepted;
    this.localHost = plainAddress(this.socket.localAddress ?? '');
    this.localPort = this.socket.localPort ?? 0;
    this.remoteHost = plainAddress(this.socket.remoteAddress ?? '');
    this.remotePort = this.socket.remotePort ?? 0;
    this.socket.setNoDelay(true);
    this.socket.setKeepAlive(true);
    // An error is always followed by `close`; without a listener it would end the process.
    this.socket.on('error', () => undefined);
  }

  start(events: ConnectionEvents): void {
    const { socket } = this;
    if (socket.destroyed) {
      queueMicrotask(() => events.closed());
      return;
    }
    this.events = events;
    if (!this.inPlace) socket.on('data', (chunk: Buffer) => events.data(chunk));
    socket.on('drain', () => events.drain());
    socket.once('close', () => events.closed());
    socket.resume();
  }

  write(chunks: readonly Buffer[], written?: () => void): boolean {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded) return true;
    const done = (error?: Error | null): void => {
      if (written !== undefined && (error === undefined || error === null)) written();
    };
    if (chunks.length === 1) return this.put(chunks[0] as Buffer, done);
    let size = 0;
    for (const chunk of chunks) size += chunk.length;
    if (size <= JOIN_BELOW_BYTES) return this.put(Buffer.concat(chunks, size), done);
    socket.cork();
    let more = true;
    for (const [index, chunk] of chunks.entries()) more = socket.write(chunk, index === chunks.length - 1 ? done : undefined);
    socket.uncork();
    return more;
  }

  /** As `socket.write`, without the work of a stream around what it does for its socket: a tenth of all that a small answer costs. */
  private put(bytes: Buffer, done: (error?: Error | null) => void): boolean {
    const { socket } = this;
    // What the stream holds back goes first.
    if (socket.writableLength > 0) return socket.write(bytes, done);
    this.underWayBytes += bytes.length;
    socket._write(bytes, AS_BYTES as BufferEncoding, (error) => {
      if (socket.destroyed) return;
      this.underWayBytes -= bytes.length;
      done(error);
      if (error !== undefined && error !== null) socket.destroy();
      else if (this.drainWanted && this.underWayBytes === 0) {
        this.drainWanted = false;
        this.events?.drain();
      }
    });
    if (this.underWayBytes < UNDER_WAY_BYTES) return true;
    this.drainWanted = true;
    return false;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export interface NodeNetworkOptions {
  /** Length of the queue of connections that the operating system holds (`socket.listen.backlog.size`). */
  readonly backlog?: number;
}

export class NodeNetwork implements Network {
  private readonly backlog: number;

  constructor(options: NodeNetworkOptions = {}) {
    this.backlog = options.backlog ?? 511;
  }

  listen(host: string, port: number, accept: (connection: Connection) => void): Promise<ListeningSocket> {
    const server = createServer({ pauseOnConnect: true }, (socket) => accept(new NodeConnection(socket)));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      // An empty host is every address, IPv6 and IPv4 at once where the machine has both.
      const where = { port, backlog: this.backlog, ...(host === '' ? {} : { host }) };
      server.listen(where, () => {
        server.removeListener('error', reject);
        server.on('error', () => undefined);
        resolve(listening(server));
      });
    });
  }

  async addressOf(host: string): Promise<string> {
    const { address } = await lookup(host === '' ? 'localhost' : host, { verbatim: false });
    return plainAddress(address);
  }
}

function listening(server: Server): ListeningSocket {
  const { address, port } = server.address() as AddressInfo;
  return {
    host: plainAddress(address),
    port,
    // The callback of `close` waits for all connections; the port is free before that.
    close: () => {
      server.close();
      return Promise.resolve();
    },
  };
}
