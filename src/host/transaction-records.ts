/**
 * The records of `__transaction_state` between bytes and the transaction machine.
 *
 * Values are written in version 1 from transaction.version 1 on, which alone has room for what KIP-890 added, and in version 0 before; both are read. What
 * Apache Kafka does not know it passes over, and so do we: keys of other kinds, values of later versions. Source: TransactionLog.
 */
import type { TransactionRecord } from '../machine/transaction/input.ts';
import {
  NO_PARTITIONS,
  NO_PRODUCER_EPOCH,
  type TopicPartitions,
  type Transaction,
  type TransactionState,
} from '../machine/transaction/transaction.ts';
import { readTransactionRecord, writeTransactionRecordKey, writeTransactionRecordValue } from '../wire/coordinator-record.ts';
import type { TransactionLogValue, TransactionLogValueDraft } from '../wire/generated/records/transaction-log.ts';

const STATES: readonly TransactionState[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
];
const LAST_VALUE_VERSION = 1;
const ADDED_IN_VERSION = 1;

/** Undefined where there is nothing for the machine. */
export function readRecord(key: Buffer, value: Buffer | null): TransactionRecord | undefined {
  if (value !== null && value.length >= 2 && value.readInt16BE(0) > LAST_VALUE_VERSION) return undefined;
  const record = readTransactionRecord(key, value);
  if (record === undefined) return undefined;
  const { transactionalId } = record.key;
  return { transactionalId, transaction: record.value === null ? null : transactionOf(transactionalId, record.value) };
}

function transactionOf(transactionalId: string, value: TransactionLogValue): Transaction {
  const state = STATES[value.transactionStatus];
  if (state === undefined)
    throw new Error(`transactional id ${transactionalId} is in state ${value.transactionStatus}, which is none`);
  return {
    state,
    producerId: Number(value.producerId),
    previousProducerId: Number(value.previousProducerId),
    nextProducerId: Number(value.nextProducerId),
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: value.transactionTimeoutMs,
    partitions: state === 'Empty' ? NO_PARTITIONS : partitionsOf(value.transactionPartitions ?? []),
    startMs: Number(value.transactionStartTimestampMs),
    lastUpdateMs: Number(value.transactionLastUpdateTimestampMs),
    clientVersion: value.clientTransactionVersion,
  };
}

function partitionsOf(topics: NonNullable<TransactionLogValue['transactionPartitions']>): TopicPartitions {
  return new Map(topics.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]));
}

export function writeRecord(
  { transactionalId, transaction }: TransactionRecord,
  transactionVersion: number,
): { readonly key: Buffer; readonly value: Buffer | null } {
  const version = transactionVersion >= 1 ? 1 : 0;
  const value = transaction && valueOf(transaction, version);
  const record = { kind: 'TransactionLog', key: { transactionalId }, value, version } as const;
  return { key: writeTransactionRecordKey(record), value: writeTransactionRecordValue(record) };
}

function valueOf(transaction: Transaction, version: number): TransactionLogValueDraft {
  const { state, partitions, previousProducerId, nextProducerId, clientVersion } = transaction;
  const topics = [...partitions].map(([topic, indexes]) => ({ topic, partitionIds: [...indexes] }));
  return {
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: STATES.indexOf(state),
    transactionPartitions: state === 'Empty' ? null : topics,
    transactionLastUpdateTimestampMs: transaction.lastUpdateMs,
    transactionStartTimestampMs: transaction.startMs,
    ...(version >= ADDED_IN_VERSION && { previousProducerId, nextProducerId, clientTransactionVersion: clientVersion }),
  };
}
