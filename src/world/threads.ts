/** Long computations off the event loop: a thread shares nothing with who started it; messages are copied, in the order they were sent. */

export interface Port {
  post(message: object): void;
  /** One listener, told from the next turn of the event loop on. */
  onMessage(listener: (message: unknown) => void): void;
}

export interface Thread extends Port {
  /** Told when the thread has ended by itself, which none does unless it is broken. */
  onEnd(listener: (reason: Error) => void): void;
  /** Ends it wherever it stands. */
  end(): Promise<void>;
}

export interface Threads {
  start(): Thread;
}
