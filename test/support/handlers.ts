/** The handlers of a running broker asked without a socket: request and answer pass through the codecs, as a client's would. */
import type { Context } from '../../src/api/context.ts';
import { type Handler, NO_REPLY } from '../../src/api/context.ts';
import { HANDLERS } from '../../src/api/table.ts';
import type { Broker } from '../../src/broker/broker.ts';
import { APIS, type Api, type ApiName, type ApiTypes } from '../../src/wire/generated/apis.ts';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';
import { FakeConnection } from './small-broker.ts';

export type Ask = <N extends ApiName>(
  name: N,
  version: number,
  request: ApiTypes[N]['requestDraft'],
) => Promise<ApiTypes[N]['response']>;

/** What is written at a version and read again: what the other side gets. */
function through<T>(
  write: (w: Writer, message: never, version: number) => void,
  read: (r: Reader, version: number) => T,
  message: unknown,
  version: number,
): T {
  const w = new Writer();
  write(w, message as never, version);
  const r = new Reader(w.concat());
  const value = read(r, version);
  if (r.remaining > 0) throw new Error(`${r.remaining} bytes left`);
  return value;
}

export function handlersOf(broker: Broker): Ask {
  return async (name, apiVersion, draft) => {
    const api = APIS[name] as unknown as Api<typeof name>;
    const handler: Handler<typeof name> | null = HANDLERS[name];
    if (handler === null) throw new Error(`${name} has no handler`);
    const request = through(api.writeRequest.bind(api), api.readRequest.bind(api), draft, apiVersion);
    const context: Context = {
      ...broker.services,
      apiVersion,
      correlationId: 1,
      clientId: 'test',
      connection: new FakeConnection(),
      principal: { type: 'User', name: 'ANONYMOUS' },
    };
    const reply = await handler(request, context);
    if (reply === NO_REPLY) throw new Error(`${name} was not answered`);
    return through(api.writeResponse.bind(api), api.readResponse.bind(api), reply, apiVersion);
  };
}

/** Every version that a broker serves of an API. */
export function versionsOf(name: ApiName): number[] {
  const { minVersion, maxVersion } = APIS[name];
  return Array.from({ length: maxVersion - minVersion + 1 }, (_unused, i) => minVersion + i);
}
