/** Where brokers of the comparison listen. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Between two calls nobody listens on the first one's port yet. */
const given = new Set<number>();

/**
 * A port for a broker that is stopped and started again. Below those that the system gives to connections: while a broker is down, a client that tries
 * to reach it could be given the broker's own port for its end, and be connected with itself.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
  throw new Error('no port is free');
}
