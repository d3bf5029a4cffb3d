/**
 * Where clients reach brokers. What `advertised.listeners` says is obeyed. Where it says nothing, a client is told the address and port by which it reached
 * this broker, so that localhost, a container's name and a second network all work at once.
 */
import type { ConnectionInfo, Endpoint } from '../api/context.ts';
import type { ListenerEndpoint } from '../machine/metadata/broker-image.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import { isWildcard, type ListenerAddress } from './listener-config.ts';

const PLAINTEXT = 0;

/** What the metadata log holds for this broker: concrete addresses for other nodes and tools. `bound` has the ports that were really opened. */
export function registeredEndpoints(
  bound: readonly ListenerAddress[],
  advertised: ReadonlyMap<string, ListenerAddress>,
): ListenerEndpoint[] {
  return bound.map(({ name, host, port }) => {
    const said = advertised.get(name);
    return {
      name,
      host: said?.host || (isWildcard(host) ? 'localhost' : host),
      port: said === undefined || said.port === 0 ? port : said.port,
      securityProtocol: PLAINTEXT,
    };
  });
}

export interface EndpointsOptions {
  readonly nodeId: number;
  readonly rack: string | null;
  readonly image: MetadataImage;
  readonly advertised: ReadonlyMap<string, ListenerAddress>;
}

/** See Services.endpointOf. */
export function endpointLookup({ nodeId, rack, image, advertised }: EndpointsOptions) {
  return (wanted: number, connection: ConnectionInfo): Endpoint | undefined => {
    if (wanted === nodeId) {
      const said = advertised.get(connection.listenerName);
      const host = said === undefined || said.host === '' ? connection.localHost : said.host;
      const port = said === undefined || said.port === 0 ? connection.localPort : said.port;
      return { nodeId, host, port, rack };
    }
    const broker = image.brokers.get(wanted);
    const endpoint = broker?.endpoints.find(({ name }) => name === connection.listenerName);
    if (broker === undefined || endpoint === undefined) return undefined;
    return { nodeId: wanted, host: endpoint.host, port: endpoint.port, rack: broker.rack };
  };
}
