/** TCP as a server sees it. */
export interface Network {
  /** Port 0 picks a free one. Rejects with the operating system's error, whose `code` is such as EADDRINUSE. */
  listen(host: string, port: number, accept: (connection: Connection) => void): Promise<ListeningSocket>;
  /** The address of a host by its name, as `remoteHost` of its connections is told; of the empty name this machine's own. Rejects where nobody knows it. */
  addressOf(host: string): Promise<string>;
}

export interface ListeningSocket {
  readonly host: string;
  readonly port: number;
  /** Accepts no more; connections stay. */
  close(): Promise<void>;
}

export interface ConnectionEvents {
  /** The memory of `chunk` may be used again once `data` has returned, unless it is part of what `target` gave. */
  data(chunk: Buffer): void;
  /** Where the next bytes are best put, so that nobody has to copy them; undefined for the network's own memory. A network may ignore it. */
  target?(): Buffer | undefined;
  /** What was written has been taken over by the operating system, after `write` had returned false. */
  drain(): void;
  /** Once, whatever the reason. */
  closed(): void;
}

export interface Connection {
  readonly localHost: string;
  readonly localPort: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  /** Called once, before the first event. */
  start(events: ConnectionEvents): void;
  /**
   * All chunks in one go. False: the peer is slow, wait for `drain`. `written` runs once the chunks' memory is no longer looked at; never where the
   * connection has ended before.
   */
  write(chunks: readonly Buffer[], written?: () => void): boolean;
  /** No more `data` until `resume`. */
  pause(): void;
  resume(): void;
  /** Closes after what was written has left. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}
