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
  /** How many of the bytes that have arrived come in one chunk; the rest comes in a later turn. Default: all that were written at once. */
  readonly cut?: (size: number) => number;
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
  private readonly cut: (size: number) => number;

  constructor(local: [string, number], remote: [string, number], { later, cut }: Required<FakeNetworkOptions>) {
    [this.localHost, this.localPort] = local;
    [this.remoteHost, this.remotePort] = remote;
    this.later = later;
    this.cut = cut;
  }

  get bufferedBytes(): number {
    return this.arrivedBytes;
  }

  start(events: ConnectionEvents): void {
    this.events = events;
    this.later(() => this.deliver());
  }

  write(chunks: readonly Buffer[], written?: () => void): boolean {
    if (this.isClosed || this.peer.isClosed) return true;
    const more = this.peer.arrive(Buffer.concat(chunks));
    written?.();
    return more;
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
      const size = Math.min(chunk.length, this.cut(chunk.length));
      this.arrivedBytes -= size;
      if (size < chunk.length) {
        this.arrived.unshift(chunk.subarray(size));
        this.later(() => this.deliver());
      }
      this.events.data(chunk.subarray(0, size));
      if (size < chunk.length || this.isClosed) return;
    }
    if (this.peerWaits && this.arrivedBytes === 0) {
      this.peerWaits = false;
      this.later(() => this.peer.drained());
    }
    if (this.endsAfterData && this.arrived.length === 0) this.close();
  }

  /** The process behind this side is gone: it is told nothing any more, what it wrote may still arrive, and then the peer sees the end. */
  die(): void {
    this.events = undefined;
    this.isClosed = true;
    this.later(() => this.peer.close());
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
  private readonly options: Required<FakeNetworkOptions>;
  private readonly servers = new Set<FakeSide>();
  private nextPort = 40_000;

  constructor({ later, cut }: FakeNetworkOptions = {}) {
    this.options = { later: later ?? ((deliver) => void setImmediate(deliver)), cut: cut ?? ((size) => size) };
  }

  /** Ports that are listened on, and connections whose listening side is open. */
  get inUse(): { readonly ports: readonly number[]; readonly connections: number } {
    return { ports: [...this.listening.keys()], connections: [...this.servers].filter((side) => !side.isClosed).length };
  }

  /** The process that listens has died. */
  kill(): void {
    this.listening.clear();
    for (const side of this.servers) if (!side.isClosed) side.die();
    this.servers.clear();
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

  /** Addresses are told as they are; `localhost` is the only name. */
  addressOf(host: string): Promise<string> {
    if (host === 'localhost' || host === '') return Promise.resolve('127.0.0.1');
    if (/^[\d.]+$|:/.test(host)) return Promise.resolve(host);
    return Promise.reject(Object.assign(new Error(`nobody knows ${host}`), { code: 'ENOTFOUND' }));
  }

  /** Reads all that comes, unless `connection.pause()` is called. Raises an error when nobody listens. */
  connect(
    port: number,
    o: { readonly from?: string; readonly to?: string; readonly events?: Partial<ConnectionEvents> } = {},
  ): FakeClient {
    const accept = this.listening.get(port);
    if (accept === undefined) throw Object.assign(new Error(`nobody listens on port ${port}`), { code: 'ECONNREFUSED' });
    const server: [string, number] = [o.to ?? '127.0.0.1', port];
    const client: [string, number] = [o.from ?? '127.0.0.1', this.nextPort++];
    const here = new FakeSide(client, server, this.options);
    const there = new FakeSide(server, client, this.options);
    here.peer = there;
    there.peer = here;
    const read: Buffer[] = [];
    here.start({ data: (chunk) => void read.push(chunk), drain: () => undefined, closed: () => undefined, ...o.events });
    this.options.later(() => {
      if (there.isClosed) return;
      // Whoever listened may have stopped meanwhile.
      if (this.listening.get(port) !== accept) return there.destroy();
      this.servers.add(there);
      accept(there);
    });
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
