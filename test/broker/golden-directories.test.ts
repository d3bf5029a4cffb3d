/**
 * Data directories of Apache Kafka under a whole broker: clients see of them what they saw of Apache Kafka, READ_COMMITTED with really aborted transactions
 * included, all of it read from files.
 */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../src/broker/broker.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { type Ask, handlersOf } from '../support/handlers.ts';
import { eventually } from '../support/kafkajs.ts';
import { GOLDEN_NOW, type GoldenView } from '../support/golden-disk.ts';
import { FACTS } from '../support/protocol-data.ts';

interface GoldenGroup {
  readonly type: string;
  readonly offsets: {
    readonly [partition: string]: { readonly offset?: string; readonly leaderEpoch: number; readonly metadata: string };
  };
}

interface Golden {
  readonly view: {
    readonly partitions: { readonly [partition: string]: GoldenView };
    readonly groups: { readonly [groupId: string]: GoldenGroup };
    readonly transactions: { readonly [transactionalId: string]: { readonly producerId: string; readonly state: string } };
  };
}

const READ_COMMITTED = 1;
/** Less than most batches. */
const PARTITION_MAX_BYTES = 300;

function split(partition: string): { topic: string; index: number } {
  const at = partition.lastIndexOf('-');
  return { topic: partition.slice(0, at), index: Number(partition.slice(at + 1)) };
}

async function fetchOnce(ask: Ask, partition: string, fetchOffset: number, isolationLevel: number) {
  const { topic, index } = split(partition);
  const wanted = {
    partition: index,
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: PARTITION_MAX_BYTES,
  };
  const answer = await ask('fetch', 12, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1 << 20,
    isolationLevel,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions: [wanted] }],
    forgottenTopicsData: [],
  });
  const data = answer.responses[0]?.partitions[0];
  if (data?.errorCode !== 0) throw new Error(`fetch of ${partition} at ${fetchOffset}: error ${data?.errorCode}`);
  return data;
}

/** Offsets of the records that a consumer would hand to its application. */
async function consumed(ask: Ask, partition: string, start: number, isolationLevel: number): Promise<number[]> {
  const offsets: number[] = [];
  for (let offset = start; ; ) {
    const { records, abortedTransactions } = await fetchOnce(ask, partition, offset, isolationLevel);
    const batches = batchesOf(records ?? Buffer.alloc(0));
    if (batches.length === 0) return offsets;
    const aborted = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset));
    const open = new Set<number>();
    for (const batch of batches) {
      while (aborted[0] !== undefined && Number(aborted[0].firstOffset) <= batch.lastOffset)
        open.add(Number(aborted.shift()?.producerId));
      if (batch.isControl) open.delete(batch.producerId);
      else if (!(batch.isTransactional && open.has(batch.producerId)))
        for (const record of recordsOf(batch)) if (record.offset >= offset) offsets.push(record.offset);
      offset = batch.lastOffset + 1 > offset ? batch.lastOffset + 1 : offset;
    }
  }
}

async function listed(ask: Ask, partition: string, timestamp: bigint, isolationLevel: number): Promise<string> {
  const { topic, index } = split(partition);
  const partitions = [{ partitionIndex: index, currentLeaderEpoch: -1, timestamp }];
  const answer = await ask('listOffsets', 7, { replicaId: -1, isolationLevel, topics: [{ name: topic, partitions }] });
  return String(answer.topics[0]?.partitions[0]?.offset);
}

for (const name of ['before-cleaning', 'after-cleaning', 'killed']) {
  describe(`A broker on the golden data directory ${name}`, function () {
    this.timeout(30_000);
    const { view } = JSON.parse(readFileSync(join(FACTS, 'disk', `${name}.json`), 'utf8')) as Golden;
    let dataDir: string;
    let broker: Broker;
    let ask: Ask;

    before(async () => {
      dataDir = mkdtempSync(join(tmpdir(), 'blumfeld-'));
      execFileSync('tar', ['xzf', join(FACTS, 'disk', `${name}.tar.gz`), '-C', dataDir]);
      broker = await Broker.start({ port: 0, dataDir, clock: new VirtualClock(GOLDEN_NOW) });
      ask = handlersOf(broker);
    });
    after(async () => {
      await broker.stop();
      rmSync(dataDir, { recursive: true });
    });

    it('shows every partition from its start to its end', async () => {
      const { topics } = await ask('metadata', 12, { topics: null });
      const partitions = topics
        .filter(({ isInternal }) => !isInternal)
        .flatMap((topic) => topic.partitions.map(({ partitionIndex }) => `${topic.name}-${partitionIndex}`));
      expect(partitions).to.have.members(Object.keys(view.partitions));
      for (const [partition, { start, highWatermark, lastStableOffset }] of Object.entries(view.partitions)) {
        const ends = [
          await listed(ask, partition, -2n, 0),
          await listed(ask, partition, -1n, 0),
          await listed(ask, partition, -1n, READ_COMMITTED),
        ];
        expect(ends, partition).to.deep.equal([start, highWatermark, lastStableOffset]);
      }
    });

    it('gives consumers of either isolation level the records they had', async () => {
      for (const [partition, { start, readCommitted, readUncommitted }] of Object.entries(view.partitions)) {
        expect(await consumed(ask, partition, Number(start), 0), partition).to.deep.equal(readUncommitted);
        expect(await consumed(ask, partition, Number(start), READ_COMMITTED), partition).to.deep.equal(readCommitted);
      }
    });

    it('knows how far groups of consumers had come', async () => {
      for (const [groupId, { type, offsets }] of Object.entries(view.groups)) {
        if (type === 'Share') continue;
        const found = await ask('findCoordinator', 4, { keyType: 0, coordinatorKeys: [groupId] });
        expect(found.coordinators[0]?.errorCode).to.equal(0);
        const request = { groups: [{ groupId, memberId: null, memberEpoch: -1, topics: null }], requireStable: false };
        const { groups } = await ask('offsetFetch', 9, request);
        expect(groups[0]?.errorCode, groupId).to.equal(0);
        const known = (groups[0]?.topics ?? []).flatMap((topic) =>
          topic.partitions.map((one) => [
            `${topic.name}-${one.partitionIndex}`,
            String(one.committedOffset),
            one.committedLeaderEpoch,
            one.metadata,
          ]),
        );
        const wanted = Object.entries(offsets).map(([partition, one]) => [partition, one.offset, one.leaderEpoch, one.metadata]);
        expect(known, groupId).to.have.deep.members(wanted);
      }
    });

    it('knows its transactions, and ends the one that was open', async () => {
      const known = await eventually(
        () => ask('listTransactions', 1, { stateFilters: [], producerIdFilters: [] }),
        ({ errorCode }) => errorCode !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
      );
      const states = Object.fromEntries(
        known.transactionStates.map(({ transactionalId, producerId, transactionState }) => [
          transactionalId,
          { producerId: String(producerId), state: transactionState },
        ]),
      );
      expect(states).to.deep.equal(view.transactions);
      for (const transactionalId of Object.keys(view.transactions)) {
        await eventually(
          () => ask('initProducerId', 5, { transactionalId, transactionTimeoutMs: 60_000 }),
          ({ errorCode }) => errorCode === 0,
        );
      }
      for (const partition of Object.keys(view.partitions)) {
        expect(await listed(ask, partition, -1n, READ_COMMITTED), partition).to.equal(await listed(ask, partition, -1n, 0));
      }
    });
  });
}
