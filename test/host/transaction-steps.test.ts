/**
 * The process dies at every step of a transaction, and at every single operation of the disk: the next one finds what was written until then. A transaction whose
 * end was decided ends that way in every partition and for the group's offsets; any other ends aborted, wholly.
 */
import { expect } from 'chai';
import { TRANSACTION_STEPS, type TransactionStepName } from '../../src/host/transaction-steps.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { SmallWorld } from '../hostile/small-world.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { batchOf } from '../support/small-broker.ts';

const TOPIC = 't';
const GROUP = 'g';
const ID = 'tx';
const PARTITIONS = [0, 1, 2];
const SETTINGS = { 'transaction.state.log.num.partitions': '1', 'offsets.topic.num.partitions': '1' };

/** What the disk holds at some moment, and when that was. */
interface Moment {
  readonly when: string;
  readonly files: FakeFiles;
  /** The end is decided: it is in the log of transactions. */
  readonly isDecided: boolean;
}

interface Producer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

class Client {
  readonly world: SmallWorld;

  constructor(world: SmallWorld) {
    this.world = world;
  }

  async ask<N extends ApiName>(name: N, version: number, request: ApiTypes[N]['requestDraft']): Promise<ApiTypes[N]['response']> {
    const answer = await this.world.ask(name, version, request);
    if (answer === undefined) throw new Error(`${name} is not answered`);
    return answer;
  }

  async init(): Promise<Producer> {
    await this.ask('findCoordinator', 4, { keyType: 1, coordinatorKeys: [ID] });
    for (let asked = 0; asked < 50; asked++) {
      const answer = await this.ask('initProducerId', 5, { transactionalId: ID, transactionTimeoutMs: 60_000 });
      if (answer.errorCode === 0) return { transactionalId: ID, ...answer };
      await this.world.clock.advance(20);
    }
    throw new Error('no producer');
  }

  async transaction(committed: boolean, isOlder: boolean): Promise<void> {
    const producer = await this.init();
    if (isOlder) {
      const { producerId, producerEpoch } = producer;
      await this.ask('addPartitionsToTxn', 3, {
        v3AndBelowTransactionalId: ID,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: TOPIC, partitions: PARTITIONS }],
      });
      await this.ask('addOffsetsToTxn', 3, { ...producer, groupId: GROUP });
    }
    await this.produce(producer, isOlder ? 11 : 12);
    await this.ask('txnOffsetCommit', isOlder ? 3 : 5, {
      ...producer,
      groupId: GROUP,
      topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }] }],
    });
    const { errorCode } = await this.ask('endTxn', isOlder ? 4 : 5, { ...producer, committed });
    expect(errorCode).to.equal(0);
    await this.atRest();
  }

  async produce({ producerId, producerEpoch }: Producer, version: number): Promise<void> {
    const batch = { producerId: Number(producerId), producerEpoch, baseSequence: 0, transactional: true };
    const partitionData = PARTITIONS.map((index) => ({ index, records: batchOf([`value ${index}`], batch) }));
    const topicData = [{ name: TOPIC, partitionData }];
    const answer = await this.ask('produce', version, { transactionalId: ID, acks: -1, timeoutMs: 1000, topicData });
    for (const { errorCode } of answer.responses[0]?.partitionResponses ?? []) expect(errorCode).to.equal(0);
  }

  /** Undefined when nobody knows the id. */
  async atRest(): Promise<string | undefined> {
    for (let asked = 0; asked < 50; asked++) {
      const { transactionStates } = await this.ask('describeTransactions', 0, { transactionalIds: [ID] });
      const { errorCode = 0, transactionState = '' } = transactionStates[0] ?? {};
      if (errorCode === 0 && !transactionState.startsWith('Prepare')) return transactionState;
      // Neither loaded nor on its way: there is no such topic, or no such id.
      if (errorCode === 105 || errorCode === 16) return undefined;
      await this.world.clock.advance(50);
    }
    throw new Error('the transaction does not come to rest');
  }

  /** What a reader of committed records gets, and that nothing is held back from it. */
  async committed(): Promise<string[]> {
    const values: string[] = [];
    for (const partition of PARTITIONS) {
      const answer = await this.ask('fetch', 12, {
        replicaId: -1,
        maxWaitMs: 0,
        minBytes: 0,
        isolationLevel: 1,
        topics: [{ topic: TOPIC, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 100_000 }] }],
        forgottenTopicsData: [],
      });
      const found = answer.responses[0]?.partitions[0];
      expect(found?.lastStableOffset).to.equal(found?.highWatermark);
      const aborted = new Set((found?.abortedTransactions ?? []).map(({ producerId }) => producerId));
      const bytes = found?.records ?? Buffer.alloc(0);
      for (const batch of batchesOf(Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes))) {
        if (batch.isControl || aborted.has(BigInt(batch.producerId))) continue;
        values.push(...recordsOf(batch).map(({ value }) => value?.toString() ?? ''));
      }
    }
    return values;
  }

  async offset(): Promise<bigint | undefined> {
    const topics = [{ name: TOPIC, partitionIndexes: [0] }];
    for (let asked = 0; asked < 50; asked++) {
      const answer = await this.ask('offsetFetch', 9, { groups: [{ groupId: GROUP, topics }], requireStable: true });
      const [group] = answer.groups;
      const one = group?.topics[0]?.partitions[0];
      if (group?.errorCode === 0 && one?.errorCode === 0) return one.committedOffset;
      if (group?.errorCode === 16) return undefined;
      await this.world.clock.advance(50);
    }
    throw new Error('the offsets stay unstable');
  }
}

/** One transaction, and the disk at each step and before each operation of it. */
async function momentsOf(committed: boolean, isOlder: boolean): Promise<Moment[]> {
  const moments: Moment[] = [];
  let isDecided = false;
  let isWatched = false;
  let operations = 0;
  const files: FakeFiles = new FakeFiles(() => 1_700_000_000_000, {
    beforeOperation: (operation, path) => {
      if (isWatched) moments.push({ when: `before ${operation} ${path} (${operations++})`, files: files.copy(), isDecided });
    },
  });
  const world = new SmallWorld(files, 1);
  await world.start(SETTINGS, {
    onTransactionStep: (step) => {
      if (step === 'prepared') isDecided = true;
      if (isWatched) moments.push({ when: `step ${step}`, files: files.copy(), isDecided });
    },
  });
  const client = new Client(world);
  await client.ask('createTopics', 5, {
    topics: [{ name: TOPIC, numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 1000,
  });
  await client.ask('findCoordinator', 4, { keyType: 0, coordinatorKeys: [GROUP] });
  await client.ask('findCoordinator', 4, { keyType: 1, coordinatorKeys: [ID] });
  isWatched = true;
  await client.transaction(committed, isOlder);
  isWatched = false;
  moments.push({ when: 'after all', files: files.copy(), isDecided });
  await world.stop();
  return moments;
}

const WHOLE = PARTITIONS.map((index) => `value ${index}`);

async function checkAfter({ when, files, isDecided }: Moment, committed: boolean): Promise<void> {
  const world = new SmallWorld(files, 2);
  await world.start(SETTINGS);
  const client = new Client(world);
  try {
    const state = await client.atRest();
    if (isDecided) expect(state, when).to.equal(committed ? 'CompleteCommit' : 'CompleteAbort');
    // Whoever was there is gone; the next producer ends what was open.
    const producer = await client.init();
    const after = await client.atRest();
    expect(after, when).to.equal('Empty');
    const isCommitted = state === 'CompleteCommit';
    expect(await client.committed(), when).to.deep.equal(isCommitted ? WHOLE : []);
    const offset = await client.offset();
    expect(offset, when).to.equal(isCommitted ? 7n : -1n);
    await client.produce(producer, 12);
    expect(world.errors, when).to.deep.equal([]);
  } finally {
    await world.stop();
  }
}

describe('A transaction whose coordinator dies', function () {
  this.timeout(120_000);
  for (const isOlder of [false, true]) {
    for (const committed of [true, false]) {
      const what = `${committed ? 'a commit' : 'an abort'} of ${isOlder ? 'an older client' : 'a client of transaction.version 2'}`;
      it(`at any step or operation of ${what} ends one way, wholly`, async () => {
        const moments = await momentsOf(committed, isOlder);
        const steps = new Set(moments.filter(({ when }) => when.startsWith('step ')).map(({ when }) => when.slice(5)));
        const [prepare, complete]: [TransactionStepName, TransactionStepName] = committed
          ? ['PrepareCommit', 'CompleteCommit']
          : ['PrepareAbort', 'CompleteAbort'];
        const expected: TransactionStepName[] = ['Empty', 'Ongoing', prepare, 'prepared', 'marked', complete, 'completed'];
        expect([...steps]).to.have.members(expected);
        expect(TRANSACTION_STEPS).to.include.members(expected);
        expect(moments.filter(({ isDecided }) => isDecided).length).to.be.greaterThan(4);
        for (const moment of moments) await checkAfter(moment, committed);
      });
    }
  }
});
