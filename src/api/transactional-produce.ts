/** What Produce does for batches of transactions before they are written: their coordinator is asked about first batches (KIP-98, KIP-890). */
import { ERROR_NAMES, ErrorCode } from '../wire/generated/errors.ts';
import type { ProduceRequestTopicProduceData } from '../wire/generated/produce.ts';
import { checkProducedRecords } from '../wire/produced-records.ts';
import { RECORDS_AT, RecordBatch, sizeOfBatchAt } from '../wire/record-batch.ts';
import type { Context, Partition, TransactionClaim, VerificationSupport, Verified } from './context.ts';

/** What the coordinator says of the partitions that are here and have transactional batches. */
export type VerifiedPartitions = ReadonlyMap<Partition, Verified>;

const ADDS_FROM_VERSION = 12;
const ABORTABLE_FROM_VERSION = 11;
const UNABLE = 'Unable to verify the partition has been added to the transaction. Underlying error: ';
const LET_IN: Verified = { error: ErrorCode.NONE, guard: undefined };

/** A torn batch counts as none: what its header says is nothing to go by. */
export function transactionalBatchOf(records: Buffer | null): RecordBatch | undefined {
  if (records === null || records.length < RECORDS_AT || sizeOfBatchAt(records, 0) === undefined) return undefined;
  const batch = new RecordBatch(records);
  return batch.isTransactional ? batch : undefined;
}

export function verifyFirstBatches(
  claim: TransactionClaim,
  topics: readonly ProduceRequestTopicProduceData[],
  partitionOf: (topic: ProduceRequestTopicProduceData, index: number, context: Context) => Partition | undefined,
  context: Context,
): VerifiedPartitions | Promise<VerifiedPartitions> {
  const wanted: { partition: Partition; baseSequence: number }[] = [];
  for (const topic of topics) {
    for (const { index, records } of topic.partitionData) {
      const partition = partitionOf(topic, index, context);
      if (partition === undefined || checkProducedRecords(records, context.apiVersion) !== undefined) continue;
      const batch = transactionalBatchOf(records);
      if (batch !== undefined && batch.producerId >= 0) wanted.push({ partition, baseSequence: batch.baseSequence });
    }
  }
  const byPartition = (verified: readonly Verified[]): VerifiedPartitions =>
    new Map(wanted.map(({ partition }, i) => [partition, verified[i] ?? LET_IN]));
  const verified = context.transactionVerifier.verify(claim, supportOf(context.apiVersion), wanted);
  return verified instanceof Promise ? verified.then(byPartition) : byPartition(verified);
}

function supportOf(apiVersion: number): VerificationSupport {
  if (apiVersion >= ADDS_FROM_VERSION) return 'adds';
  return apiVersion >= ABORTABLE_FROM_VERSION ? 'abortable' : 'none';
}

/** What a client of this version is told when the coordinator did not let its batch in. Source: ReplicaManager.handleProduceAppend. */
export function unverifiedAnswer(
  error: ErrorCode,
  apiVersion: number,
): { readonly errorCode: ErrorCode; readonly message: string | null } {
  if (error === ErrorCode.INVALID_TXN_STATE) return { errorCode: error, message: 'Partition was not added to the transaction' };
  if (!isForLater(error, apiVersion)) return { errorCode: error, message: null };
  return { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, message: `${UNABLE}${ERROR_NAMES.get(error) ?? error}` };
}

function isForLater(error: ErrorCode, apiVersion: number): boolean {
  switch (error) {
    case ErrorCode.NETWORK_EXCEPTION:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return true;
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return apiVersion < ADDS_FROM_VERSION;
    default:
      return false;
  }
}
