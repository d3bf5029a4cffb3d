/**
 * AddOffsetsToTxn, versions 0 to 4: the partition of `__consumer_offsets` that keeps the group's offsets becomes part of the transaction. KIP-588
 * (PRODUCER_FENCED, from 2 on; INVALID_PRODUCER_EPOCH before).
 */
import type { AddOffsetsToTxnRequest, AddOffsetsToTxnResponseDraft } from '../wire/generated/add-offsets-to-txn.ts';
import { OFFSETS_TOPIC } from '../wire/topic-name.ts';
import type { Context } from './context.ts';
import { fencingError } from './producer-fencing.ts';
import { claimOf } from './transaction-claim.ts';

const FENCED_FROM_VERSION = 2;

export async function addOffsetsToTxn(request: AddOffsetsToTxnRequest, context: Context): Promise<AddOffsetsToTxnResponseDraft> {
  const { apiVersion, transactions, groups } = context;
  const partitions = new Map([[OFFSETS_TOPIC, new Set([groups.topic.partitionOf(request.groupId)])]]);
  const error = await transactions.addPartitions(claimOf(request), partitions, 0);
  return { throttleTimeMs: 0, errorCode: fencingError(error, apiVersion, FENCED_FROM_VERSION) };
}
