/**
 * AddOffsetsToTxn, versions 0 to 4: the partition of `__consumer_offsets` that keeps the group's offsets becomes part of the transaction. KIP-588
 * (PRODUCER_FENCED, from 2 on; INVALID_PRODUCER_EPOCH before).
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { AddOffsetsToTxnRequest, AddOffsetsToTxnResponseDraft } from '../wire/generated/add-offsets-to-txn.ts';
import type { Context } from './context.ts';
import { claimOf } from './transaction-claim.ts';

const FENCED_FROM_VERSION = 2;
const OFFSETS_TOPIC = '__consumer_offsets';

export async function addOffsetsToTxn(request: AddOffsetsToTxnRequest, context: Context): Promise<AddOffsetsToTxnResponseDraft> {
  const { apiVersion, transactions, groups } = context;
  const partitions = new Map([[OFFSETS_TOPIC, new Set([groups.topic.partitionOf(request.groupId)])]]);
  const error = await transactions.addPartitions(claimOf(request), partitions, 0);
  const isOld = apiVersion < FENCED_FROM_VERSION && error === ErrorCode.PRODUCER_FENCED;
  return { throttleTimeMs: 0, errorCode: isOld ? ErrorCode.INVALID_PRODUCER_EPOCH : error };
}
