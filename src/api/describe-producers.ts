/** DescribeProducers, version 0 (KIP-664): the producers that the log of a partition knows of. */
import { topicNameError } from '../wire/topic-name.ts';
import type { DescribeProducersResponsePartitionResponseDraft } from '../wire/generated/describe-producers.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { writableInt64 } from '../wire/int64.ts';
import type { Context, Handler } from './context.ts';
import { hostedPartition } from './hosted-partition.ts';

export const describeProducers: Handler<'describeProducers'> = (request, context) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ name, partitionIndexes }) => {
    const nameError = topicNameError(name);
    return {
      name,
      partitions: partitionIndexes.map((index) =>
        nameError === null
          ? describe(name, index, context)
          : { partitionIndex: index, errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: nameError, activeProducers: [] },
      ),
    };
  }),
});

function describe(topic: string, partitionIndex: number, context: Context): DescribeProducersResponsePartitionResponseDraft {
  const partition = hostedPartition(topic, partitionIndex, context);
  if (typeof partition === 'number') {
    const errorMessage = context.image.topicsByName.has(topic) ? null : 'This server does not host this topic-partition.';
    return { partitionIndex, errorCode: partition, errorMessage, activeProducers: [] };
  }
  const activeProducers = [...partition.log.producerState.entries()].map((entry) => ({
    producerId: entry.producerId,
    producerEpoch: entry.producerEpoch,
    lastSequence: entry.lastSequence,
    lastTimestamp: writableInt64(entry.lastTimestamp),
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.currentTxnFirstOffset,
  }));
  return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers };
}
