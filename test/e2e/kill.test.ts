/**
 * `kill -9` under load, again and again, on one data directory: after each restart every acknowledged record is there once, where the acknowledgement said, in
 * order and unharmed; what was not acknowledged is there whole or not at all.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { runCommand } from '../support/child-broker.ts';
import { NoAnswer, PlainClient, type Address } from '../support/plain-client.ts';

const ROUNDS = 20;
const TOPIC = 'counted';
const PARTITIONS = [0, 1, 2];
const CODECS = [0, 1, 2, 3, 4] as const;

interface Acknowledged {
  readonly baseOffset: number;
  readonly values: readonly string[];
}

/** What one partition was sent: acknowledged batches by offset, and every value ever sent, in order. */
interface Ledger {
  readonly partition: number;
  readonly acknowledged: Acknowledged[];
  nextSequence: number;
}

/** A small seeded generator, so that a failing run can be repeated. */
function chance(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Sends batch after batch to one partition, each when the one before is acknowledged, until the broker is gone. */
async function sendUntilGone(
  to: Address,
  ledger: Ledger,
  below: (bound: number) => number,
  onAcknowledged: () => void,
): Promise<void> {
  const client = new PlainClient(to);
  try {
    for (;;) {
      const values = Array.from(
        { length: 1 + below(40) },
        () => `${ledger.partition}:${ledger.nextSequence++}:${'.'.repeat(below(200))}`,
      );
      const records = values.map((value) => ({ key: null, value: Buffer.from(value), timestamp: Date.now() }));
      const batch = buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, codec: CODECS[below(5)] ?? 0 });
      const answer = await client.call(
        'produce',
        {
          acks: -1,
          timeoutMs: 30_000,
          topicData: [{ name: TOPIC, partitionData: [{ index: ledger.partition, records: batch }] }],
        },
        12,
        'kill',
      );
      const one = answer.responses[0]?.partitionResponses[0];
      if (one?.errorCode !== 0) throw new Error(`partition ${ledger.partition} answered ${one?.errorCode}`);
      ledger.acknowledged.push({ baseOffset: Number(one.baseOffset), values });
      onAcknowledged();
    }
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  } finally {
    client.close();
  }
}

/** Every value of a partition by offset, checksums verified, offsets without holes. */
async function everyValue(client: PlainClient, partition: number): Promise<string[]> {
  const values: string[] = [];
  for (;;) {
    const topics = [{ topic: TOPIC, partitions: [{ partition, fetchOffset: values.length, partitionMaxBytes: 50_000_000 }] }];
    const answer = await client.call(
      'fetch',
      { maxWaitMs: 0, minBytes: 0, maxBytes: 50_000_000, topics, forgottenTopicsData: [] },
      12,
      'kill',
    );
    const one = answer.responses[0]?.partitions[0];
    if (one?.errorCode !== 0) throw new Error(`fetch of partition ${partition} answered ${one?.errorCode}`);
    const bytes = one.records;
    if (bytes === null || bytes.length === 0) {
      expect(Number(one.highWatermark), `end of partition ${partition}`).to.equal(values.length);
      return values;
    }
    for (const batch of batchesOf(bytes)) {
      expect(batch.computeCrc(), `checksum of the batch at ${batch.baseOffset}`).to.equal(batch.crc);
      for (const record of recordsOf(batch)) {
        expect(record.offset).to.equal(values.length);
        values.push(record.value?.toString() ?? 'null');
      }
    }
  }
}

function verify(ledger: Ledger, values: readonly string[]): void {
  const sequences = values.map((value) => Number(value.split(':')[1]));
  for (let i = 1; i < sequences.length; i++) {
    if ((sequences[i] ?? 0) <= (sequences[i - 1] ?? 0))
      throw new Error(`partition ${ledger.partition}: ${sequences[i]} after ${sequences[i - 1]} at offset ${i}`);
  }
  for (const { baseOffset, values: sent } of ledger.acknowledged) {
    const stored = values.slice(baseOffset, baseOffset + sent.length);
    if (stored.join() !== sent.join())
      throw new Error(`partition ${ledger.partition}: acknowledged at ${baseOffset}: ${sent[0]}…, stored: ${stored[0]}…`);
  }
}

describe('kill -9 under load', function () {
  this.timeout(90_000);
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  const below = chance(seed);
  let dataDir = '';

  before(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'blumfeld-kill-'));
  });
  after(() => rmSync(dataDir, { recursive: true, force: true }));

  it(`loses nothing acknowledged in ${ROUNDS} rounds, SEED=${seed}`, async () => {
    const ledgers: Ledger[] = PARTITIONS.map((partition) => ({ partition, acknowledged: [], nextSequence: 0 }));
    let port = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      const broker = runCommand(['start', '--port', String(port), '--data-dir', dataDir]);
      port = await broker.port();
      const address: Address = { host: '127.0.0.1', port };
      const client = new PlainClient(address);
      if (round === 0) {
        const topics = [
          {
            name: TOPIC,
            numPartitions: PARTITIONS.length,
            replicationFactor: 1,
            assignments: [],
            configs: [{ name: 'segment.bytes', value: '1048576' }],
          },
        ];
        const made = await client.call('createTopics', { topics, timeoutMs: 10_000 }, 7, 'kill');
        expect(made.topics[0]?.errorCode).to.equal(0);
      }
      for (const ledger of ledgers) verify(ledger, await everyValue(client, ledger.partition));
      client.close();
      if (round === ROUNDS) {
        broker.process.kill('SIGTERM');
        expect((await broker.ended).code).to.equal(0);
        break;
      }
      let left = 10 + below(60);
      const enough = new Promise<void>((resolve) => {
        const acknowledged = (): void => {
          if (left-- === 0) resolve();
        };
        const sending = ledgers.map((ledger) => sendUntilGone(address, ledger, below, acknowledged));
        void Promise.all(sending).then(() => resolve());
      });
      await enough;
      broker.process.kill('SIGKILL');
      await broker.ended;
    }
    const total = ledgers.reduce((sum, ledger) => sum + ledger.acknowledged.length, 0);
    expect(total).to.be.greaterThan(ROUNDS * 10);
  });
});
