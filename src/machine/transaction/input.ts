/** What the transaction machine is asked, what it answers, what it wants of the world and what it wants to hear of again. */
import type { ErrorCode } from '../../wire/generated/errors.ts';
import type { TopicPartitions, Transaction, TransactionState } from './transaction.ts';

/** `freshProducerId`: one that nobody has had, in case that one is needed; without it the answer may be `needsProducerId`. */
export type TransactionInput =
  | {
      readonly kind: 'init';
      readonly transactionalId: string;
      /** Already checked; `TWO_PHASE_TIMEOUT_MS` for a producer that takes part in two-phase commits. */
      readonly timeoutMs: number;
      readonly expected: { readonly producerId: number; readonly producerEpoch: number } | undefined;
      readonly freshProducerId: number | undefined;
    }
  | {
      readonly kind: 'add';
      readonly transactionalId: string;
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly partitions: TopicPartitions;
      /** 0, or 2 for what the partitions' leaders add on behalf of their clients. */
      readonly clientVersion: number;
    }
  | {
      readonly kind: 'verify';
      readonly transactionalId: string;
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly partitions: TopicPartitions;
    }
  | {
      readonly kind: 'end';
      readonly transactionalId: string;
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly committed: boolean;
      readonly clientVersion: number;
      readonly freshProducerId: number | undefined;
    }
  /** What the effect `abortTimedOut` asked for. */
  | { readonly kind: 'abortTimedOut'; readonly transactionalId: string; readonly freshProducerId: number }
  /** Markers are in these partitions and stay there, or the partitions are no more. */
  | {
      readonly kind: 'marked';
      readonly transactionalId: string;
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly partitions: TopicPartitions;
    }
  | { readonly kind: 'describe'; readonly transactionalId: string }
  | { readonly kind: 'list'; readonly filter: TransactionFilter };

export interface TransactionFilter {
  /** Empty: all. */
  readonly producerIds: ReadonlySet<number>;
  /** Undefined: all. */
  readonly states: ReadonlySet<string> | undefined;
  /** Those that run longer; below 0: all. */
  readonly durationMs: number;
  matches(transactionalId: string): boolean;
}

export interface TransactionDescription {
  readonly transaction: Transaction;
  /** Those in which its end is not marked yet, once it is decided. */
  readonly partitions: TopicPartitions;
}

export type TransactionReply =
  | { readonly kind: 'init'; readonly producerId: number; readonly producerEpoch: number }
  | { readonly kind: 'add' }
  | { readonly kind: 'verify'; readonly missing: TopicPartitions }
  /** What the producer goes on with; -1 and -1 where epochs do not rise. */
  | { readonly kind: 'end'; readonly producerId: number; readonly producerEpoch: number }
  | { readonly kind: 'describe'; readonly description: TransactionDescription }
  | {
      readonly kind: 'list';
      readonly transactions: readonly {
        readonly transactionalId: string;
        readonly producerId: number;
        readonly state: TransactionState;
      }[];
    }
  | { readonly kind: 'noted' }
  | { readonly kind: 'needsProducerId' }
  | { readonly kind: 'refused'; readonly error: ErrorCode };

export type TransactionAfter =
  | { readonly kind: 'prepared'; readonly transactionalId: string; readonly producerId: number; readonly producerEpoch: number }
  | { readonly kind: 'completed'; readonly transactionalId: string };

export type TransactionEffect =
  /** To be tried again until every partition has it or is no more. A marker of before for the same id is void. */
  | {
      readonly kind: 'writeMarkers';
      readonly transactionalId: string;
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly committed: boolean;
      readonly partitions: TopicPartitions;
      readonly transactionVersion: number;
    }
  /** Its time is up, and the epochs of its producer are used up: to be asked for with a fresh producer id. */
  | { readonly kind: 'abortTimedOut'; readonly transactionalId: string }
  /** For those who wait for its end. */
  | { readonly kind: 'completed'; readonly transactionalId: string };

export type TransactionAlarm =
  | { readonly kind: 'timeouts' }
  | { readonly kind: 'expiry' }
  | { readonly kind: 'complete'; readonly transactionalId: string };

/** Broker configs and the cluster's feature, by their names without dots. */
export interface TransactionConfig {
  /** As the cluster has it finalized at the moment. */
  readonly transactionVersion: number;
  readonly transactionalIdExpirationMs: number;
  readonly removeExpiredIntervalMs: number;
  readonly abortTimedOutIntervalMs: number;
}

/** What the log holds of one transactional id; null when it has expired. */
export interface TransactionRecord {
  readonly transactionalId: string;
  readonly transaction: Transaction | null;
}
