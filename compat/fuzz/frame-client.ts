/** A connection that sends anything and takes whatever comes: an answer, an end, or nothing for a while. */
import { connect, type Socket } from 'node:net';
import type { Address } from '../../test/support/plain-client.ts';

/** How long something is waited for that may well not come. */
const SHORT_PATIENCE_MS = 40;
const PATIENCE_MS = 400;

export class FrameClient {
  readonly #to: Address;
  #socket: Socket | undefined;
  #wake: () => void = () => undefined;

  constructor(to: Address) {
    this.#to = to;
  }

  /** Sends a frame's content behind its size; resolves with the first bytes that come back, the end of the connection, or the end of patience. */
  async exchange(content: Buffer, expectsAnswer: boolean): Promise<void> {
    const socket = this.#socket ?? this.#open();
    const size = Buffer.alloc(4);
    size.writeInt32BE(content.length);
    const heard = new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, expectsAnswer ? PATIENCE_MS : SHORT_PATIENCE_MS, false);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
    socket.write(Buffer.concat([size, content]));
    // Whoever is still waiting for an answer is not asked again on the same connection.
    if (!(await heard)) this.close();
  }

  #open(): Socket {
    const socket = connect({ host: this.#to.host, port: this.#to.port, noDelay: true });
    socket.on('data', () => this.#wake());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#wake();
    });
    this.#socket = socket;
    return socket;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}
