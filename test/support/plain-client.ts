/** A client as plain as can be: frames over one socket, written and read by the generated codecs. Answers, closings and silences are all results. */
import { connect, type Socket } from 'node:net';
import { APIS, type Api, type ApiName, type ApiTypes } from '../../src/wire/generated/apis.ts';
import { writeRequestHeader } from '../../src/wire/generated/request-header.ts';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const address = (text: string): Address => {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(text.slice(colon + 1)) };
};

/** Why there was no answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

const PATIENCE_MS = 20_000;

export class PlainClient {
  private readonly socket: Socket;
  private readonly chunks: Buffer[] = [];
  private receivedBytes = 0;
  /** Bytes that have to be there before the next frame is whole, as far as is known. */
  private wantedBytes = 4;
  private readonly frames: Buffer[] = [];
  private wake: () => void = () => undefined;
  private closed = false;
  private nextCorrelationId = 1;
  /** How long an answer is waited for. */
  private readonly patienceMs: number;

  constructor(to: Address, patienceMs = PATIENCE_MS) {
    this.patienceMs = patienceMs;
    this.socket = connect({ host: to.host, port: to.port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.take(chunk));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  /** The answer to one request. NoAnswer when the peer closes the connection or stays silent. */
  async call<N extends ApiName>(
    name: N,
    draft: ApiTypes[N]['requestDraft'],
    version: number,
    clientId: string,
  ): Promise<ApiTypes[N]['response']> {
    for await (const answer of this.calls(name, [draft], version, clientId)) return answer;
    throw new NoAnswer('nothing was asked');
  }

  /** Sends all requests at once; their answers, in order, each as soon as it is there. */
  async *calls<N extends ApiName>(
    name: N,
    drafts: readonly ApiTypes[N]['requestDraft'][],
    version: number,
    clientId: string,
  ): AsyncGenerator<ApiTypes[N]['response']> {
    const api: Api<N> = APIS[name];
    const first = this.nextCorrelationId;
    for (const draft of drafts) {
      const w = new Writer();
      const header = { requestApiKey: api.key, requestApiVersion: version, correlationId: this.nextCorrelationId++, clientId };
      writeRequestHeader(w, header, version >= api.flexibleFrom ? 2 : 1);
      api.writeRequest(w, draft, version);
      this.sendFrame(Buffer.concat([...w.chunks()]));
    }
    for (const [i] of drafts.entries()) {
      const r = new Reader(await this.next());
      const answered = r.int32();
      if (answered !== first + i) throw new NoAnswer(`answer to ${answered} where ${first + i} was asked`);
      if (version >= api.flexibleFrom && name !== 'apiVersions') r.uvarint();
      yield api.readResponse(r, version);
    }
  }

  /** Sends a frame's content and returns the next frame's. */
  async exchange(content: Buffer): Promise<Buffer> {
    this.sendFrame(content);
    return this.next();
  }

  private sendFrame(content: Buffer): void {
    const size = Buffer.alloc(4);
    size.writeInt32BE(content.length);
    this.send(Buffer.concat([size, content]));
  }

  /** Sends bytes as they are, sizes included. */
  async exchangeBytes(bytes: Buffer): Promise<Buffer> {
    this.send(bytes);
    return this.next();
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  async next(): Promise<Buffer> {
    const deadline = Date.now() + this.patienceMs;
    for (;;) {
      const frame = this.frames.shift();
      if (frame !== undefined) return frame;
      if (this.closed) throw new NoAnswer('closed');
      const left = deadline - Date.now();
      if (left <= 0) throw new NoAnswer('silence');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.receivedBytes += chunk.length;
    if (this.receivedBytes < this.wantedBytes) return;
    let received = Buffer.concat(this.chunks.splice(0));
    this.wantedBytes = 4;
    while (received.length >= 4) {
      this.wantedBytes = 4 + received.readInt32BE(0);
      if (received.length < this.wantedBytes) break;
      this.frames.push(received.subarray(4, this.wantedBytes));
      received = received.subarray(this.wantedBytes);
      this.wantedBytes = 4;
    }
    this.chunks.push(received);
    this.receivedBytes = received.length;
    this.wake();
  }
}
