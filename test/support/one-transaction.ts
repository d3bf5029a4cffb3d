/**
 * One transaction over three partitions and the offset of a group, and what is to be seen of it afterwards, asked of any broker that answers: for tests that let
 * the broker die in its midst.
 */
import { expect } from 'chai';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { batchOf } from './small-broker.ts';

const TOPIC = 't';
const GROUP = 'g';
const ID = 'tx';
const PARTITIONS = [0, 1, 2];
/** One partition for each coordinator. */
export const FEW_PARTITIONS = { 'transaction.state.log.num.partitions': '1', 'offsets.topic.num.partitions': '1' };

interface Producer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export interface Asked {
  /** Undefined, or a rejection, when the broker is gone. */
  ask<N extends ApiName>(
    name: N,
    version: number,
    request: ApiTypes[N]['requestDraft'],
  ): Promise<ApiTypes[N]['response'] | undefined>;
  /** Time passes for the broker. */
  wait(ms: number): Promise<unknown>;
}

export class OneTransaction {
  readonly #broker: Asked;

  constructor(broker: Asked) {
    this.#broker = broker;
  }

  /** Before the broker may die: the topics are there, and the group and the id have coordinators. */
  async prepare(): Promise<void> {
    const topics = [{ name: TOPIC, numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }];
    await this.ask('createTopics', 5, { topics, timeoutMs: 1000 });
    await this.ask('findCoordinator', 4, { keyType: 0, coordinatorKeys: [GROUP] });
    await this.ask('findCoordinator', 4, { keyType: 1, coordinatorKeys: [ID] });
  }

  async ask<N extends ApiName>(name: N, version: number, request: ApiTypes[N]['requestDraft']): Promise<ApiTypes[N]['response']> {
    const answer = await this.#broker.ask(name, version, request);
    if (answer === undefined) throw new Error(`${name} is not answered`);
    return answer;
  }

  async init(): Promise<Producer> {
    await this.ask('findCoordinator', 4, { keyType: 1, coordinatorKeys: [ID] });
    for (let asked = 0; asked < 50; asked++) {
      const answer = await this.ask('initProducerId', 5, { transactionalId: ID, transactionTimeoutMs: 60_000 });
      if (answer.errorCode === 0) return { transactionalId: ID, ...answer };
      await this.#broker.wait(20);
    }
    throw new Error('no producer');
  }

  /** From the first request to the last marker. */
  async run(committed: boolean, isOlder: boolean): Promise<void> {
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
      await this.#broker.wait(50);
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
      await this.#broker.wait(50);
    }
    throw new Error('the offsets stay unstable');
  }

  /** Whatever there was of the transaction has ended one way, wholly, and a new producer can go on. */
  async expectWhole(when: string, committed: boolean, isDecided: boolean): Promise<void> {
    const state = await this.atRest();
    if (isDecided) expect(state, when).to.equal(committed ? 'CompleteCommit' : 'CompleteAbort');
    // Whoever was there is gone; the next producer ends what was open.
    const producer = await this.init();
    expect(await this.atRest(), when).to.equal('Empty');
    const isCommitted = state === 'CompleteCommit';
    expect(await this.committed(), when).to.deep.equal(isCommitted ? PARTITIONS.map((index) => `value ${index}`) : []);
    expect(await this.offset(), when).to.equal(isCommitted ? 7n : -1n);
    await this.produce(producer, 12);
  }
}
