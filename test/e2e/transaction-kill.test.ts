/** `kill -9` at every named step of the transaction coordinator, in a process of its own: the next broker ends the transaction one way, wholly. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import type { TransactionStepName } from '../../src/host/transaction-steps.ts';
import { FEW_PARTITIONS, OneTransaction } from '../support/one-transaction.ts';
import { endsWithThis } from '../support/own-children.ts';
import { NoAnswer, PlainClient } from '../support/plain-client.ts';

const DYING = fileURLToPath(new URL('../support/dying-broker.js', import.meta.url));

/** Steps, with whether the end of the transaction is decided for sure by then. */
const STEPS: readonly (readonly [step: TransactionStepName, committed: boolean, isDecided: boolean])[] = [
  ['Empty', true, false],
  ['Ongoing', true, false],
  ['PrepareCommit', true, false],
  ['PrepareAbort', false, false],
  ['prepared', true, true],
  ['prepared', false, true],
  ['marked', true, true],
  ['marked', false, true],
  ['CompleteCommit', true, true],
  ['CompleteAbort', false, true],
  ['completed', true, true],
];

function over(client: PlainClient): OneTransaction {
  return new OneTransaction({
    ask: (name, version, request) => client.call(name, request, version, 'test'),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

async function portOf(child: ChildProcess): Promise<number> {
  const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  return Number(line.toString());
}

describe('kill -9 of a transaction coordinator', function () {
  this.timeout(60_000);
  for (const [step, committed, isDecided] of STEPS) {
    it(`at ${step} of ${committed ? 'a commit' : 'an abort'}`, async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'blumfeld-kill-'));
      const child = endsWithThis(spawn(process.execPath, [DYING, dataDir, step], { stdio: ['ignore', 'pipe', 'inherit'] }));
      const ended = once(child, 'exit');
      try {
        const dying = new PlainClient({ host: '127.0.0.1', port: await portOf(child) });
        await over(dying).prepare();
        await over(dying)
          .run(committed, false)
          .catch((error: unknown) => {
            if (!(error instanceof NoAnswer)) throw error;
          });
        dying.close();
        const [, signal] = (await ended) as [number | null, string | null];
        expect(signal).to.equal('SIGKILL');
        await using broker = await Broker.start({ port: 0, dataDir, settings: FEW_PARTITIONS });
        const port = Number(broker.bootstrapServers.slice(broker.bootstrapServers.lastIndexOf(':') + 1));
        const client = new PlainClient({ host: '127.0.0.1', port });
        await over(client).expectWhole(step, committed, isDecided);
        client.close();
      } finally {
        child.kill('SIGKILL');
        await ended;
        rmSync(dataDir, { recursive: true, force: true });
      }
    });
  }
});
