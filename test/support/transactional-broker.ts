/** A small broker with its coordinators: groups and transactions over a disk in memory and a clock that tests move, asked through handlers and codecs. */
import type { Context } from '../../src/api/context.ts';
import { HANDLERS } from '../../src/api/table.ts';
import { Settings } from '../../src/broker/settings.ts';
import { type Coordinators, startCoordinators, stopCoordinators } from '../../src/host/coordinators.ts';
import type { GroupCoordinator } from '../../src/host/group-coordinator.ts';
import type { TransactionCoordinator } from '../../src/host/transaction-coordinator.ts';
import type { TransactionMarkers } from '../../src/host/transaction-markers.ts';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import type { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type BatchOptions, SmallBroker, batchOf, idOf } from './small-broker.ts';

const NEWEST = { initProducerId: 5, addPartitionsToTxn: 3, endTxn: 5, produce: 12 } as const;

export interface Producer {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

export class TransactionalBroker {
  readonly small = new SmallBroker();
  readonly settings: Settings;
  readonly fenced: string[] = [];
  #coordinators: Coordinators;
  #nextProducerId = 1000;
  /** To be replaced where none are to be had. */
  nextProducerId = (): Promise<number> => Promise.resolve(this.#nextProducerId++);

  /** To be replaced where it is changed while the broker runs. */
  verifiesTransactions = (): boolean => this.settings.boolean('transaction.partition.verification.enable');

  /** `given`: broker configs by Kafka's names. `transactionVersion`: as the cluster has it finalized. */
  constructor(given: Readonly<Record<string, string | number>> = {}, transactionVersion = 2) {
    const values = new Map(Object.entries(given).map(([name, value]) => [name, String(value)]));
    const few = new Map([
      ['transaction.state.log.num.partitions', '2'],
      ['offsets.topic.num.partitions', '2'],
    ]);
    const sources = [
      { origin: 'few partitions', values: few },
      { origin: 'test', values },
    ];
    this.settings = new Settings(sources, { likeProduction: false });
    if (transactionVersion > 0) this.finalize(transactionVersion);
    this.#coordinators = this.#start();
  }

  finalize(featureLevel: number): void {
    void this.small.applyRecords([{ kind: 'FeatureLevelRecord', value: { name: 'transaction.version', featureLevel } }]);
  }

  #start(): Coordinators {
    const { clock, image, partitions, random } = this.small;
    return startCoordinators({
      clock,
      random,
      image,
      partitions,
      settings: this.settings,
      createInternalTopic: ({ name, partitions: count }) =>
        image.topicsByName.has(name) ? Promise.resolve() : this.small.createTopic(name, count),
      verifiesTransactions: () => this.verifiesTransactions(),
      nextProducerId: () => this.nextProducerId(),
      onFenced: (transactionalId, topic, index) => this.fenced.push(`${transactionalId} ${topic}-${index}`),
    });
  }

  /** The coordinators go, as with their process, and others come up over the same logs. */
  restart(): void {
    stopCoordinators(this.#coordinators);
    this.#coordinators = this.#start();
  }

  get groups(): GroupCoordinator {
    return this.#coordinators.groups;
  }

  get transactions(): TransactionCoordinator {
    return this.#coordinators.transactions;
  }

  get markers(): TransactionMarkers {
    return this.#coordinators.transactionMarkers;
  }

  send<N extends ApiName>(name: N, version: number, request: ApiTypes[N]['requestDraft'], over: Partial<Context> = {}) {
    const handler = HANDLERS[name];
    if (handler === null) throw new Error(`${name} has no handler`);
    return this.small.ask(name, handler, version, request, {
      ...this.#coordinators,
      ...over,
    });
  }

  async ask<N extends ApiName>(name: N, version: number, request: ApiTypes[N]['requestDraft']): Promise<ApiTypes[N]['response']> {
    const asked = this.send(name, version, request);
    for (let turn = 0; turn < 30 && !asked.settled; turn++) await this.small.turn();
    return asked.answer;
  }

  /** Until nothing goes on any more of itself. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await this.small.turn();
  }

  /** The coordinator's topic is there and the id has a producer. */
  async init(transactionalId: string, more: Partial<ApiTypes['initProducerId']['requestDraft']> = {}): Promise<Producer> {
    await this.ask('findCoordinator', 6, { keyType: 1, coordinatorKeys: [transactionalId] });
    const request = { transactionalId, transactionTimeoutMs: 60_000, ...more };
    const { errorCode, producerId, producerEpoch } = await this.ask('initProducerId', NEWEST.initProducerId, request);
    if (errorCode !== 0) throw new Error(`InitProducerId: ${errorCode}`);
    return { transactionalId, producerId: Number(producerId), producerEpoch };
  }

  async add(producer: Producer, topic: string, ...partitions: readonly number[]): Promise<ErrorCode | undefined> {
    const answer = await this.ask('addPartitionsToTxn', NEWEST.addPartitionsToTxn, {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions }],
    });
    return answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode as ErrorCode | undefined;
  }

  /** Ends as clients of transaction.version 2 do, and gives the producer to go on with. */
  async end(producer: Producer, committed: boolean, version: number = NEWEST.endTxn): Promise<Producer> {
    const { errorCode, producerId, producerEpoch } = await this.ask('endTxn', version, { ...producer, committed });
    if (errorCode !== 0) throw new Error(`EndTxn: ${errorCode}`);
    if (producerId < 0n) return producer;
    return { transactionalId: producer.transactionalId, producerId: Number(producerId), producerEpoch };
  }

  /** Error and base offset of one batch in one partition. */
  async produce(
    producer: Producer,
    topic: string,
    values: readonly string[],
    more: BatchOptions & { readonly index?: number; readonly version?: number } = {},
  ): Promise<{ errorCode: number; baseOffset: number; errorMessage: string | null }> {
    const { index = 0, version = NEWEST.produce, ...batch } = more;
    const { producerId, producerEpoch, transactionalId } = producer;
    const records = batchOf(values, { producerId, producerEpoch, baseSequence: 0, transactional: true, ...batch });
    const answer = await this.ask('produce', version, {
      transactionalId,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: topic, topicId: idOf(topic), partitionData: [{ index, records }] }],
    });
    const one = answer.responses[0]?.partitionResponses[0];
    if (one === undefined) throw new Error('no partition in the answer');
    return { errorCode: one.errorCode, baseOffset: Number(one.baseOffset), errorMessage: one.errorMessage };
  }

  async stateOf(transactionalId: string): Promise<string> {
    const { transactionStates } = await this.ask('describeTransactions', 0, { transactionalIds: [transactionalId] });
    const [one] = transactionStates;
    return one === undefined || one.errorCode !== 0 ? `error ${one?.errorCode}` : one.transactionState;
  }
}
