/**
 * Request headers and response frames. The header's own version follows from the API and its version: 2 for flexible requests, else 1; responses 1
 * for flexible ones, else 0, and always 0 for ApiVersions, whose answer a client must be able to read before it knows what the broker speaks (KIP-511).
 */
import type { ApiName } from './generated/apis.ts';
import { type AdvertisedRange, BROKER_APIS } from './generated/release.ts';
import { readRequestHeader } from './generated/request-header.ts';
import { SERVER_APIS, type ServerApi } from './generated/server-apis.ts';
import { ProtocolViolation } from './protocol-violation.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** An API as this release serves it: versions that have a schema and are not refused by the release. */
export interface ServedApi {
  readonly name: ApiName;
  readonly api: ServerApi;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** What ApiVersions shows; wider than what is served where clients need to see a lower minimum (Produce). */
  readonly advertised: AdvertisedRange;
}

export interface RequestHead {
  readonly served: ServedApi;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  /** Stands behind the header. */
  readonly body: Reader;
}

const SERVED: ReadonlyMap<number, ServedApi> = servedApis();

function servedApis(): Map<number, ServedApi> {
  const names = new Map(Object.entries(SERVER_APIS).map(([name, api]) => [api.key, name as ApiName]));
  const served = new Map<number, ServedApi>();
  for (const advertised of BROKER_APIS) {
    const name = names.get(advertised.key);
    if (name === undefined) continue;
    const api = SERVER_APIS[name] as unknown as ServerApi;
    const minVersion = Math.max(advertised.minVersion, api.minVersion);
    const maxVersion = Math.min(advertised.maxVersion, api.maxVersion);
    served.set(advertised.key, { name, api, minVersion, maxVersion, advertised });
  }
  return served;
}

export function servedApi(key: number): ServedApi | undefined {
  return SERVED.get(key);
}

/** Raises ProtocolViolation for an unknown API, DecodeError for bytes that are no header. The version may still be one that is not served. */
export function readHead(frame: Buffer): RequestHead {
  if (frame.length < 4) throw new ProtocolViolation(`a request of ${frame.length} bytes has no room for a header`);
  const key = frame.readInt16BE(0);
  const apiVersion = frame.readInt16BE(2);
  const served = SERVED.get(key);
  if (served === undefined) throw new ProtocolViolation(`unknown API key ${key}, version ${apiVersion}`);
  const body = new Reader(frame);
  const header = readRequestHeader(body, apiVersion >= served.api.flexibleFrom ? 2 : 1);
  return { served, apiVersion, correlationId: header.correlationId, clientId: header.clientId ?? '', body };
}

/** Key of ApiVersions, the one API whose response header never changes. */
export const API_VERSIONS_KEY: number = SERVER_APIS.apiVersions.key;

/** Size, header and body of one response. */
export function responseFrame<N extends ApiName>(
  api: ServerApi<N>,
  apiVersion: number,
  correlationId: number,
  body: Parameters<ServerApi<N>['writeResponse']>[1],
): Buffer[] {
  const w = new Writer();
  w.int32(0);
  w.int32(correlationId);
  if (apiVersion >= api.flexibleFrom && api.key !== API_VERSIONS_KEY) w.uvarint(0);
  api.writeResponse(w, body, apiVersion);
  const size = w.size - 4;
  const chunks = w.chunks();
  (chunks[0] as Buffer).writeInt32BE(size, 0);
  return chunks;
}
