/**
 * A broker that kills its own process, as `kill -9` does, at a step of the transaction coordinator. `node dying-broker.js DIRECTORY STEP`; its first line is its
 * port.
 */
import { Broker } from '../../src/broker/broker.ts';
import { FEW_PARTITIONS } from './one-transaction.ts';

const [dataDir, deadly] = process.argv.slice(2);
if (dataDir === undefined || deadly === undefined) throw new Error('name the directory and the step');
const broker = await Broker.start({
  port: 0,
  dataDir,
  settings: FEW_PARTITIONS,
  onTransactionStep: (step) => {
    if (step === deadly) process.kill(process.pid, 'SIGKILL');
  },
});
console.log(broker.bootstrapServers.slice(broker.bootstrapServers.lastIndexOf(':') + 1));
