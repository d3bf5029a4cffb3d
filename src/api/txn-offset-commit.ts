/**
 * TxnOffsetCommit, versions 0 to 6: how far a group has come, as part of a transaction. KIP-320 (leader epoch, 2), KIP-447 (which member, 3), KIP-890
 * (TRANSACTION_ABORTABLE, 4; from 5 on the group's partition of `__consumer_offsets` is added to the transaction here), topics by id from 6 on.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponseDraft } from '../wire/generated/txn-offset-commit.ts';
import type { Context, Partition, VerificationSupport } from './context.ts';
import { claimOf } from './transaction-claim.ts';
import { OffsetTopics } from './offset-topics.ts';

const LOADING_FROM_VERSION = 2;
const ABORTABLE_FROM_VERSION = 4;
const ADDS_FROM_VERSION = 5;
const TOPIC_IDS_FROM_VERSION = 6;
/** Batches of offsets have no sequences. */
const NO_SEQUENCE = -1;

export async function txnOffsetCommit(request: TxnOffsetCommitRequest, context: Context): Promise<TxnOffsetCommitResponseDraft> {
  const { groups, image, apiVersion } = context;
  const asked = new OffsetTopics(request.topics, image, apiVersion >= TOPIC_IDS_FROM_VERSION);
  if (asked.existing.length > 0) {
    const topics = asked.existing;
    const response = await groups.commitInTransaction({ ...request, topics }, apiVersion, (partition) =>
      verify(request, partition, context),
    );
    const answered = response.topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((one) => ({ ...one, errorCode: asVersion(one.errorCode, apiVersion) })),
    }));
    // Only where something was refused here are the topics of both parts joined.
    if (asked.allExist) return { throttleTimeMs: 0, topics: answered.map((topic) => asked.named(topic)) };
    for (const topic of answered) {
      for (const { partitionIndex, errorCode } of topic.partitions) asked.answer(topic, partitionIndex, errorCode);
    }
  }
  return { throttleTimeMs: 0, topics: asked.answers() };
}

async function verify(request: TxnOffsetCommitRequest, partition: Partition, context: Context) {
  const wanted = [{ partition, baseSequence: NO_SEQUENCE }];
  const [verified] = await context.transactionVerifier.verify(claimOf(request), supportOf(context.apiVersion), wanted);
  if (verified === undefined) throw new Error('one partition was to be verified, and none has been');
  return verified;
}

function supportOf(apiVersion: number): VerificationSupport {
  if (apiVersion >= ADDS_FROM_VERSION) return 'adds';
  return apiVersion >= ABORTABLE_FROM_VERSION ? 'abortable' : 'none';
}

function asVersion(errorCode: number, apiVersion: number): number {
  const isLoading = errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
  return apiVersion < LOADING_FROM_VERSION && isLoading ? ErrorCode.COORDINATOR_NOT_AVAILABLE : errorCode;
}
