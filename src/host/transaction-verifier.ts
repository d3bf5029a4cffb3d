/**
 * Asks the coordinator about the first batch of a transaction in each partition before it is written (KIP-890): is the partition in the transaction (older
 * clients have said so themselves), or, for clients of transaction.version 2, add it.
 *
 * Nothing is asked, and nothing waited for, where the transaction is open in all partitions. Else requests of one producer are dealt with one after the other, so
 * that their batches stay in order. Source: AddPartitionsToTxnManager, ReplicaManager.handleProduceAppend.
 */
import type { FirstBatch, VerificationGuard } from '../log/verification.ts';
import { EPOCH_BUMP_VERSION, topicPartitionsOf } from '../machine/transaction/transaction.ts';
import type { Partition } from '../partition/partition.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';
import type { TransactionClaim, TransactionCoordinator } from './transaction-coordinator.ts';

/** What the version of a request says about its client. */
export type VerificationSupport =
  /** Its partitions are added here. */
  | 'adds'
  /** It knows TRANSACTION_ABORTABLE. */
  | 'abortable'
  | 'none';

/** One partition's first batch of the request. */
export interface ToVerify {
  readonly partition: Partition;
  /** -1 where batches have no sequence. */
  readonly baseSequence: number;
}

export interface Verified {
  /** As the coordinator has it; NONE lets the batch in, with the guard. */
  readonly error: ErrorCode;
  readonly guard: VerificationGuard | undefined;
}

export interface TransactionVerifierOptions {
  readonly clock: Clock;
  readonly coordinator: TransactionCoordinator;
  readonly settings: { int(name: string): number };
  /** transaction.partition.verification.enable, as it is at the moment. */
  isEnabled(): boolean;
}

const LET_IN: Verified = { error: ErrorCode.NONE, guard: undefined };

export class TransactionVerifier {
  readonly #options: TransactionVerifierOptions;
  readonly #retryMs: number;
  readonly #retryMaxMs: number;
  /** The last request of each producer that waits for an answer. */
  readonly #waiting = new Map<number, Promise<readonly Verified[]>>();

  constructor(options: TransactionVerifierOptions) {
    const { settings } = options;
    this.#options = options;
    this.#retryMs = settings.int('add.partitions.to.txn.retry.backoff.ms');
    this.#retryMaxMs = Math.min(settings.int('add.partitions.to.txn.retry.backoff.max.ms'), settings.int('request.timeout.ms'));
  }

  /** One result for each of `wanted`: at once where nobody has to be asked. */
  verify(
    claim: TransactionClaim,
    support: VerificationSupport,
    wanted: readonly ToVerify[],
  ): readonly Verified[] | Promise<readonly Verified[]> {
    if (support !== 'adds' && !this.#options.isEnabled()) return wanted.map(() => LET_IN);
    const before = this.#waiting.get(claim.producerId);
    if (before === undefined) {
      const started = startAll(claim, support, wanted);
      if (started.every(({ guard }) => guard === undefined)) return started;
    }
    const run = this.#verifyAfter(before, claim, support, wanted).finally(() => {
      if (this.#waiting.get(claim.producerId) === run) this.#waiting.delete(claim.producerId);
    });
    this.#waiting.set(claim.producerId, run);
    return run;
  }

  async #verifyAfter(
    before: Promise<readonly Verified[]> | undefined,
    claim: TransactionClaim,
    support: VerificationSupport,
    wanted: readonly ToVerify[],
  ): Promise<readonly Verified[]> {
    await before?.catch(() => undefined);
    const { clock } = this.#options;
    const giveUpMs = clock.monotonic() + this.#retryMaxMs;
    for (;;) {
      const verified = await this.#ask(claim, support, wanted);
      const mayPass = support === 'adds' && verified.some(({ error }) => error === ErrorCode.CONCURRENT_TRANSACTIONS);
      if (!mayPass || clock.monotonic() >= giveUpMs) return verified;
      await this.#mayHavePassed(claim.transactionalId);
    }
  }

  /** The transaction before is complete, or it is time to ask again anyway. */
  async #mayHavePassed(transactionalId: string): Promise<void> {
    const { clock, coordinator } = this.#options;
    await new Promise<void>((resolve) => {
      const timer = clock.after(this.#retryMs, () => done());
      const forget = coordinator.onCompleted(transactionalId, () => done());
      const done = (): void => {
        timer.cancel();
        forget();
        resolve();
      };
    });
  }

  async #ask(claim: TransactionClaim, support: VerificationSupport, wanted: readonly ToVerify[]): Promise<readonly Verified[]> {
    const started = startAll(claim, support, wanted);
    const asked = wanted.filter((_one, i) => started[i]?.guard !== undefined);
    if (asked.length === 0) return started;
    const errors = await this.#askCoordinator(
      claim,
      support,
      asked.map(({ partition }) => partition),
    );
    return started.map((one, i) => {
      const partition = wanted[i]?.partition;
      if (one.guard === undefined || partition === undefined) return one;
      const error = errors(partition.topic, partition.index);
      return error === ErrorCode.NONE ? one : { error, guard: undefined };
    });
  }

  async #askCoordinator(
    claim: TransactionClaim,
    support: VerificationSupport,
    partitions: readonly Partition[],
  ): Promise<(topic: string, index: number) => ErrorCode> {
    const { coordinator } = this.#options;
    if (!coordinator.topic.exists) return () => ErrorCode.COORDINATOR_NOT_AVAILABLE;
    const wanted = topicPartitionsOf(partitions);
    if (support === 'adds') {
      const error = asPartitionError(await coordinator.addPartitions(claim, wanted, EPOCH_BUMP_VERSION));
      return () => error;
    }
    const answer = await coordinator.verifyPartitions(claim, wanted);
    if (answer.reply === undefined) {
      const error = asPartitionError(answer.error);
      return () => error;
    }
    const { missing } = answer.reply;
    const missed = support === 'abortable' ? ErrorCode.TRANSACTION_ABORTABLE : ErrorCode.INVALID_TXN_STATE;
    return (topic, index) => (missing.get(topic)?.has(index) === true ? missed : ErrorCode.NONE);
  }
}

function startAll(claim: TransactionClaim, support: VerificationSupport, wanted: readonly ToVerify[]): readonly Verified[] {
  const { producerId, producerEpoch } = claim;
  return wanted.map(({ partition, baseSequence }): Verified => {
    const batch: FirstBatch = { producerId, producerEpoch, baseSequence, bumpsEpochs: support === 'adds' };
    const started = partition.startVerification(batch);
    return 'error' in started ? { error: started.error, guard: undefined } : { error: ErrorCode.NONE, guard: started.guard };
  });
}

/** To the partition's client a fenced producer is one with an old epoch. */
function asPartitionError(error: ErrorCode): ErrorCode {
  return error === ErrorCode.PRODUCER_FENCED ? ErrorCode.INVALID_PRODUCER_EPOCH : error;
}
