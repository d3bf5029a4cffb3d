/**
 * DeleteRecords, versions 0 to 2 (KIP-107): moves the start of logs forward; -1 stands for the high watermark.
 *
 * - OFFSET_OUT_OF_RANGE above the high watermark or below 0; below the log start nothing happens. POLICY_VIOLATION where a topic is only
 *   compacted, INVALID_TOPIC_EXCEPTION for Kafka's own topics, whoever asks.
 * - The low watermark told is the new log start, which needs no waiting where no other replica has to follow; timeoutMs therefore bounds nothing.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { DeleteRecordsResponseDeleteRecordsPartitionResultDraft } from '../wire/generated/delete-records.ts';
import type { Context, Handler } from './context.ts';
import { hostedPartition } from './hosted-partition.ts';

export const deleteRecords: Handler<'deleteRecords'> = (request, context) => {
  const topics = new Map<string, Map<number, number>>();
  for (const { name, partitions } of request.topics) {
    if (partitions.length === 0) continue;
    const offsets = topics.get(name) ?? new Map<number, number>();
    topics.set(name, offsets);
    for (const { offset, partitionIndex } of partitions) offsets.set(partitionIndex, Number(offset));
  }
  return {
    throttleTimeMs: 0,
    topics: [...topics].map(([name, offsets]) => ({
      name,
      partitions: [...offsets].map(([index, offset]) => deleteBefore(name, index, offset, context)),
    })),
  };
};

function deleteBefore(
  topic: string,
  partitionIndex: number,
  offset: number,
  context: Context,
): DeleteRecordsResponseDeleteRecordsPartitionResultDraft {
  const partition = hostedPartition(topic, partitionIndex, context);
  if (typeof partition === 'number') return { partitionIndex, lowWatermark: -1, errorCode: partition };
  const errorCode = partition.isInternal ? ErrorCode.INVALID_TOPIC_EXCEPTION : partition.deleteRecordsBefore(offset);
  return { partitionIndex, lowWatermark: errorCode === ErrorCode.NONE ? partition.log.logStartOffset : -1, errorCode };
}
