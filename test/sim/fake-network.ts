/**
 * A network inside one process: whoever listens on a port can be connected to. Bytes arrive in later turns, in order, cut as the test says; a peer that
 * does not read makes `write` return false, as a full socket buffer does.
 */
import type { Connection, ConnectionEvents, ListeningSocket, Network } from '../../src/world/network.ts';

/** How much a side holds for a peer that does not read before `write` returns false. */
const HIGH_WATER_BYTES = 64 * 1024;

export interface FakeNetworkOptions {
  /** Runs `deliver` in a later turn; a simulation passes its own order of events. */
  readonly later?: (deliver: () => void) => void;
}

/** The client's side of a connection. */
export interface FakeClient {
  readonly connection: Connection;
  /** What has arrived since the last call. */
  take(): Buffer;
  /** What has been handed over to this side and not been read, whether paused or not. */
  readonly bufferedBytes: number;
  readonly closed: boolean;
}

class FakeSide implements Connection {
  readonly localHost: string;
  readonly localPort: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  peer!: FakeSide;
  isClosed = false;
  isPaused = false;
  private events: ConnectionEvents | undefined;
  private readonly arrived: Buffer[] = [];
  private arrivedBytes = 0;
  private peerWaits = false;
  private endsAfterData = false;
  private readonly later: (deliver: () => void) => void;

  constructor(local: [string, number], remote: [string, number], later: (deliver: () => void) => void) {
    [this.localHost, this.localPort] = local;
    [this.remoteHost, this.remotePort] = remote;
    this.later = later;
  }

  get bufferedBytes(): number {
    return this.arrivedBytes;
  }

  start(events: ConnectionEvents): void {
    this.events = events;
    this.later(() => this.deliver());
  }

  write(chunks: readonly Buffer[]): boolean {
    if (this.isClosed || this.peer.isClosed) return true;
    return this.peer.arrive(Buffer.concat(chunks));
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.later(() => this.deliver());
  }

  end(): void {
    this.peer.endsAfterData = true;
    this.later(() => this.peer.deliver());
    this.later(() => this.close());
  }

  destroy(): void {
    this.close();
    this.later(() => this.peer.close());
  }

  private arrive(bytes: Buffer): boolean {
    this.arrived.push(bytes);
    this.arrivedBytes += bytes.length;
    this.later(() => this.deliver());
    this.peerWaits ||= this.arrivedBytes > HIGH_WATER_BYTES;
    return this.arrivedBytes <= HIGH_WATER_BYTES;
  }

  private deliver(): void {
    if (this.events === undefined || this.isClosed) return;
    while (!this.isPaused) {
      const chunk = this.arrived.shift();
      if (chunk === undefined) break;
      this.arrivedBytes -= chunk.length;
      this.events.data(chunk);
    }
    if (this.peerWaits && this.arrivedBytes === 0) {
      this.peerWaits = false;
      this.later(() => this.peer.drained());
    }
    if (this.endsAfterData && this.arrived.length === 0) this.close();
  }

  private drained(): void {
    if (!this.isClosed) this.events?.drain();
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.events?.closed();
  }
}

export class FakeNetwork implements Network {
  private readonly listening = new Map<number, (connection: Connection) => void>();
  private readonly later: (deliver: () => void) => void;
  private nextPort = 40_000;

  constructor(options: FakeNetworkOptions = {}) {
    this.later = options.later ?? ((deliver) => void setImmediate(deliver));
  }

  listen(host: string, port: number, accept: (connection: Connection) => void): Promise<ListeningSocket> {
    const chosen = port === 0 ? this.nextPort++ : port;
    if (this.listening.has(chosen))
      return Promise.reject(Object.assign(new Error(`port ${chosen} is taken`), { code: 'EADDRINUSE' }));
    this.listening.set(chosen, accept);
    const close = (): Promise<void> => {
      this.listening.delete(chosen);
      return Promise.resolve();
    };
    return Promise.resolve({ host, port: chosen, close });
  }

  /** Reads all that comes, unless `connection.pause()` is called. Raises an error when nobody listens. */
  connect(port: number, o: { readonly from?: string; readonly to?: string } = {}): FakeClient {
    const accept = this.listening.get(port);
    if (accept === undefined) throw Object.assign(new Error(`nobody listens on port ${port}`), { code: 'ECONNREFUSED' });
    const server: [string, number] = [o.to ?? '127.0.0.1', port];
    const client: [string, number] = [o.from ?? '127.0.0.1', this.nextPort++];
    const here = new FakeSide(client, server, this.later);
    const there = new FakeSide(server, client, this.later);
    here.peer = there;
    there.peer = here;
    const read: Buffer[] = [];
    here.start({ data: (chunk) => void read.push(chunk), drain: () => undefined, closed: () => undefined });
    this.later(() => accept(there));
    return {
      connection: here,
      take: () => Buffer.concat(read.splice(0)),
      get bufferedBytes() {
        return here.bufferedBytes;
      },
      get closed() {
        return here.isClosed;
      },
    };
  }
}
