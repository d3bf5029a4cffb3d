/**
 * One client's connection: bytes in, requests to the dispatch, answers out.
 *
 * Invariants:
 * - answers leave in the order of their requests;
 * - a request starts when all before it have been answered, as in Kafka, so that it sees what they did. Only Produce behind Produce starts earlier: appends
 *   happen before the handler first waits, so their order is kept, and one write serves them all;
 * - while requests wait, at most READ_AHEAD_BYTES (and one chunk) are read beyond the next one; then the peer has to wait;
 * - while the peer does not read, no request starts.
 */
import type { ConnectionInfo } from '../api/context.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { FrameReader } from '../wire/frame.ts';
import { type RequestHead, readHead } from '../wire/header.ts';
import { ProtocolViolation } from '../wire/protocol-violation.ts';
import { LENT_FROM_BYTES, release } from '../wire/recycled-memory.ts';
import type { Connection } from '../world/network.ts';
import type { Answer, Dispatch } from './dispatch.ts';
import type { Logger } from './logger.ts';
import type { RequestMemory } from './request-memory.ts';

/** Enough to notice that the peer has gone, and to have the next small requests at hand. */
const READ_AHEAD_BYTES = 64 * 1024;
/** Bounds of overlapping Produce requests of one connection. */
const MAX_OVERLAPPING = 64;
const MAX_OVERLAPPING_BYTES = 8 * 1024 * 1024;

/** What follows on it runs before anything else is looked at, as with `queueMicrotask`, which keeps account of who asked. */
const NOW = Promise.resolve();

/** A stop does not wait for requests that wait themselves. */
const WAITS_FOR_OTHERS: ReadonlySet<string> = new Set(['fetch', 'joinGroup', 'syncGroup']);

interface Pending {
  readonly head: RequestHead;
  readonly frameBytes: number;
}

interface InFlight extends Pending {
  done: boolean;
  answer: Answer;
}

export interface ClientConnectionOptions {
  readonly id: number;
  readonly listenerName: string;
  readonly connection: Connection;
  readonly dispatch: Dispatch;
  readonly maxRequestBytes: number;
  readonly memory: RequestMemory;
  readonly log: Logger;
  /** Milliseconds that never go back. */
  monotonic(): number;
}

export class ClientConnection implements ConnectionInfo {
  readonly id: number;
  readonly listenerName: string;
  readonly localHost: string;
  readonly localPort: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  closed = false;
  clientSoftwareName = 'unknown';
  clientSoftwareVersion = 'unknown';
  /** When something last came or left, by the monotonic clock. */
  activeAtMs: number;
  readonly #o: ClientConnectionOptions;
  readonly #reader: FrameReader;
  readonly #inFlight: InFlight[] = [];
  readonly #closers = new Set<() => void>();
  readonly #retry = (): void => this.#work();
  readonly #workOn = (): void => {
    this.#flushing = false;
    this.#work();
  };
  #inFlightBytes = 0;
  #next: Pending | undefined;
  #out: Buffer[] = [];
  #flushing = false;
  #working = false;
  #paused = false;
  #peerSlow = false;
  #stopping = false;

  constructor(options: ClientConnectionOptions) {
    const { connection } = options;
    this.#o = options;
    this.id = options.id;
    this.listenerName = options.listenerName;
    this.localHost = connection.localHost;
    this.localPort = connection.localPort;
    this.remoteHost = connection.remoteHost;
    this.remotePort = connection.remotePort;
    this.activeAtMs = options.monotonic();
    this.#reader = new FrameReader(options.maxRequestBytes, (bytes) => options.memory.take(bytes, this.#retry));
  }

  start(): void {
    this.#o.connection.start({
      data: (chunk) => this.#data(chunk),
      target: () => (this.closed ? undefined : this.#reader.target()),
      drain: () => this.#drain(),
      closed: () => this.#gone(),
    });
  }

  onClosed(run: () => void): () => void {
    if (this.closed) run();
    else this.#closers.add(run);
    return () => void this.#closers.delete(run);
  }

  /** Starts nothing more, and closes once what is under way is answered. */
  stop(): void {
    this.#stopping = true;
    this.#closeIfDone();
  }

  /** Closes at once. */
  destroy(): void {
    this.#o.connection.destroy();
    this.#gone();
  }

  #data(chunk: Buffer): void {
    if (this.closed) return;
    this.activeAtMs = this.#o.monotonic();
    this.#reader.push(chunk);
    this.#work();
    this.#reader.own();
  }

  #drain(): void {
    this.activeAtMs = this.#o.monotonic();
    this.#peerSlow = false;
    this.#work();
  }

  #gone(): void {
    if (this.closed) return;
    this.closed = true;
    this.#o.memory.forget(this.#retry);
    this.#o.memory.give(this.#reader.admittedBytes + (this.#next?.frameBytes ?? 0) + this.#inFlightBytes);
    this.#inFlightBytes = 0;
    this.#next = undefined;
    this.#out = [];
    for (const run of this.#closers) run();
    this.#closers.clear();
  }

  #work(): void {
    if (this.#working || this.closed) return;
    this.#working = true;
    try {
      while (this.#startNext());
    } catch (error) {
      this.#fail(error, undefined);
    } finally {
      this.#working = false;
    }
    if (this.closed) return;
    this.#flush();
    this.#readOrWait();
  }

  #startNext(): boolean {
    if (this.closed || this.#peerSlow || this.#stopping) return false;
    if (this.#next === undefined) {
      const frame = this.#reader.next();
      if (frame === undefined) return false;
      this.#next = { head: readHead(frame), frameBytes: frame.length };
    }
    const { head, frameBytes } = this.#next;
    if (!this.#mayStart(head)) return false;
    this.#next = undefined;
    const request: InFlight = { head, frameBytes, done: false, answer: undefined };
    this.#inFlight.push(request);
    this.#inFlightBytes += frameBytes;
    this.#start(request);
    return true;
  }

  #mayStart(head: RequestHead): boolean {
    const before = this.#inFlight.length;
    if (before === 0) return true;
    if (head.served.name !== 'produce' || this.#inFlight[before - 1]?.head.served.name !== 'produce') return false;
    return before < MAX_OVERLAPPING && this.#inFlightBytes < MAX_OVERLAPPING_BYTES;
  }

  #start(request: InFlight): void {
    let answer: Answer | Promise<Answer>;
    try {
      answer = this.#o.dispatch(request.head, this);
    } catch (error) {
      this.#fail(error, request.head);
      return;
    }
    if (answer instanceof Promise) {
      answer.then(
        (late) => this.#settle(request, late),
        (error: unknown) => this.#fail(error, request.head),
      );
    } else {
      this.#settle(request, answer);
    }
  }

  #settle(request: InFlight, answer: Answer): void {
    if (this.closed) return;
    request.done = true;
    request.answer = answer;
    let first = this.#inFlight[0];
    while (first?.done === true) {
      this.#inFlight.shift();
      this.#inFlightBytes -= first.frameBytes;
      this.#o.memory.give(first.frameBytes);
      // What else has to be kept of a request is copied; of others than Produce nobody has made sure of that.
      if (first.head.served.name === 'produce') release(first.head.body.buffer);
      if (first.answer !== undefined) for (const chunk of first.answer) this.#out.push(chunk);
      first = this.#inFlight[0];
    }
    if (this.#working || this.#flushing) return;
    // Answers that become ready together leave together.
    this.#flushing = true;
    void NOW.then(this.#workOn);
  }

  #flush(): void {
    if (this.#out.length > 0) {
      const chunks = this.#out;
      this.#out = [];
      this.activeAtMs = this.#o.monotonic();
      const lent = chunks.filter((chunk) => chunk.length >= LENT_FROM_BYTES);
      const written = lent.length === 0 ? undefined : (): void => lent.forEach(release);
      if (!this.#o.connection.write(chunks, written)) this.#peerSlow = true;
    }
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (!this.#stopping || this.closed) return;
    if (this.#inFlight.some(({ head }) => !WAITS_FOR_OTHERS.has(head.served.name))) return;
    if (this.#peerSlow || this.#out.length > 0) return;
    this.#o.connection.end();
    this.#gone();
  }

  #readOrWait(): void {
    const enough = this.#reader.waitingBytes > READ_AHEAD_BYTES || this.#peerSlow;
    if (enough === this.#paused) return;
    this.#paused = enough;
    if (enough) this.#o.connection.pause();
    else this.#o.connection.resume();
  }

  #fail(error: unknown, head: RequestHead | undefined): void {
    if (this.closed) return;
    const request = head === undefined ? 'a request' : `${head.served.api.name} version ${head.apiVersion}`;
    const facts = {
      client: `${this.remoteHost}:${this.remotePort}`,
      listener: this.listenerName,
      clientId: head?.clientId ?? '',
    };
    if (error instanceof ProtocolViolation) {
      this.#o.log.info(`closing a connection: ${error.message}`, facts);
    } else if (error instanceof DecodeError) {
      this.#o.log.info(`closing a connection: ${request} cannot be read: ${error.message}`, facts);
    } else {
      this.#o.log.error(`closing a connection: ${request} failed`, { ...facts, error });
    }
    this.destroy();
  }
}
