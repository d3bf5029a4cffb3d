/**
 * The transaction coordinator of this broker: knows which partition of `__transaction_state` a transactional id lives in, runs a transaction machine over
 * each partition that this broker leads, and carries out what they want: markers, and producer ids in place of those that are used up.
 *
 * Source: TransactionCoordinator and TransactionStateManager of Apache Kafka; KIP-98, KIP-360, KIP-664, KIP-890, KIP-939.
 */
import type {
  TransactionAfter,
  TransactionDescription,
  TransactionEffect,
  TransactionFilter,
  TransactionInput,
  TransactionRecord,
  TransactionReply,
} from '../machine/transaction/input.ts';
import type { TopicPartitions } from '../machine/transaction/transaction.ts';
import { TransactionMachine } from '../machine/transaction/transaction-machine.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { Partition } from '../partition/partition.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';
import { CoordinatedTopic } from './coordinated-topic.ts';
import { coordinatorErrorOf } from './coordinator-error.ts';
import { Host } from './host.ts';
import type { InternalTopic } from './internal-topic.ts';
import type { TransactionMarkers } from './transaction-markers.ts';
import { observed, type TransactionStepName } from './transaction-steps.ts';
import { readRecord, writeRecord } from './transaction-records.ts';
import { type TransactionSettings, type TransactionSettingsView, transactionSettingsOf } from './transaction-settings.ts';
import { type CoordinatorAnswer, failed } from './coordinator-answer.ts';

export interface TransactionCoordinatorOptions {
  readonly clock: Clock;
  readonly settings: TransactionSettingsView;
  readonly image: MetadataImage;
  readonly markers: TransactionMarkers;
  nextProducerId(): Promise<number>;
  createInternalTopic(topic: InternalTopic): Promise<unknown>;
  /** The transactions of a partition could not be read; they stay unavailable until it is led anew. */
  onLoadFailure?(partition: Partition, failure: unknown): void;
  /** A partition refuses the end of a transaction for good; it stays in its Prepare state until the coordinator is loaded anew. */
  onFenced?(transactionalId: string, topic: string, index: number, error: ErrorCode): void;
  /** For tests that stop a broker in the middle of things. */
  onStep?: ((step: TransactionStepName) => void) | undefined;
}

type TransactionHost = Host<TransactionInput, TransactionRecord, TransactionReply, TransactionAfter, TransactionEffect>;
type WriteMarkers = Extract<TransactionEffect, { kind: 'writeMarkers' }>;

export type Answer<K extends TransactionReply['kind']> = CoordinatorAnswer<TransactionReply, K>;

export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface InitRequest {
  readonly transactionalId: string;
  readonly timeoutMs: number;
  readonly expected: ProducerIdentity | undefined;
}

export interface TransactionClaim extends ProducerIdentity {
  readonly transactionalId: string;
}

const TRANSACTION_VERSION = 'transaction.version';
const UNCOMPRESSED = 0;

export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions;
  readonly #settings: TransactionSettings;
  readonly #completions = new Map<string, Set<() => void>>();
  /** `__transaction_state`, by transactional ids. */
  readonly topic: CoordinatedTopic<TransactionHost>;

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options;
    this.#settings = transactionSettingsOf(options.settings);
    this.topic = new CoordinatedTopic({
      image: options.image,
      topic: this.#settings.topic,
      createInternalTopic: (topic) => options.createInternalTopic(topic),
      open: (partition) => this.#open(partition),
    });
  }

  /** As the cluster has it finalized. */
  get transactionVersion(): number {
    return this.#options.image.features.get(TRANSACTION_VERSION) ?? 0;
  }

  #open(partition: Partition): TransactionHost {
    const { clock, onStep } = this.#options;
    const version = (): number => this.transactionVersion;
    const config = {
      ...this.#settings,
      get transactionVersion() {
        return version();
      },
    };
    const writing = new Map<string, () => void>();
    const host: TransactionHost = new Host({
      clock,
      partition,
      machine: () => {
        const machine = new TransactionMachine(config);
        return onStep === undefined ? machine : observed(machine, onStep);
      },
      readRecord,
      writeRecord: (record) => writeRecord(record, version()),
      codec: UNCOMPRESSED,
      writeTimeoutMs: this.#settings.requestTimeoutMs,
      carryOut: (effect) => {
        if (effect.kind === 'writeMarkers') this.#writeMarkers(host, partition, effect, writing);
        else if (effect.kind === 'completed') this.#tellCompleted(effect.transactionalId);
        else void this.#abortTimedOut(host, effect.transactionalId);
      },
      onDropped: () => {
        for (const cancel of writing.values()) cancel();
        writing.clear();
      },
      onLoadFailure: (failure) => this.#options.onLoadFailure?.(partition, failure),
    });
    return host;
  }

  #writeMarkers(host: TransactionHost, partition: Partition, effect: WriteMarkers, writing: Map<string, () => void>): void {
    const { transactionalId, producerId, producerEpoch, committed, partitions, transactionVersion } = effect;
    writing.get(transactionalId)?.();
    const end = { producerId, producerEpoch, committed, transactionVersion, coordinatorEpoch: partition.leaderEpoch };
    const cancel = this.#options.markers.writeAll({
      end,
      partitions,
      onMarked: (marked) => {
        this.#options.onStep?.('marked');
        void host.submit({ kind: 'marked', transactionalId, producerId, producerEpoch, partitions: marked });
      },
      onFenced: (topic, index, error) => this.#options.onFenced?.(transactionalId, topic, index, error),
    });
    writing.set(transactionalId, cancel);
  }

  /** Runs `run` when a transaction of this id is complete. What is returned takes that back. */
  onCompleted(transactionalId: string, run: () => void): () => void {
    const waiting = this.#completions.get(transactionalId) ?? new Set();
    this.#completions.set(transactionalId, waiting.add(run));
    return () => {
      waiting.delete(run);
      if (waiting.size === 0) this.#completions.delete(transactionalId);
    };
  }

  #tellCompleted(transactionalId: string): void {
    for (const run of [...(this.#completions.get(transactionalId) ?? [])]) run();
  }

  async #abortTimedOut(host: TransactionHost, transactionalId: string): Promise<void> {
    let freshProducerId: number;
    try {
      freshProducerId = await this.#options.nextProducerId();
    } catch {
      // The metadata log takes no records any more, and says so itself; the machine asks again as long as it is there.
      return;
    }
    await host.submit({ kind: 'abortTimedOut', transactionalId, freshProducerId });
  }

  stop(): void {
    this.topic.stop();
  }

  /** A producer id and epoch for a transactional id; whoever had it before is fenced. */
  async initProducerId(request: InitRequest): Promise<{ readonly error: ErrorCode } & ProducerIdentity> {
    const { transactionalId, timeoutMs, expected } = request;
    const error = this.#errorOfInit(request);
    if (error !== ErrorCode.NONE) return { error, producerId: -1, producerEpoch: -1 };
    const answer = await this.#askWithProducerId('init', transactionalId, (freshProducerId) => ({
      kind: 'init',
      transactionalId,
      timeoutMs,
      expected,
      freshProducerId,
    }));
    if (answer.reply === undefined) return { error: answer.error, producerId: -1, producerEpoch: -1 };
    const { producerId, producerEpoch } = answer.reply;
    return { error: ErrorCode.NONE, producerId, producerEpoch };
  }

  #errorOfInit({ transactionalId, timeoutMs }: InitRequest): ErrorCode {
    if (transactionalId === '') return ErrorCode.INVALID_REQUEST;
    if (timeoutMs <= 0 || timeoutMs > this.#settings.maxTimeoutMs) return ErrorCode.INVALID_TRANSACTION_TIMEOUT;
    return ErrorCode.NONE;
  }

  /** `clientVersion`: 2 for a client whose epoch rises with every transaction, else 0. */
  async addPartitions(claim: TransactionClaim, partitions: TopicPartitions, clientVersion: number): Promise<ErrorCode> {
    if (claim.transactionalId === '') return ErrorCode.INVALID_REQUEST;
    const answer = await this.#ask('add', claim.transactionalId, { kind: 'add', ...claim, partitions, clientVersion });
    return answer.error;
  }

  /** Which of the partitions are not in the transaction, when it is the producer's. */
  async verifyPartitions(claim: TransactionClaim, partitions: TopicPartitions): Promise<Answer<'verify'>> {
    if (claim.transactionalId === '') return failed(ErrorCode.INVALID_REQUEST);
    return this.#ask('verify', claim.transactionalId, { kind: 'verify', ...claim, partitions });
  }

  /** The producer id and epoch to go on with, where they change with every transaction. */
  async endTransaction(
    claim: TransactionClaim,
    committed: boolean,
    clientVersion: number,
  ): Promise<{ readonly error: ErrorCode } & ProducerIdentity> {
    const refuse = (error: ErrorCode) => ({ error, producerId: -1, producerEpoch: -1 });
    if (claim.transactionalId === '') return refuse(ErrorCode.INVALID_REQUEST);
    const answer = await this.#askWithProducerId('end', claim.transactionalId, (freshProducerId) => {
      return { kind: 'end', ...claim, committed, clientVersion, freshProducerId };
    });
    if (answer.reply === undefined) return refuse(answer.error);
    const { producerId, producerEpoch } = answer.reply;
    return { error: ErrorCode.NONE, producerId, producerEpoch };
  }

  async describe(transactionalId: string): Promise<{ readonly error: ErrorCode; readonly description?: TransactionDescription }> {
    if (this.topic.isStopped) return { error: ErrorCode.COORDINATOR_NOT_AVAILABLE };
    if (transactionalId === '') return { error: ErrorCode.INVALID_REQUEST };
    const answer = await this.#ask('describe', transactionalId, { kind: 'describe', transactionalId });
    return answer.reply === undefined ? { error: answer.error } : { error: answer.error, description: answer.reply.description };
  }

  /** Of all partitions led here; those that are being loaded make the whole answer COORDINATOR_LOAD_IN_PROGRESS. */
  async list(filter: TransactionFilter): Promise<{
    readonly error: ErrorCode;
    readonly transactions: Extract<TransactionReply, { kind: 'list' }>['transactions'];
  }> {
    if (this.topic.isStopped) return { error: ErrorCode.COORDINATOR_NOT_AVAILABLE, transactions: [] };
    const hosts = [...this.topic.hosts()];
    const answers = await Promise.all(hosts.map((host) => this.#askHost('list', host, { kind: 'list', filter })));
    if (answers.some(({ error }) => error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS))
      return { error: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, transactions: [] };
    return { error: ErrorCode.NONE, transactions: answers.flatMap(({ reply }) => reply?.transactions ?? []) };
  }

  /** Asks without a producer id first: they are not to be wasted. */
  async #askWithProducerId<K extends TransactionReply['kind']>(
    kind: K,
    transactionalId: string,
    inputWith: (freshProducerId: number | undefined) => TransactionInput,
  ): Promise<Answer<K>> {
    const host = this.#hostOf(transactionalId);
    if (typeof host === 'number') return failed(host);
    const answer = await this.#askHost(kind, host, inputWith(undefined));
    if (answer !== NEEDS_PRODUCER_ID) return answer;
    return this.#askHost(kind, host, inputWith(await this.#options.nextProducerId()));
  }

  async #ask<K extends TransactionReply['kind']>(kind: K, transactionalId: string, input: TransactionInput): Promise<Answer<K>> {
    const host = this.#hostOf(transactionalId);
    return typeof host === 'number' ? failed(host) : this.#askHost(kind, host, input);
  }

  #hostOf(transactionalId: string): TransactionHost | ErrorCode {
    if (this.topic.isStopped) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    return this.topic.hostOf(this.topic.partitionOf(transactionalId)) ?? ErrorCode.NOT_COORDINATOR;
  }

  async #askHost<K extends TransactionReply['kind']>(
    kind: K,
    host: TransactionHost,
    input: TransactionInput,
  ): Promise<Answer<K>> {
    const answer = await host.submit(input);
    if (!answer.ok) return failed(coordinatorErrorOf(answer.error));
    const { reply } = answer;
    if (reply.kind === 'needsProducerId') return NEEDS_PRODUCER_ID;
    if (reply.kind === 'refused') return failed(reply.error);
    if (reply.kind !== kind) throw new Error(`the transaction machine answered ${input.kind} with ${reply.kind}`);
    return { error: ErrorCode.NONE, reply: reply as Extract<TransactionReply, { kind: K }> };
  }
}

const NEEDS_PRODUCER_ID = failed(ErrorCode.UNKNOWN_SERVER_ERROR);
