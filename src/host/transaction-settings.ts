/** The broker configs that the transaction coordinator obeys. Source: Kafka's broker configs of the same names. */
import type { InternalTopic } from './internal-topic.ts';
import { TRANSACTION_TOPIC } from '../wire/topic-name.ts';

/** As SettingsView of api/context has them. */
export interface TransactionSettingsView {
  int(name: string): number;
}

export interface TransactionSettings {
  readonly transactionalIdExpirationMs: number;
  readonly removeExpiredIntervalMs: number;
  readonly abortTimedOutIntervalMs: number;
  readonly maxTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly topic: InternalTopic;
}

export function transactionSettingsOf(settings: TransactionSettingsView): TransactionSettings {
  return {
    transactionalIdExpirationMs: settings.int('transactional.id.expiration.ms'),
    removeExpiredIntervalMs: settings.int('transaction.remove.expired.transaction.cleanup.interval.ms'),
    abortTimedOutIntervalMs: settings.int('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    maxTimeoutMs: settings.int('transaction.max.timeout.ms'),
    requestTimeoutMs: settings.int('request.timeout.ms'),
    topic: {
      name: TRANSACTION_TOPIC,
      partitions: settings.int('transaction.state.log.num.partitions'),
      replicationFactor: settings.int('transaction.state.log.replication.factor'),
      configs: {
        'unclean.leader.election.enable': 'false',
        'compression.type': 'uncompressed',
        'cleanup.policy': 'compact',
        'min.insync.replicas': String(settings.int('transaction.state.log.min.isr')),
        'segment.bytes': String(settings.int('transaction.state.log.segment.bytes')),
      },
    },
  };
}
