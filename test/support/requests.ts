/** Request frames as clients send them, and answers cut out of what comes back. */
import { APIS, type ApiName, type ApiTypes } from '../../src/wire/generated/apis.ts';
import { writeRequestHeader } from '../../src/wire/generated/request-header.ts';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';

/** Size, header and body of one request. `padding` stands behind the body. */
export function requestFrame<N extends ApiName>(
  name: N,
  version: number,
  correlationId: number,
  body: ApiTypes[N]['requestDraft'],
  padding = 0,
): Buffer {
  const api = APIS[name];
  const w = new Writer();
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId: 'test' };
  writeRequestHeader(w, header, version >= api.flexibleFrom ? 2 : 1);
  api.writeRequest(w, body, version);
  const message = Buffer.concat([w.concat(), Buffer.alloc(padding)]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(message.length);
  return Buffer.concat([size, message]);
}

/** The frames in `bytes`, without their sizes; the last one may be cut. */
export function framesIn(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at);
    frames.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return frames;
}

export const correlationIdsIn = (bytes: Buffer): number[] => framesIn(bytes).map((frame) => frame.readInt32BE(0));

/** The body of a response frame. */
export function responseIn<N extends ApiName>(name: N, version: number, frame: Buffer): ApiTypes[N]['response'] {
  const api = APIS[name];
  const tagged = version >= api.flexibleFrom && name !== 'apiVersions';
  return api.readResponse(new Reader(frame, tagged ? 5 : 4), version);
}
