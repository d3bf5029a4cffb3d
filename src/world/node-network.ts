/** TCP through node:net. Addresses are told without the IPv6 wrapping of IPv4 ones, since clients are told them again. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Connection, ConnectionEvents, ListeningSocket, Network } from './network.ts';

/** `::ffff:127.0.0.1` is `127.0.0.1` to everyone but the socket that took it; a zone (`fe80::1%eth0`) stays. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

class NodeConnection implements Connection {
  readonly localHost: string;
  readonly localPort: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    this.localHost = plainAddress(socket.localAddress ?? '');
    this.localPort = socket.localPort ?? 0;
    this.remoteHost = plainAddress(socket.remoteAddress ?? '');
    this.remotePort = socket.remotePort ?? 0;
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    // An error is always followed by `close`; without a listener it would end the process.
    socket.on('error', () => undefined);
  }

  start(events: ConnectionEvents): void {
    if (this.socket.destroyed) {
      queueMicrotask(() => events.closed());
      return;
    }
    this.socket.on('data', (chunk: Buffer) => events.data(chunk));
    this.socket.on('drain', () => events.drain());
    this.socket.once('close', () => events.closed());
  }

  write(chunks: readonly Buffer[]): boolean {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded) return true;
    if (chunks.length === 1) return socket.write(chunks[0] as Buffer);
    socket.cork();
    let more = true;
    for (const chunk of chunks) more = socket.write(chunk);
    socket.uncork();
    return more;
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
    const server = createServer({ pauseOnConnect: false }, (socket) => accept(new NodeConnection(socket)));
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
