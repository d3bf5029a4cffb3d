/**
 * The coordinators of this broker, put together over its partitions: groups and transactions need each other, because offsets are committed in transactions
 * and markers go into the partitions of groups.
 */
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { Partition } from '../partition/partition.ts';
import type { Partitions } from '../partition/partitions.ts';
import type { ErrorCode } from '../wire/generated/errors.ts';
import { OFFSETS_TOPIC, TRANSACTION_TOPIC } from '../wire/topic-name.ts';
import type { Clock } from '../world/clock.ts';
import type { Random } from '../world/random.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import type { CoordinatorSettings } from './group-settings.ts';
import type { InternalTopic } from './internal-topic.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';
import { TransactionMarkers } from './transaction-markers.ts';
import type { TransactionSettingsView } from './transaction-settings.ts';
import type { TransactionStepName } from './transaction-steps.ts';
import { TransactionVerifier } from './transaction-verifier.ts';

export interface CoordinatorsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: CoordinatorSettings & TransactionSettingsView;
  readonly image: MetadataImage;
  readonly partitions: Partitions;
  /** Whether transactions' first batches wait for the word of the coordinator: transaction.partition.verification.enable, as it is at the moment. */
  verifiesTransactions(): boolean;
  /** One that nobody has had. */
  nextProducerId(): Promise<number>;
  /** Creates the topic unless it exists; resolves when it is in the image or cannot be. */
  createInternalTopic(topic: InternalTopic): Promise<unknown>;
  /** What a partition holds could not be read; it stays unavailable until it is led anew. */
  onLoadFailure?(partition: Partition, failure: unknown): void;
  /** See TransactionCoordinatorOptions. */
  onFenced?(transactionalId: string, topic: string, index: number, error: ErrorCode): void;
  /** For tests that stop a broker in the middle of things. */
  readonly onStep?: ((step: TransactionStepName) => void) | undefined;
}

export interface Coordinators {
  readonly groups: GroupCoordinator;
  readonly transactions: TransactionCoordinator;
  readonly transactionMarkers: TransactionMarkers;
  readonly transactionVerifier: TransactionVerifier;
}

/** Each coordinates, from now on, what is led here of its topic. */
export function startCoordinators(o: CoordinatorsOptions): Coordinators {
  const { clock, settings, image, partitions } = o;
  const groups = new GroupCoordinator(o);
  const transactionMarkers = new TransactionMarkers({
    clock,
    image,
    partitions,
    completeOffsets: (index, end) => groups.completeTransaction(index, end),
  });
  const transactions = new TransactionCoordinator({ ...o, markers: transactionMarkers });
  partitions.onLeadership(OFFSETS_TOPIC, groups.topic);
  partitions.onLeadership(TRANSACTION_TOPIC, transactions.topic);
  const transactionVerifier = new TransactionVerifier({
    clock,
    settings,
    coordinator: transactions,
    isEnabled: () => o.verifiesTransactions(),
  });
  return { groups, transactions, transactionMarkers, transactionVerifier };
}

/** Answers all that waits; no timer stays. */
export function stopCoordinators({ groups, transactions }: Pick<Coordinators, 'groups' | 'transactions'>): void {
  transactions.stop();
  groups.stop();
}
