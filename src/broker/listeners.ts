/**
 * The broker's listening sockets and everything that comes in through them.
 *
 * Ports are bound before anything is done to files, so that a second broker on the same data fails before it harms anything. Connections that arrive
 * meanwhile wait unread until `serve`.
 */
import type { SettingsView } from '../api/context.ts';
import type { Clock, Timer } from '../world/clock.ts';
import type { Connection, ListeningSocket, Network } from '../world/network.ts';
import { ClientConnection } from './connection.ts';
import { ConnectionLimits, limitsOf } from './connection-limits.ts';
import type { Dispatch } from './dispatch.ts';
import type { ListenerAddress } from './listener-config.ts';
import type { Logger } from './logger.ts';
import { RequestMemory } from './request-memory.ts';
import { SettingsError } from './settings-error.ts';

/** How long a stop waits for requests under way. */
const STOP_GRACE_MS = 1000;

export interface ListenersOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly settings: SettingsView;
  readonly log: Logger;
}

interface Waiting {
  readonly listenerName: string;
  readonly connection: Connection;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process; stop that one or choose another port',
  EACCES: 'may not be opened by this user; choose a port above 1023',
  EADDRNOTAVAIL: 'is no address of this machine; see listeners',
  ENOTFOUND: 'is not known by that name; see listeners',
};

export class Listeners {
  readonly #o: ListenersOptions;
  readonly #limits = new ConnectionLimits();
  readonly #memory: RequestMemory;
  readonly #sockets: ListeningSocket[] = [];
  readonly #connections = new Set<ClientConnection>();
  /** Not begun: the broker is not ready, or there are `max.connections`. */
  readonly #waiting: Waiting[] = [];
  readonly #maxRequestBytes: number;
  readonly #maxIdleMs: number;
  readonly #backlog: number;
  #dispatch: Dispatch | undefined;
  #nextId = 1;
  #sweep: Timer | undefined;
  #stopped: (() => void) | undefined;
  #stopping = false;
  #configured = 0;

  constructor(options: ListenersOptions) {
    const { settings } = options;
    this.#o = options;
    this.#memory = new RequestMemory(settings.long('queued.max.request.bytes'));
    this.#maxRequestBytes = settings.int('socket.request.max.bytes');
    this.#maxIdleMs = settings.long('connections.max.idle.ms');
    this.#backlog = settings.int('socket.listen.backlog.size');
  }

  get connections(): ReadonlySet<ClientConnection> {
    return this.#connections;
  }

  /** Goes on by the limits that are in force. Rejects with SettingsError, and the limits stay as they are. */
  async configure(inForce: (name: string) => string): Promise<void> {
    const turn = ++this.#configured;
    const limits = await limitsOf(inForce, this.#o.network);
    if (turn !== this.#configured) return;
    this.#limits.configure(limits);
    this.#admitWaiting();
  }

  /** Opens one listener; the answer has the port that was really opened. Raises SettingsError that says what to do. */
  async bind(address: ListenerAddress): Promise<ListenerAddress> {
    const { name, host, port } = address;
    try {
      const socket = await this.#o.network.listen(host, port, (connection) => this.#accept({ listenerName: name, connection }));
      this.#sockets.push(socket);
      return { name, host, port: socket.port };
    } catch (error) {
      const code = (error as { code?: string }).code ?? String(error);
      const what = code === 'EADDRINUSE' || code === 'EACCES' ? `Port ${port}` : `Address ${host}`;
      throw new SettingsError(`${what} (listener ${name}) ${REASONS[code] ?? `cannot be opened: ${code}`}`);
    }
  }

  /** From now on requests are answered. */
  serve(dispatch: Dispatch): void {
    this.#dispatch = dispatch;
    this.#admitWaiting();
  }

  /** Accepts no more, lets requests under way end (not those that wait for others), closes all connections. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { connection } of this.#waiting.splice(0)) connection.destroy();
    await Promise.all(this.#sockets.splice(0).map((socket) => socket.close()));
    for (const connection of this.#connections) connection.stop();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        const grace = this.#o.clock.after(STOP_GRACE_MS, resolve);
        this.#stopped = () => {
          grace.cancel();
          resolve();
        };
      });
    }
    for (const connection of this.#connections) connection.destroy();
    this.#sweep?.cancel();
  }

  #accept(arrived: Waiting): void {
    const { connection, listenerName } = arrived;
    if (this.#stopping || this.#waiting.length > this.#backlog) {
      connection.destroy();
      return;
    }
    if (this.#dispatch === undefined || this.#limits.isFull) {
      if (this.#dispatch !== undefined) {
        this.#o.log.warn('max.connections reached: a connection waits for a place', {
          client: connection.remoteHost,
          listener: listenerName,
        });
      }
      this.#waiting.push(arrived);
      return;
    }
    this.#begin(arrived, this.#dispatch);
  }

  #begin({ connection, listenerName }: Waiting, dispatch: Dispatch): void {
    const { clock, log } = this.#o;
    const address = connection.remoteHost;
    if (!this.#limits.enter(address)) {
      log.warn(
        `closing a connection: ${address} has all ${this.#limits.allowedFrom(address)} it may have (max.connections.per.ip)`,
        { listener: listenerName },
      );
      connection.destroy();
      return;
    }
    const client = new ClientConnection({
      id: this.#nextId++,
      listenerName,
      connection,
      dispatch,
      maxRequestBytes: this.#maxRequestBytes,
      memory: this.#memory,
      log,
      monotonic: () => clock.monotonic(),
    });
    this.#connections.add(client);
    client.onClosed(() => this.#end(client));
    client.start();
    if (this.#sweep === undefined) this.#planSweep();
  }

  #end(client: ClientConnection): void {
    this.#connections.delete(client);
    this.#limits.leave(client.remoteHost);
    if (this.#connections.size === 0) this.#stopped?.();
    this.#admitWaiting();
  }

  #admitWaiting(): void {
    while (this.#dispatch !== undefined && !this.#limits.isFull) {
      const first = this.#waiting.shift();
      if (first === undefined) return;
      this.#begin(first, this.#dispatch);
    }
  }

  /** One timer for all connections, at the time when the one that was quiet for longest is due. */
  #planSweep(): void {
    this.#sweep = undefined;
    if (this.#maxIdleMs < 0 || this.#connections.size === 0 || this.#stopping) return;
    let oldest = Number.POSITIVE_INFINITY;
    for (const { activeAtMs } of this.#connections) oldest = Math.min(oldest, activeAtMs);
    this.#sweep = this.#o.clock.after(Math.max(1, oldest + this.#maxIdleMs - this.#o.clock.monotonic()), () => this.#closeIdle());
  }

  #closeIdle(): void {
    const limit = this.#o.clock.monotonic() - this.#maxIdleMs;
    for (const connection of this.#connections) {
      if (connection.activeAtMs > limit) continue;
      this.#o.log.debug('closing a connection that was idle for connections.max.idle.ms', { client: connection.remoteHost });
      connection.destroy();
    }
    this.#planSweep();
  }
}
