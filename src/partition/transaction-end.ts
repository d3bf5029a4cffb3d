/** The end of a transaction in one partition: a control batch of one marker (KIP-98). Source: WriteTxnMarkers, EndTransactionMarker of Apache Kafka. */
import type { AppendResult } from '../log/log-contract.ts';
import { writeControlRecord } from '../wire/control-record.ts';
import { buildBatch } from '../wire/record-batch-builder.ts';
import type { Partition } from './partition.ts';

export interface TransactionEnd {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  readonly committed: boolean;
  /** Of the producer: from 2 on the epoch of the marker is higher than that of the transaction (KIP-1228). */
  readonly transactionVersion: number;
}

const ALL_REPLICAS = -1;

/** Appends the marker as the leader of the partition; wait with `onCommitted` for what comes after it. */
export function appendEndMarker(partition: Partition, end: TransactionEnd, timestamp: number): AppendResult {
  const { producerId, producerEpoch, coordinatorEpoch, committed, transactionVersion } = end;
  const record = writeControlRecord({ kind: committed ? 'Commit' : 'Abort', value: { coordinatorEpoch } });
  const batch = buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: partition.leaderEpoch,
    records: [{ ...record, timestamp }],
    producerId,
    producerEpoch,
    transactional: true,
    control: true,
  });
  return partition.append(batch, { requiredAcks: ALL_REPLICAS, origin: 'coordinator', transactionVersion });
}
