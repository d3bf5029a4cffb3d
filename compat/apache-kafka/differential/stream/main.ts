/** `node …/stream/main.js --kafka HOST:PORT --blumfeld HOST:PORT [--requests N] [--seed N] [--transactions]`: random streams alone, for who works on them. */
import { parseArgs } from 'node:util';
import { address } from '../../../../test/support/plain-client.ts';
import { playStreams } from './streams.ts';

const { values: options } = parseArgs({
  options: {
    kafka: { type: 'string', default: '' },
    blumfeld: { type: 'string', default: '' },
    requests: { type: 'string', default: '2000' },
    seed: { type: 'string' },
    keep: { type: 'string' },
    transactions: { type: 'boolean', default: false },
    shrunk: { type: 'string', default: '8' },
  },
});
const { failed } = await playStreams(
  { kafka: address(options.kafka), blumfeld: address(options.blumfeld) },
  {
    requests: Number(options.requests),
    shrunk: Number(options.shrunk),
    transactions: options.transactions,
    ...(options.seed === undefined ? {} : { seed: Number(options.seed) }),
    ...(options.keep === undefined ? {} : { keep: options.keep }),
  },
);
process.exitCode = failed === 0 ? 0 : 1;
