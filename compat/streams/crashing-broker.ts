/** A broker for programs that want it to crash: Blumfeld; Apache Kafka, with its jars in APACHE_KAFKA; or the one in BOOTSTRAP, which is not killed. */
import { FEW_INTERNAL_PARTITIONS, format, newDirectory, startOn } from '../apache-kafka/directory-owner.ts';
import { BrokerProcess } from '../consistency/broker-process.ts';

export interface CrashingBroker {
  readonly bootstrap: string;
  /** `kill -9`, and a start. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** With its directory in `folder`. */
export async function startedIn(folder: string): Promise<CrashingBroker> {
  const given = process.env['BOOTSTRAP'];
  const nothing = (): Promise<void> => Promise.resolve();
  if (given !== undefined) return { bootstrap: given, crash: nothing, stop: nothing };
  const jars = process.env['APACHE_KAFKA'];
  const directory = await newDirectory(folder, FEW_INTERNAL_PARTITIONS);
  if (jars !== undefined) await format(jars, directory);
  const broker = new BrokerProcess(() => startOn(directory, jars === undefined ? 'Blumfeld' : 'Apache Kafka', jars ?? ''));
  await broker.start();
  return {
    bootstrap: `127.0.0.1:${directory.port}`,
    async crash() {
      await broker.kill('SIGKILL');
      await broker.start();
    },
    stop: () => broker.kill('SIGTERM'),
  };
}
