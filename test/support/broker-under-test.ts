/**
 * The broker that the end-to-end suites talk to: a Blumfeld started for them, or, where `BOOTSTRAP=host:port` says so, any other broker. The same suites against
 * Apache Kafka show that what they ask for is what Apache Kafka does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spoilReleased } from '../../src/wire/recycled-memory.ts';

export interface BrokerUnderTest {
  readonly bootstrapServers: string;
  /** Stops it cleanly and starts it again on the same port and data. False where the broker is not ours to restart. */
  restart(): Promise<boolean>;
  stop(): Promise<void>;
}

export async function startBroker(): Promise<BrokerUnderTest> {
  const other = process.env['BOOTSTRAP'];
  if (other !== undefined)
    return { bootstrapServers: other, restart: () => Promise.resolve(false), stop: () => Promise.resolve() };
  const { Broker } = await import('../../src/broker/broker.ts');
  spoilReleased(true);
  const dataDir = mkdtempSync(join(tmpdir(), 'blumfeld-e2e-'));
  let broker = await Broker.start({ port: 0, dataDir });
  const bootstrapServers = broker.bootstrapServers;
  const port = Number(bootstrapServers.slice(bootstrapServers.lastIndexOf(':') + 1));
  return {
    bootstrapServers,
    async restart() {
      await broker.stop();
      broker = await Broker.start({ port, dataDir });
      return true;
    },
    async stop() {
      await broker.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
